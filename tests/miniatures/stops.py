"""Providers that end wrongly, and clients that take every end for a natural one."""

from __future__ import annotations

from harness.observation import Observation
from providers.events import Finish
from tests.miniatures.bench import CHAT, GEMINI, MESSAGES, breaks, chat, hearing, spoken, succeeding, told


@breaks("stop.end")
def calls_an_end_a_cut() -> Observation:
    """A provider that says it was cut when it was not."""
    return chat({"content": "Hello to you!"}, finish="length")


@breaks("stop.length")
def calls_a_cut_an_end() -> Observation:
    """A provider that calls an answer cut by the limit finished."""
    return chat({"content": "One, two,"}, scenario="length_stop")


@breaks("stop.sequence")
def says_the_stop_text() -> Observation:
    """A provider that ends behind the stop text."""
    return chat({"content": "one, two, three, four"}, scenario="stop_sequence")


@breaks("stop.raw_kept")
def loses_the_word() -> Observation:
    """A client that keeps its own reason only."""
    return told(spoken("text"), finish_raw=None)


@breaks("stop.once")
def finishes_twice() -> Observation:
    """A client that reports a repeated reason again."""
    seen = spoken("text_stream")
    return hearing(seen, *seen.events, Finish("stop", "stop"))


@breaks("stop.once")
def never_finishes() -> Observation:
    """A client that reports no reason at all."""
    seen = spoken("text")
    return hearing(seen, *(event for event in seen.events if type(event) is not Finish))


@breaks("stop.filter")
def hides_the_filter() -> Observation:
    """A client that takes a withheld answer for a whole one."""
    return told(spoken("text", GEMINI, "stop.filter"), finish="stop")


@breaks("stop.filter")
def answers_a_blocked_question() -> Observation:
    """A client that makes an empty answer of a blocked question."""
    seen = spoken("text", GEMINI, "stop.prompt_blocked")
    return told(succeeding(seen), finish="stop")


@breaks("stop.refusal")
def takes_a_refusal_for_an_answer() -> Observation:
    """A client that takes a refusal for an answer."""
    return told(spoken("text", MESSAGES, "stop.refusal"), finish="stop")


@breaks("stop.pause")
def ends_at_a_pause() -> Observation:
    """A client that takes a pause for the end."""
    return told(spoken("text_stream", MESSAGES, "stop.pause"), finish="stop")


@breaks("stop.malformed_call")
def hides_bad_calls() -> Observation:
    """A client that takes a call that came out wrong for an end."""
    return told(spoken("text", GEMINI, "stop.malformed_call"), finish="stop")


@breaks("stop.unknown")
def knows_every_reason() -> Observation:
    """A client that takes every reason it does not know for an end."""
    return told(spoken("text", CHAT, "stop.unknown"), finish="stop")
