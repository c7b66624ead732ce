"""Google's own words for a refusal, by kind.

Sources: https://ai.google.dev/gemini-api/docs/troubleshooting, https://cloud.google.com/vertex-ai/generative-ai/docs/
error-code-429 and public reports of the answers (read 2026-11-21).
"""

from __future__ import annotations

from providers.wire import Refused

GEMINI_REFUSALS: dict[str, Refused] = {
    "bad_key": Refused(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT"),
    "forbidden": Refused(403, "The caller does not have permission", "PERMISSION_DENIED"),
    "unknown_model": Refused(
        404,
        "models/no-such-model is not found for API version v1beta, or is not supported for generateContent. "
        "Call ListModels to see the list of available models and their supported methods.",
        "NOT_FOUND",
    ),
    "rate_limit": Refused(429, "Resource has been exhausted (e.g. check quota).", "RESOURCE_EXHAUSTED"),
    "quota": Refused(
        429,
        "You exceeded your current quota, please check your plan and billing details. For more information "
        "on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.",
        "RESOURCE_EXHAUSTED",
    ),
    "overloaded": Refused(503, "The model is overloaded. Please try again later.", "UNAVAILABLE"),
    "server_error": Refused(
        500,
        "An internal error has occurred. Please retry or report in "
        "https://developers.generativeai.google/guide/troubleshooting",
        "INTERNAL",
    ),
    "context_overflow": Refused(
        400,
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "INVALID_ARGUMENT",
    ),
    "bad_request": Refused(400, "Request contains an invalid argument.", "INVALID_ARGUMENT"),
}

VERTEX_REFUSALS: dict[str, Refused] = {
    **GEMINI_REFUSALS,
    "bad_key": Refused(
        401,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or "
        "other valid authentication credential. See "
        "https://developers.google.com/identity/sign-in/web/devconsole-project.",
        "UNAUTHENTICATED",
    ),
    "forbidden": Refused(
        403,
        "Permission 'aiplatform.endpoints.predict' denied on resource "
        "'//aiplatform.googleapis.com/projects/example/locations/global/publishers/google/models/"
        "no-such-model' (or it may not exist).",
        "PERMISSION_DENIED",
    ),
    "unknown_model": Refused(
        404,
        "Publisher Model `projects/example/locations/global/publishers/google/models/no-such-model` was not "
        "found or your project does not have access to it. Please ensure you are using a valid model "
        "version.",
        "NOT_FOUND",
    ),
    "rate_limit": Refused(
        429,
        "Resource exhausted. Please try again later. Please refer to "
        "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.",
        "RESOURCE_EXHAUSTED",
    ),
}
