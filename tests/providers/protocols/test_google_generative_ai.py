"""The Gemini API and Vertex AI: what is sent, and what is made of the answers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from providers import jsontext
from providers.call import (
    Call,
    Document,
    Image,
    Message,
    Named,
    Opaque,
    Reasoning,
    Structured,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    tool_results,
    user,
)
from providers.errors import (
    AuthenticationFailed,
    ContextOverflow,
    FramingError,
    InvalidRequest,
    MalformedFrame,
    NotFound,
    Overloaded,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RemoteError,
    ServerError,
    TruncatedStream,
    UnsupportedFeature,
)
from providers.events import (
    Assembler,
    Citation,
    Drift,
    End,
    Event,
    Finish,
    ServerItem,
    Start,
    Turn,
    UsageReport,
)
from providers.listen import Listener
from providers.protocols import google_generative_ai, google_vertex
from providers.protocols.google_generative_ai import Deviations
from providers.protocols.google_generative_ai.subset import subset
from providers.wire import Endpoint, Protocol, Request
from tests.strategies import json_values

GEMINI, VERTEX = google_generative_ai.PROTOCOL, google_vertex.PROTOCOL
PLAIN = Deviations()
OWN: dict[str, Any] = {"provider": "google", "protocol": GEMINI.name, "model": "gemini-3"}


def _endpoint(deviations: Deviations = PLAIN, protocol: Protocol = GEMINI, **more: Any) -> Endpoint:
    return Endpoint(
        provider="google",
        protocol=protocol.name,
        base_url="https://host.example/v1beta",
        deviations=deviations,
        **more,
    )


def _request(call: Call, deviations: Deviations = PLAIN) -> Request:
    return GEMINI.build(call, _endpoint(deviations))


def _body(deviations: Deviations = PLAIN, **call: Any) -> Any:
    asked = {"model": "gemini-3", "messages": (user("hi"),)} | call
    return _request(Call(**asked), deviations).json()


def _listen(
    content: bytes,
    *,
    streamed: bool = True,
    status: int = 200,
    media_type: str = "",
    deviations: Deviations = PLAIN,
    protocol: Protocol = GEMINI,
) -> tuple[list[Event], ProviderError | None]:
    media_type = media_type or ("text/event-stream" if streamed else "application/json; charset=UTF-8")
    listener = Listener(
        protocol,
        _endpoint(deviations, protocol),
        streamed=streamed,
        status=status,
        headers=(("Content-Type", media_type),),
    )
    events: list[Event] = []
    try:
        for event in listener.feed(content):
            events.append(event)
        for event in listener.finish():
            events.append(event)
    except ProviderError as error:
        return events, error
    return events, None


def _sse(*chunks: Any) -> bytes:
    return b"".join(b"data: " + jsontext.write(chunk) + b"\r\n\r\n" for chunk in chunks)


def _parts(*parts: Any, finish: str | int | None = None, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, **more}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate]}


def _turn(*chunks: Any, protocol: Protocol = GEMINI) -> Turn:
    events, error = _listen(_sse(*chunks), protocol=protocol)
    assert error is None
    assembler = Assembler()
    for event in events:
        assembler.feed(event)
    return assembler.turn()


def _failure(*chunks: Any) -> ProviderError:
    error = _listen(_sse(*chunks))[1]
    assert error is not None
    return error


# --- what is sent


def test_a_bare_call_sends_contents_and_nothing_else() -> None:
    """Nothing that the call leaves unset appears in the body."""
    assert _body() == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


@pytest.mark.parametrize(
    ("protocol", "model", "stream", "deviations", "target"),
    [
        (GEMINI, "g-3", False, PLAIN, "/models/g-3:generateContent"),
        (GEMINI, "g-3", True, PLAIN, "/models/g-3:streamGenerateContent?alt=sse"),
        (GEMINI, "models/g-3", False, PLAIN, "/models/g-3:generateContent"),
        (GEMINI, "tunedModels/mine", False, PLAIN, "/tunedModels/mine:generateContent"),
        (GEMINI, "g-3", True, Deviations(stream_format="json_array"), "/models/g-3:streamGenerateContent"),
        (VERTEX, "g-3", False, PLAIN, "/publishers/google/models/g-3:generateContent"),
        (VERTEX, "meta/llama", False, PLAIN, "/publishers/meta/models/llama:generateContent"),
        (VERTEX, "publishers/other/models/m", False, PLAIN, "/publishers/other/models/m:generateContent"),
        (VERTEX, "endpoints/7", True, PLAIN, "/endpoints/7:streamGenerateContent?alt=sse"),
        (GEMINI, "a b?c", False, PLAIN, "/models/a%20b%3Fc:generateContent"),
    ],
)
def test_the_target_names_model_and_method(
    protocol: Protocol, model: str, stream: bool, deviations: Deviations, target: str
) -> None:
    """Model ids get their collection, full names keep theirs, and only event streams ask for alt=sse."""
    call = Call(model=model, messages=(user("hi"),), stream=stream)
    request = protocol.build(call, _endpoint(deviations, protocol))
    assert (request.method, request.url) == ("POST", f"https://host.example/v1beta{target}")


def test_an_endpoint_path_replaces_the_model_path() -> None:
    """The endpoint's own path stands before the method, with the model filled in."""
    endpoint = _endpoint(path="/proxy/{model}")
    request = GEMINI.build(Call(model="g-3", messages=(user("hi"),)), endpoint)
    assert request.url == "https://host.example/v1beta/proxy/g-3:generateContent"


