"""Where a server differs from Cohere's own; each default is what its reference says."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from providers.call import JSON


class Deviations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One server's manner. See the comment above each field."""

    # How many stop sequences it takes (0: no limit is known).
    stop_limit: int = 5
    # Tools may be strict: one switch for all of them.
    strict_tools: bool = True
    # Pictures in user messages.
    images: bool = True
    # Reasoning may be asked for, and goes back to where it came from.
    thinking: bool = True
    # Top-level fields that every request carries.
    body: Mapping[str, JSON] = {}
    # The stream ends with ``data: [DONE]`` behind message-end; observed, the reference has it not.
    done_sentinel: bool = True
