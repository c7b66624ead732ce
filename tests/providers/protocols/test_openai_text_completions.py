"""The openai-text-completions protocol: one prompt, and its completions."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.call import Call, Image, Message, Structured, Text, Thinking, Tool, user
from providers.errors import (
    EventOrderError,
    MalformedFrame,
    ProviderError,
    RateLimited,
    TruncatedStream,
    UnsupportedFeature,
)
from providers.events import End, Event, Turn, assemble
from providers.protocols.openai_text_completions import PROTOCOL, Deviations
from providers.wire import Endpoint, Frame
from tests.strategies import json_values


def body(call: Call, **deviations: Any) -> Any:
    at = Endpoint(
        provider="acme",
        protocol="openai-text-completions",
        base_url="https://acme.test/v1",
        deviations=Deviations(**deviations),
    )
    request = PROTOCOL.build(call, at)
    assert request.url == "https://acme.test/v1/completions"
    return request.json()


def heard(*values: Any, streamed: bool = True) -> list[Event]:
    """The events of the values as frames; text as it is, others as JSON."""
    decoder = PROTOCOL.decoder(streamed, None)
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    events = [event for text in texts for event in decoder.feed(Frame(text.encode()))]
    return events + list(decoder.finish())


def chunk(text: str | None, finish: str | None = None, index: int | None = 0) -> dict[str, Any]:
    choice = {"text": text, "index": index, "logprobs": None, "finish_reason": finish}
    return {"id": "c-1", "object": "text_completion", "model": "m-1", "choices": [choice]}


def test_a_question_is_a_prompt() -> None:
    """The system text and the one question are the prompt; settings have the chat's names."""
    call = Call(
        model="m-1",
        messages=(user("a", "b"),),
        system="S",
        max_output_tokens=9,
        seed=7,
        stop=("x",),
        stream=True,
    )
    assert body(call) == {
        "model": "m-1",
        "prompt": "S\n\na\nb",
        "max_tokens": 9,
        "seed": 7,
        "stop": ["x"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    plain = Call(model="m-1", messages=(user("a"),), stream=True, extra_body={"echo": True})
    assert body(plain, stream_usage="unasked", body={"n": 1}) == {
        "model": "m-1",
        "prompt": "a",
        "stream": True,
        "n": 1,
        "echo": True,
    }


@pytest.mark.parametrize(
    "call",
    [
        Call(model="m", messages=(user("a"),), tools=(Tool("f"),)),
        Call(model="m", messages=(user("a"), Message("assistant", (Text("b"),)), user("c"))),
        Call(model="m", messages=(user(Image(data="AA==")),)),
        Call(model="m", messages=(user("a"),), structured=Structured()),
        Call(model="m", messages=(user("a"),), thinking=Thinking()),
    ],
    ids=["tools", "conversation", "picture", "structured", "thinking"],
)
def test_what_a_prompt_cannot_say_raises(call: Call) -> None:
    """Tools, conversations and pictures raise UnsupportedFeature."""
    with pytest.raises(UnsupportedFeature):
        body(call)


def streamed(*values: Any) -> Turn:
    return assemble(heard(*values, "[DONE]"))


def test_a_stream() -> None:
    """Texts add up, the first finish reason counts, usage may stand alone or be null."""
    usage = {
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "total_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 1},
        "completion_tokens_details": None,
    }
    turn = streamed(
        chunk("Hel"),
        {**chunk("lo", "length"), "usage": None},
        chunk("", "stop"),
        {"choices": [], "usage": usage},
    )
    assert (turn.text, turn.finish, turn.finish_raw, turn.id, turn.model) == (
        "Hello",
        "length",
        "length",
        "c-1",
        "m-1",
    )
    assert turn.usage is not None
    assert turn.usage.sent == {"input": 3, "output": 2, "total": 5, "cached_input": 1}
    assert turn.complete


def test_texts_may_be_empty_or_absent() -> None:
    """An empty text is an empty text, a null one none."""
    assert streamed(chunk("", "stop")).text == ""
    assert streamed(chunk(None, "stop")).text is None


def test_choices_are_kept_apart() -> None:
    """Alternatives go by their index, or by their place where they have none."""
    turn = streamed(chunk("a"), chunk("b", index=1), chunk("", "stop"), chunk("", "stop", index=1))
    assert (turn.text, turn.choices, turn.others[0].text) == ("a", 2, "b")
    whole = {"choices": [{"text": "a", "finish_reason": "stop"}, {"text": "b", "finish_reason": "eos"}]}
    turn = assemble(heard(whole, streamed=False))
    assert (turn.text, turn.others[0].text, turn.others[0].finish) == ("a", "b", "stop")


def test_ends() -> None:
    """[DONE] ends a stream; without it a finish reason in every choice does, and no finish is truncated."""
    assert heard(chunk("a", "stop"))[-1] == End(implied=True)
    for values in ([], [chunk("a")], [chunk("a", "stop"), chunk("b", index=1)]):
        with pytest.raises(TruncatedStream):
            heard(*values)
    with pytest.raises(EventOrderError):
        heard("[DONE]")
    with pytest.raises(TruncatedStream):
        heard("", streamed=False)


def test_pieces_that_are_values() -> None:
    """Writer's pieces are words, and its stream has no end."""
    decoder = PROTOCOL.decoder(True, None)
    events = [event for text in (b'{"value":"a"}', b'{"value":"b"}') for event in decoder.feed(Frame(text))]
    assert assemble(events).text == "ab"
    with pytest.raises(TruncatedStream):
        decoder.finish()


def test_errors_inside_a_stream() -> None:
    """An error in a chunk is the vendor's refusal; a null one is nothing."""
    with pytest.raises(RateLimited):
        heard(chunk("a"), {"error": {"message": "slow down", "type": "rate_limit_error"}})
    assert streamed({**chunk("a", "stop"), "error": None}).text == "a"


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({}, "/choices"),
        ({"choices": 1}, "/choices"),
        ({"choices": [1]}, "/choices/0"),
        ({"choices": [{"text": 1}]}, "/choices/0/text"),
        ({"choices": [{"index": "a"}]}, "/choices/0/index"),
        ({"choices": [], "usage": {"prompt_tokens": "1"}}, "/usage/prompt_tokens"),
        ({"value": 1}, "/value"),
    ],
)
def test_wrong_types_are_pointed_at(value: Any, pointer: str) -> None:
    """A value of the wrong JSON type is MalformedFrame, with a pointer to it."""
    with pytest.raises(MalformedFrame) as caught:
        heard(value)
    assert caught.value.pointer == pointer


@given(st.lists(json_values | st.sampled_from((chunk("a"), "[DONE]", "{")), max_size=5), st.booleans())
def test_any_values_raise_only_our_errors(values: list[Any], streams: bool) -> None:
    """Whatever the frames hold, what is raised is a ProviderError."""
    with suppress(ProviderError):
        heard(*values, streamed=streams)