def test_header_fields_are_the_endpoint_s_and_the_call_s() -> None:
    """The media type comes first, then the endpoint's fields, then the call's."""
    endpoint = _endpoint(headers=(("X-One", "1"),))
    call = Call(model="g-3", messages=(user("hi"),), extra_headers=(("X-Two", "2"),))
    assert GEMINI.build(call, endpoint).headers == (
        ("Content-Type", "application/json"),
        ("X-One", "1"),
        ("X-Two", "2"),
    )


def test_settings_reach_the_wire() -> None:
    """Every setting of a call has its field of generationConfig."""
    body = _body(
        system="Be brief.",
        max_output_tokens=5,
        temperature=0.0,
        top_p=0.5,
        seed=7,
        stop=("END",),
        structured=Structured(schema={"type": "object"}),
    )
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert body["generationConfig"] == {
        "maxOutputTokens": 5,
        "temperature": 0.0,
        "topP": 0.5,
        "seed": 7,
        "stopSequences": ["END"],
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object"},
    }


def test_refused_fields_are_left_out() -> None:
    """A field that the endpoint is declared to refuse is not sent."""
    assert "generationConfig" not in _body(Deviations(omitted_fields=("seed",)), seed=7)


@pytest.mark.parametrize(
    ("deviations", "thinking", "sent"),
    [
        (PLAIN, Thinking("low"), {"thinkingBudget": 2048, "includeThoughts": True}),
        (PLAIN, Thinking("none"), {"thinkingBudget": 0}),
        (PLAIN, Thinking("high", 99), {"thinkingBudget": 99, "includeThoughts": True}),
        (
            Deviations(thinking_budgets={"low": 7}),
            Thinking("low"),
            {"thinkingBudget": 7, "includeThoughts": True},
        ),
        (
            Deviations(thinking="thinkingLevel", include_thoughts=False),
            Thinking("xhigh"),
            {"thinkingLevel": "high"},
        ),
        (
            Deviations(thinking="thinkingLevel", thinking_levels={"medium": "high"}),
            Thinking(),
            {"thinkingLevel": "high", "includeThoughts": True},
        ),
    ],
)
def test_reasoning_is_asked_for_in_the_endpoint_s_manner(
    deviations: Deviations, thinking: Thinking, sent: dict[str, Any]
) -> None:
    """An effort becomes tokens or a level, by the endpoint's deviations."""
    assert _body(deviations, thinking=thinking)["generationConfig"] == {"thinkingConfig": sent}


def test_reasoning_is_not_asked_for_where_there_is_none() -> None:
    """An endpoint without reasoning gets no thinkingConfig."""
    assert "generationConfig" not in _body(Deviations(thinking="none"), thinking=Thinking())


TOOL = Tool("look", "Looks.", {"type": "object", "additionalProperties": False, "$schema": "x"})


def test_tools_keep_their_schema_as_json_schema() -> None:
    """The default field takes any JSON Schema unchanged."""
    assert _body(tools=(TOOL, Tool("now")))["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "look",
                    "description": "Looks.",
                    "parametersJsonSchema": dict(TOOL.parameters or {}),
                },
                {"name": "now"},
            ]
        }
    ]


