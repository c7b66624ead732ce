"""The other side of ``watsonx-generation``: IBM watsonx.ai's server.

Reference: https://cloud.ibm.com/apidocs/watsonx-ai#text-generation, read 2026-11-21 as IBM's SDKs have it:
https://ibm.github.io/watsonx-ai-node-sdk (TextGenParameters, TextGenResult) and the error codes of
https://github.com/IBM/watsonx-ai-java-sdk, WatsonxError. What is said with a code is the service's:

    bad_key            the tests of https://github.com/IBM/watsonx-ai-java-sdk
    unknown_model      https://github.com/i-am-bee/beeai-framework/issues/1179
    rate_limit         https://github.com/langflow-ai/openrag/issues/615
    bad_request        https://github.com/IBM/watsonx-ai-samples/pull/87, how it begins
    context_overflow   public reports of users; with "the number of input tokens … cannot exceed …"

No answer was found for forbidden, quota, overloaded and server_error: the first two are told in the SDK's
words for the code, the others in ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

from harness.emulators import judging
from harness.emulators.emulator import Emulator, Spoken, Violation, spoken
from harness.emulators.judging import Check, Judgement, number, one_of, texts, typed
from harness.emulators.wording import digest, in_two, pieces, transferred
from providers import jsontext
from providers.call import JSON, Call
from providers.events import FinishReason, Turn, Usage
from providers.protocols.watsonx_generation import NOT_FINISHED, PATH, STREAM_PATH, Deviations
from providers.wire import Endpoint, Headers, Refused, Request

Object: TypeAlias = dict[str, Any]

CREATED = "2026-01-01T00:00:00.000Z"
_FINISH: Mapping[FinishReason | None, str] = {"length": "max_tokens", "error": "error", "other": "cancelled"}


# --- judging ---


def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """Everything the vendor would refuse ``request`` for, in document order."""
    deviations: Deviations = endpoint.deviations or Deviations()
    judged = Judgement(endpoint, deviations)
    if "version" not in parse_qs(urlsplit(request.url).query):
        judged.refuse("version", "the parameter version", "nothing", "target")
    streams = urlsplit(request.url).path.endswith(STREAM_PATH)  # the path tells, whatever is accepted
    fields = _FIELDS | dict.fromkeys(deviations.body, judging.anything)
    found = judged.request(request, STREAM_PATH if streams else PATH, ("model_id", "input"), fields)
    charged = [name for name in ("project_id", "space_id") if name in judged.sent]
    if judged.sent and len(charged) != 1:
        wrong = Violation("charged", "one of project_id and space_id", " and ".join(charged) or "none", "")
        return (*found, wrong)
    return found


def _parameters(judged: Judgement, value: JSON, where: str) -> None:
    if judged.is_a(value, dict, where):
        judged.only(value, _PARAMETERS, where)
        for name, setting in value.items():
            if name in _PARAMETERS:
                _PARAMETERS[name](judged, setting, f"{where}/{name}")


_PARAMETERS: Mapping[str, Check] = {
    "decoding_method": one_of("greedy", "sample"),
    "length_penalty": typed(dict),
    "max_new_tokens": number(1, 2**31, integer=True),
    "min_new_tokens": number(0, 2**31, integer=True),
    "random_seed": number(1, 2**32 - 1, integer=True),
    "stop_sequences": texts(6),
    "temperature": number(0, 2),
    "time_limit": number(0, 2**31, integer=True),
    "top_k": number(1, 100, integer=True),
    "top_p": number(0, 1),
    "repetition_penalty": number(1, 2),
    "truncate_input_tokens": number(0, 2**31, integer=True),
    "return_options": typed(dict),
    "include_stop_sequence": typed(bool),
}
_FIELDS: dict[str, Check] = {
    "model_id": judging.model,
    "input": typed(str),
    "project_id": typed(str),
    "space_id": typed(str),
    "parameters": _parameters,
    "moderations": typed(dict),
}


# --- speaking ---


def speak(turn: Turn, call: Call, endpoint: Endpoint) -> Spoken:
    """``turn`` as the answer to ``call``. Only words can be said; other parts are left out."""
    if call.stream:
        events = [
            b"id: %d\nevent: message\ndata: %s\n\n" % (at, jsontext.write(event))
            for at, event in enumerate(_events(turn, call), 1)
        ]
        return spoken(200, _headers(turn, call, "text/event-stream"), transferred(events))
    result = {"generated_text": turn.text or "", **_counts(turn.usage), "stop_reason": _finish(turn)}
    body = jsontext.write(_body(turn, call, result))
    return spoken(200, _headers(turn, call, "application/json"), in_two(body))


def refuse(refused: Refused, call: Call, endpoint: Endpoint) -> Spoken:
    """An error answer; ``{model}`` in the message is filled in."""
    message = refused.message.replace("{model}", call.model)
    made = digest(call.model, message)[:32]
    told = {"code": refused.code, "message": message, "more_info": "https://cloud.ibm.com/apidocs/watsonx-ai"}
    body = {"errors": [told], "trace": made, "status_code": refused.status}
    again = (("retry-after", "1"),) if refused.status in (429, 503) else ()
    headers = (*_headers(Turn(request_id=made), call, "application/json"), *again)
    return spoken(refused.status, headers, [jsontext.write(body)])


def _headers(turn: Turn, call: Call, media_type: str) -> Headers:
    made = digest(call.model, turn.text or "")[:32]
    return (
        ("content-type", media_type),
        ("cache-control", "no-cache, no-store, must-revalidate"),
        ("x-global-transaction-id", turn.request_id or made),
    )


def _body(turn: Turn, call: Call, result: Object) -> Object:
    return {"model_id": turn.model or call.model, "created_at": CREATED, "results": [result]}


def _finish(turn: Turn) -> JSON:
    return turn.finish_raw if turn.finish_raw is not None else _FINISH.get(turn.finish, "eos_token")


def _counts(usage: Usage | None) -> Object:
    if usage is None:
        return {}
    counts = {"generated_token_count": usage.output_tokens, "input_token_count": usage.input_tokens}
    return {name: count for name, count in counts.items() if count is not None}


def _events(turn: Turn, call: Call) -> Iterator[Object]:
    """The first event counts the input, each the output so far, the last tells why it is the last."""
    counts = _counts(turn.usage)
    first = {name: 0 if name == "generated_token_count" else count for name, count in counts.items()}
    yield _body(turn, call, {"generated_text": "", **first, "stop_reason": NOT_FINISHED})
    none = dict.fromkeys(counts, 0)
    for piece in pieces(turn.text or ""):
        yield _body(turn, call, {"generated_text": piece, **none, "stop_reason": NOT_FINISHED})
    last = {name: count if name == "generated_token_count" else 0 for name, count in counts.items()}
    yield _body(turn, call, {"generated_text": "", **last, "stop_reason": _finish(turn)})


EMULATOR = Emulator(
    name="watsonx-generation",
    source="https://cloud.ibm.com/apidocs/watsonx-ai#text-generation",
    judge=judge,
    speak=speak,
    refuse=refuse,
    refusals={
        "bad_key": Refused(
            401,
            "Failed to authenticate the request due to invalid token: Failed to parse and verify token",
            code="authentication_token_not_valid",
        ),
        "forbidden": Refused(403, "Authorization was rejected", code="authorization_rejected"),
        "unknown_model": Refused(404, "Model '{model}' is not supported", code="model_not_supported"),
        "rate_limit": Refused(
            429,
            "Rate limit of 2 requests per 1s was reached for instance id "
            "00000000-0000-0000-0000-000000000000",
            code="rate_limit_reached_requests",
        ),
        "quota": Refused(
            403,
            "Token quota has been reached",
            code="token_quota_reached",
        ),
        "overloaded": Refused(
            503, "The downstream service is overloaded, try again later", code="downstream_request_failed"
        ),
        "server_error": Refused(500, "An unexpected error occurred", code="internal_error"),
        "context_overflow": Refused(
            400,
            "Invalid input argument for Model '{model}': the number of input tokens 140012 cannot exceed the "
            "total tokens limit 131072 for this model",
            code="invalid_input_argument",
        ),
        "bad_request": Refused(
            400, "Json document validation error: input is needed", code="json_validation_error"
        ),
    },
)
