"""Google's side: what it refuses, and that decoding undoes what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.emulators import EMULATORS
from harness.emulators.emulator import Spoken
from harness.emulators.google_generative_ai.speak import cut
from providers import jsontext
from providers.call import Call, Message, Opaque, Part, Reasoning, Structured, Text, Tool, ToolCall, user
from providers.errors import (
    AuthenticationFailed,
    ContextOverflow,
    InvalidRequest,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RemoteError,
    ServerError,
)
from providers.events import Turn, Usage, assemble
from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.protocols.google_generative_ai import Deviations
from providers.wire import Endpoint, Refused, Request
from tests.strategies import answer_parts, json_objects, messages, signatures, turns, words

RECORDINGS = Path(__file__).parents[4] / "shared" / "recordings"
SURFACES = ("google-generative-ai", "google-vertex")
PLAIN = Deviations()
MANNERS = {
    "plain": PLAIN,
    "ids": Deviations(function_call_ids=True),
    "array": Deviations(stream_format="json_array"),
    "numbers": Deviations(integer_enums=True),
    "pieces": Deviations(streamed_arguments=True),
    "counts last": Deviations(usage_in="last_chunk"),
}
CALL = Call(model="gemini-3", messages=(user("hi"),))
LOOK = Tool("look", "Looks.", {"type": "object", "properties": {"at": {"type": "string"}}})
GROUNDED = {"groundingMetadata": {"webSearchQueries": ["q"]}}


def _endpoint(name: str = SURFACES[0], deviations: Deviations = PLAIN) -> Endpoint:
    return Endpoint(
        provider="google", protocol=name, base_url="https://host.example/v1beta", deviations=deviations
    )


def _heard(said: Spoken, endpoint: Endpoint, *, streamed: bool) -> Turn:
    listener = Listener(
        PROTOCOLS[endpoint.protocol], endpoint, streamed=streamed, status=said.status, headers=said.headers
    )
    return assemble([*listener.feed(said.content), *listener.finish()])


def _judged(body: Any, deviations: Deviations = PLAIN, name: str = SURFACES[0], **request: Any) -> list[str]:
    """Where the emulator finds fault with ``body``."""
    sent = {
        "method": "POST",
        "url": "https://host.example/v1beta/models/g:generateContent",
        "headers": (("Content-Type", "application/json"),),
        "content": body if isinstance(body, bytes) else jsontext.write(body),
    } | request
    return [fault.where for fault in EMULATORS[name].judge(Request(**sent), _endpoint(name, deviations))]


def _user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts) or [{"text": "hi"}]}


def _model(*parts: Any) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}


CALLED = {"functionCall": {"name": "look", "args": {}}}
ANSWERED = {"functionResponse": {"name": "look", "response": {}}}


def _contents(*contents: Any, **more: Any) -> dict[str, Any]:
    return {"contents": list(contents) or [_user()], **more}


def _declared(parameters: Any, **more: Any) -> dict[str, Any]:
    declaration = {"name": "look", "parameters": parameters, **more}
    return _contents(tools=[{"functionDeclarations": [declaration]}])


# --- judging


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"{", [""]),
        (b"[]", [""]),
        ({}, ["/contents"]),
        (_contents(top_k=1), ["/top_k"]),
        (_contents(generationConfig={"topP": 0.5, "max_tokens": 1}), ["/generationConfig/max_tokens"]),
        (_contents(generationConfig={"topP": "x"}), ["/generationConfig/topP"]),
        (_contents(generationConfig={"seed": True}), ["/generationConfig/seed"]),
        (_contents(generationConfig=[]), ["/generationConfig"]),
        (_contents(generationConfig={"temperature": 3}), ["/generationConfig/temperature"]),
        (_contents(generationConfig={"stopSequences": list("abcdef")}), ["/generationConfig/stopSequences"]),
        (_contents(generationConfig={"responseSchema": {}}), ["/generationConfig/responseMimeType"]),
        (
            _contents(generationConfig={"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"}}),
            ["/generationConfig/thinkingConfig"],
        ),
        (_contents({"role": "assistant", "parts": [{"text": "a"}]}), ["/contents/0/role"]),
        (_contents({"role": "user", "parts": []}), ["/contents/0/parts"]),
        (_contents({"role": "user", "parts": [{}]}), ["/contents/0/parts/0"]),
        (_contents(_user({"text": "a", "inlineData": {}})), ["/contents/0/parts/0"]),
        (_contents(_user({"text": 3})), ["/contents/0/parts/0/text"]),
        (_contents(_user({"text": "a", "thoughtSignature": "$"})), ["/contents/0/parts/0/thoughtSignature"]),
        (_contents(_user(), _model(CALLED)), ["/contents/2"]),
        (_contents(_user(), _model(CALLED), _user()), ["/contents/2"]),
        (_contents(_user(), _model(CALLED, CALLED), _user(ANSWERED)), ["/contents/2"]),
        (_contents(_user(), _user(ANSWERED)), ["/contents/1"]),
        (_contents(_model(CALLED), _user(ANSWERED)), ["/contents/0"]),
        (
            _contents(_user(), _model({"functionCall": {}}), _user(ANSWERED)),
            ["/contents/1/parts/0/functionCall"],
        ),
        (_declared({"$schema": "x"}), ["/tools/0/functionDeclarations/0/parameters/$schema"]),
        (
            _declared({"type": "object", "properties": {"a": {"exclusiveMinimum": 0}}}),
            ["/tools/0/functionDeclarations/0/parameters/properties/a/exclusiveMinimum"],
        ),
        (
            _declared({"type": ["string", "null"]}),
            ["/tools/0/functionDeclarations/0/parameters/type"],
        ),
        (
            _declared({"type": "integer", "enum": ["1"]}),
            ["/tools/0/functionDeclarations/0/parameters/enum"],
        ),
        (
            _declared({"type": "string", "format": "uri"}),
            ["/tools/0/functionDeclarations/0/parameters/format"],
        ),
        (_declared({"type": "array"}), ["/tools/0/functionDeclarations/0/parameters"]),
        (
            _declared({"type": "object", "required": ["x"]}),
            ["/tools/0/functionDeclarations/0/parameters/required/0"],
        ),
        (_declared({}, name="1st"), ["/tools/0/functionDeclarations/0/name"]),
        (_declared({}, name="n" * 65), ["/tools/0/functionDeclarations/0/name"]),
        (_declared({}, parametersJsonSchema={}), ["/tools/0/functionDeclarations/0"]),
        (
            _contents(toolConfig={"functionCallingConfig": {"mode": "ANY"}}),
            ["/toolConfig/functionCallingConfig"],
        ),
        (
            _contents(toolConfig={"functionCallingConfig": {"mode": "SOME"}}),
            ["/toolConfig/functionCallingConfig/mode"],
        ),
        (
            {
                **_declared({}),
                "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["other"]}},
            },
            ["/toolConfig/functionCallingConfig/allowedFunctionNames/0"],
        ),
        (
            {
                **_declared({}),
                "toolConfig": {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["look"]}},
            },
            ["/toolConfig/functionCallingConfig/mode"],
        ),
    ],
)
def test_each_fault_is_found_where_it_is(body: Any, where: list[str]) -> None:
    """One fault gives one violation, at its JSON pointer."""
    assert _judged(body) == where


@pytest.mark.parametrize(
    ("schema", "where"),
    [
        (
            {
                "type": "object",
                "properties": {"a": {"type": ["string", "null"]}},
                "additionalProperties": False,
            },
            "",
        ),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "integer"}}}, ""),
        (True, ""),
        ({"type": "frob"}, "/type"),
        ({"type": "OBJECT"}, "/type"),
        ({"properties": {"a": {"type": 3}}}, "/properties/a/type"),
        ({"items": {"anyOf": [{"type": "text"}]}}, "/items/anyOf/0/type"),
        ({"$defs": {"a": {"type": ["string", "any"]}}}, "/$defs/a/type"),
    ],
)
def test_json_schemas_have_types_of_json_schema(schema: Any, where: str) -> None:
    """Of a JSON Schema the words of its types are judged, wherever they stand."""
    asked = {"functionDeclarations": [{"name": "look", "parametersJsonSchema": schema}]}
    at = "/tools/0/functionDeclarations/0/parametersJsonSchema"
    assert _judged(_contents(tools=[asked])) == ([at + where] if where else [])
    config = {"responseMimeType": "application/json", "responseJsonSchema": schema}
    at = "/generationConfig/responseJsonSchema"
    assert _judged(_contents(generationConfig=config)) == ([at + where] if where else [])


def test_unknown_names_are_refused_in_google_s_words() -> None:
    """The sentence has the name and the path as Google's gateway writes them."""
    body = _declared({"type": "object", "properties": {"a": {"const": 1}}})
    request = Request(
        "POST",
        "https://host.example/v1beta/models/g:generateContent",
        (("Content-Type", "application/json"),),
        jsontext.write(body),
    )
    [fault] = EMULATORS[SURFACES[0]].judge(request, _endpoint())
    assert fault.rule == (
        'Invalid JSON payload received. Unknown name "const" at '
        "'tools[0].function_declarations[0].parameters.properties[0].value': Cannot find field."
    )


