"""Anthropic's side: what it refuses, what it says, and that the decoder undoes it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from harness import emulated
from harness.emulators.anthropic_messages import EMULATOR
from harness.emulators.emulator import Spoken
from harness.scenarios import SCENARIOS
from providers.call import Call, Message, Opaque, Reasoning, Text, ToolCall, user
from providers.errors import (
    ContextOverflow,
    Overloaded,
    ProviderError,
    QuotaExhausted,
    RemoteError,
    TruncatedStream,
)
from providers.events import Assembler, Turn, Usage
from providers.listen import Listener
from providers.protocols.anthropic_messages import PROTOCOL, Deviations, build
from providers.wire import Endpoint, Request, header
from tests import strategies

RECORDINGS = Path(__file__).parents[4] / "shared" / "recordings" / "anthropic"
ELIDED = re.compile(rb"<\d+ base64 characters elided>")
MODEL = "claude-haiku-4-5"
ENDPOINT = Endpoint(
    provider="anthropic",
    protocol="anthropic-messages",
    base_url="https://api.example/v1",
    deviations=Deviations(),
)
CALL = Call(model=MODEL, messages=(user("Hello"),), max_output_tokens=64)
HEADERS = (("content-type", "application/json"), ("anthropic-version", "2023-06-01"))


def heard(spoken: Spoken, call: Call) -> Turn:
    """What our decoder makes of the bytes, delivered in the emulator's own chunks."""
    listener = Listener(
        PROTOCOL, ENDPOINT, streamed=call.stream, status=spoken.status, headers=spoken.headers
    )
    assembler, start = Assembler(), 0
    try:
        for end in spoken.boundaries:
            for event in listener.feed(spoken.content[start:end]):
                assembler.feed(event)
            start = end
        for event in listener.finish():
            assembler.feed(event)
    except ProviderError as fault:
        return assembler.turn(fault)
    return assembler.turn()


def events(spoken: Spoken) -> list[dict[str, Any]]:
    """The data of a spoken stream's events."""
    return [json.loads(line[5:]) for line in spoken.content.splitlines() if line.startswith(b"data:")]


def request(change: dict[str, Any], headers: tuple[tuple[str, str], ...] = HEADERS) -> Request:
    """A lawful request, changed; a value of ... takes the field away."""
    body = {"model": MODEL, "max_tokens": 64, "messages": [{"role": "user", "content": "Hi"}], **change}
    kept = {name: value for name, value in body.items() if value is not ...}
    return Request("POST", "https://api.example/v1/messages", headers, json.dumps(kept).encode())


def broken(asked: Request, endpoint: Endpoint = ENDPOINT) -> list[tuple[str, str]]:
    """The rules broken, and where."""
    return [(violation.rule, violation.where) for violation in EMULATOR.judge(asked, endpoint)]


def said(*messages: tuple[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in messages]}


def block(**fields: Any) -> list[dict[str, Any]]:
    return [fields]


def picture(data: str) -> dict[str, Any]:
    return {"type": "base64", "media_type": "image/png", "data": data}


TOOL = {"name": "look", "input_schema": {"type": "object"}}
USE = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t1"}
MARKED = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
LONG = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
THINKS = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048}

DEEP = {"type": "thinking", "thinking": "Hm.", "signature": "sig"}


def used(answer: list[Any], *beside: Any) -> dict[str, Any]:
    """A conversation that goes on with a result."""
    return said(("user", "Hi"), ("assistant", answer), ("user", [RESULT, *beside]))


AGAIN = {**USE, "id": "t2"}


def looped(first: list[Any], second: list[Any]) -> dict[str, Any]:
    """A conversation that goes on with the result of a second call."""
    results = (("user", [RESULT]), ("user", [{**RESULT, "tool_use_id": "t2"}]))
    return said(("user", "Hi"), ("assistant", first), results[0], ("assistant", second), results[1])


