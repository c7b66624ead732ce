"""The checks: one file per topic, one function per requirement. This table collects them.

A check's module registers its functions with ``@check``; importing this package imports them all.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.checks import registry, streaming
from harness.checks.registry import Check

_MODULES = (streaming,)

CHECKS: Mapping[str, Check] = dict(sorted(registry.registered().items()))