def test_snake_case_and_single_values_are_taken() -> None:
    """The gateway reads both spellings, and one value for a repeated field."""
    body = {
        "contents": {"parts": {"text": "hi"}},
        "system_instruction": {"parts": [{"text": "Be brief."}]},
        "tools": {"function_declarations": [{"name": "look"}]},
        "generation_config": {"max_output_tokens": 3, "thinking_config": {"thinking_level": "low"}},
    }
    assert _judged(body) == []


@pytest.mark.parametrize(
    ("request_", "where"),
    [
        ({"method": "GET"}, ["method"]),
        ({"url": "https://host.example/v1beta/models/g"}, ["target"]),
        ({"url": "https://host.example/v1beta/models/g:streamGenerateContent"}, ["target"]),
        ({"headers": ()}, ["content-type"]),
    ],
)
def test_the_head_is_judged_too(request_: dict[str, Any], where: list[str]) -> None:
    """Method, target and media type have to be right before the body is read."""
    assert _judged(_contents(), **request_) == where


def test_vertex_wants_a_role_and_knows_labels() -> None:
    """The two surfaces differ at the top level and in what they forgive."""
    body = {"contents": [{"parts": [{"text": "hi"}]}], "labels": {"team": "a"}}
    assert _judged(body, name=SURFACES[0]) == ["/labels"]
    assert _judged(body, name=SURFACES[1]) == ["/contents/0/role"]


