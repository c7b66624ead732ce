"""MiniMax's side of its embeddings. Reference: ``providers.services.vendors.minimax``."""

from __future__ import annotations

from collections.abc import Mapping

from harness.emulators.judging import model, one_of, typed
from harness.services.emulator import Desk, Form, many, speaking
from providers.call import JSON
from providers.services.embeddings import Embed, Embeddings

_FORM = Form(
    method="POST",
    path="/v1/embeddings",
    parameters=("GroupId",),
    needed=("model", "texts", "type"),
    fields={"model": model, "texts": many(typed(str), most=4096), "type": one_of("db", "query")},
)


def _words(ask: Embed, answer: Embeddings) -> JSON:
    return {
        "vectors": [list(vector) for vector in answer.vectors],
        "total_tokens": (answer.usage.input_tokens if answer.usage else None) or 0,
        "base_resp": {"status_code": 0, "status_msg": "success"},
    }


DESKS: Mapping[type, Desk] = {Embed: Desk(judge=_FORM.judge, speak=speaking(_words))}