def test_tools_lose_keywords_that_parameters_refuses() -> None:
    """The field ``parameters`` gets the subset only."""
    [tools] = _body(Deviations(tool_schema="parameters"), tools=(TOOL,))["tools"]
    assert tools["functionDeclarations"][0]["parameters"] == {"type": "object"}


@pytest.mark.parametrize(
    ("schema", "narrowed"),
    [
        ({"const": "a"}, {"enum": ["a"], "type": "string"}),
        ({"type": "integer", "enum": [1, 2], "exclusiveMinimum": 0}, {"type": "integer"}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, {"type": "string", "nullable": True}),
        ({"type": "string", "format": "uri"}, {"type": "string"}),
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"type": "integer", "format": "int32"}, {"type": "integer", "format": "int32"}),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "number"}}}, {"type": "number"}),
        ({"$ref": "#/nowhere"}, {}),
        (
            {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}], "$defs": {"a": {"type": "number"}}},
            {"anyOf": [{"type": "number"}], "nullable": True},
        ),
        (
            {
                "type": "array",
                "items": {"type": "object", "properties": {"const": {"type": "string", "$id": "x"}}},
            },
            {"type": "array", "items": {"type": "object", "properties": {"const": {"type": "string"}}}},
        ),
    ],
)
def test_schemas_are_said_in_the_subset(schema: dict[str, Any], narrowed: dict[str, Any]) -> None:
    """What the subset can say is kept, in its own spelling; names of properties are no keywords."""
    assert subset(schema) == narrowed


def test_a_recursive_schema_ends() -> None:
    """A schema that refers to itself is unfolded once, and is open where it would begin again."""
    node = {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}
    once = {"type": "object", "properties": {"left": {}, "right": {}}}
    assert subset(node) == {"type": "object", "properties": {"left": once, "right": once}}


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        (Named("look"), {"mode": "ANY", "allowedFunctionNames": ["look"]}),
    ],
)
def test_tool_choices_have_their_mode(choice: Any, config: dict[str, Any]) -> None:
    """Each choice is a mode, and a named tool the only allowed one."""
    assert _body(tools=(TOOL,), tool_choice=choice)["toolConfig"] == {"functionCallingConfig": config}


def test_a_strict_tool_asks_for_validated_calls() -> None:
    """Calls held to their schemas are the mode VALIDATED."""
    body = _body(tools=(Tool("look", strict=True),))
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}


def test_forbidding_parallel_calls_is_refused() -> None:
    """There is no field for it, and leaving it out would not do what was asked."""
    with pytest.raises(UnsupportedFeature):
        _body(parallel_tool_calls=False)


def test_media_go_inline_or_by_address() -> None:
    """Data is inlineData, an address fileData; empty words are left out."""
    message = user("", Image(data="aGk="), Document(url="gs://b/a.pdf"))
    assert _body(messages=(message,))["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://b/a.pdf"}},
    ]


def test_an_extra_body_wins_at_the_top_level() -> None:
    """A caller's field replaces ours of the same name, and adds others."""
    body = _body(seed=1, extra_body={"generationConfig": {"topK": 3}, "safetySettings": []})
    assert body["generationConfig"] == {"topK": 3}
    assert body["safetySettings"] == []


ANSWER = (
    Reasoning("hm", signature="c2ln"),
    Text("", signature="ZW1wdHk="),
    Opaque(GEMINI.name, {"executableCode": {"code": "1"}, "thoughtSignature": "b3A="}),
    ToolCall("look", {"at": 1}, id="c1", signature="Y2FsbA=="),
    ToolCall("look", {}, id="c2"),
)
RESULTS = (
    ToolResult("c2", "look", (Text("two"),), is_error=True),
    ToolResult("c1", "look", (Text("one"), Image(data="aGk="))),
    ToolResult("nobody's", "other", (Text("lost"),)),
)


def test_an_own_answer_is_replayed_as_it_came() -> None:
    """Signatures stay on their parts, byte for byte, and results follow in the order of the calls."""
    messages = (user("hi"), Message("assistant", ANSWER, **OWN), tool_results(*RESULTS))
    assert _body(messages=messages)["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {"text": "hm", "thought": True, "thoughtSignature": "c2ln"},
                {"text": "", "thoughtSignature": "ZW1wdHk="},
                {"executableCode": {"code": "1"}, "thoughtSignature": "b3A="},
                {"functionCall": {"name": "look", "args": {"at": 1}}, "thoughtSignature": "Y2FsbA=="},
                {"functionCall": {"name": "look", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "look", "response": {"output": "one"}}},
                {"functionResponse": {"name": "look", "response": {"error": "two"}}},
            ],
        },
        {"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "aGk="}}]},
    ]