LAWFUL: dict[str, dict[str, Any]] = {
    "the least": {},
    "a system prompt": {"system": [{"type": "text", "text": "Be short."}]},
    "two user messages": said(("user", "Hi"), ("user", "there")),
    "three marks and one for all": {
        **said(("user", [MARKED] * 3)),
        "cache_control": {"type": "ephemeral"},
    },
    "a picture and a cited document": said(
        (
            "user",
            [
                {"type": "image", "source": picture("AA==")},
                {"type": "document", "source": {"type": "url", "url": "https://x"}, "citations": None},
                {
                    "type": "document",
                    "source": {"type": "url", "url": "https://x"},
                    "citations": {"enabled": True},
                },
            ],
        )
    ),
    "what the server's tools did": said(
        ("user", "Hi"),
        (
            "assistant",
            [
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
                {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
                {"type": "coming_tool_result", "tool_use_id": "srvtoolu_2"},
            ],
        ),
        ("user", "Go on."),
    ),
    "the server's tools": {
        "tools": [
            {"type": "web_search_20260209", "name": "web_search", "max_uses": 2},
            {"type": "tool_search_tool_regex", "name": "tool_search_tool_regex"},
            {"type": "mcp_toolset", "mcp_server_name": "x"},
        ]
    },
    "a call and its result": {
        **said(("user", "Hi"), ("assistant", [USE]), ("user", [RESULT, {"type": "text", "text": "?"}])),
        "tools": [TOOL],
    },
    "thinking": THINKS,
    "thinking first": {**THINKS, **used([DEEP, USE]), "tools": [TOOL]},
    "thinking behind a call": {**THINKS, **used([DEEP, USE, DEEP]), "tools": [TOOL]},
    "thinking in the first message of a loop": {**THINKS, **looped([DEEP, USE], [AGAIN]), "tools": [TOOL]},
    "thinking in another turn": {
        **THINKS,
        **used([USE], {"type": "text", "text": "?"}),
        "tools": [TOOL],
    },
    "adaptive thinking behind a call": {
        **used([USE, DEEP]),
        "tools": [TOOL],
        "model": "claude-opus-4-6",
        "thinking": {"type": "adaptive"},
    },
    "a document": said(
        ("user", block(type="document", source={"type": "url", "url": "https://x.example/a.pdf"}))
    ),
    "four marks": said(("user", [MARKED] * 4)),
    "a long mark before a short one": said(("user", [LONG, MARKED])),
    "an effort": {"model": "claude-opus-4-7", "output_config": {"effort": "max"}},
    "a system message with a newer model": {
        **said(("user", "Hi"), ("system", [{"type": "text", "text": "Be brief."}])),
        "model": "claude-opus-4-8",
    },
    "a server tool": {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
}

UNLAWFUL: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "no max_tokens": ({"max_tokens": ...}, ("body.required", "/max_tokens")),
    "no model": ({"model": ...}, ("body.required", "/model")),
    "max_tokens of zero": ({"max_tokens": 0}, ("body.value", "/max_tokens")),
    "max_tokens as text": ({"max_tokens": "64"}, ("body.value", "/max_tokens")),
    "an unknown field": ({"seed": 1}, ("body.unknown", "/seed")),
    "an unknown field of a block": (
        said(("user", block(type="text", text="x", size=1))),
        ("body.unknown", "/messages/0/content/0/size"),
    ),
    "no messages": ({"messages": []}, ("messages.some", "/messages")),
    "a system message": (
        said(("user", "Hi"), ("system", "x")),
        ("messages.system", "/messages/1/role"),
    ),
    "the assistant first": (said(("assistant", "x"), ("user", "y")), ("messages.first", "/messages/0/role")),
    "empty content": (said(("user", [])), ("content.some", "/messages/0/content")),
    "blank text": (
        said(("user", block(type="text", text=" "))),
        ("content.blank", "/messages/0/content/0/text"),
    ),
    "a result of no known tool": (
        said(("user", block(type="banana_tool_result"))),
        ("content.type", "/messages/0/content/0/type"),
    ),
    "a server's call that a user makes": (
        said(("user", block(type="server_tool_use", id="srvtoolu_1", name="web_search", input={}))),
        ("content.role", "/messages/0/content/0"),
    ),
    "a tool of no known kind": (
        {"tools": [{"type": "banana_20990101", "name": "x", "junk": 1}]},
        ("tools.type", "/tools/0/type"),
    ),
    "citations that are a number": (
        said(("user", block(type="document", source={"type": "url", "url": "https://x"}, citations=5))),
        ("body.type", "/messages/0/content/0/citations"),
    ),
    "a picture that is no base64": (
        said(("user", block(type="image", source=picture("!!not base64")))),
        ("content.base64", "/messages/0/content/0/source/data"),
    ),
    "an empty picture": (
        said(("user", block(type="image", source=picture("")))),
        ("content.base64", "/messages/0/content/0/source/data"),
    ),
    "four marks and one for all": (
        {**said(("user", [MARKED] * 4)), "cache_control": {"type": "ephemeral"}},
        ("cache.count", "/"),
    ),
    "an unknown block": (said(("user", block(type="gif"))), ("content.type", "/messages/0/content/0/type")),
    "a result without a call": (
        {**said(("user", [RESULT])), "tools": [TOOL]},
        ("tools.orphan", "/messages/0/content/0"),
    ),
    "a call without a result": (
        {**said(("user", "x"), ("assistant", [USE]), ("user", "y")), "tools": [TOOL]},
        ("tools.answered", "/messages/1"),
    ),
    "two results of one call": (
        {**said(("user", "x"), ("assistant", [USE]), ("user", [RESULT, RESULT])), "tools": [TOOL]},
        ("tools.single", "/messages/2/content/1"),
    ),
    "a result after words": (
        {
            **said(("user", "x"), ("assistant", [USE]), ("user", [{"type": "text", "text": "x"}, RESULT])),
            "tools": [TOOL],
        },
        ("tools.results_first", "/messages/2/content/1"),
    ),
    "an id used twice": (
        {
            **said(
                ("user", "x"),
                ("assistant", [USE]),
                ("user", [RESULT]),
                ("assistant", [USE]),
                ("user", [RESULT]),
            ),
            "tools": [TOOL],
        },
        ("tools.ids_unique", "/messages/3"),
    ),
    "tool blocks and no tools": (
        said(("user", "x"), ("assistant", [USE]), ("user", [RESULT])),
        ("tools.declared", "/tools"),
    ),
    "a tool id with a dot": (
        {
            **said(
                ("user", "x"),
                ("assistant", [{**USE, "id": "t.1"}]),
                ("user", [{**RESULT, "tool_use_id": "t.1"}]),
            ),
            "tools": [TOOL],
        },
        ("body.pattern", "/messages/1/content/0/id"),
    ),
    "a tool name with a space": ({"tools": [{**TOOL, "name": "a b"}]}, ("body.pattern", "/tools/0/name")),
    "a tool without a schema": ({"tools": [{"name": "a"}]}, ("body.required", "/tools/0/input_schema")),
    "a schema that is no object": (
        {"tools": [{"name": "a", "input_schema": {"type": "string"}}]},
        ("tools.schema", "/tools/0/input_schema/type"),
    ),
    "an open strict schema": (
        {"tools": [{**TOOL, "strict": True}]},
        ("schema.closed", "/tools/0/input_schema"),
    ),
    "two tools of one name": ({"tools": [TOOL, TOOL]}, ("tools.unique", "/tools")),
    "a choice without tools": ({"tool_choice": {"type": "auto"}}, ("tool_choice.tools", "/tool_choice")),
    "a choice of an unknown tool": (
        {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "no"}},
        ("tool_choice.name", "/tool_choice/name"),
    ),
    "thinking without its signature": (
        said(("user", "x"), ("assistant", block(type="thinking", thinking="t")), ("user", "y")),
        ("body.required", "/messages/1/content/0/signature"),
    ),
    "an empty signature": (
        said(("user", "x"), ("assistant", block(type="thinking", thinking="t", signature="")), ("user", "y")),
        ("thinking.signature", "/messages/1/content/0/signature"),
    ),
    "a small budget": (
        {**THINKS, "thinking": {"type": "enabled", "budget_tokens": 1023}},
        ("body.value", "/thinking/budget_tokens"),
    ),
    "a budget as large as the limit": (
        {**THINKS, "max_tokens": 1024},
        ("thinking.budget", "/thinking/budget_tokens"),
    ),
    "a turn that began without thinking": (
        {**THINKS, **used([USE]), "tools": [TOOL]},
        ("thinking.first", "/messages/1/content/0/type"),
    ),
    "thinking in a later message of a loop": (
        {**THINKS, **looped([USE], [DEEP, AGAIN]), "tools": [TOOL]},
        ("thinking.first", "/messages/1/content/0/type"),
    ),
    "thinking behind the call alone": (
        {**THINKS, **used([USE, DEEP]), "tools": [TOOL]},
        ("thinking.first", "/messages/1/content/0/type"),
    ),
    "a temperature with thinking": ({**THINKS, "temperature": 0.5}, ("thinking.temperature", "/temperature")),
    "a forced tool with thinking": (
        {**THINKS, "tools": [TOOL], "tool_choice": {"type": "any"}},
        ("thinking.tool_choice", "/tool_choice"),
    ),
    "adaptive thinking with an old model": (
        {"thinking": {"type": "adaptive"}},
        ("thinking.adaptive", "/thinking/type"),
    ),
    "a budget with a new model": (
        {**THINKS, "model": "claude-opus-4-7"},
        ("thinking.adaptive_only", "/thinking/type"),
    ),
    "an effort that the model does not know": (
        {"model": "claude-opus-4-6", "output_config": {"effort": "xhigh"}},
        ("thinking.effort", "/output_config/effort"),
    ),
    "temperature and top_p together": (
        {"temperature": 0.5, "top_p": 0.5},
        ("sampling.one", "/top_p"),
    ),
    "a temperature above one": ({"temperature": 1.5}, ("body.value", "/temperature")),
    "a temperature with a new model": (
        {"model": "claude-opus-4-7", "temperature": 0.5},
        ("sampling.fixed", "/temperature"),
    ),
    "a top_k with a new model": ({"model": "claude-opus-4-7", "top_k": 5}, ("sampling.fixed", "/top_k")),
    "a top_p with a new model": ({"model": "claude-opus-4-7", "top_p": 0.9}, ("sampling.fixed", "/top_p")),
    "a blank stop text": ({"stop_sequences": [" "]}, ("stop_sequences.blank", "/stop_sequences/0")),
    "five marks": (said(("user", [MARKED] * 5)), ("cache.count", "/")),
    "a long mark after a short one": (
        said(("user", [MARKED, LONG])),
        ("cache.order", "/messages/0/content/1/cache_control"),
    ),
    "a prefill that ends in a space": (
        said(("user", "x"), ("assistant", "y ")),
        ("prefill.whitespace", "/messages/1"),
    ),
    "a prefill with a new model": (
        {**said(("user", "x"), ("assistant", "y")), "model": "claude-opus-4-7"},
        ("prefill.refused", "/messages/1"),
    ),
    "a picture of a strange type": (
        said(
            (
                "user",
                block(type="image", source={"type": "base64", "media_type": "image/bmp", "data": "AA=="}),
            )
        ),
        ("body.value", "/messages/0/content/0/source/media_type"),
    ),
    "an open answer schema": (
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        ("schema.closed", "/output_config/format/schema"),
    ),
    "a union of inputs": (
        {"tools": [{"name": "look", "input_schema": {"type": "object", "anyOf": [{}]}}]},
        ("tools.union", "/tools/0/input_schema"),
    ),
    "a beta field without a beta": ({"mcp_servers": []}, ("body.unknown", "/mcp_servers")),
}


