"""The checks: one file per topic, one function per requirement. This table collects them.

A check's module registers its functions with ``@check``; importing this package imports them all.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.checks import (
    broken,
    delivery,
    errors,
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

_MODULES = (
    broken,
    delivery,
    errors,
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

CHECKS: Mapping[str, Check] = dict(sorted(registry.registered().items()))
