"""Atlas Cloud's side of its list of models. Reference: ``providers.services.vendors.atlascloud``."""

from __future__ import annotations

from collections.abc import Mapping

from harness.services.emulator import Desk, Form, speaking
from providers.call import JSON
from providers.services.models_list import ListModels, ModelList

_FORM = Form(method="GET", path="/v1/models")


def _models(ask: ListModels, answer: ModelList) -> JSON:
    data = [
        {
            "id": id,
            "context_length": 163840,
            "max_output_length": 163840,
            "input_modalities": ["text"],
            "output_modalities": ["text"],
        }
        for id in answer.ids
    ]
    return {"code": 200, "msg": "success", "data": data}


DESKS: Mapping[type, Desk] = {ListModels: Desk(judge=_FORM.judge, speak=speaking(_models))}
