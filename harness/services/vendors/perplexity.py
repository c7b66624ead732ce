"""Perplexity's side of its embeddings. Reference: ``providers.services.vendors.perplexity``."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from struct import pack

from harness.emulators.judging import model, number, one_of, typed
from harness.services.emulator import Desk, Form, many, speaking
from providers.call import JSON
from providers.services.embeddings import Embed, Embeddings

_FORM = Form(
    method="POST",
    path="(?<!/v1)/v1/embeddings",
    needed=("model", "input"),
    fields={
        "model": model,
        "input": many(typed(str), most=512),
        "dimensions": number(128, 2560, integer=True),
        "encoding_format": one_of("base64_int8", "base64_binary"),
    },
)


def _words(ask: Embed, answer: Embeddings) -> JSON:
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector)}
        for index, vector in enumerate(answer.vectors)
    ]
    count = (answer.usage.input_tokens if answer.usage else None) or 0
    usage = {"prompt_tokens": count, "total_tokens": count}
    return {"object": "list", "data": data, "model": ask.model, "usage": usage}


def _packed(vector: tuple[float, ...]) -> str:
    """Whole numbers from -128 to 127; others are no vector of this vendor's."""
    return base64.b64encode(pack(f"<{len(vector)}b", *map(int, vector))).decode()


DESKS: Mapping[type, Desk] = {Embed: Desk(judge=_FORM.judge, speak=speaking(_words))}
