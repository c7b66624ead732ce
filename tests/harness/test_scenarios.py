"""The scenarios: their names, their two forms, and the calls they make."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from harness.emulators import EMULATORS
from harness.scenarios import SCENARIOS
from providers.call import Message, ToolResult
from providers.events import Turn
from providers.features import FEATURES, needed

WHOLE = [name for name in SCENARIOS if not name.endswith("_stream")]


@pytest.mark.parametrize("name", WHOLE)
def test_both_forms_ask_the_same(name: str) -> None:
    """The streamed form differs in its stream flag only."""
    whole, streamed = SCENARIOS[name], SCENARIOS[f"{name}_stream"]
    assert (whole.kind, whole.steps, whole.refuses) == (streamed.kind, streamed.steps, streamed.refuses)
    assert streamed.needs == ("streaming", *whole.needs)
    assert streamed.call(0, "m") == replace(whole.call(0, "m"), stream=True)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_needs_what_its_call_uses(name: str) -> None:
    """Every feature that the first call makes use of is among the scenario's needs."""
    scenario = SCENARIOS[name]
    assert set(scenario.needs) <= set(FEATURES)
    assert set(needed(scenario.call(0, "m"))) <= set(scenario.needs)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_refusal_is_one_every_vendor_has_words_for(name: str) -> None:
    """A scenario that is refused names a kind of refusal that every emulator can speak."""
    refuses = SCENARIOS[name].refuses
    assert bool(refuses) is name.startswith("error_")
    assert all(refuses in emulator.refusals for emulator in EMULATORS.values() if refuses)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_reply_is_whole(name: str) -> None:
    """Each reply is a complete turn with counts, and calls end a turn for tools."""
    for step in SCENARIOS[name].steps:
        if isinstance(step.reply, Turn):
            assert step.reply.complete
            assert step.reply.usage is not None
            assert (step.reply.finish == "tool_calls") is bool(step.reply.tool_calls)


@pytest.mark.parametrize("name", [name for name in SCENARIOS if len(SCENARIOS[name].steps) == 2])
def test_a_second_call_answers_the_first(name: str) -> None:
    """The second call has the first answer and one result for each of its calls."""
    scenario = SCENARIOS[name]
    reply = scenario.steps[0].reply
    assert isinstance(reply, Turn)
    answer: Message = reply.message(provider="p", protocol="q", model="m")
    call = scenario.call(1, "m", (answer,))
    assert call.messages[-2] == answer
    results = [part.call_id for part in call.messages[-1].parts if isinstance(part, ToolResult)]
    assert sorted(map(str, results)) == sorted(str(each.id) for each in reply.tool_calls)