def test_a_required_signature_is_missed() -> None:
    """Only the first call of a step needs one, and only where it is declared."""
    body = _contents(_user(), _model(CALLED, CALLED), _user(ANSWERED, ANSWERED))
    assert _judged(body) == []
    assert _judged(body, Deviations(signature_required=True)) == ["/contents/1/parts/0"]
    body = _contents(_user(), _model({**CALLED, "thoughtSignature": "c2ln"}), _user(ANSWERED))
    assert _judged(body, Deviations(signature_required=True)) == []


@settings(max_examples=80, deadline=None)
@given(st.lists(messages(), max_size=6), st.sampled_from(SURFACES))
def test_whatever_the_history_we_send_lawful_contents(history: list[Message], name: str) -> None:
    """Lost results, calls without one, empty words and cut turns are mended before they are sent."""
    deviations = Deviations(signature_required=True, function_call_ids=True)
    endpoint = _endpoint(name, deviations)
    request = PROTOCOLS[name].build(replace(CALL, messages=(user("hi"), *history)), endpoint)
    assert EMULATORS[name].judge(request, endpoint) == ()


@settings(max_examples=80, deadline=None)
@given(json_objects)
def test_whatever_the_schema_we_send_known_keywords(schema: dict[str, Any]) -> None:
    """The subset has no keyword that Google's gateway does not know."""
    call = replace(CALL, tools=(Tool("look", parameters={**schema, "$id": 1, "not": {}}),))
    endpoint = _endpoint(deviations=Deviations(tool_schema="parameters"))
    faults = EMULATORS[SURFACES[0]].judge(PROTOCOLS[SURFACES[0]].build(call, endpoint), endpoint)
    assert not [fault for fault in faults if "Unknown name" in fault.rule]


# --- speaking


def _canonical(turn: Turn, deviations: Deviations) -> Turn:
    """``turn`` as the protocol can say it: unsigned neighbours joined, ids where there are any."""
    parts: list[Part] = []
    for part in turn.parts:
        last = parts[-1] if parts else None
        if isinstance(part, ToolCall):
            kept = part.id if deviations.function_call_ids else None
            parts.append(replace(part, id=kept))
        elif isinstance(part, (Text, Reasoning)) and type(last) is type(part) and not part.signature:
            joins = isinstance(last, (Text, Reasoning)) and last.signature is None
            parts[len(parts) - joins :] = [replace(part, text=last.text + part.text) if joins else part]
        else:
            parts.append(part)
    called = any(isinstance(part, ToolCall) for part in parts)
    finish = turn.finish if turn.finish == "length" else "tool_calls" if called else "stop"
    return replace(turn, parts=tuple(parts), finish=finish)


def _counted(usage: Usage | None) -> tuple[int | None, ...]:
    assert usage is not None
    return (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.reasoning_tokens)