@pytest.mark.parametrize("change", LAWFUL.values(), ids=LAWFUL)
def test_a_lawful_request_is_accepted(change: dict[str, Any]) -> None:
    """A request within the reference breaks no rule."""
    assert broken(request(change)) == []


@pytest.mark.parametrize(("change", "fault"), UNLAWFUL.values(), ids=UNLAWFUL)
def test_an_unlawful_request_is_refused(change: dict[str, Any], fault: tuple[str, str]) -> None:
    """A request that breaks one rule is refused for that rule, at its place."""
    assert fault in broken(request(change))


@pytest.mark.parametrize("plain", [{"temperature": 1}, {"top_p": 0.99}, {"top_p": 1.0}])
def test_sampling_that_moves_nothing_is_taken(plain: dict[str, float]) -> None:
    """A model without sampling takes the values that change nothing."""
    assert broken(request({"model": "claude-opus-4-7", **plain})) == []


@pytest.mark.parametrize("field", ["temperature", "top_k", "top_p"])
def test_a_later_version_is_taken_without_sampling(field: str) -> None:
    """Version 2026-10-21 is taken where the endpoint has it, and knows no sampling fields."""
    later = (HEADERS[0], ("anthropic-version", "2026-10-21"))
    newer = replace(ENDPOINT, deviations=Deviations(later_versions=("2026-10-21",)))
    assert broken(request({}, later), newer) == []
    assert broken(request({field: 1}, later), newer) == [("body.unknown", f"/{field}")]
    assert broken(request({field: 1}), newer) == []
    assert broken(request({}, later)) == [("head.version", "anthropic-version")]


