"""Clients of other people that show a turn and no frames, and get one aspect of it wrong."""

from __future__ import annotations

from msgspec import structs

from harness.observation import Heard, Observation
from harness.subjects.observation import ASPECTS, ClientObservation
from harness.subjects.protocol import ToldError
from providers.call import Reasoning, Text
from providers.errors import ServerError
from providers.events import Finish, TextDelta, ToolCallStart, Turn, Usage
from tests.miniatures.bench import MESSAGES, breaks, failing, passes, shown, spoken

_TOLD = ToldError("client.Error", "the server broke", status=500)


def turned(seen: Observation, **changes: object) -> ClientObservation:
    """The same with a turn that differs so."""
    turn = structs.replace(seen.turn, **changes)
    return shown(seen, heard=Heard(seen.frames, seen.events, turn, None))


@breaks("client.completes")
def crashes() -> Observation:
    """A client that ends in the middle of an answer."""
    return shown(spoken("text"), broke="the subject ended by itself", exposed=frozenset())


@breaks("client.asked")
def asks_nobody() -> Observation:
    """A client that answers from its own memory."""
    return shown(spoken("text"), requests=0)


@breaks("client.retries")
def tries_again() -> Observation:
    """A client that asks three times although it was told to ask once."""
    return shown(spoken("text"), requests=3)


@breaks("client.key_untold")
def tells_the_key() -> Observation:
    """A client that puts its key into what it returns."""
    return shown(spoken("text"), leaked=True)


@breaks("client.answer")
def fails_over_nothing() -> Observation:
    """A client that makes an error of a lawful answer."""
    seen = spoken("text")
    failed = failing(seen, ServerError("no idea", status=500))
    return shown(failed, reference=seen.turn, reference_error=None)


@breaks("client.text")
def invents_words() -> Observation:
    """A client that adds words of its own."""
    return turned(spoken("text"), parts=(Text("Hello to you! Buy now."),))


@breaks("client.reasoning")
def drops_reasoning() -> Observation:
    """A client that leaves the reasoning out, though it has a place for it."""
    seen = spoken("reasoning", MESSAGES)
    return turned(seen, parts=tuple(part for part in seen.turn.parts if not isinstance(part, Reasoning)))


@breaks("client.tool_calls")
def merges_calls() -> Observation:
    """A client that keeps only the first of two calls."""
    seen = spoken("tool_call_parallel")
    return turned(seen, parts=seen.turn.parts[:1])


@breaks("client.tool_ids")
def numbers_calls() -> Observation:
    """A client that gives calls ids of its own."""
    seen = spoken("tool_call")
    return turned(seen, parts=tuple(structs.replace(call, id="mine") for call in seen.turn.tool_calls))


@breaks("client.finish")
def always_stops() -> Observation:
    """A client that reads every answer as one that came to its end."""
    return turned(spoken("length_stop"), finish="stop")


@breaks("client.usage")
def doubles_counts() -> Observation:
    """A client that adds up counts that are sums already."""
    return turned(spoken("text"), usage=Usage(input_tokens=42, output_tokens=16))


@breaks("client.model")
def echoes_the_model() -> Observation:
    """A client that tells the model it asked for, and not the one that answered."""
    return turned(spoken("text"), model="another")


@breaks("client.id")
def makes_up_an_id() -> Observation:
    """A client that gives the answer an id of its own."""
    return turned(spoken("text"), id="mine")


@breaks("client.refusal")
def drops_the_refusal() -> Observation:
    """A client that has a place for the words of a refusal and leaves it empty."""
    seen = spoken("text")
    return shown(seen, reference=structs.replace(seen.turn, refusal="I cannot help with that."))


@breaks("client.error_code")
def renames_the_code() -> Observation:
    """A client that gives a refusal a code of its own."""
    seen = spoken("error_401_bad_key")
    renamed = ServerError("no", status=401, code="E17")
    return shown(failing(seen, renamed), reference_error=seen.error)


@breaks("client.usage")
def forgets_the_cache() -> Observation:
    """A client that has a place for the tokens read from a cache and leaves it empty."""
    seen = spoken("text")
    assert seen.turn.usage is not None
    cached = structs.replace(seen.turn.usage, cached_tokens=7)
    return shown(seen, reference=structs.replace(seen.turn, usage=cached))


@breaks("client.finish")
def rewords_the_reason() -> Observation:
    """A client that tells another word for the reason than the vendor's own."""
    return structs.replace(
        turned(spoken("text"), finish_raw="done"), exposed=frozenset(ASPECTS) - {"normalises"}
    )


@breaks("client.events")
def numbers_calls_in_events() -> Observation:
    """A client whose events give a call another id than its turn."""
    seen = spoken("tool_call_stream")
    events = tuple(
        structs.replace(each, id="mine") if isinstance(each, ToolCallStart) else each for each in seen.events
    )
    return shown(seen, heard=Heard(seen.frames, events, seen.turn, None))


@breaks("client.events")
def loses_a_piece() -> Observation:
    """A client that gives the first piece of a stream and the whole turn."""
    seen = spoken("text_stream")
    return shown(seen, heard=Heard(seen.frames, (TextDelta("He"), Finish("stop")), seen.turn, None))


@breaks("client.streams")
def waits_for_the_end() -> Observation:
    """A client that gathers a stream and gives it as one piece."""
    seen = spoken("text_stream")
    gathered = (TextDelta(seen.turn.text or ""), Finish("stop"))
    return shown(seen, heard=Heard(seen.frames, gathered, seen.turn, None))


@breaks("client.refused")
def takes_refusals_for_answers() -> Observation:
    """A client that gives an empty turn for a refusal."""
    seen = spoken("error_401_bad_key")
    return shown(seen, heard=Heard((), (), Turn(complete=True), None))


@breaks("client.typed_error")
def leaks_a_parsers_error() -> Observation:
    """A client that lets the error of its parser through."""
    seen = spoken("error_503_overloaded")
    return shown(seen, told=structs.replace(_TOLD, typed=False))


@passes("client.typed_error")
def tells_its_own_error() -> Observation:
    """A client that tells the error that it documents."""
    return shown(spoken("error_503_overloaded"), told=_TOLD)