@pytest.mark.parametrize("stranger", [{"provider": "p"}, {"protocol": "x"}, {"model": "m"}])
def test_a_stranger_s_reasoning_and_signatures_stay_behind(stranger: dict[str, str]) -> None:
    """Another provider, protocol or model gets the words and the calls only."""
    messages = (user("hi"), Message("assistant", ANSWER, **{**OWN, **stranger}), tool_results(*RESULTS))
    assert _body(messages=messages)["contents"][1]["parts"] == [
        {"functionCall": {"name": "look", "args": {"at": 1}}},
        {"functionCall": {"name": "look", "args": {}}},
    ]


def test_a_missing_signature_has_its_stand_in_once() -> None:
    """Only the first call of an answer needs one."""
    messages = (user("hi"), Message("assistant", ANSWER))
    for deviations, word in (
        (Deviations(signature_required=True), "skip_thought_signature_validator"),
        (Deviations(signature_required=True, stand_in_signature=None), None),
        (PLAIN, None),
    ):
        parts = _body(deviations, messages=messages)["contents"][1]["parts"]
        assert [part.get("thoughtSignature") for part in parts] == [word, None]


def test_ids_and_media_are_sent_where_declared() -> None:
    """Declared endpoints get ids on both sides, and images inside the response."""
    deviations = Deviations(function_call_ids=True, function_response_media=True)
    messages = (user("hi"), Message("assistant", ANSWER, **OWN), tool_results(*RESULTS))
    contents = _body(deviations, messages=messages)["contents"]
    assert [p["functionCall"]["id"] for p in contents[1]["parts"] if "functionCall" in p] == ["c1", "c2"]
    assert contents[2]["parts"][0]["functionResponse"] == {
        "id": "c1",
        "name": "look",
        "response": {"output": "one"},
        "parts": [{"inlineData": {"mimeType": "image/png", "data": "aGk="}}],
    }
    assert len(contents) == 3


def test_a_call_without_a_result_gets_one() -> None:
    """Google wants as many responses as calls, so the absence is reported as an error."""
    messages = (user("hi"), Message("assistant", (ToolCall("look", {}),)), user("well?"))
    contents = _body(messages=messages)["contents"]
    assert list(contents[2]["parts"][0]["functionResponse"]["response"]) == ["error"]
    assert contents[3] == {"role": "user", "parts": [{"text": "well?"}]}


def test_a_cut_call_is_not_sent() -> None:
    """A call that was cut off, and that nobody ran, is left out; the words before it stay."""
    parts = (Text("So"), ToolCall("look", None, id="c1", arguments_raw='{"a'))
    messages = (user("hi"), Message("assistant", parts, aborted=True))
    assert _body(messages=messages)["contents"][1:] == [{"role": "model", "parts": [{"text": "So"}]}]


# --- what is made of the answers


def test_text_and_thoughts_are_told_apart() -> None:
    """Consecutive parts of one kind join; thoughts are reasoning."""
    turn = _turn(
        {**_parts({"text": "I ", "thought": True}), "responseId": "r", "modelVersion": "m"},
        _parts({"text": "see", "thought": True}, {"text": "O"}),
        _parts({"text": "k"}, finish="STOP"),
    )
    assert turn.parts == (Reasoning("I see"), Text("Ok"))
    assert (turn.id, turn.model, turn.finish, turn.complete) == ("r", "m", "stop", True)


def test_a_signed_part_stays_alone() -> None:
    """A signature belongs to its own part and to no neighbour."""
    turn = _turn(
        _parts({"text": "a"}),
        _parts({"text": "b", "thoughtSignature": "c2ln"}),
        _parts({"text": "c"}, {"thoughtSignature": "ZW5k"}, finish="STOP"),
    )
    assert turn.parts == (Text("a"), Text("b", "c2ln"), Text("c"), Text("", "ZW5k"))