@pytest.mark.parametrize(
    ("model", "found"),
    [("claude-opus-4-7", []), ("claude-haiku-4-5", [("head.version", "anthropic-version")])],
)
def test_a_later_version_is_that_of_later_models(model: str, found: list[tuple[str, str]]) -> None:
    """Where only some models know the later version, it is refused for the others."""
    later = (HEADERS[0], ("anthropic-version", "2026-10-21"))
    some = Deviations(later_versions=("2026-10-21",), later_models=("*claude-opus-4-7*",))
    assert broken(request({"model": model}, later), replace(ENDPOINT, deviations=some)) == found
    assert broken(request({"model": model}), replace(ENDPOINT, deviations=some)) == []


@pytest.mark.parametrize(
    ("version", "found"),
    [
        ("vertex-2023-10-16", []),
        ("2026-10-21", []),
        ("vertex-2026-10-21", [("body.value", "/anthropic_version")]),
        ("2023-06-01", [("body.value", "/anthropic_version")]),
    ],
)
def test_a_hosted_request_names_the_later_version_in_its_body(
    version: str, found: list[tuple[str, str]]
) -> None:
    """A cloud takes its own version, and the later one by its date, which then has no sampling."""
    told = Deviations(hosted_version="vertex-2023-10-16", later_versions=("2026-10-21",))
    hosted = replace(ENDPOINT, path="/models/{model}:rawPredict", deviations=told)
    body = {"anthropic_version": version, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    url = "https://api.example/v1/publishers/anthropic/models/claude-opus-4-7@x:rawPredict"
    asked = Request("POST", url, HEADERS[:1], json.dumps(body).encode())
    assert broken(asked, hosted) == found
    warm = replace(asked, content=json.dumps({**body, "temperature": 1}).encode())
    gone = [("body.unknown", "/temperature")] if version == "2026-10-21" else []
    assert broken(warm, hosted) == found + gone


def test_a_later_version_takes_no_citations_of_the_users() -> None:
    """A text of the user's, or in a search result, has none in version 2026-10-21; the assistant's may."""
    later = (HEADERS[0], ("anthropic-version", "2026-10-21"))
    newer = replace(ENDPOINT, deviations=Deviations(later_versions=("2026-10-21",)))
    cited = {
        "type": "text",
        "text": "Hi",
        "citations": [
            {
                "type": "web_search_result_location",
                "cited_text": "a",
                "encrypted_index": "b",
                "title": None,
                "url": "c",
            }
        ],
    }
    found = {
        "type": "search_result",
        "source": "s",
        "title": "t",
        "content": [{**cited, "citations": []}, cited],
    }
    talk = [
        {"role": "user", "content": [cited, found]},
        {"role": "assistant", "content": [cited]},
        {"role": "user", "content": "And?"},
    ]
    assert broken(request({"messages": talk}, later), newer) == [
        ("content.cited", "/messages/0/content/0/citations"),
        ("content.cited", "/messages/0/content/1/content/1/citations"),
    ]
    assert broken(request({"messages": talk}), newer) == []


def test_a_request_without_the_version_is_refused() -> None:
    """The version field is required."""
    assert broken(request({}, HEADERS[:1])) == [("head.version", "anthropic-version")]


@pytest.mark.parametrize("path", ["complete", "messages/batches", "messages/"])
def test_another_path_is_refused(path: str) -> None:
    """Messages are taken at one path, or at the endpoint's own."""
    asked = replace(request({}), url=f"https://api.example/v1/{path}?beta=true")
    assert broken(asked) == [("head.path", "path")]
    own = replace(ENDPOINT, path="/answer")
    assert EMULATOR.judge(asked, own) == ()


def test_a_body_that_is_no_json_is_refused() -> None:
    """A body that cannot be parsed is one violation, and no exception."""
    asked = Request("POST", "https://api.example/v1/messages", HEADERS, b"{")
    assert broken(asked) == [("body.json", "")]


def test_a_lookalike_refuses_by_its_deviations() -> None:
    """Cache marks and empty signatures are judged by what the endpoint declares."""
    strict = replace(ENDPOINT, deviations=Deviations(cache_control="none"))
    loose = replace(ENDPOINT, deviations=Deviations(empty_signatures=True))
    unsigned = block(type="thinking", thinking="t", signature="")
    history = said(("user", "x"), ("assistant", unsigned), ("user", "y"))
    assert ("cache.offered", "/messages/0/content/0/cache_control") in broken(
        request(said(("user", [MARKED]))), strict
    )
    assert broken(request(history), loose) == []


@given(body=strategies.json_objects, content=strategies.json_values)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_judging_never_breaks(body: dict[str, Any], content: Any) -> None:
    """Whatever JSON a client sends, judging gives violations and raises nothing."""
    odd = {"role": content, "content": [content, {"type": content, "id": content, "cache_control": content}]}
    asked = request({**body, "messages": [content, odd], "tools": [content], "thinking": content})
    assert EMULATOR.judge(asked, ENDPOINT)


PARTS = strategies.answer_parts | st.builds(
    Reasoning, st.just(""), strategies.signatures, redacted=st.just(True)
)


def as_heard(turn: Turn, *, streamed: bool) -> Turn:
    """What the protocol can carry of ``turn``: in a stream a call without arguments has no characters."""
    parts = tuple(
        replace(part, arguments_raw="")
        if streamed and isinstance(part, ToolCall) and not part.arguments
        else part
        for part in turn.parts
    )
    return replace(turn, parts=parts)


@given(turn=strategies.turns(PARTS), streamed=st.booleans())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_decoding_undoes_speaking(turn: Turn, streamed: bool) -> None:
    """A spoken turn is heard as it was: parts, finish, usage, id and model."""
    call = replace(CALL, stream=streamed)
    told = heard(EMULATOR.speak(turn, call, ENDPOINT), call)
    assert told.error is None
    assert told.usage is not None
    usage = replace(told.usage, sent={}, raw=None)
    assert replace(told, usage=usage, finish_raw=None) == as_heard(turn, streamed=streamed)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "block",
    [
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
        {"type": "compaction", "content": "What was said."},
    ],
    ids=lambda block: block["type"],
)
def test_server_blocks_go_both_ways(block: dict[str, Any], streamed: bool) -> None:
    """A block that the vendor deals with itself comes back whole, for the next call."""
    call = replace(CALL, stream=streamed)
    turn = Turn(parts=(Opaque("anthropic-messages", block), Text("So.")), finish="pause", complete=True)
    told = heard(EMULATOR.speak(turn, call, ENDPOINT), call)
    assert told.parts == turn.parts
    assert told.finish_raw == "pause_turn"


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_citations_stand_in_the_text(streamed: bool) -> None:
    """The turn's citations are heard again, whole or as deltas."""
    call = replace(CALL, stream=streamed)
    cited = ({"type": "page_location", "cited_text": "x", "start_page_number": 1},)
    turn = Turn(parts=(Text("As it says."),), citations=cited, finish="stop", complete=True)
    assert heard(EMULATOR.speak(turn, call, ENDPOINT), call).citations == cited


