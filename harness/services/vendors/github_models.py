"""GitHub's side of its list of models. Reference: ``providers.services.vendors.github_models``."""

from __future__ import annotations

from collections.abc import Mapping

from harness.services.emulator import Desk, Form, speaking
from providers.call import JSON
from providers.services.models_list import ListModels, ModelList

_FORM = Form(method="GET", path="(?<!/inference)/catalog/models")


def _models(ask: ListModels, answer: ModelList) -> JSON:
    return [
        {
            "id": id,
            "name": id,
            "publisher": id.partition("/")[0],
            "registry": "azure-openai",
            "summary": "A model.",
            "html_url": "https://github.com/marketplace/models",
            "version": "1",
            "capabilities": ["streaming", "tool-calling"],
            "limits": {"max_input_tokens": 1048576, "max_output_tokens": 32768},
            "rate_limit_tier": "high",
            "supported_input_modalities": ["text"],
            "supported_output_modalities": ["text"],
            "tags": [],
        }
        for id in answer.ids
    ]


DESKS: Mapping[type, Desk] = {ListModels: Desk(judge=_FORM.judge, speak=speaking(_models))}
