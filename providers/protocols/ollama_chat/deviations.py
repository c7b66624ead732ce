"""Where a server differs from Ollama's own; each default is what its reference says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from providers.call import JSON


class Deviations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One server's manner. See the comment above each field."""

    # Reasoning is asked for as a level, or only switched on and off; older servers know neither.
    think: Literal["level", "switch", "none"] = "level"
    # Top-level fields that every request carries.
    body: Mapping[str, JSON] = {}
    # Calls have ids, and results name them beside the tool.
    tool_call_ids: bool = False
