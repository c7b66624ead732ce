"""The named Calls. The same names are fixture folders and parts of item ids.

A scenario asks one question, or several in a row, and says what a provider that does everything
right may answer: the ``reply`` from which a documented fixture is spoken. A live run asks the same
questions and takes whatever comes. Names that end in ``_stream`` are streamed; both forms ask the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from harness.materials import (
    ABORTED,
    ANSWERED_CALL,
    BOTH,
    CLOCK,
    CUT_CALL,
    FOREIGN,
    FOREIGN_REASONING,
    GAUGE,
    IN_BOTH,
    IN_PARIS,
    ORPHAN_CALL,
    ORPHAN_RESULT,
    PAPER,
    PAPER_URL,
    PARIS,
    PIXEL,
    PREAMBLE,
    ROUTE,
    SEEN,
    SPOKEN,
    THINKS,
    THOUGHT,
    UNICODE,
    WEATHER,
    Ask,
    asks,
    says,
    then,
    turn,
    weather,
)
from providers.call import (
    Call,
    Document,
    Image,
    Message,
    Named,
    Reasoning,
    Structured,
    Text,
    Thinking,
    ToolCall,
    user,
)
from providers.events import Turn, Usage


class Step(msgspec.Struct, frozen=True):
    """One question: ``ask(answers so far)`` is the call, without model and stream; ``reply`` is the answer,
    or the kind of refusal (``bad_key``, ``rate_limit`` …) the vendor gives to it."""

    ask: Ask
    reply: Turn | str


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A named sequence of steps. ``needs`` are the features a provider must offer for it to apply, and
    ``protocols`` globs of those that can say it."""

    name: str
    title: str
    steps: tuple[Step, ...]
    needs: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ("*",)
    stream: bool = False
    kind: str

    def call(self, number: int, model: str, answers: tuple[Message, ...] = ()) -> Call:
        """The call of step ``number`` (from 0) for ``model``, after the ``answers`` so far."""
        return replace(self.steps[number].ask(answers), model=model, stream=self.stream)

    @property
    def refuses(self) -> str:
        """The kind of refusal the last step ends with, empty when it is answered."""
        reply = self.steps[-1].reply
        return reply if isinstance(reply, str) else ""


