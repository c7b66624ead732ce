"""The watsonx-generation protocol: one prompt, and the text generated from it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.call import Call, Image, Message, Structured, Text, Thinking, Tool, user
from providers.errors import InvalidRequest, MalformedFrame, ServerError, TruncatedStream, UnsupportedFeature
from providers.events import Event, Turn, assemble
from providers.protocols.watsonx_generation import PROTOCOL, Deviations
from providers.wire import Endpoint, Frame, header

PROJECT = Deviations(version="2026-01-01", project_id="p-1")


def at(deviations: Deviations = PROJECT) -> Endpoint:
    return Endpoint(
        provider="acme", protocol=PROTOCOL.name, base_url="https://acme.test", deviations=deviations
    )


def result(text: str, reason: str = "not_finished", **counts: int) -> dict[str, Any]:
    return {"model_id": "m-1", "results": [{"generated_text": text, "stop_reason": reason, **counts}]}


def heard(*values: Any) -> Turn:
    decoder = PROTOCOL.decoder(True, PROJECT)
    events: list[Event] = []
    for value in values:
        events += decoder.feed(Frame(json.dumps(value).encode()))
    return assemble([*events, *decoder.finish()])


def test_a_call_becomes_a_prompt_with_parameters() -> None:
    """The system text stands before the question; settings that sample ask for sampling."""
    call = Call(
        model="m-1", messages=(user("a"),), system="S", max_output_tokens=9, seed=7, stop=("x",), stream=True
    )
    request = PROTOCOL.build(call, at())
    assert request.url == "https://acme.test/ml/v1/text/generation_stream?version=2026-01-01"
    assert header(request.headers, "accept") == "text/event-stream"
    assert request.json() == {
        "model_id": "m-1",
        "input": "S\n\na",
        "project_id": "p-1",
        "parameters": {
            "decoding_method": "sample",
            "max_new_tokens": 9,
            "random_seed": 7,
            "stop_sequences": ["x"],
            "include_stop_sequence": False,
        },
    }


def test_a_whole_answer_has_a_path_of_its_own() -> None:
    """A call without settings sends no parameters, and a space where no project is told."""
    request = PROTOCOL.build(Call(model="m-1", messages=(user("a"),)), at(Deviations(space_id="s-1")))
    assert request.url.split("?")[0] == "https://acme.test/ml/v1/text/generation"
    assert request.json() == {"model_id": "m-1", "input": "a", "space_id": "s-1"}


@pytest.mark.parametrize(
    "call",
    [
        Call(model="m", messages=(user("a"),), tools=(Tool("f"),)),
        Call(model="m", messages=(user("a"),), structured=Structured()),
        Call(model="m", messages=(user("a"),), thinking=Thinking()),
        Call(model="m", messages=(user("a"), Message("assistant", (Text("b"),)), user("c"))),
        Call(model="m", messages=(user(Image(data="AA==")),)),
    ],
    ids=["tools", "structured", "thinking", "conversation", "picture"],
)
def test_what_a_prompt_cannot_say_raises(call: Call) -> None:
    """Nothing is left out in silence."""
    with pytest.raises(UnsupportedFeature):
        PROTOCOL.build(call, at())


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("eos_token", "stop"),
        ("EOS_TOKEN", "stop"),
        ("max_tokens", "length"),
        ("time_limit", "length"),
        ("?", "other"),
    ],
)
def test_results_add_up(raw: str, reason: str) -> None:
    """Words add up, the largest counts hold, the last result tells why it is."""
    turn = heard(
        result("", input_token_count=8, generated_token_count=0),
        result("Hel", input_token_count=0, generated_token_count=1),
        result("lo", raw, generated_token_count=2),
    )
    assert (turn.text, turn.finish, turn.finish_raw, turn.complete) == ("Hello", reason, raw, True)
    assert turn.usage is not None
    assert turn.usage.sent == {"input": 8, "output": 2}


def test_an_end_without_a_reason_is_a_cut() -> None:
    """A stream whose results all say that more may come was cut."""
    with pytest.raises(TruncatedStream):
        heard(result("Hel"))


def test_a_result_behind_the_last_one_is_drift() -> None:
    """What comes behind the last result is told, and adds nothing."""
    turn = heard(result("a", "eos_token"), result("b"))
    assert (turn.text, turn.drift) == ("a", ("a result behind the last one",))


def test_a_frame_of_another_shape_is_malformed() -> None:
    """An object without results, errors or notices is no frame of the protocol."""
    with pytest.raises(MalformedFrame):
        heard({"answer": 1})


def test_errors_are_told_in_a_stream_and_instead_of_one() -> None:
    """The first of the errors is the one that is told."""
    body = {"errors": [{"code": "invalid_request_entity", "message": "no"}], "trace": "t", "status_code": 400}
    fault = PROTOCOL.error(400, (), json.dumps(body).encode())
    assert isinstance(fault, InvalidRequest)
    assert (fault.message, fault.code) == ("no", "invalid_request_entity")
    with pytest.raises(ServerError):
        heard({"errors": [{"code": "downstream_request_failed", "message": "busy"}]})
