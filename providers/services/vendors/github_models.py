"""GitHub Models' list of models: an array, at the catalog beside the address of inference.

Reference, read 2026-11-21: https://docs.github.com/en/rest/models/catalog.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from providers.call import JSON
from providers.errors import MalformedFrame
from providers.protocols.openai_completions import refusals as openai
from providers.services.models_list import ListModels, ModelList
from providers.services.operation import Operation, Operations, fields, getting, member, reading
from providers.wire import Endpoint, Request

SOURCE = "https://docs.github.com/en/rest/models/catalog#list-all-models"


def _build(ask: ListModels, endpoint: Endpoint) -> Request:
    """The catalog has one page."""
    root = replace(endpoint, base_url=endpoint.base_url.removesuffix("/inference"))
    return getting(root, "/catalog/models", fields(endpoint))


def _read(body: JSON) -> ModelList:
    if type(body) is not list:
        raise MalformedFrame(expected="an array of models", seen=body)
    return ModelList(tuple(member(item, "id", str, f"/{number}") for number, item in enumerate(body)))


SHAPE: Mapping[str, Operations] = {
    "models_list": {ListModels: Operation(source=SOURCE, build=_build, read=reading(openai.error, _read))}
}
