"""Mending a history: what every vendor refuses is put right, and nothing else is changed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.emulators import EMULATORS
from providers.call import (
    Call,
    Image,
    Message,
    Reasoning,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    tool_results,
    user,
)
from providers.protocols import PROTOCOLS
from providers.protocols.mending import (
    NO_RESULT,
    Answered,
    Ids,
    ToolNames,
    arguments_object,
    arguments_of,
    data_url,
    mended,
    settled,
)
from providers.wire import Endpoint
from tests.strategies import messages

WITHOUT_NAMES = {"cohere-chat-v1", "ollama-generate", "openai-text-completions", "watsonx-generation"}


def calling(*calls: ToolCall, aborted: bool = False) -> Message:
    return Message("assistant", calls, aborted=aborted)


def test_results_stand_with_their_calls() -> None:
    """Each call has its result, whatever their order, or one that says it has none; orphans go."""
    history = (
        tool_results(ToolResult("lost", "f", (Text("?"),))),
        user("hi"),
        calling(ToolCall("f", {}, id="a"), ToolCall("g", {}, id="b"), ToolCall("h", {}, id="c")),
        tool_results(
            ToolResult("b", "g", (Text("2"), Image(data="AA==")), is_error=True),
            ToolResult("a", "f", (Text("1"),)),
            ToolResult("a", "f", (Text("again"),)),
        ),
    )
    said, turn = mended(history, Ids(), ToolNames())
    assert (said.message, said.calls) == (user("hi"), ())
    assert [(each.id, each.told, each.is_error) for each in turn.calls] == [
        ("a", "1", False),
        ("b", "2", True),
        ("c", NO_RESULT, True),
    ]
    assert turn.calls[1].shown == (Image(data="AA=="),)


def test_turns_that_say_nothing_are_left_out() -> None:
    """A turn without words or calls goes, and so do broken calls of one that was cut off."""
    history = (
        Message("assistant", (Reasoning("hm"),)),
        calling(ToolCall("f", None, id="a", arguments_raw="{"), aborted=True),
        calling(ToolCall("f", None, id="a", arguments_raw="{")),
    )
    assert [turn.calls[0].call.arguments_raw for turn in mended(history, Ids(), ToolNames())] == ["{"]


@pytest.mark.parametrize(
    ("ids", "id", "kept"),
    [
        (Ids(), "call_1|x", True),
        (Ids(9, 9, "a-zA-Z0-9"), "abcDEF123", True),
        (Ids(9, 9, "a-zA-Z0-9"), "call_1|xy", False),
        (Ids(1, 4), "abcde", False),
    ],
)
def test_ids_have_the_vendors_form(ids: Ids, id: str, kept: bool) -> None:
    """An id of the right form is kept; another is replaced by one, the same each time."""
    made = ids.of(ToolCall("f", {}, id=id))
    assert (made == id) is kept
    assert ids.of(ToolCall("f", {}, id=id)) == made
    assert ids.of(ToolCall("f", {}, id=made)) == made


def test_missing_ids_are_told_apart() -> None:
    """Two calls without an id get two, and results without one are found by the tool's name."""
    history = (
        calling(ToolCall("f", {}), ToolCall("g", {})),
        tool_results(ToolResult(None, "g", (Text("2"),)), ToolResult(None, "f", (Text("1"),))),
    )
    (turn,) = mended(history, Ids(), ToolNames())
    assert [each.told for each in turn.calls] == ["1", "2"]
    assert len({each.id for each in turn.calls}) == 2


def test_a_foreign_tool_name_is_made_lawful() -> None:
    """A name the vendor refuses becomes one it takes, always the same; a lawful one stays."""
    names, google = ToolNames(), ToolNames(first="A-Za-z_", charset="A-Za-z0-9_.:-")
    assert names.of("look_it-up") == "look_it-up"
    assert names.of("mcp.server/tool name") == names.of("mcp.server/tool name")
    assert re.fullmatch("mcp_server_tool_name_[0-9a-f]{8}", names.of("mcp.server/tool name"))
    assert re.fullmatch("f{55}_[0-9a-f]{8}", names.of("f" * 100))
    assert re.fullmatch("tool_[0-9a-f]{8}", names.of(""))
    assert re.fullmatch(r"_1\.a_b_[0-9a-f]{8}", google.of("1.a/b"))
    assert all(form.takes(form.of("7 é/" * 25)) for form in (names, google))


@pytest.mark.parametrize("protocol", sorted({*EMULATORS} - WITHOUT_NAMES))
def test_two_foreign_names_stay_two(protocol: str) -> None:
    """Names that become alike when they are made lawful are told apart on the wire, and each stays itself."""
    foreign = ("get weather", "get/weather", "get weather", "w" * 200, "w" * 201)
    calls = [ToolCall(name, {}, id=f"call{at:05d}", arguments_raw="{}") for at, name in enumerate(foreign)]
    results = [ToolResult(call.id, call.name, (Text("1"),)) for call in calls]
    history = (user("hi"), calling(*calls), tool_results(*results), user("so?"))
    endpoint = Endpoint(
        provider="acme",
        protocol=protocol,
        base_url="https://acme.test",
        deviations=PROTOCOLS[protocol].deviations(),
    )
    call = Call(model="m-1", messages=history, tools=(Tool("f"),), stream=True)
    sent = PROTOCOLS[protocol].build(call, endpoint)
    assert EMULATORS[protocol].judge(sent, endpoint) == ()
    names = [
        name
        for name in re.findall(r'"name":"([^"]*)"', sent.content.decode())
        if name.startswith(("get_", "w"))
    ]
    kinds = dict.fromkeys(names)
    assert len(kinds) == 4
    assert names.count(next(iter(kinds))) >= 2


