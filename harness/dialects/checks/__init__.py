"""The checks of dialects: one file per topic, one function per requirement. This table collects them.

Where ``harness.checks`` judges an exchange, these judge a Trial: one provider of one client system. Importing
this package registers them all.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.dialects.checks import clouds, configuration, credentials, registry, rotation
from harness.dialects.checks.registry import DialectCheck

_MODULES = (clouds, configuration, credentials, rotation)

DIALECT_CHECKS: Mapping[str, DialectCheck] = dict(sorted(registry.registered().items()))
