"""Amazon's side of Converse: judges a request, speaks a Turn, refuses.

It knows nothing of what a model would say, and does not check a signature. The rules are those of the
reference and of the service model behind it; error texts are Bedrock's, as it or users report them.

Sources, read 2026-11-21: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html,
API_runtime_ConverseStream.html, https://docs.aws.amazon.com/bedrock/latest/userguide/
troubleshooting-api-error-codes.html, prompt-caching.html, tool-use.html and structured-output.html.
"""

from __future__ import annotations

from harness.emulators.bedrock_converse.judge import judge
from harness.emulators.bedrock_converse.speech import refuse, speak
from harness.emulators.emulator import Emulator
from providers.wire import Refused

REFUSALS = {
    "bad_key": Refused(
        403, "The security token included in the request is invalid.", "UnrecognizedClientException"
    ),
    "forbidden": Refused(
        403, "You don't have access to the model with the specified model ID.", "AccessDeniedException"
    ),
    "unknown_model": Refused(400, "The provided model identifier is invalid.", "ValidationException"),
    "rate_limit": Refused(429, "Too many requests, please wait before trying again.", "ThrottlingException"),
    "quota": Refused(
        400, "You have exceeded your current quota for this model.", "ServiceQuotaExceededException"
    ),
    "overloaded": Refused(503, "Bedrock is unable to process your request.", "ServiceUnavailableException"),
    "server_error": Refused(
        500,
        "The system encountered an unexpected error during processing. Try your request again.",
        "InternalServerException",
    ),
    "context_overflow": Refused(400, "Input is too long for requested model.", "ValidationException"),
    "bad_request": Refused(
        400,
        "1 validation error detected: Value at 'inferenceConfig.maxTokens' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1",
        "ValidationException",
    ),
}

EMULATOR = Emulator(
    name="bedrock-converse",
    source="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html",
    judge=judge,
    speak=speak,
    refuse=refuse,
    refusals=REFUSALS,
)