def wired(protocol: str, *history: Message) -> str:
    """The body of a call that goes on with ``history``, which the vendor accepts."""
    endpoint = Endpoint(
        provider="acme",
        protocol=protocol,
        base_url="https://acme.test",
        deviations=PROTOCOLS[protocol].deviations(),
    )
    call = Call(model="m-1", messages=history, tools=(Tool("look"),), stream=True)
    sent = PROTOCOLS[protocol].build(call, endpoint)
    assert EMULATORS[protocol].judge(sent, endpoint) == ()
    return sent.content.decode()


LOOK = ToolCall("look", {"at": "the sky"}, id="call00001", arguments_raw='{"at":"the sky"}')
BLUE = tool_results(ToolResult("call00001", "look", (Text("It is blue."),)))


@pytest.mark.parametrize("protocol", sorted({*EMULATORS} - WITHOUT_NAMES))
def test_a_late_result_stands_behind_its_call(protocol: str) -> None:
    """A result that came after the user spoke is sent at its call, and the user's words after it."""
    told = wired(protocol, user("hi"), calling(LOOK), user("One moment."), BLUE, user("so?"))
    places = [told.index(words) for words in ("the sky", "It is blue.", "One moment.", "so?")]
    assert places == sorted(places)
    assert NO_RESULT not in told


def test_results_are_settled_wherever_they_came() -> None:
    """Results go to the latest call they fit, words beside them become a user's, neighbours become one."""
    one, two = LOOK, replace(LOOK, arguments={"at": "the sea"})
    red = ToolResult("call00001", "look", (Text("It is red."),))
    beside = Message("tool", (red, Text("seen")))
    (blue,) = BLUE.parts
    assert settled((calling(one), BLUE, calling(two), user("?"), beside)) == [
        calling(one),
        BLUE,
        calling(two),
        tool_results(red),
        user("?"),
        user("seen"),
    ]
    words = calling(one), Message("assistant", (Text("I look."),))
    assert settled((*words, BLUE)) == [Message("assistant", (one, Text("I look."))), BLUE]
    assert settled((calling(one), Message("user", (blue, Text("?"))))) == [calling(one), BLUE, user("?")]
    assert settled((Message("tool", (Text("lost"),)), user())) == [user("lost"), user()]


CUT = replace(LOOK, arguments=None, arguments_raw='{"at":"the s')


@pytest.mark.parametrize("call", [LOOK, CUT], ids=["whole", "cut"])
@pytest.mark.parametrize("protocol", sorted({*EMULATORS} - WITHOUT_NAMES))
def test_a_call_that_was_run_is_sent(protocol: str, call: ToolCall) -> None:
    """A turn that was cut off keeps the calls that have a result, with it and with their arguments."""
    cut = Message("assistant", (Text("I look."), call), aborted=True)
    told = wired(protocol, user("hi"), cut, BLUE, user("so?"))
    assert all(words in told for words in ("I look.", "the s", "It is blue.", "so?"))


@pytest.mark.parametrize("arguments", [None, {"input": "ls 'a b'"}], ids=["text", "heard"])
@pytest.mark.parametrize("protocol", sorted({*EMULATORS} - WITHOUT_NAMES))
def test_a_custom_calls_text_is_sent(protocol: str, arguments: dict[str, str] | None) -> None:
    """What a custom tool was called with is sent, with its result, as a function's one argument."""
    call = ToolCall("look", arguments, id="call00001", arguments_raw="ls 'a b'", kind="custom")
    told = wired(protocol, user("hi"), calling(call), BLUE)
    assert re.search(r"""[{]\\?"input\\?":\\?"ls 'a b'\\?"[}]""", told)
    assert "custom" not in told
    assert "It is blue." in told


def test_arguments_are_an_object() -> None:
    """Arguments that are no object are kept as text in one, told apart by whether they should be one."""
    custom = replace(CUT, kind="custom", arguments_raw="ls")
    assert [arguments_object(call) for call in (LOOK, CUT, custom)] == [
        {"at": "the sky"},
        {"INVALID_JSON": '{"at":"the s'},
        {"input": "ls"},
    ]
    assert arguments_of(CUT) == '{"at":"the s'
    assert arguments_of(custom) == '{"input":"ls"}'


def test_arguments_and_pictures_as_text() -> None:
    """Arguments go as they came, or as JSON; a picture's data in a data URL."""
    assert arguments_of(ToolCall("f", {"x": 1}, arguments_raw='{ "x": 1 }')) == '{ "x": 1 }'
    assert arguments_of(ToolCall("f", {"x": 1})) == '{"x":1}'
    assert data_url(Image(data="AA==")) == "data:image/png;base64,AA=="
    words = (Text("a"), Image(data="AA=="), Text("b"))
    assert Answered(ToolCall("f", {}), "a", words).told == "a\nb"


@given(st.lists(messages(), max_size=6))
def test_every_history_is_mended(history: list[Any]) -> None:
    """Users' turns stay, assistants' say something, and mending has nothing to mend again."""
    turns = list(mended(history, Ids(), ToolNames()))
    users = [message for message in history if message.role == "user"]
    assert [turn.message for turn in turns if turn.message.role == "user"] == users
    assert all(turn.text or turn.calls for turn in turns if turn.message.role == "assistant")