def test_calls_at_the_same_position_are_several() -> None:
    """Every functionCall part is a call of its own, with or without id and arguments."""
    turn = _turn(
        _parts({"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"}),
        _parts({"functionCall": {"name": "f", "args": {"a": 1}, "id": "x"}}),
        _parts({"functionCall": {"name": "f"}}, finish="STOP"),
    )
    assert turn.tool_calls == (
        ToolCall("f", {"a": 1}, arguments_raw='{"a":1}', signature="c2ln"),
        ToolCall("f", {"a": 1}, id="x", arguments_raw='{"a":1}'),
        ToolCall("f", {}),
    )
    assert (turn.finish, turn.finish_raw) == ("tool_calls", "STOP")


def _piece(*pieces: Any, **more: Any) -> Any:
    return {"functionCall": {"partialArgs": list(pieces), "willContinue": True, **more}}


def test_arguments_in_pieces_are_put_together() -> None:
    """Pieces set the value at their path, and continue a string that said so."""
    turn = _turn(
        _parts({"functionCall": {"name": "f", "willContinue": True}, "thoughtSignature": "c2ln"}),
        _parts(_piece({"jsonPath": "$.a[0].b", "stringValue": "x", "willContinue": True})),
        _parts(_piece({"jsonPath": "$.a[0].b", "stringValue": "y", "willContinue": True})),
        _parts(
            _piece({"jsonPath": "$.a[0].b", "stringValue": ""}, {"jsonPath": "$['c.d']", "numberValue": 2})
        ),
        _parts(
            _piece({"jsonPath": "$.e", "boolValue": True}, {"jsonPath": "$.f", "nullValue": "NULL_VALUE"})
        ),
        _parts({"functionCall": {}}),
        _parts({"functionCall": {"name": "g", "willContinue": True}}),
        _parts(_piece({"jsonPath": "$.z", "stringValue": "end"}, willContinue=False), finish="STOP"),
    )
    assert [(call.name, call.arguments) for call in turn.tool_calls] == [
        ("f", {"a": [{"b": "xy"}], "c.d": 2, "e": True, "f": None}),
        ("g", {"z": "end"}),
    ]
    assert turn.tool_calls[0].signature == "c2ln"


@pytest.mark.parametrize("path", ["a", "$", "$.", "$.a[", "$.a[9999999]", "$.s.t", "$[0]", "$.s[0]"])
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    """A piece must fit the arguments so far, and must not make a list of any length."""
    pieces = ({"jsonPath": "$.s", "stringValue": "x"}, {"jsonPath": path, "stringValue": "y"})
    error = _failure(_parts({"functionCall": {"name": "f", "willContinue": True}}), _parts(_piece(*pieces)))
    assert isinstance(error, MalformedFrame)
    assert error.pointer.startswith("/candidates/0/content/parts/0/functionCall/partialArgs/1")


@pytest.mark.parametrize(
    "kind", ["executableCode", "codeExecutionResult", "toolCall", "toolResponse", "inlineData"]
)
def test_what_the_provider_ran_itself_is_kept_whole(kind: str) -> None:
    """Such a part asks nothing of the client and is replayed with its signature."""
    part = {kind: {"id": "1"}, "thoughtSignature": "c2ln"}
    events, _ = _listen(_sse(_parts(part, finish="STOP")))
    assert ServerItem(GEMINI.name, part) in events
    assert Finish("stop", "STOP") in events


def test_sources_are_citations() -> None:
    """Grounding and citation metadata are told as the vendor wrote them; empty ones are nothing."""
    grounding = {"groundingChunks": [{"web": {"uri": "u"}}]}
    events, _ = _listen(
        _sse(_parts({"text": "a"}, finish="STOP", groundingMetadata=grounding, citationMetadata={}))
    )
    assert [event for event in events if isinstance(event, Citation)] == [
        Citation({"groundingMetadata": grounding})
    ]


def test_an_unknown_part_is_drift() -> None:
    """A part of an unknown kind is told and does not stop the answer."""
    turn = _turn(_parts({"hologram": {}}, {"text": "a"}, finish="STOP"))
    assert turn.drift == ("part with hologram",)
    assert turn.text == "a"


