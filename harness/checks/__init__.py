"""The checks: one file per topic, one function per requirement. This table collects them.

A check's module registers its functions with ``@check``. Importing this package imports them all; the
modules that other packages add are imported when the table is first read.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.checks import (
    broken,
    broken_tools,
    client,
    client_requests,
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
    tool_requests,
    tool_results,
    tools,
    usage,
)
from harness.checks.registry import Check
from providers import extensions
from providers.errors import UnusableExtension

_MODULES = (
    broken,
    broken_tools,
    client,
    client_requests,
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
    tool_requests,
    tool_results,
    tools,
    usage,
)


def _checks() -> Mapping[str, Check]:
    for point in extensions.points("checks"):
        try:
            extensions.load(point)
            if point.module.partition(".")[0] not in _adding():
                raise extensions.unusable(point, "a module whose functions have @check", "no check")
        except UnusableExtension as fault:
            extensions.leave_out(point, fault)
    return dict(sorted(registry.registered().items()))


def _adding() -> frozenset[str]:
    """The packages that have checks."""
    return frozenset(each.judge.__module__.partition(".")[0] for each in registry.registered().values())


CHECKS: Mapping[str, Check] = extensions.extended(_checks)
