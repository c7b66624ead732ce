"""What scenarios are made of: tools, a picture, a page, and the messages of histories that others began."""

from __future__ import annotations

import base64
from collections.abc import Callable

from msgspec.structs import replace

from providers.call import (
    Call,
    Image,
    Message,
    Part,
    Reasoning,
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
Given = tuple[str | Message, ...]

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


# A document that stands at a lasting address, for vendors that fetch it themselves.
PAPER_URL = "https://www.w3.org/WAI/ER/tests/xhtml/testfiles/resources/pdf/dummy.pdf"
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


def turn(
    *parts: Part, finish: FinishReason = "stop", spent: tuple[int, int] = (21, 8), **more: object
) -> Turn:
    """An answer that spent these tokens, of input and output."""
    usage = Usage(input_tokens=spent[0], output_tokens=spent[1])
    return Turn(parts=parts, finish=finish, usage=usage, complete=True, **more)  # type: ignore[arg-type]


def says(text: str, **more: object) -> Turn:
    """An answer of words."""
    return turn(Text(text), **more)  # type: ignore[arg-type]


def weather(city: str, number: int) -> ToolCall:
    """A call of WEATHER."""
    return ToolCall(
        "get_weather", {"city": city}, id=f"call_{number:09d}", arguments_raw=f'{{"city":"{city}"}}'
    )


def asks(*messages: str | Message, **options: object) -> Ask:
    """A call that needs no answer so far; a text is the user's."""
    said = tuple(user(text) if isinstance(text, str) else text for text in messages)
    limit = options.pop("limit", 256)
    call = Call(model="", messages=said, max_output_tokens=limit, **options)  # type: ignore[arg-type]
    return lambda answers: call


def then(ask: Ask, *said: str, is_error: bool = False, backwards: bool = False) -> Ask:
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


PARIS = turn(weather("Paris", 1), finish="tool_calls", spent=(64, 17))
BOTH = turn(weather("Paris", 1), weather("Oslo", 2), finish="tool_calls", spent=(69, 33))
IN_PARIS = asks("What is the weather in Paris?", tools=(WEATHER,))
IN_BOTH = asks("What is the weather in Paris and in Oslo?", tools=(WEATHER,))
THINKS = asks("Is it warm in Paris?", tools=(WEATHER,), thinking=Thinking("low"), limit=4096)
THOUGHT = Reasoning("I have to look the weather up.", signature="c2lnbmF0dXJlLTI=")


def stranger(*parts: Part, aborted: bool = False) -> Message:
    """What a model of another vendor said."""
    return Message(
        "assistant", parts, provider="elsewhere", protocol="elsewhere", model="stranger-1", aborted=aborted
    )


LONG_ID = "functions.get_weather:0|fc_" + "0123456789abcdef" * 4
FOREIGN: Given = (
    "What is the weather in Paris?",
    stranger(replace(weather("Paris", 1), id=LONG_ID)),
    tool_results(ToolResult(LONG_ID, "get_weather", (Text("18 °C and sunny"),))),
    stranger(Text("It is 18 °C and sunny.")),
    "Thank you.",
)
ORPHAN_CALL: Given = (
    "What is the weather in Paris?",
    stranger(weather("Paris", 1), aborted=True),
    "Never mind.",
)
CUT_CALL: Given = (
    "What is the weather in Paris?",
    stranger(
        Text("I will look it up."),
        ToolCall("get_weather", None, id="call_000000001", arguments_raw='{"city":"Pa'),
        aborted=True,
    ),
    "Never mind.",
)
ANSWERED_CALL: Given = (
    "What is the weather in Paris?",
    stranger(weather("Paris", 1)),
    tool_results(ToolResult("call_000000001", "get_weather", (Text("18 °C and sunny"),))),
    stranger(Text("It is 18 °C and sunny.")),
    "Thank you.",
)
ORPHAN_RESULT: Given = (
    "Hello.",
    Message("assistant", (Text("Hello!"),)),
    tool_results(ToolResult("call_000000009", "get_weather", (Text("18 °C and sunny"),))),
    "Hello again.",
)
FOREIGN_REASONING: Given = (
    "Is 7 prime?",
    stranger(Reasoning("7 has no divisors but 1 and 7.", signature="Zm9yZWlnbi1zaWduYXR1cmU="), Text("Yes.")),
    "Is 11?",
)

SPOKEN: Given = (
    "My name is Ada.",
    stranger(Text("Nice to meet you, Ada.")),
    "What is my name?",
)
ABORTED: Given = (
    "Say hello in three languages.",
    stranger(
        Reasoning("Three greet", signature="Zm9yZWlnbi1zaWduYXR1cmU="), Text("Hello, bonj"), aborted=True
    ),
    "Go on.",
)
PICTURE = Image("image/png", data=PIXEL)
SEEN: Given = (
    user("Which colour is this?", PICTURE),
    stranger(replace(weather("Paris", 1), id=LONG_ID)),
    tool_results(ToolResult(LONG_ID, "get_weather", (Text("18 °C and sunny"), PICTURE))),
    stranger(Text("It is red.")),
    "Thank you.",
)
