"""The emulators of the protocols that cannot be asked for a tool: what they refuse, and what they say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.emulators import EMULATORS
from providers import jsontext
from providers.call import Call, Reasoning, Text, user
from providers.errors import ProviderError
from providers.events import Event, Turn, Usage, assemble
from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Request
from tests.strategies import json_values

ASKED = Call(
    model="m-1",
    messages=(user("hi"),),
    system="S",
    max_output_tokens=9,
    temperature=0.5,
    top_p=0.5,
    seed=7,
    stop=("a",),
)
DEVIATIONS = {"watsonx-generation": {"project_id": "p-1"}}
NAMES = ("cohere-chat-v1", "ollama-generate", "openai-text-completions", "watsonx-generation")
HEADERS = (("content-type", "application/json"), ("accept", "application/json"))
each_name = pytest.mark.parametrize("name", NAMES)
words = st.text(st.characters(codec="utf-8"), max_size=60)


def endpoint(name: str) -> Endpoint:
    deviations = PROTOCOLS[name].deviations(**DEVIATIONS.get(name, {}))
    return Endpoint(provider="acme", protocol=name, base_url="http://acme.test", deviations=deviations)


def rules(name: str, body: Any, **more: Any) -> list[tuple[str, str]]:
    """(rule, where) of each violation in a request of ours with this body."""
    asked = PROTOCOLS[name].build(replace(ASKED, **more), endpoint(name))
    request = Request("POST", asked.url, asked.headers, jsontext.write(body))
    return [(found.rule, found.where) for found in EMULATORS[name].judge(request, endpoint(name))]


def heard(name: str, turn: Turn, streams: bool) -> Turn:
    """What the decoder makes of the spoken turn, transfer chunk by transfer chunk."""
    at = endpoint(name)
    spoken = EMULATORS[name].speak(turn, replace(ASKED, stream=streams), at)
    listener = Listener(PROTOCOLS[name], at, streamed=streams, status=spoken.status, headers=spoken.headers)
    events: list[Event] = []
    for start, end in zip((0, *spoken.boundaries), spoken.boundaries, strict=False):
        events += listener.feed(spoken.content[start:end])
    return assemble([*events, *listener.finish()])


@each_name
@pytest.mark.parametrize("streams", [True, False])
def test_our_requests_are_accepted(name: str, streams: bool) -> None:
    """A request with every setting is lawful, streamed and whole."""
    at = endpoint(name)
    assert EMULATORS[name].judge(PROTOCOLS[name].build(replace(ASKED, stream=streams), at), at) == ()


@pytest.mark.parametrize(
    ("name", "body", "rule", "where"),
    [
        ("cohere-chat-v1", {}, "required", "/message"),
        ("cohere-chat-v1", {"message": ""}, "empty", "/message"),
        ("cohere-chat-v1", {"message": "a", "messages": []}, "unknown_field", "/messages"),
        (
            "cohere-chat-v1",
            {"message": "a", "chat_history": [{"role": "user", "message": "b"}]},
            "value",
            "/chat_history/0/role",
        ),
        ("cohere-chat-v1", {"message": "a", "chat_history": [7]}, "type", "/chat_history/0"),
        ("cohere-chat-v1", {"message": "a", "p": 1}, "range", "/p"),
        (
            "cohere-chat-v1",
            {"message": "a", "response_format": {"type": "json"}},
            "value",
            "/response_format/type",
        ),
        ("ollama-generate", {}, "required", "/model"),
        ("ollama-generate", {"model": "m", "prompt": ["a"]}, "type", "/prompt"),
        ("ollama-generate", {"model": "m", "images": ["https://x"]}, "image", "/images/0"),
        ("openai-text-completions", {"model": "m"}, "required", "/prompt"),
        ("openai-text-completions", {"model": "m", "prompt": {}}, "type", "/prompt"),
        (
            "openai-text-completions",
            {"model": "m", "prompt": "a", "messages": []},
            "unknown_field",
            "/messages",
        ),
        ("openai-text-completions", {"model": "m", "prompt": "a", "stop": [*"abcde"]}, "limit", "/stop"),
        (
            "openai-text-completions",
            {"model": "m", "prompt": "a", "stream_options": {}},
            "without_stream",
            "/stream_options",
        ),
        ("watsonx-generation", {"model_id": "m", "project_id": "p"}, "required", "/input"),
        ("watsonx-generation", {"model_id": "m", "input": "a"}, "charged", ""),
        (
            "watsonx-generation",
            {"model_id": "m", "input": "a", "project_id": "p", "parameters": {"max_tokens": 1}},
            "unknown_field",
            "/parameters/max_tokens",
        ),
        (
            "watsonx-generation",
            {"model_id": "m", "input": "a", "project_id": "p", "parameters": {"top_p": 2}},
            "range",
            "/parameters/top_p",
        ),
    ],
)
def test_a_break_of_the_reference_is_told(name: str, body: Any, rule: str, where: str) -> None:
    """Each break of the reference is a violation of its rule, at its place."""
    assert (rule, where) in rules(name, body)


def test_a_target_names_its_release_and_its_form() -> None:
    """watsonx.ai wants a version in the target, and has two paths, of which it takes no other."""
    at = endpoint("watsonx-generation")
    whole, streamed = (
        PROTOCOLS[at.protocol].build(replace(ASKED, stream=each), at) for each in (False, True)
    )
    judge = EMULATORS[at.protocol].judge
    bare = Request("POST", whole.url.split("?")[0], whole.headers, whole.content)
    assert [found.rule for found in judge(bare, at)] == ["version"]
    assert whole.url.split("?")[0] + "_stream" == streamed.url.split("?")[0]
    other = Request("POST", whole.url.replace("generation", "answer"), whole.headers, whole.content)
    assert [found.rule for found in judge(other, at)] == ["target"]


@each_name
@given(
    body=json_values | st.dictionaries(st.sampled_from(["input", "message", "prompt", "stop"]), json_values)
)
def test_any_json_is_judged(name: str, body: Any) -> None:
    """Whatever JSON is sent, the judge lists violations and does not stumble."""
    assert all(rule for rule, _ in rules(name, body))


@each_name
@given(
    said=words, finish=st.sampled_from(["stop", "length"]), spent=st.integers(0, 99), streams=st.booleans()
)
def test_decoding_undoes_speaking(name: str, said: str, finish: Any, spent: int, streams: bool) -> None:
    """Words, finish and counts are heard as they were said, streamed and whole."""
    usage = Usage(input_tokens=7, output_tokens=spent)
    turn = Turn(parts=(Text(said),), model="m-1", finish=finish, usage=usage, complete=True)
    got = heard(name, turn, streams)
    assert (got.text or "", got.finish, got.complete, got.drift) == (said, finish, True, ())
    assert got.usage is not None
    assert (got.usage.input_tokens, got.usage.output_tokens) == (7, spent)


@pytest.mark.parametrize("streams", [True, False])
def test_reasoning_comes_beside_a_completion(streams: bool) -> None:
    """A prompt's completion has its reasoning in a field of its own."""
    turn = Turn(parts=(Reasoning("hm, then"), Text("yes")), finish="stop", complete=True)
    got = heard("ollama-generate", turn, streams)
    assert (got.reasoning, got.text) == ("hm, then", "yes")


@each_name
@pytest.mark.parametrize(
    "kind", ["bad_key", "forbidden", "unknown_model", "rate_limit", "quota", "overloaded"]
)
def test_refusals_have_their_kind(name: str, kind: str) -> None:
    """The vendor's words for an error, heard again, are an error of that kind."""
    emulator, at = EMULATORS[name], endpoint(name)
    spoken = emulator.refuse(emulator.refusals[kind], ASKED, at)
    fault = PROTOCOLS[name].error(spoken.status, spoken.headers, spoken.content)
    assert isinstance(fault, ProviderError)
    assert type(fault).__name__ == KINDS[kind]


KINDS = {
    "bad_key": "AuthenticationFailed",
    "forbidden": "PermissionDenied",
    "unknown_model": "NotFound",
    "rate_limit": "RateLimited",
    "quota": "QuotaExhausted",
    "overloaded": "Overloaded",
}
