"""The named Calls. The same names are fixture folders and parts of item ids.

A scenario asks one question, or several in a row, and says what a provider that does everything
right may answer: the ``reply`` from which a documented fixture is spoken. A live run asks the same
questions and takes whatever comes. Names that end in ``_stream`` are streamed; both forms ask the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from providers.call import (
    Call,
    Image,
    Message,
    Named,
    Part,
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
from providers.events import FinishReason, Turn, Usage

Ask = Callable[[tuple[Turn, ...]], Call]


class Step(msgspec.Struct, frozen=True):
    """One question: ``ask(turns so far)`` is the call, without model and stream; ``reply`` is the answer,
    or the kind of refusal (``bad_key``, ``rate_limit`` …) the vendor gives to it."""

    ask: Ask
    reply: Turn | str


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A named sequence of steps. ``needs`` are the features a provider must offer for it to apply."""

    name: str
    title: str
    steps: tuple[Step, ...]
    needs: tuple[str, ...] = ()
    stream: bool = False
    kind: str

    def call(self, number: int, model: str, turns: tuple[Turn, ...] = ()) -> Call:
        """The call of step ``number`` (from 0) for ``model``, after ``turns``."""
        return replace(self.steps[number].ask(turns), model=model, stream=self.stream)

    @property
    def refuses(self) -> str:
        """The kind of refusal the last step ends with, empty when it is answered."""
        reply = self.steps[-1].reply
        return reply if isinstance(reply, str) else ""


# A 1 × 1 red pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
WEATHER = Tool(
    "get_weather",
    "The current weather in a city.",
    {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "The city's name"}},
        "required": ["city"],
        "additionalProperties": False,
    },
)
CLOCK = Tool("get_time", "The current time, in UTC.")
UNICODE = "naïve Ω — 你好, עולם, 👩‍🔬 e\u0301 \U0001d11e"
PREAMBLE = "You are a careful assistant. " * 60


def _turn(
    *parts: Part, finish: FinishReason = "stop", spent: tuple[int, int] = (21, 8), **more: object
) -> Turn:
    usage = Usage(input_tokens=spent[0], output_tokens=spent[1])
    return Turn(parts=parts, finish=finish, usage=usage, complete=True, **more)  # type: ignore[arg-type]


def _said(text: str, **more: object) -> Turn:
    return _turn(Text(text), **more)  # type: ignore[arg-type]


def _weather(city: str, number: int) -> ToolCall:
    return ToolCall(
        "get_weather", {"city": city}, id=f"call_{number:09d}", arguments_raw=f'{{"city":"{city}"}}'
    )


def _asks(*messages: str | Message, **options: object) -> Ask:
    said = tuple(user(text) if isinstance(text, str) else text for text in messages)
    limit = options.pop("limit", 256)
    call = Call(model="", messages=said, max_output_tokens=limit, **options)  # type: ignore[arg-type]
    return lambda turns: call


def _with_result(turns: tuple[Turn, ...]) -> Call:
    first = _asks("What is the weather in Paris?", tools=(WEATHER,))(())
    results = tuple(
        ToolResult(call.id, call.name, (Text("18 °C and sunny"),)) for call in turns[0].tool_calls
    )
    history = (*first.messages, turns[0].message(), tool_results(*results))
    return replace(first, messages=history)


_PARIS = _turn(_weather("Paris", 1), finish="tool_calls", spent=(64, 17))

