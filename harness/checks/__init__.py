"""The checks: one file per topic, one function per requirement. This table collects them.

A check's module registers its functions with ``@check``. Importing this package imports them all; the
modules that other packages add are imported when the table is first read.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.checks import (
    broken,
    client,
    delivery,
    errors,
    gateway,
    handoff,
    reasoning,
    refusals,
    registry,
    requests,
    services,
    stops,
    streaming,
    text,
    tools,
    usage,
)
from harness.checks.registry import Check
from providers import extensions

_MODULES = (
    broken,
    client,
    delivery,
    errors,
    gateway,
    handoff,
    reasoning,
    refusals,
    requests,
    services,
    stops,
    streaming,
    text,
    tools,
    usage,
)


def _checks() -> Mapping[str, Check]:
    for point in extensions.points("checks"):
        extensions.load(point)
    return dict(sorted(registry.registered().items()))


CHECKS: Mapping[str, Check] = extensions.Table(_checks)