SAYABLE = (
    answer_parts
    | st.builds(Text, words, signatures)
    | st.builds(ToolCall, st.just("f"), st.just({}), signature=st.none() | signatures)
)


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("manner", MANNERS)
@settings(max_examples=40, deadline=None)
@given(turn=turns(parts=SAYABLE), name=st.sampled_from(SURFACES))
def test_decoding_undoes_speaking(manner: str, streamed: bool, turn: Turn, name: str) -> None:
    """What the decoder hears is what was to be said, in every manner of the endpoint."""
    endpoint = _endpoint(name, MANNERS[manner])
    call = replace(CALL, stream=streamed)
    said = EMULATORS[name].speak(turn, call, endpoint)
    heard = _heard(said, endpoint, streamed=streamed)
    expected = _canonical(turn, MANNERS[manner])
    assert heard.parts == expected.parts
    assert (heard.finish, heard.id, heard.model) == (expected.finish, turn.id, turn.model)
    assert _counted(heard.usage) == _counted(turn.usage)
    assert (heard.complete, heard.drift, heard.error) == (True, (), None)
    assert said == EMULATORS[name].speak(turn, call, endpoint)
    assert said.boundaries[-1] == len(said.content)


@pytest.mark.parametrize("name", SURFACES)
@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize(
    "turn",
    [
        Turn(finish="content_filter", finish_raw="BLOCKLIST", finish_detail="no"),
        Turn(finish="error", finish_raw="MALFORMED_FUNCTION_CALL", finish_detail="bad call"),
        Turn(parts=(Text("a"),), finish="content_filter", finish_raw="SAFETY"),
        Turn(
            parts=(Text("a"),),
            finish="stop",
            finish_raw="STOP",
            others=(Turn(parts=(Text("b"),), finish="length"),),
        ),
        Turn(parts=(Text("a", citations=(GROUNDED,)),), finish="stop", citations=(GROUNDED,)),
    ],
)
def test_rarer_turns_are_heard_as_they_were_said(name: str, streamed: bool, turn: Turn) -> None:
    """Blocked prompts, failed calls, several candidates and sources survive the wire."""
    endpoint = _endpoint(name)
    heard = _heard(
        EMULATORS[name].speak(turn, replace(CALL, stream=streamed), endpoint), endpoint, streamed=streamed
    )
    assert (heard.parts, heard.finish, heard.finish_detail) == (turn.parts, turn.finish, turn.finish_detail)
    assert heard.finish_raw == (turn.finish_raw or "STOP")
    assert [other.text for other in heard.others] == [other.text for other in turn.others]
    assert heard.citations == turn.citations
    assert heard.complete


def test_a_turn_without_an_end_is_spoken_as_cut() -> None:
    """A turn with no finish has no finishReason on the wire."""
    said = EMULATORS[SURFACES[0]].speak(Turn(parts=(Text("a"),)), replace(CALL, stream=True), _endpoint())
    assert b"finishReason" not in said.content


def test_a_server_part_is_spoken_only_by_its_own_protocol() -> None:
    """Another protocol's block has no words here."""
    parts = (Opaque(SURFACES[0], {"executableCode": {}}), Opaque("other", {"x": 1}))
    said = EMULATORS[SURFACES[0]].speak(Turn(parts=parts, finish="stop"), CALL, _endpoint())
    heard = _heard(said, _endpoint(), streamed=False)
    assert heard.parts == parts[:1]


@given(words)
def test_pieces_of_a_text_add_up(text: str) -> None:
    """Cutting loses nothing and makes no empty piece of a text."""
    assert "".join(cut(text)) == text
    assert all(cut(text)) or text == ""


@pytest.mark.parametrize("name", SURFACES)
@pytest.mark.parametrize("manner", ["plain", "array"])
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("bad_key", AuthenticationFailed),
        ("forbidden", PermissionDenied),
        ("unknown_model", NotFound),
        ("rate_limit", RateLimited),
        ("quota", QuotaExhausted),
        ("overloaded", Overloaded),
        ("server_error", ServerError),
        ("context_overflow", ContextOverflow),
        ("bad_request", InvalidRequest),
    ],
)
def test_refusals_mean_what_they_say(name: str, manner: str, kind: str, error: type[RemoteError]) -> None:
    """Google's words for each kind give the error of that kind."""
    endpoint = _endpoint(name, MANNERS[manner])
    words_ = EMULATORS[name].refusals[kind]
    said = EMULATORS[name].refuse(words_, replace(CALL, stream=True), endpoint)
    with pytest.raises(ProviderError) as raised:
        _heard(said, endpoint, streamed=True)
    assert type(raised.value) is error
    assert isinstance(raised.value, RemoteError)
    assert (raised.value.message, raised.value.type) == (words_.message, words_.type)


