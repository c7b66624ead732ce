"""The other side of ``openai-text-completions``: OpenAI's older completions, as local servers offer them.

Reference: https://platform.openai.com/docs/api-reference/completions, as clients cite it (2026-11-21). The
errors are those of chat completions. A stream ends with the finish reason, the counts where they are asked
for, and ``[DONE]``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from harness.emulators import judging, openai_completions
from harness.emulators.emulator import Emulator, Spoken, Violation, spoken
from harness.emulators.judging import Check, Judgement, number, texts, typed
from harness.emulators.wording import digest, in_two, pieces, transferred
from providers import jsontext
from providers.call import JSON, Call
from providers.events import FinishReason, Turn, Usage
from providers.protocols.openai_text_completions import Deviations
from providers.wire import Endpoint, Headers, Refused, Request

Object: TypeAlias = dict[str, Any]

PATH = "/completions"
CREATED = 1767225600  # seconds since 1970: 2026-01-01
_FINISH: Mapping[FinishReason | None, str] = {"length": "length", "content_filter": "content_filter"}


def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """Everything the vendor would refuse ``request`` for, in document order."""
    deviations: Deviations = endpoint.deviations or Deviations()
    fields = {name: _or_null(check) for name, check in _FIELDS.items()}
    fields |= {"model": judging.model, "prompt": _prompt} | dict.fromkeys(deviations.body, judging.anything)
    return Judgement(endpoint, deviations).request(request, PATH, ("model", "prompt"), fields)


def _prompt(judged: Judgement, value: JSON, where: str) -> None:
    if not isinstance(value, str | list):
        judged.refuse("type", "a string or an array", value, where)


def _or_null(check: Check) -> Check:
    """The check of a field that may be null, as the reference says of each but two."""

    def judge_value(judged: Judgement, value: JSON, where: str) -> None:
        if value is not None:
            check(judged, value, where)

    return judge_value


def _stop(judged: Judgement, value: JSON, where: str) -> None:
    if not isinstance(value, str):
        texts(4)(judged, value, where)


def _stream_options(judged: Judgement, value: JSON, where: str) -> None:
    if judged.is_a(value, dict, where):
        judged.only(value, ("include_usage", "include_obfuscation"), where)
        if judged.sent.get("stream") is not True:
            judged.refuse("without_stream", "stream: true beside it", judged.sent.get("stream"), where)


_FIELDS: dict[str, Check] = {
    "suffix": typed(str),
    "echo": typed(bool),
    "best_of": number(1, 20, integer=True),
    "n": number(1, 128, integer=True),
    "logprobs": number(0, 5, integer=True),
    "logit_bias": typed(dict),
    "max_tokens": number(0, 2**31, integer=True),
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "frequency_penalty": number(-2, 2),
    "presence_penalty": number(-2, 2),
    "seed": number(-(2**63), 2**63, integer=True),
    "stop": _stop,
    "stream": typed(bool),
    "stream_options": _stream_options,
    "user": typed(str),
}


def speak(turn: Turn, call: Call, endpoint: Endpoint) -> Spoken:
    """``turn`` as the answer to ``call``. Only words can be said; other parts are left out."""
    deviations: Deviations = endpoint.deviations or Deviations()
    if not call.stream:
        choices = [_choice(index, each.text or "", _finish(each)) for index, each in _choices(turn)]
        whole = _body(turn, call, choices, turn.usage)
        return spoken(200, _headers(turn, call, "application/json"), in_two(jsontext.write(whole)))
    chunks = [*_chunks(turn, call, deviations.stream_usage != "never")]
    events = [b"data: %s\n\n" % jsontext.write(chunk) for chunk in chunks]
    media_type = "text/event-stream; charset=utf-8"
    return spoken(200, _headers(turn, call, media_type), transferred([*events, b"data: [DONE]\n\n"]))


def refuse(refused: Refused, call: Call, endpoint: Endpoint) -> Spoken:
    """An error answer; ``{model}`` in the message is filled in."""
    message = refused.message.replace("{model}", call.model)
    told = {"message": message, "type": refused.type, "param": None, "code": refused.code}
    again = (("retry-after", "1"),) if refused.status in (429, 503) else ()
    headers = (*_headers(Turn(), call, "application/json"), *again)
    return spoken(refused.status, headers, [jsontext.write({"error": told})])


def _headers(turn: Turn, call: Call, media_type: str) -> Headers:
    made = "req_" + digest(call.model, turn.text or "")[:32]
    return (
        ("content-type", media_type),
        ("cache-control", "no-cache"),
        ("x-request-id", turn.request_id or made),
    )


def _body(turn: Turn, call: Call, choices: list[Object], usage: Usage | None) -> Object:
    body: Object = {
        "id": turn.id or "cmpl-" + digest(call.model, turn.text or "", "id")[:29],
        "object": "text_completion",
        "created": CREATED,
        "model": turn.model or call.model,
        "choices": choices,
    }
    return body if usage is None else {**body, "usage": _usage(usage)}


def _choices(turn: Turn) -> Iterator[tuple[int, Turn]]:
    return enumerate((turn, *turn.others))


def _choice(index: int, text: str, finish: JSON) -> Object:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": finish}


def _finish(turn: Turn) -> JSON:
    return turn.finish_raw if turn.finish_raw is not None else _FINISH.get(turn.finish, "stop")


def _usage(usage: Usage) -> Object:
    counts = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }
    told: Object = {name: count for name, count in counts.items() if count is not None}
    for name, key, count in (
        ("prompt_tokens_details", "cached_tokens", usage.cached_tokens),
        ("completion_tokens_details", "reasoning_tokens", usage.reasoning_tokens),
    ):
        if count is not None:
            told[name] = {key: count}
    return told


def _chunks(turn: Turn, call: Call, counted: bool) -> Iterator[Object]:
    for index, each in _choices(turn):
        for piece in pieces(each.text or ""):
            yield _body(turn, call, [_choice(index, piece, None)], None)
        yield _body(turn, call, [_choice(index, "", _finish(each))], None)
    if counted and turn.usage is not None:
        yield _body(turn, call, [], turn.usage)


EMULATOR = Emulator(
    name="openai-text-completions",
    source="https://platform.openai.com/docs/api-reference/completions",
    judge=judge,
    speak=speak,
    refuse=refuse,
    told=openai_completions.EMULATOR.told,
    refusals=openai_completions.EMULATOR.refusals,
)
