"""What tells Google's two surfaces for the same bodies apart: paths, and the numbers of two enums.

Names of finish and block reasons are the same on both, their numbers are not (a client that asks for
``enum-encoding=int`` sees numbers). Read 2026-11-21 in the protocol buffers published with
google-ai-generativelanguage 0.7 (v1beta) and google-cloud-aiplatform 1.121 (v1).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Surface(msgspec.Struct, frozen=True, kw_only=True):
    """One surface. ``path(model)`` is the resource path before ``:generateContent``; the names of the
    two enums stand in the order of their numbers, which start at 1."""

    name: str
    path: Callable[[str], str]
    finish_reasons: tuple[str, ...]
    block_reasons: tuple[str, ...]


def _model_path(model: str) -> str:
    """A bare id is one of Google's own models; ``tunedModels/…`` and ``models/…`` are full names."""
    return f"/{model}" if "/" in model else f"/models/{model}"


def _publisher_path(model: str) -> str:
    """A bare id is one of Google's own models, ``meta/…`` one of that publisher's; ``endpoints/…`` and
    ``publishers/…`` are full names."""
    if model.startswith(("publishers/", "endpoints/")):
        return f"/{model}"
    publisher, _, name = model.removeprefix("models/").rpartition("/")
    return f"/publishers/{publisher or 'google'}/models/{name}"


GEMINI = Surface(
    name="google-generative-ai",
    path=_model_path,
    finish_reasons=(
        "STOP",
        "MAX_TOKENS",
        "SAFETY",
        "RECITATION",
        "OTHER",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "MALFORMED_FUNCTION_CALL",
        "IMAGE_SAFETY",
        "UNEXPECTED_TOOL_CALL",
    ),
    block_reasons=("SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY"),
)

VERTEX = Surface(
    name="google-vertex",
    path=_publisher_path,
    finish_reasons=(
        "STOP",
        "MAX_TOKENS",
        "SAFETY",
        "RECITATION",
        "OTHER",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "MALFORMED_FUNCTION_CALL",
        "MODEL_ARMOR",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "IMAGE_OTHER",
        "UNEXPECTED_TOOL_CALL",
        "NO_IMAGE",
    ),
    block_reasons=(
        "SAFETY",
        "OTHER",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "MODEL_ARMOR",
        "IMAGE_SAFETY",
        "JAILBREAK",
    ),
)