def test_a_stop_text_is_named() -> None:
    """A call with a stop text that just stops did so at it."""
    call = replace(CALL, stop=("four",))
    told = heard(EMULATOR.speak(Turn(parts=(Text("one"),), finish="stop"), call, ENDPOINT), call)
    assert (told.finish, told.finish_raw, told.finish_detail) == ("stop", "stop_sequence", "four")


def test_a_stream_pings_and_repeats_its_counts() -> None:
    """A stream has a ping, several deltas a block, and usage at both ends, the last one being whole."""
    usage = Usage(input_tokens=100, output_tokens=9, cached_tokens=60, cache_write_tokens=30)
    turn = Turn(parts=(Text("Several words, so several deltas."),), finish="stop", usage=usage, complete=True)
    told = events(EMULATOR.speak(turn, replace(CALL, stream=True), ENDPOINT))
    kinds = [event["type"] for event in told]
    assert kinds[:3] == ["message_start", "content_block_start", "ping"]
    assert kinds.count("content_block_delta") > 2
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert told[0]["message"]["usage"]["input_tokens"] == told[-2]["usage"]["input_tokens"] == 10
    assert (told[0]["message"]["usage"]["output_tokens"], told[-2]["usage"]["output_tokens"]) == (1, 9)


def test_speaking_is_deterministic() -> None:
    """The same turn to the same call is the same bytes, its request id included."""
    turn = Turn(parts=(Text("Hi"),), finish="stop", complete=True)
    first, second = (EMULATOR.speak(turn, CALL, ENDPOINT) for _ in range(2))
    assert first == second
    assert (header(first.headers, "request-id") or "").startswith("req_")