_KINDS: tuple[Scenario, ...] = (
    Scenario(
        name="text",
        kind="text",
        title="A short question, answered with words",
        steps=(Step(_asks("Say hello in three words."), _said("Hello to you!")),),
    ),
    Scenario(
        name="system",
        kind="system",
        title="A system instruction and earlier turns",
        steps=(
            Step(
                _asks(
                    "My name is Ada.",
                    Message("assistant", (Text("Nice to meet you, Ada."),)),
                    "What is my name?",
                    system="Answer with one word.",
                    temperature=0.0,
                ),
                _said("Ada", spent=(38, 2)),
            ),
        ),
    ),
    Scenario(
        name="unicode",
        kind="unicode",
        title="Characters of several bytes, joined and combining ones",
        steps=(Step(_asks(f"Repeat exactly: {UNICODE}"), _said(UNICODE, spent=(40, 31))),),
    ),
    Scenario(
        name="length_stop",
        kind="length_stop",
        title="An answer cut by the output limit",
        steps=(
            Step(
                _asks("Count from one to one hundred, in words.", limit=16),
                _said("One, two, three, four, five,", finish="length", spent=(19, 16)),
            ),
        ),
    ),
    Scenario(
        name="stop_sequence",
        kind="stop_sequence",
        title="An answer ended by a stop text",
        needs=("stop_sequences",),
        steps=(
            Step(
                _asks("Count from one to ten, in words.", stop=("four",)),
                _said("one, two, three, ", spent=(18, 8)),
            ),
        ),
    ),
    Scenario(
        name="usage",
        kind="usage",
        title="Token counts, with part of a long input read from the cache",
        needs=("usage", "prompt_caching"),
        steps=(
            Step(
                _asks("Say yes.", system=PREAMBLE),
                Turn(
                    parts=(Text("Yes."),),
                    finish="stop",
                    complete=True,
                    usage=Usage(input_tokens=1320, output_tokens=3, cached_tokens=1280),
                ),
            ),
        ),
    ),
    Scenario(
        name="tool_call",
        kind="tool_call",
        title="One tool call",
        needs=("tools",),
        steps=(Step(_asks("What is the weather in Paris?", tools=(WEATHER,)), _PARIS),),
    ),
    Scenario(
        name="tool_call_no_args",
        kind="tool_call_no_args",
        title="A call of a tool that takes no arguments",
        needs=("tools",),
        steps=(
            Step(
                _asks("What time is it?", tools=(CLOCK,)),
                _turn(
                    ToolCall("get_time", {}, id="call_000000003", arguments_raw="{}"),
                    finish="tool_calls",
                    spent=(48, 10),
                ),
            ),
        ),
    ),
    Scenario(
        name="tool_call_parallel",
        kind="tool_call_parallel",
        title="Two calls of one tool in one turn",
        needs=("tools", "parallel_tools"),
        steps=(
            Step(
                _asks("What is the weather in Paris and in Oslo?", tools=(WEATHER,)),
                _turn(_weather("Paris", 1), _weather("Oslo", 2), finish="tool_calls", spent=(69, 33)),
            ),
        ),
    ),
    Scenario(
        name="tool_call_unicode",
        kind="tool_call_unicode",
        title="A tool call whose arguments are not ASCII",
        needs=("tools",),
        steps=(
            Step(
                _asks("What is the weather in Łódź?", tools=(WEATHER,)),
                _turn(_weather("Łódź", 1), finish="tool_calls", spent=(66, 21)),
            ),
        ),
    ),
    Scenario(
        name="tool_text_then_call",
        kind="tool_text_then_call",
        title="Words, then a tool call, in one turn",
        needs=("tools",),
        steps=(
            Step(
                _asks("Tell me what you do, then look the weather in Paris up.", tools=(WEATHER,)),
                _turn(Text("I will look it up."), _weather("Paris", 1), finish="tool_calls", spent=(71, 26)),
            ),
        ),
    ),
    Scenario(
        name="tool_roundtrip",
        kind="tool_roundtrip",
        title="A tool call, its result, and the answer that uses it",
        needs=("tools",),
        steps=(
            Step(_asks("What is the weather in Paris?", tools=(WEATHER,)), _PARIS),
            Step(_with_result, _said("It is 18 °C and sunny in Paris.", spent=(102, 12))),
        ),
    ),
    Scenario(
        name="tool_choice_required",
        kind="tool_choice_required",
        title="Some tool must be called",
        needs=("tools", "tool_choice"),
        steps=(Step(_asks("Paris?", tools=(WEATHER, CLOCK), tool_choice="required"), _PARIS),),
    ),
    Scenario(
        name="tool_choice_named",
        kind="tool_choice_named",
        title="One named tool must be called",
        needs=("tools", "tool_choice", "tool_choice_named"),
        steps=(Step(_asks("Paris?", tools=(WEATHER, CLOCK), tool_choice=Named("get_weather")), _PARIS),),
    ),
    Scenario(
        name="tool_choice_none",
        kind="tool_choice_none",
        title="No tool may be called",
        needs=("tools", "tool_choice"),
        steps=(
            Step(
                _asks("What is the weather in Paris?", tools=(WEATHER,), tool_choice="none"),
                _said("I cannot look that up.", spent=(64, 7)),
            ),
        ),
    ),
    Scenario(
        name="reasoning",
        kind="reasoning",
        title="The model thinks before it answers",
        needs=("reasoning",),
        steps=(
            Step(
                _asks("What is 17 × 23?", thinking=Thinking("low"), limit=4096),
                Turn(
                    parts=(
                        Reasoning("17 × 20 is 340, and 17 × 3 is 51.", signature="c2lnbmF0dXJlLTE="),
                        Text("391"),
                    ),
                    finish="stop",
                    complete=True,
                    usage=Usage(input_tokens=17, output_tokens=29, reasoning_tokens=24),
                ),
            ),
        ),
    ),
    Scenario(
        name="vision",
        kind="vision",
        title="A question about a picture",
        needs=("vision",),
        steps=(
            Step(
                _asks(user("Which colour is this?", Image("image/png", data=PIXEL))),
                _said("Red.", spent=(274, 2)),
            ),
        ),
    ),
    Scenario(
        name="structured",
        kind="structured",
        title="JSON that satisfies a schema",
        needs=("structured_output",),
        steps=(
            Step(
                _asks(
                    "Name a city and its country.",
                    structured=Structured(
                        "place",
                        {
                            "type": "object",
                            "properties": {"city": {"type": "string"}, "country": {"type": "string"}},
                            "required": ["city", "country"],
                            "additionalProperties": False,
                        },
                    ),
                ),
                _said('{"city":"Oslo","country":"Norway"}', spent=(45, 11)),
            ),
        ),
    ),
)

_REFUSALS: Mapping[str, tuple[str, str]] = {
    "error_401_bad_key": ("bad_key", "The key is not accepted"),
    "error_404_unknown_model": ("unknown_model", "The model does not exist"),
    "error_429_rate_limit": ("rate_limit", "Too many requests"),
    "error_400_context_overflow": ("context_overflow", "The input is longer than the context window"),
    "error_503_overloaded": ("overloaded", "The vendor has no capacity"),
}


def _streamed(scenario: Scenario) -> Scenario:
    return replace(
        scenario,
        name=f"{scenario.name}_stream",
        title=f"{scenario.title}, streamed",
        stream=True,
        needs=("streaming", *scenario.needs),
    )


def _all() -> Mapping[str, Scenario]:
    refusing = tuple(
        Scenario(name=name, kind=name, title=title, steps=(Step(_asks("Say hello."), kind),))
        for name, (kind, title) in _REFUSALS.items()
    )
    whole = (*_KINDS, *refusing)
    return {each.name: each for scenario in whole for each in (scenario, _streamed(scenario))}


SCENARIOS: Mapping[str, Scenario] = _all()