def test_a_vendor_s_own_code_is_spoken() -> None:
    """A catalog file may name another code than the status."""
    said = EMULATORS[SURFACES[0]].refuse(Refused(400, "no", None, 7), CALL, _endpoint())
    assert json.loads(said.content) == {"error": {"code": 7, "message": "no"}}


def test_a_structured_answer_is_asked_for_lawfully() -> None:
    """Both fields for a schema are accepted with their media type."""
    for field in ("responseSchema", "responseJsonSchema"):
        endpoint = _endpoint(deviations=Deviations(answer_schema=field))
        call = replace(CALL, structured=Structured(schema=LOOK.parameters), tools=(LOOK,))
        request = PROTOCOLS[SURFACES[0]].build(call, endpoint)
        assert EMULATORS[SURFACES[0]].judge(request, endpoint) == ()


# --- the shapes of real answers

# What real answers have and ours have not: the vendor's own tools, ratings and statistics, which a Turn
# cannot ask for. What is below one of these is left out as well.
UNSPOKEN = (
    "createTime",
    "candidates[].avgLogprobs",
    "candidates[].logprobsResult",
    "candidates[].safetyRatings",
    "candidates[].groundingMetadata",
    "candidates[].urlContextMetadata",
    "candidates[].content.parts[].executableCode",
    "candidates[].content.parts[].codeExecutionResult",
    "candidates[].content.parts[].toolCall",
    "candidates[].content.parts[].toolResponse",
    "usageMetadata.cacheTokensDetails",
    "usageMetadata.candidatesTokensDetails",
    "usageMetadata.toolUsePromptTokensDetails",
    "usageMetadata.serviceTier",
    "usageMetadata.trafficType",
    "error.details",
)
# Free JSON: what a model or a tool put there.
_FREE = (".args", ".response")


def _shape(value: Any, path: str = "") -> Iterator[str]:
    if path.endswith(_FREE):
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            here = f"{path}.{name}" if path else name
            yield here
            yield from _shape(inner, here)
    elif isinstance(value, list):
        for inner in value:
            yield from _shape(inner, f"{path}[]")


def _bodies(content: str) -> list[Any]:
    lines = [line[5:] for line in content.splitlines() if line.startswith("data:")]
    return [json.loads(body) for body in lines or [content]]


def _spoken_shapes() -> set[str]:
    shapes: set[str] = set()
    usage = Usage(
        input_tokens=9, output_tokens=5, reasoning_tokens=2, cached_tokens=1, sent={"tool_use_prompt": 1}
    )
    call = ToolCall("f", {"a": "text", "b": 0.5}, id="c", arguments_raw="{}", signature="c2ln")
    answers = (
        Turn(
            parts=(Reasoning("hm"), Text("Ok", "c2ln"), call), finish="stop", finish_detail="so", usage=usage
        ),
        Turn(finish="content_filter", finish_raw="SAFETY", finish_detail="no"),
    )
    for name in SURFACES:
        for stream in (True, False):
            deviations = Deviations(function_call_ids=True, streamed_arguments=stream)
            endpoint, asked = _endpoint(name, deviations), replace(CALL, stream=stream)
            said = [EMULATORS[name].speak(turn, asked, endpoint) for turn in answers]
            said += [EMULATORS[name].refuse(EMULATORS[name].refusals["bad_request"], asked, endpoint)]
            for each in said:
                for body in _bodies(each.content.decode()):
                    shapes |= set(_shape(body))
    return shapes


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the shared recordings are not here")
def test_our_answers_have_the_shape_of_real_ones() -> None:
    """We say no field that Google does not, and Google says none but those listed above that we do not."""
    real: set[str] = set()
    for folder in ("google", "google-vertex"):
        for path in sorted((RECORDINGS / folder).glob("*.json")):
            exchange = json.loads(path.read_text("utf-8"))
            if exchange["api"] in SURFACES:
                for body in _bodies(exchange["response"]["body_text"]):
                    real |= set(_shape(body))
    ours = _spoken_shapes()
    unspoken = {shape for shape in real if shape.startswith(UNSPOKEN)}
    assert ours - real == set()
    assert real - ours - unspoken == set()
