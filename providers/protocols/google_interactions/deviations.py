"""Where endpoints for the Interactions API differ from Google's own, as a catalog file may say it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Deviations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One endpoint's manner. See the comment above each field; defaults are Google's own behaviour."""

    # Whether Google is to keep the interaction; None leaves it to Google, which keeps it.
    store: bool | None = None
    # Efforts whose thinking_level is not the usual one.
    thinking_levels: Mapping[str, str] = {}
    # Thought summaries are asked for whenever the model is to think.
    thinking_summaries: bool = True
    # Answers are in the schema before May 2026: ``outputs`` in place of ``steps``. Only the emulator reads
    # this, the decoder takes both.
    legacy_outputs: bool = False
