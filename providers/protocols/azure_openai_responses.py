"""The Responses API on Azure: OpenAI's bodies below a resource's ``/openai/v1``.

The field ``api-key`` and the query parameter ``api-version`` are the catalog's; ``model`` is a
deployment's name. Addresses and deployment names are read by ``providers.azure``.

Source: https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/responses, read 2026-11-21.
"""

from __future__ import annotations

from providers.protocols.openai_responses import protocol

PROTOCOL = protocol(
    "azure-openai-responses", "https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/responses"
)