def test_an_incomplete_turn_has_no_completion_signal() -> None:
    """A turn cut off is streamed without message_stop, which the decoder reports."""
    call = replace(CALL, stream=True)
    told = heard(EMULATOR.speak(Turn(parts=(Text("Hal"),)), call, ENDPOINT), call)
    assert isinstance(told.error, TruncatedStream)
    assert told.text == "Hal"


def test_an_error_may_come_inside_the_stream() -> None:
    """A turn that ended in the vendor's error is streamed with its error event."""
    call = replace(CALL, stream=True)
    fault = Overloaded("Overloaded", status=200, type="overloaded_error")
    told = heard(EMULATOR.speak(Turn(parts=(Text("Hal"),), error=fault), call, ENDPOINT), call)
    assert isinstance(told.error, Overloaded)
    assert (told.text, told.error.type, told.error.message) == ("Hal", "overloaded_error", "Overloaded")


@pytest.mark.parametrize("kind", EMULATOR.refusals)
def test_a_refusal_is_heard_as_it_was_worded(kind: str) -> None:
    """Status, type, message and request id of a refusal arrive."""
    words = EMULATOR.refusals[kind]
    spoken = EMULATOR.refuse(words, CALL, ENDPOINT)
    fault = heard(spoken, CALL).error
    assert isinstance(fault, RemoteError)
    assert (fault.status, fault.type) == (words.status, words.type)
    assert fault.message == words.message.replace("{model}", MODEL)
    assert fault.request_id == header(spoken.headers, "request-id")
    assert (fault.retry_after_s is not None) == (words.status == 429)


