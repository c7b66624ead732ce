"""Clients that lose, or betray, a part of a history that began with another protocol."""

from __future__ import annotations

from harness.materials import PIXEL
from harness.observation import Observation
from tests.miniatures.bench import CHAT, GEMINI, MESSAGES, breaks, sending, spoken


@breaks("handoff.text")
def forgets_foreign_words() -> Observation:
    """A client that forgets what another vendor's model said."""
    return sending(spoken("history_text"), b"Nice to meet you, Ada.", b"Hm.")


@breaks("handoff.text")
def turns_foreign_words_round() -> Observation:
    """A client that sends the history in another order."""
    return sending(spoken("history_text", MESSAGES), b"My name is Ada.", b"What is my name?")


@breaks("handoff.tools")
def keeps_foreign_ids() -> Observation:
    """A client that sends an id of another vendor's shape."""
    seen = spoken("history_foreign_ids", MESSAGES)
    return sending(seen, b'"tool_use_id":"', b'"tool_use_id":"functions.get_weather:0|')


@breaks("handoff.tools")
def forgets_foreign_arguments() -> Observation:
    """A client that forgets the arguments of another vendor's call."""
    return sending(spoken("history_foreign_ids", GEMINI), b'{"city":"Paris"}', b"{}")


@breaks("handoff.tools")
def forgets_foreign_results() -> Observation:
    """A client that forgets the result of another vendor's call."""
    return sending(spoken("history_foreign_ids", CHAT), "18 °C and sunny".encode(), b"done")


@breaks("handoff.thinking")
def signs_for_others() -> Observation:
    """A client that sends another vendor's signature."""
    return sending(spoken("history_reasoning"), b'"Yes.', b'"Yes. Zm9yZWlnbi1zaWduYXR1cmU=')


@breaks("handoff.thinking")
def drops_turns_that_thought() -> Observation:
    """A client that drops the words of a turn together with its reasoning."""
    return sending(spoken("history_reasoning", MESSAGES), b"Yes.", b"Hm.")


@breaks("handoff.images")
def forgets_pictures() -> Observation:
    """A client that forgets pictures which another vendor's model was shown."""
    return sending(spoken("history_images"), PIXEL.encode(), b"R0lGODlhAQABAAAAACw=")


@breaks("handoff.images")
def forgets_pictures_of_tools() -> Observation:
    """A client that forgets the pictures which a tool returned."""
    seen = spoken("history_images", MESSAGES)
    content = seen.sent.content
    last = content[content.rindex(PIXEL.encode()) - 40 :]
    return sending(seen, last, last.replace(PIXEL.encode(), b"R0lGODlhAQABAAAAACw="))


@breaks("handoff.aborted")
def forgets_aborted_turns() -> Observation:
    """A client that forgets what was said before a turn was cut off."""
    return sending(spoken("history_aborted"), b"Hello, bonj", b"...")


@breaks("handoff.aborted")
def signs_what_was_cut_off() -> Observation:
    """A client that sends another vendor's signature of a turn that was cut off."""
    return sending(spoken("history_aborted", GEMINI), b"Go on.", b"Zm9yZWlnbi1zaWduYXR1cmU=")