_KINDS: tuple[Scenario, ...] = (
    Scenario(
        name="text",
        kind="text",
        title="A short question, answered with words",
        steps=(Step(asks("Say hello in three words."), says("Hello to you!")),),
    ),
    Scenario(
        name="system",
        kind="system",
        title="A system instruction and earlier turns",
        steps=(
            Step(
                asks(
                    "My name is Ada.",
                    Message("assistant", (Text("Nice to meet you, Ada."),)),
                    "What is my name?",
                    system="Answer with one word.",
                    temperature=0.0,
                ),
                says("Ada", spent=(38, 2)),
            ),
        ),
    ),
    Scenario(
        name="unicode",
        kind="unicode",
        title="Characters of several bytes, joined and combining ones",
        steps=(Step(asks(f"Repeat exactly: {UNICODE}"), says(UNICODE, spent=(40, 31))),),
    ),
    Scenario(
        name="length_stop",
        kind="length_stop",
        title="An answer cut by the output limit",
        steps=(
            Step(
                asks("Count from one to one hundred, in words.", limit=16),
                says("One, two, three, four, five,", finish="length", spent=(19, 16)),
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
                asks("Count from one to ten, in words.", stop=("four",)),
                says("one, two, three, ", spent=(18, 8)),
            ),
        ),
    ),
    Scenario(
        name="usage",
        kind="usage",
        title="Token counts of a long input",
        needs=("usage",),
        steps=(Step(asks("Say yes.", system=PREAMBLE), says("Yes.", spent=(1320, 3))),),
    ),
    Scenario(
        name="usage_cached",
        kind="usage_cached",
        title="Token counts, with part of a long input read from the cache",
        needs=("usage", "prompt_caching"),
        steps=(
            Step(
                asks("Say yes.", system=PREAMBLE),
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
        steps=(Step(asks("What is the weather in Paris?", tools=(WEATHER,)), PARIS),),
    ),
    Scenario(
        name="tool_call_no_args",
        kind="tool_call_no_args",
        title="A call of a tool that takes no arguments",
        needs=("tools",),
        steps=(
            Step(
                asks("What time is it?", tools=(CLOCK,)),
                turn(
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
                IN_BOTH,
                BOTH,
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
                asks("What is the weather in Łódź?", tools=(WEATHER,)),
                turn(weather("Łódź", 1), finish="tool_calls", spent=(66, 21)),
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
                asks("Tell me what you do, then look the weather in Paris up.", tools=(WEATHER,)),
                turn(Text("I will look it up."), weather("Paris", 1), finish="tool_calls", spent=(71, 26)),
            ),
        ),
    ),
    Scenario(
        name="tool_call_then_text",
        kind="tool_call_then_text",
        title="A tool call, then words, in one turn",
        needs=("tools",),
        protocols=("anthropic-messages", "bedrock-converse", "google-*"),  # content is one ordered list
        steps=(
            Step(
                asks("Look the weather in Paris up, then say that you did.", tools=(WEATHER,)),
                turn(weather("Paris", 1), Text("I look it up."), finish="tool_calls", spent=(70, 25)),
            ),
        ),
    ),
    Scenario(
        name="tool_roundtrip",
        kind="tool_roundtrip",
        title="A tool call, its result, and the answer that uses it",
        needs=("tools",),
        steps=(
            Step(IN_PARIS, PARIS),
            Step(then(IN_PARIS, "18 °C and sunny"), says("It is 18 °C and sunny.", spent=(102, 12))),
        ),
    ),
    Scenario(
        name="tool_result_error",
        kind="tool_result_error",
        title="A tool that failed",
        needs=("tools",),
        steps=(
            Step(IN_PARIS, PARIS),
            Step(
                then(IN_PARIS, "the station is down", is_error=True),
                says("I could not look it up.", spent=(104, 9)),
            ),
        ),
    ),
    Scenario(
        name="tool_result_empty",
        kind="tool_result_empty",
        title="A tool that returned nothing",
        needs=("tools",),
        steps=(
            Step(IN_PARIS, PARIS),
            Step(then(IN_PARIS, ""), says("I know nothing of it.", spent=(98, 8))),
        ),
    ),
    Scenario(
        name="tool_result_order",
        kind="tool_result_order",
        title="Two results, given in the other order than the calls",
        needs=("tools", "parallel_tools"),
        steps=(
            Step(IN_BOTH, BOTH),
            Step(
                then(IN_BOTH, "18 °C and sunny", "7 °C and rain", backwards=True),
                says("Paris: 18 °C and sunny. Oslo: 7 °C and rain.", spent=(131, 21)),
            ),
        ),
    ),
    Scenario(
        name="tool_strict",
        kind="tool_strict",
        title="A tool whose schema is enforced",
        needs=("tools", "strict_tools"),
        steps=(Step(asks("What is the weather in Paris?", tools=(replace(WEATHER, strict=True),)), PARIS),),
    ),
    Scenario(
        name="tool_schema_refs",
        kind="tool_schema_refs",
        title="A tool whose schema has $defs and $ref",
        needs=("tools",),
        steps=(Step(asks("What is the weather in Paris?", tools=(ROUTE,)), PARIS),),
    ),
    Scenario(
        name="tool_schema_banned",
        kind="tool_schema_banned",
        title="A tool whose schema has keywords that some vendors refuse",
        needs=("tools",),
        steps=(Step(asks("What is the weather in Paris?", tools=(GAUGE,)), PARIS),),
    ),
    Scenario(
        name="history_foreign_ids",
        kind="history_foreign_ids",
        title="History with tool call ids of another vendor's shape",
        needs=("tools",),
        steps=(Step(asks(*FOREIGN, tools=(WEATHER,)), says("You are welcome.", spent=(120, 5))),),
    ),
    Scenario(
        name="history_orphan_call",
        kind="history_orphan_call",
        title="History with a tool call that was never answered",
        needs=("tools",),
        steps=(Step(asks(*ORPHAN_CALL, tools=(WEATHER,)), says("Very well.", spent=(110, 4))),),
    ),
    Scenario(
        name="history_cut_call",
        kind="history_cut_call",
        title="History with a turn that was cut off inside a tool call",
        needs=("tools",),
        steps=(Step(asks(*CUT_CALL, tools=(WEATHER,)), says("Very well.", spent=(112, 4))),),
    ),
    Scenario(
        name="history_without_tools",
        kind="history_without_tools",
        title="History with a tool call and its result, and no tools on offer",
        needs=("tools",),
        steps=(Step(asks(*ANSWERED_CALL), says("You are welcome.", spent=(81, 5))),),
    ),
    Scenario(
        name="history_orphan_result",
        kind="history_orphan_result",
        title="History with the result of a call that nobody made",
        needs=("tools",),
        steps=(Step(asks(*ORPHAN_RESULT, tools=(WEATHER,)), says("Hello.", spent=(90, 3))),),
    ),
    Scenario(
        name="history_reasoning",
        kind="history_reasoning",
        title="History with another vendor's reasoning and signature",
        steps=(Step(asks(*FOREIGN_REASONING), says("Yes.", spent=(60, 3))),),
    ),
    Scenario(
        name="history_text",
        kind="history_text",
        title="History with words of another vendor's model",
        steps=(Step(asks(*SPOKEN), says("Ada", spent=(36, 2))),),
    ),
    Scenario(
        name="history_aborted",
        kind="history_aborted",
        title="History with another vendor's turn that was cut off in its words",
        steps=(Step(asks(*ABORTED), says("Bonjour, hola!", spent=(40, 6))),),
    ),
    Scenario(
        name="history_images",
        kind="history_images",
        title="History with pictures, asked and returned by a tool, that another vendor's model saw",
        needs=("tools", "vision"),
        steps=(Step(asks(*SEEN, tools=(WEATHER,)), says("You are welcome.", spent=(410, 5))),),
    ),
    Scenario(
        name="settings",
        kind="settings",
        title="Sampling settings and an output limit",
        steps=(
            Step(asks("Say hello.", temperature=0.25, top_p=0.75, limit=321), says("Hello.", spent=(12, 3))),
        ),
    ),
    Scenario(
        name="extras",
        kind="extras",
        title="A body field and a header field that only the caller knows",
        steps=(
            Step(
                asks(
                    "Say hello.",
                    extra_body={"wirecheck_probe": {"kept": [1, "two"]}},
                    extra_headers=(("x-wirecheck-probe", "kept"),),
                ),
                says("Hello.", spent=(12, 3)),
            ),
        ),
    ),
    Scenario(
        name="tool_choice_required",
        kind="tool_choice_required",
        title="Some tool must be called",
        needs=("tools", "tool_choice"),
        steps=(Step(asks("Paris?", tools=(WEATHER, CLOCK), tool_choice="required"), PARIS),),
    ),
    Scenario(
        name="tool_choice_named",
        kind="tool_choice_named",
        title="One named tool must be called",
        needs=("tools", "tool_choice", "tool_choice_named"),
        steps=(Step(asks("Paris?", tools=(WEATHER, CLOCK), tool_choice=Named("get_weather")), PARIS),),
    ),
    Scenario(
        name="tool_choice_none",
        kind="tool_choice_none",
        title="No tool may be called",
        needs=("tools", "tool_choice"),
        steps=(
            Step(
                asks("What is the weather in Paris?", tools=(WEATHER,), tool_choice="none"),
                says("I cannot look that up.", spent=(64, 7)),
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
                asks("What is 17 × 23?", thinking=Thinking("low"), limit=4096),
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
        name="reasoning_roundtrip",
        kind="reasoning_roundtrip",
        title="Thinking, a tool call, its result, and the thinking sent back",
        needs=("reasoning", "tools"),
        steps=(
            Step(
                THINKS,
                Turn(
                    parts=(THOUGHT, weather("Paris", 1)),
                    finish="tool_calls",
                    complete=True,
                    usage=Usage(input_tokens=70, output_tokens=41, reasoning_tokens=22),
                ),
            ),
            Step(then(THINKS, "18 °C and sunny"), says("Yes, 18 °C.", spent=(140, 8))),
        ),
    ),
    Scenario(
        name="vision",
        kind="vision",
        title="A question about a picture",
        needs=("vision",),
        steps=(
            Step(
                asks(user("Which colour is this?", Image("image/png", data=PIXEL))),
                says("Red.", spent=(274, 2)),
            ),
        ),
    ),
    Scenario(
        name="pdf",
        kind="pdf",
        title="A question about a PDF document",
        needs=("pdf",),
        steps=(
            Step(
                asks(user("When is the meeting?", Document(data=PAPER, name="note.pdf"))),
                says("On Tuesday.", spent=(1580, 4)),
            ),
        ),
    ),
    Scenario(
        name="pdf_url",
        kind="pdf",
        title="A question about a PDF document at an address",
        needs=("pdf",),
        protocols=("openai-completions",),
        steps=(
            Step(
                asks(user("What does this document say?", Document(url=PAPER_URL, name="dummy.pdf"))),
                says("Dummy PDF file.", spent=(1580, 5)),
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
                asks(
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
                says('{"city":"Oslo","country":"Norway"}', spent=(45, 11)),
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
        Scenario(name=name, kind=name, title=title, steps=(Step(asks("Say hello."), kind),))
        for name, (kind, title) in _REFUSALS.items()
    )
    whole = (*_KINDS, *refusing)
    return {each.name: each for scenario in whole for each in (scenario, _streamed(scenario))}


SCENARIOS: Mapping[str, Scenario] = _all()
