"""Azure's side of the Responses API: OpenAI's bodies, and words of its own for key and deployment.

Source: https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/responses (read 2026-11-21).
"""

from __future__ import annotations

from msgspec.structs import replace

from harness.emulators import azure_addresses
from harness.emulators.emulator import Violation
from harness.emulators.openai_responses import REFUSALS, emulator
from harness.emulators.openai_responses.judge import judge as judge_responses
from providers.wire import Endpoint, Refused, Request


def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """What Azure refuses for its address, then what OpenAI would for the rest."""
    return (*azure_addresses.misplaced(request.url), *judge_responses(request, endpoint))


_RESPONSES = emulator(
    "azure-openai-responses",
    "https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/responses",
    {
        **REFUSALS,
        "bad_key": Refused(
            401,
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a "
            "valid key for an active subscription and use a correct regional API endpoint for your resource.",
            None,
            "401",
        ),
        "unknown_model": Refused(
            404,
            "The API deployment for this resource does not exist. If you created the deployment within the "
            "last 5 minutes, please wait a moment and try again.",
            None,
            "DeploymentNotFound",
        ),
    },
)
EMULATOR = replace(_RESPONSES, judge=judge)