@pytest.mark.parametrize(
    ("counts", "input_tokens", "output_tokens"),
    [
        (
            {
                "promptTokenCount": 3,
                "candidatesTokenCount": 4,
                "thoughtsTokenCount": 5,
                "totalTokenCount": 12,
            },
            3,
            9,
        ),
        ({"promptTokenCount": 3, "toolUsePromptTokenCount": 2, "candidatesTokenCount": 4}, 5, 4),
        ({"promptTokenCount": 3, "thoughtsTokenCount": 5, "totalTokenCount": 8}, 3, 5),
        ({"promptTokenCount": 3, "totalTokenCount": 3}, 3, 0),
        ({"promptTokenCount": 3}, 3, None),
    ],
)
def test_thoughts_and_tool_prompts_are_counted_in(
    counts: dict[str, int], input_tokens: int, output_tokens: int | None
) -> None:
    """Google counts them beside the others, and leaves a count of zero out."""
    usage = _turn({**_parts({"text": "a"}, finish="STOP"), "usageMetadata": counts}).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (input_tokens, output_tokens)
    assert usage.raw == counts


def test_counts_replace_each_other() -> None:
    """Counts are cumulative; a report without any changes nothing."""
    usage = _turn(
        {**_parts({"text": "a"}), "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1}},
        {**_parts({"text": "b"}), "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2}},
        {**_parts({"text": "c"}, finish="STOP"), "usageMetadata": {"trafficType": "ON_DEMAND"}},
    ).usage
    assert usage is not None
    assert usage.sent == {"input": 3, "output": 2}


@pytest.mark.parametrize(
    ("protocol", "raw", "reason"),
    [
        (GEMINI, "STOP", "stop"),
        (GEMINI, 1, "stop"),
        (GEMINI, "MAX_TOKENS", "length"),
        (GEMINI, "SAFETY", "content_filter"),
        (GEMINI, "PROHIBITED_CONTENT", "content_filter"),
        (GEMINI, "MALFORMED_FUNCTION_CALL", "error"),
        (GEMINI, 10, "error"),
        (VERTEX, 10, "content_filter"),
        (VERTEX, 9, "error"),
        (GEMINI, 99, "other"),
        (GEMINI, "SOMETHING_NEW", "other"),
    ],
)
def test_reasons_have_their_class(protocol: Protocol, raw: str | int, reason: str) -> None:
    """A reason is a name, or the number this surface gives it; the raw one is kept."""
    turn = _turn(_parts({"text": "a"}, finish=raw, finishMessage="so"), protocol=protocol)
    assert (turn.finish, turn.finish_raw, turn.finish_detail) == (reason, raw, "so")


def test_a_reason_may_be_repeated_and_precede_calls() -> None:
    """Finish is told once, after everything else of its candidate."""
    chunk = _parts({"functionCall": {"name": "f"}}, finish="STOP")
    events, _ = _listen(_sse(_parts({"text": "a"}, finish="STOP"), chunk))
    assert events[-2:] == [Finish("tool_calls", "STOP"), End(implied=True)]
    assert sum(isinstance(event, Finish) for event in events) == 1


def test_a_refused_prompt_is_a_content_filter() -> None:
    """There is no candidate then, and the block reason is the end."""
    feedback = {"blockReason": "SAFETY", "blockReasonMessage": "no"}
    turn = _turn({"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 1}})
    assert (turn.finish, turn.finish_raw, turn.finish_detail) == ("content_filter", "SAFETY", "no")
    assert (turn.complete, turn.text) == (True, None)


def test_candidates_are_choices() -> None:
    """Each index is an alternative answer of its own."""
    first, second = (
        {"content": {"parts": [{"text": text}]}, "finishReason": "STOP", "index": index}
        for index, text in enumerate("ab")
    )
    turn = _turn({"candidates": [first, second]})
    assert (turn.choices, turn.text, turn.others[0].text) == (2, "a", "b")


@pytest.mark.parametrize("content", [{}, {"role": "model"}, None])
def test_content_may_be_missing(content: Any) -> None:
    """A candidate without words is an answer without words."""
    turn = _turn({"candidates": [{"content": content, "finishReason": "MAX_TOKENS"}]})
    assert (turn.text, turn.finish, turn.complete) == (None, "length", True)


def test_a_whole_answer_says_the_same_as_its_stream() -> None:
    """Only the kind of end differs."""
    body = {**_parts({"text": "a"}, finish="STOP"), "usageMetadata": {"promptTokenCount": 1}}
    whole, _ = _listen(jsontext.write(body), streamed=False)
    streamed, _ = _listen(_sse(body))
    assert whole[:-1] == streamed[:-1]
    assert whole[-1] == End()


@pytest.mark.parametrize("length", [1, 7, 10_000])
def test_a_json_array_is_read_as_a_stream(length: int) -> None:
    """Where deviations say so, events come as elements are complete, whatever the media type."""
    content = jsontext.write([_parts({"text": "a"}), _parts({"text": "b"}, finish="STOP")])
    listener = Listener(
        GEMINI,
        _endpoint(Deviations(stream_format="json_array")),
        streamed=True,
        status=200,
        headers=(("Content-Type", "application/json; charset=UTF-8"),),
    )
    before = list(listener.feed(content[:-5]))
    after = [*listener.feed(content[-5:]), *listener.finish()]
    assert any(getattr(event, "text", "") == "a" for event in before)
    assert after[-1] == End(implied=True)
    assert len(content) > 5
    chunks = [content[at : at + length] for at in range(0, len(content), length)]
    again = Listener(
        GEMINI,
        _endpoint(Deviations(stream_format="json_array")),
        streamed=True,
        status=200,
        headers=(("Content-Type", "application/json"),),
    )
    assert [*(e for c in chunks for e in again.feed(c)), *again.finish()] == before + after


def test_an_unasked_array_is_a_whole_answer() -> None:
    """A stream that came as one JSON array without being declared is still understood."""
    content = jsontext.write([_parts({"text": "a"}), _parts({"text": "b"}, finish="STOP")])
    events, error = _listen(content, media_type="application/json")
    assert error is None
    assert [getattr(event, "text", "") for event in events if hasattr(event, "text")] == ["a", "b"]


def test_a_stream_without_a_reason_is_truncated() -> None:
    """Words so far stand, and the end is an error."""
    events, error = _listen(_sse(_parts({"text": "a"})))
    assert isinstance(error, TruncatedStream)
    assert [type(event) for event in events][:1] == [Start]
    assert not any(isinstance(event, End) for event in events)


@pytest.mark.parametrize("body", [b"", _sse({"usageMetadata": {}}), _sse({"promptFeedback": {}})])
def test_an_answer_of_nothing_is_truncated(body: bytes) -> None:
    """Neither a candidate nor a block reason came."""
    assert isinstance(_listen(body)[1], TruncatedStream)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}, RateLimited),
        ({"code": 503, "message": "busy", "status": "UNAVAILABLE"}, Overloaded),
        ({"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}, AuthenticationFailed),
        ({"message": "broken"}, ServerError),
    ],
)
def test_an_error_inside_the_stream_is_the_peer_s(said: dict[str, Any], kind: type[RemoteError]) -> None:
    """Its class follows its code; what came before it stands."""
    for broken in ({"error": said}, [{"error": said}]):
        events, error = _listen(_sse(_parts({"text": "a"}), broken))
        assert type(error) is kind
        assert error.message == said["message"]
        assert len(events) == 2


@pytest.mark.parametrize(
    ("chunk", "pointer"),
    [
        (3, ""),
        ([], ""),
        ({"candidates": 3}, "/candidates"),
        ({"candidates": ["x"]}, "/candidates/0"),
        ({"candidates": [{"index": "0"}]}, "/candidates/0/index"),
        ({"candidates": [{"index": -1}]}, "/candidates/0/index"),
        ({"candidates": [{"content": []}]}, "/candidates/0/content"),
        ({"candidates": [{"content": {"parts": {}}}]}, "/candidates/0/content/parts"),
        (_parts("x"), "/candidates/0/content/parts/0"),
        (_parts({"text": 1}), "/candidates/0/content/parts/0/text"),
        (_parts({"text": "a", "thoughtSignature": 1}), "/candidates/0/content/parts/0/thoughtSignature"),
        (_parts({"functionCall": []}), "/candidates/0/content/parts/0/functionCall"),
        (_parts({"functionCall": {"args": {}}}), "/candidates/0/content/parts/0/functionCall/name"),
        (
            _parts({"functionCall": {"name": "f", "args": "{}"}}),
            "/candidates/0/content/parts/0/functionCall/args",
        ),
        ({"candidates": [{"finishReason": {}}]}, "/candidates/0/finishReason"),
        ({"promptFeedback": {"blockReason": {"x": 1}}}, "/promptFeedback/blockReason"),
        ({"usageMetadata": {"promptTokenCount": "3"}}, "/usageMetadata/promptTokenCount"),
        ({"responseId": 3}, "/responseId"),
    ],
)
def test_wrong_types_are_malformed(chunk: Any, pointer: str) -> None:
    """The error points at what is wrong."""
    error = _failure(chunk)
    assert isinstance(error, MalformedFrame)
    assert error.pointer == pointer


@settings(max_examples=150, deadline=None)
@given(json_values, json_values)
def test_any_json_is_an_answer_or_a_provider_error(first: Any, second: Any) -> None:
    """No value at any of the usual places raises anything but the layer's own errors."""
    for chunk in (first, {"candidates": [first]}, _parts(first, second), _parts({"functionCall": first})):
        events, error = _listen(_sse(chunk, _parts({"text": "a"}, finish="STOP")))
        assert error is not None or isinstance(events[-1], End)


def test_a_foreign_sentinel_is_drift() -> None:
    """Some gateways end every stream with [DONE]."""
    content = _sse(_parts({"text": "a"}, finish="STOP")) + b"data: [DONE]\n\n"
    events, error = _listen(content)
    assert error is None
    assert any(isinstance(event, Drift) for event in events)
    assert isinstance(events[-1], End)


def test_usage_is_reported_with_each_chunk() -> None:
    """A client can show counts while the answer grows."""
    chunk = {**_parts({"text": "a"}, finish="STOP"), "usageMetadata": {"promptTokenCount": 1}}
    events, _ = _listen(_sse(chunk, chunk))
    assert sum(isinstance(event, UsageReport) for event in events) == 2


# --- refusals


def _google(status: int, message: str, word: str, **more: Any) -> bytes:
    return jsontext.write({"error": {"code": status, "message": message, "status": word, **more}})


@pytest.mark.parametrize(
    ("status", "message", "word", "kind"),
    [
        (400, "Please use a valid role: user, model.", "INVALID_ARGUMENT", InvalidRequest),
        (400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT", AuthenticationFailed),
        (404, "models/x is not found", "NOT_FOUND", NotFound),
        (429, "Resource has been exhausted (e.g. check quota).", "RESOURCE_EXHAUSTED", RateLimited),
        (429, "You exceeded your current quota. Please retry in 3.2s.", "RESOURCE_EXHAUSTED", RateLimited),
        (429, "You exceeded your current quota.", "RESOURCE_EXHAUSTED", QuotaExhausted),
        (
            400,
            "The input token count (9) exceeds the maximum number of tokens",
            "INVALID_ARGUMENT",
            ContextOverflow,
        ),
        (503, "The model is overloaded.", "UNAVAILABLE", Overloaded),
    ],
)
def test_refusals_have_their_class(status: int, message: str, word: str, kind: type[RemoteError]) -> None:
    """The vendor's words are kept, also when they stand in an array."""
    body = _google(status, message, word)
    for content in (body, b"[" + body + b"]"):
        error = GEMINI.error(status, (), content)
        assert type(error) is kind
        assert (error.status, error.type, error.code, error.message) == (status, word, status, message)


def test_a_retry_delay_is_read_from_the_details() -> None:
    """RetryInfo tells the wait where no header field does."""
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
    body = _google(429, "slow down", "RESOURCE_EXHAUSTED", details=[{"@type": "x"}, info])
    assert GEMINI.error(429, (), body).retry_after_s == 34.5
    assert GEMINI.error(429, (("Retry-After", "2"),), body).retry_after_s == 2


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b"{}", b'{"error": 3}', b'[{"error": []}]', b"\xff"]
)
def test_any_body_makes_an_error(content: bytes) -> None:
    """A body that says nothing still gives the error of its status code."""
    assert type(GEMINI.error(500, (), content)) is ServerError


def test_an_error_told_as_words_is_kept() -> None:
    """Some gateways put a sentence where Google has an object."""
    assert GEMINI.error(400, (), b'{"error": "bad"}').message == "bad"


def test_a_cut_inside_an_event_is_no_answer() -> None:
    """An event that never ended is not told; the stream is truncated or unframed."""
    content = _sse(_parts({"text": "a"}, finish="STOP"))[:-6]
    assert isinstance(_listen(content)[1], (FramingError, TruncatedStream))


def test_deviations_are_checked() -> None:
    """A misspelt key of a catalog file is refused."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"stream_fromat": "sse"}, Deviations)
