"""Atlas Cloud's list of models: OpenAI's, in an envelope of ``code``, ``msg`` and ``data``.

The envelope has a code of its own beside the status; any other than that of success is a refusal.

References, read 2026-11-21: https://www.atlascloud.ai/docs/errors and the public list of models, both as
https://github.com/juspay/neurolink/blob/main/docs/getting-started/providers/atlas-cloud.md has them.
"""

from __future__ import annotations

from collections.abc import Mapping

from providers.call import JSON
from providers.protocols.openai_completions import refusals as openai
from providers.services.models_list import ListModels, ModelList
from providers.services.operation import Operation, Operations, fields, getting, member, opened
from providers.wire import Endpoint, Headers, Request

SOURCE = "https://www.atlascloud.ai/docs/llm-protocols"
_DONE = (0, 200)


def _build(ask: ListModels, endpoint: Endpoint) -> Request:
    """The list has one page."""
    return getting(endpoint, "/models", fields(endpoint))


def _read(status: int, headers: Headers, content: bytes) -> ModelList:
    body: JSON = opened(openai.error, status, headers, content)
    if member(body, "code", int) not in _DONE:
        raise openai.error(status, headers, content)
    data = member(body, "data", list)
    return ModelList(tuple(member(item, "id", str, f"/data/{number}") for number, item in enumerate(data)))


SHAPE: Mapping[str, Operations] = {
    "models_list": {ListModels: Operation(source=SOURCE, build=_build, read=_read)}
}