def test_refusals_are_told_apart() -> None:
    """An empty account and a full context window share a status, and are different errors."""
    told = {
        kind: type(heard(EMULATOR.refuse(EMULATOR.refusals[kind], CALL, ENDPOINT), CALL).error)
        for kind in ("quota", "context_overflow")
    }
    assert told == {"quota": QuotaExhausted, "context_overflow": ContextOverflow}


@pytest.mark.parametrize("name", SCENARIOS)
def test_our_own_requests_are_lawful(name: str) -> None:
    """What build makes of every scenario a model takes is lawful, but for fields that the caller made up."""
    scenario = SCENARIOS[name]
    answers: tuple[Message, ...] = ()
    for number, step in enumerate(scenario.steps):
        call = scenario.call(number, "claude-sonnet-4-20250514", answers)
        made_up = [("body.unknown", f"/{name}") for name in call.extra_body]
        assert broken(build(call, ENDPOINT)) == made_up
        if isinstance(step.reply, Turn):
            answers += (step.reply.message(provider="anthropic", protocol="anthropic-messages"),)


@given(
    history=st.lists(strategies.messages(st.none() | strategies.names | strategies.words), max_size=8),
    cache=st.sampled_from((None, "5m", "1h")),
    foreign=st.sampled_from(("drop", "text")),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_history_becomes_a_lawful_request(history: list[Any], cache: Any, foreign: Any) -> None:
    """However odd the history, its calls are answered, its results awaited, and its ids lawful."""
    endpoint = replace(ENDPOINT, deviations=Deviations(foreign_thinking=foreign))
    own = [
        replace(message, provider="anthropic", protocol="anthropic-messages")
        if message.role == "assistant"
        else message
        for message in history
    ]
    call = replace(CALL, messages=(user("Hello"), *own), cache=cache, system="Be brief.")
    assert broken(build(call, endpoint), endpoint) == []


# Keys of real traffic that we never speak, and why; everything else must be equal.
NOT_SPOKEN = {
    "caller": "only with programmatic tool calling",
    "container": "only with code execution",
    "context_management": "only with context editing",
    "server_tool_use": "counts of server tools",
    "iterations": "counts of compaction and fallback",
    "stop_details": "null or a refusal's; null is left out, as older models do",
    "citations": "spoken when the turn has some",
    "output_tokens_details": "spoken when reasoning is counted",
    "pydantic_ai_gateway": "a gateway's own",
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_tokens": ...}, "max_tokens: Field required"),
        ({"seed": 1}, "seed: Extra inputs are not permitted"),
        ({"tools": [{"name": "a"}]}, "tools.0.custom.input_schema: Field required"),
        (
            {"tools": [{"name": "a", "input_schema": {"type": "object", "anyOf": []}}]},
            "tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top "
            "level",
        ),
        (
            {"tools": [{"name": "a", "strict": True, "input_schema": {"type": "object"}}]},
            "tools.0.custom: For 'object' type, 'additionalProperties' must be explicitly set to false",
        ),
        (
            {
                "output_config": {
                    "format": {"type": "json_schema", "schema": {"type": "integer", "minimum": 1}}
                }
            },
            "output_config.format.schema: For 'integer' type, property 'minimum' is not supported",
        ),
        (
            said(("user", block(type="image", source=picture("!!")))),
            "messages.0.content.0.image.source.base64: invalid base64 data",
        ),
        (
            said(("user", block(type="server_tool_use", id="s", name="x", input={}))),
            "messages.0.content.0: `server_tool_use` blocks can only be in `assistant` messages",
        ),
        (
            {**said(("user", [MARKED] * 4)), "cache_control": {"type": "ephemeral"}},
            "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        ),
    ],
)
def test_a_refusal_is_told_in_the_vendors_words(change: dict[str, Any], message: str) -> None:
    """The place with its kinds, then the sentence; nothing of ours."""
    answer = emulated.answer(request(change), ENDPOINT, None)
    assert answer.status == 400
    assert json.loads(answer.content)["error"] == {"type": "invalid_request_error", "message": message}


def test_an_unknown_tag_is_told_with_those_known() -> None:
    """A block or tool of no known kind is refused in a sentence that ends with the known ones."""
    for change, start in (
        (said(("user", block(type="gif"))), "messages.0.content.0: Input tag 'gif' found using 'type' "),
        (
            {"tools": [{"type": "banana"}]},
            "tools.0: Input tag 'banana' found using 'type' does not match any ",
        ),
    ):
        told = json.loads(emulated.answer(request(change), ENDPOINT, None).content)["error"]["message"]
        assert told.startswith(start)


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the shared recordings are not here")
def test_requests_that_the_vendor_took_are_lawful() -> None:
    """No recorded request that Anthropic answered breaks a rule of ours."""
    refused = []
    for path in sorted(RECORDINGS.glob("*.json")):
        recording = json.loads(path.read_text("utf-8"))
        asked = recording["request"]
        if (
            recording["api"] != "anthropic-messages"
            or not asked["body"]
            or recording["response"]["status"] != 200
        ):
            continue
        content = ELIDED.sub(b"AA==", json.dumps(asked["body"]).encode())
        refused += broken(Request("POST", asked["url"], HEADERS, content))
    assert refused == []


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the shared recordings are not here")
def test_our_streams_have_the_shape_of_real_ones() -> None:
    """Event names and their keys are those of real traffic, but for a list with reasons."""
    real: dict[str, set[str]] = defaultdict(set)
    for path in sorted(RECORDINGS.glob("*.json")):
        recording = json.loads(path.read_text("utf-8"))
        if recording["api"] == "anthropic-messages" and recording["streaming"]:
            _collect(recording["response"]["body_text"].encode(), real)
    turn = Turn(
        parts=(
            Reasoning("Thinking hard.", "c2ln"),
            Text("Some words."),
            ToolCall("look", {"at": 1}, id="toolu_1", arguments_raw='{"at":1}'),
        ),
        finish="tool_calls",
        usage=Usage(input_tokens=9, output_tokens=5, reasoning_tokens=2),
        complete=True,
    )
    spoken = EMULATOR.speak(turn, replace(CALL, stream=True), ENDPOINT)
    ours: dict[str, set[str]] = defaultdict(set)
    _collect(spoken.content, ours)
    assert {place: sorted(keys - real[place]) for place, keys in ours.items() if keys - real[place]} == {}
    missing = {place: sorted(real[place] - keys - set(NOT_SPOKEN)) for place, keys in ours.items()}
    assert {place: keys for place, keys in missing.items() if keys} == {}


def _collect(content: bytes, shapes: dict[str, set[str]]) -> None:
    for line in content.splitlines():
        if line.startswith(b"data:"):
            event = json.loads(line[5:])
            _walk(event["type"], event, shapes)


def _walk(place: str, value: dict[str, Any], shapes: dict[str, set[str]]) -> None:
    shapes[place] |= set(value)
    for key in ("message", "usage", "delta", "content_block"):
        inner = value.get(key)
        if isinstance(inner, dict):
            _walk(f"{place}.{key}.{inner.get('type', '')}", inner, shapes)


def test_marks_inside_a_tool_result_count() -> None:
    """Five cache marks inside the content of a tool's result are more than four."""
    marked = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [marked] * 5}
    call = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
    body = {
        "model": MODEL,
        "max_tokens": 10,
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
        ],
    }
    request = Request("POST", "https://api.example/v1/messages", HEADERS, json.dumps(body).encode())
    assert "cache.count" in [one.rule for one in EMULATOR.judge(request, ENDPOINT)]
