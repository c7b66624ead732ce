"""The named Calls. The same names are fixture folders and parts of item ids.

A scenario asks one question, or several in a row, and says what a provider that does everything
right may answer: the ``reply`` from which a documented fixture is spoken. A live run asks the same
questions and takes whatever comes. Names that end in ``_stream`` are streamed; both forms ask the same.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from providers.call import (
    Call,
    Document,
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

Ask = Callable[[tuple[Message, ...]], Call]


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


# A 1 × 1 red pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="


def _paper(words: str) -> bytes:
    """A PDF of one page with ``words`` (plain ASCII) on it."""
    drawn = b"BT /F1 24 Tf 40 60 Td (%s) Tj ET" % words.encode("ascii")
    content = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(
        (
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 120]/Contents 4 0 R"
            b"/Resources<</Font<</F1 5 0 R>>>>>>",
            b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        ),
        1,
    ):
        places.append(len(content))
        content += b"%d 0 obj%s\nendobj\n" % (number, body)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    table = b"xref\n0 6\n0000000000 65535 f \n" + rows + b"trailer<</Size 6/Root 1 0 R>>\n"
    return content + table + b"startxref\n%d\n%%%%EOF\n" % len(content)


PAPER = base64.b64encode(_paper("The meeting is on Tuesday.")).decode()
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
ROUTE = Tool(
    "get_weather",
    "The current weather in a city.",
    {
        "type": "object",
        "properties": {"city": {"$ref": "#/$defs/City", "description": "The city's name"}},
        "required": ["city"],
        "$defs": {"City": {"type": "string"}},
    },
)
GAUGE = Tool(
    "get_weather",
    "The current weather in a city.",
    {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "city": {"type": "string", "minLength": 1},
            "days": {"type": "integer", "exclusiveMinimum": 0},
        },
        "required": ["city"],
    },
)
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
    return lambda answers: call


def _then(ask: Ask, *said: str, is_error: bool = False, backwards: bool = False) -> Ask:
    """The call ``ask`` again, with the first answer and the results of its tool calls, in order."""

    def follow(answers: tuple[Message, ...]) -> Call:
        first = ask(())
        calls = [part for part in answers[0].parts if isinstance(part, ToolCall)]
        results = [
            ToolResult(call.id, call.name, (Text(text),), is_error=is_error)
            for call, text in zip(calls, said, strict=False)
        ]
        ordered = reversed(results) if backwards else results
        return replace(first, messages=(*first.messages, answers[0], tool_results(*ordered)))

    return follow


_PARIS = _turn(_weather("Paris", 1), finish="tool_calls", spent=(64, 17))
_BOTH = _turn(_weather("Paris", 1), _weather("Oslo", 2), finish="tool_calls", spent=(69, 33))
_IN_PARIS = _asks("What is the weather in Paris?", tools=(WEATHER,))
_IN_BOTH = _asks("What is the weather in Paris and in Oslo?", tools=(WEATHER,))
_THINKS = _asks("Is it warm in Paris?", tools=(WEATHER,), thinking=Thinking("low"), limit=4096)
_THOUGHT = Reasoning("I have to look the weather up.", signature="c2lnbmF0dXJlLTI=")


def _stranger(*parts: Part, aborted: bool = False) -> Message:
    """What a model of another vendor said."""
    return Message(
        "assistant", parts, provider="elsewhere", protocol="elsewhere", model="stranger-1", aborted=aborted
    )


_LONG_ID = "functions.get_weather:0|fc_" + "0123456789abcdef" * 4
_FOREIGN: tuple[str | Message, ...] = (
    "What is the weather in Paris?",
    _stranger(replace(_weather("Paris", 1), id=_LONG_ID)),
    tool_results(ToolResult(_LONG_ID, "get_weather", (Text("18 °C and sunny"),))),
    _stranger(Text("It is 18 °C and sunny.")),
    "Thank you.",
)
_ORPHAN_CALL: tuple[str | Message, ...] = (
    "What is the weather in Paris?",
    _stranger(_weather("Paris", 1), aborted=True),
    "Never mind.",
)
_CUT_CALL: tuple[str | Message, ...] = (
    "What is the weather in Paris?",
    _stranger(
        Text("I will look it up."),
        ToolCall("get_weather", None, id="call_000000001", arguments_raw='{"city":"Pa'),
        aborted=True,
    ),
    "Never mind.",
)
_ANSWERED_CALL: tuple[str | Message, ...] = (
    "What is the weather in Paris?",
    _stranger(_weather("Paris", 1)),
    tool_results(ToolResult("call_000000001", "get_weather", (Text("18 °C and sunny"),))),
    _stranger(Text("It is 18 °C and sunny.")),
    "Thank you.",
)
_ORPHAN_RESULT: tuple[str | Message, ...] = (
    "Hello.",
    Message("assistant", (Text("Hello!"),)),
    tool_results(ToolResult("call_000000009", "get_weather", (Text("18 °C and sunny"),))),
    "Hello again.",
)
_FOREIGN_REASONING: tuple[str | Message, ...] = (
    "Is 7 prime?",
    _stranger(
        Reasoning("7 has no divisors but 1 and 7.", signature="Zm9yZWlnbi1zaWduYXR1cmU="), Text("Yes.")
    ),
    "Is 11?",
)

_SPOKEN: tuple[str | Message, ...] = (
    "My name is Ada.",
    _stranger(Text("Nice to meet you, Ada.")),
    "What is my name?",
)
_ABORTED: tuple[str | Message, ...] = (
    "Say hello in three languages.",
    _stranger(
        Reasoning("Three greet", signature="Zm9yZWlnbi1zaWduYXR1cmU="), Text("Hello, bonj"), aborted=True
    ),
    "Go on.",
)
_PICTURE = Image("image/png", data=PIXEL)
_SEEN: tuple[str | Message, ...] = (
    user("Which colour is this?", _PICTURE),
    _stranger(replace(_weather("Paris", 1), id=_LONG_ID)),
    tool_results(ToolResult(_LONG_ID, "get_weather", (Text("18 °C and sunny"), _PICTURE))),
    _stranger(Text("It is red.")),
    "Thank you.",
)

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
        title="Token counts of a long input",
        needs=("usage",),
        steps=(Step(_asks("Say yes.", system=PREAMBLE), _said("Yes.", spent=(1320, 3))),),
    ),
    Scenario(
        name="usage_cached",
        kind="usage_cached",
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
                _IN_BOTH,
                _BOTH,
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
        name="tool_call_then_text",
        kind="tool_call_then_text",
        title="A tool call, then words, in one turn",
        needs=("tools",),
        protocols=("anthropic-messages", "bedrock-converse", "google-*"),  # content is one ordered list
        steps=(
            Step(
                _asks("Look the weather in Paris up, then say that you did.", tools=(WEATHER,)),
                _turn(_weather("Paris", 1), Text("I look it up."), finish="tool_calls", spent=(70, 25)),
            ),
        ),
    ),
    Scenario(
        name="tool_roundtrip",
        kind="tool_roundtrip",
        title="A tool call, its result, and the answer that uses it",
        needs=("tools",),
        steps=(
            Step(_IN_PARIS, _PARIS),
            Step(_then(_IN_PARIS, "18 °C and sunny"), _said("It is 18 °C and sunny.", spent=(102, 12))),
        ),
    ),
    Scenario(
        name="tool_result_error",
        kind="tool_result_error",
        title="A tool that failed",
        needs=("tools",),
        steps=(
            Step(_IN_PARIS, _PARIS),
            Step(
                _then(_IN_PARIS, "the station is down", is_error=True),
                _said("I could not look it up.", spent=(104, 9)),
            ),
        ),
    ),
    Scenario(
        name="tool_result_empty",
        kind="tool_result_empty",
        title="A tool that returned nothing",
        needs=("tools",),
        steps=(
            Step(_IN_PARIS, _PARIS),
            Step(_then(_IN_PARIS, ""), _said("I know nothing of it.", spent=(98, 8))),
        ),
    ),
    Scenario(
        name="tool_result_order",
        kind="tool_result_order",
        title="Two results, given in the other order than the calls",
        needs=("tools", "parallel_tools"),
        steps=(
            Step(_IN_BOTH, _BOTH),
            Step(
                _then(_IN_BOTH, "18 °C and sunny", "7 °C and rain", backwards=True),
                _said("Paris: 18 °C and sunny. Oslo: 7 °C and rain.", spent=(131, 21)),
            ),
        ),
    ),
    Scenario(
        name="tool_strict",
        kind="tool_strict",
        title="A tool whose schema is enforced",
        needs=("tools", "strict_tools"),
        steps=(Step(_asks("What is the weather in Paris?", tools=(replace(WEATHER, strict=True),)), _PARIS),),
    ),
    Scenario(
        name="tool_schema_refs",
        kind="tool_schema_refs",
        title="A tool whose schema has $defs and $ref",
        needs=("tools",),
        steps=(Step(_asks("What is the weather in Paris?", tools=(ROUTE,)), _PARIS),),
    ),
    Scenario(
        name="tool_schema_banned",
        kind="tool_schema_banned",
        title="A tool whose schema has keywords that some vendors refuse",
        needs=("tools",),
        steps=(Step(_asks("What is the weather in Paris?", tools=(GAUGE,)), _PARIS),),
    ),
    Scenario(
        name="history_foreign_ids",
        kind="history_foreign_ids",
        title="History with tool call ids of another vendor's shape",
        needs=("tools",),
        steps=(Step(_asks(*_FOREIGN, tools=(WEATHER,)), _said("You are welcome.", spent=(120, 5))),),
    ),
    Scenario(
        name="history_orphan_call",
        kind="history_orphan_call",
        title="History with a tool call that was never answered",
        needs=("tools",),
        steps=(Step(_asks(*_ORPHAN_CALL, tools=(WEATHER,)), _said("Very well.", spent=(110, 4))),),
    ),
    Scenario(
        name="history_cut_call",
        kind="history_cut_call",
        title="History with a turn that was cut off inside a tool call",
        needs=("tools",),
        steps=(Step(_asks(*_CUT_CALL, tools=(WEATHER,)), _said("Very well.", spent=(112, 4))),),
    ),
    Scenario(
        name="history_without_tools",
        kind="history_without_tools",
        title="History with a tool call and its result, and no tools on offer",
        needs=("tools",),
        steps=(Step(_asks(*_ANSWERED_CALL), _said("You are welcome.", spent=(81, 5))),),
    ),
    Scenario(
        name="history_orphan_result",
        kind="history_orphan_result",
        title="History with the result of a call that nobody made",
        needs=("tools",),
        steps=(Step(_asks(*_ORPHAN_RESULT, tools=(WEATHER,)), _said("Hello.", spent=(90, 3))),),
    ),
    Scenario(
        name="history_reasoning",
        kind="history_reasoning",
        title="History with another vendor's reasoning and signature",
        steps=(Step(_asks(*_FOREIGN_REASONING), _said("Yes.", spent=(60, 3))),),
    ),
    Scenario(
        name="history_text",
        kind="history_text",
        title="History with words of another vendor's model",
        steps=(Step(_asks(*_SPOKEN), _said("Ada", spent=(36, 2))),),
    ),
    Scenario(
        name="history_aborted",
        kind="history_aborted",
        title="History with another vendor's turn that was cut off in its words",
        steps=(Step(_asks(*_ABORTED), _said("Bonjour, hola!", spent=(40, 6))),),
    ),
    Scenario(
        name="history_images",
        kind="history_images",
        title="History with pictures, asked and returned by a tool, that another vendor's model saw",
        needs=("tools", "vision"),
        steps=(Step(_asks(*_SEEN, tools=(WEATHER,)), _said("You are welcome.", spent=(410, 5))),),
    ),
    Scenario(
        name="settings",
        kind="settings",
        title="Sampling settings and an output limit",
        steps=(
            Step(
                _asks("Say hello.", temperature=0.25, top_p=0.75, limit=321), _said("Hello.", spent=(12, 3))
            ),
        ),
    ),
    Scenario(
        name="extras",
        kind="extras",
        title="A body field and a header field that only the caller knows",
        steps=(
            Step(
                _asks(
                    "Say hello.",
                    extra_body={"wirecheck_probe": {"kept": [1, "two"]}},
                    extra_headers=(("x-wirecheck-probe", "kept"),),
                ),
                _said("Hello.", spent=(12, 3)),
            ),
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
        name="reasoning_roundtrip",
        kind="reasoning_roundtrip",
        title="Thinking, a tool call, its result, and the thinking sent back",
        needs=("reasoning", "tools"),
        steps=(
            Step(
                _THINKS,
                Turn(
                    parts=(_THOUGHT, _weather("Paris", 1)),
                    finish="tool_calls",
                    complete=True,
                    usage=Usage(input_tokens=70, output_tokens=41, reasoning_tokens=22),
                ),
            ),
            Step(_then(_THINKS, "18 °C and sunny"), _said("Yes, 18 °C.", spent=(140, 8))),
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
        name="pdf",
        kind="pdf",
        title="A question about a PDF document",
        needs=("pdf",),
        steps=(
            Step(
                _asks(user("When is the meeting?", Document(data=PAPER, name="note.pdf"))),
                _said("On Tuesday.", spent=(1580, 4)),
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
