"""Providers without words or names, and clients that lose what was said."""

from __future__ import annotations

from harness.materials import PAPER, PAPER_URL, PIXEL
from harness.observation import Observation
from providers.call import Text
from tests.miniatures.bench import CHAT, MESSAGES, breaks, chat, sending, spoken, told


@breaks("text.basic")
def says_nothing() -> Observation:
    """A provider that answers a question with an empty text."""
    return chat({"content": ""})


@breaks("text.unicode")
def decodes_by_ascii() -> Observation:
    """A client that puts U+FFFD for what it cannot decode."""
    return told(spoken("unicode"), parts=(Text("na\ufffdve"),))


@breaks("text.unicode")
def speaks_plainly() -> Observation:
    """A model that repeats the letters without their accents."""
    return chat({"content": "naive"}, scenario="unicode")


@breaks("text.system")
def forgets_the_system() -> Observation:
    """A client that drops the system instruction."""
    return sending(spoken("system"), b"Answer with one word.", b"")


@breaks("text.multi_turn")
def forgets_itself() -> Observation:
    """A client that drops what the assistant said before."""
    return sending(spoken("system", MESSAGES), b"Nice to meet you, Ada.", b"")


@breaks("text.multi_turn")
def turns_history_round() -> Observation:
    """A client that sends the newest turn first."""
    seen = sending(spoken("system"), b"My name is Ada.", b"-")
    return sending(sending(seen, b"What is my name?", b"My name is Ada."), b"-", b"What is my name?")


@breaks("id.present")
def has_no_id() -> Observation:
    """A provider that gives its answers no id."""
    return chat({"content": "Hello"}, id=None)


@breaks("id.prefix")
def borrows_ids() -> Observation:
    """A provider of messages whose ids are those of chat completions."""
    return told(spoken("text", MESSAGES), id="chatcmpl-1")


@breaks("id.model_echo")
def hides_its_model() -> Observation:
    """A provider that does not say which model answered."""
    return chat({"content": "Hello"}, model=None)


@breaks("img.base64")
def drops_pictures() -> Observation:
    """A client that sends the question without the picture."""
    return sending(spoken("vision", CHAT), PIXEL.encode(), b"")


@breaks("img.base64")
def ignores_pictures() -> Observation:
    """A provider that has no words for a picture."""
    return chat({"content": ""}, scenario="vision")


@breaks("doc.base64")
def drops_documents() -> Observation:
    """A client that sends the question without the document."""
    return sending(spoken("pdf", CHAT), PAPER.encode(), b"")


@breaks("doc.base64")
def ignores_documents() -> Observation:
    """A provider that has no words for a document."""
    return chat({"content": ""}, scenario="pdf")


@breaks("doc.url")
def drops_addresses() -> Observation:
    """A client that sends the question without the document's address."""
    return sending(spoken("pdf_url", CHAT), PAPER_URL.encode(), b"")


@breaks("doc.url")
def ignores_addresses() -> Observation:
    """A provider that has no words for a document at an address."""
    return chat({"content": ""}, scenario="pdf_url")


@breaks("json.schema")
def chats() -> Observation:
    """A provider that answers in words where JSON was asked for."""
    return chat({"content": "Oslo, in Norway"}, scenario="structured")


@breaks("json.schema")
def leaves_members_out() -> Observation:
    """A provider whose JSON lacks what the schema requires."""
    return chat({"content": '{"city":"Oslo"}'}, scenario="structured")


@breaks("json.fence")
def fences() -> Observation:
    """A provider that wraps its JSON in a Markdown fence."""
    return chat({"content": '```json\n{"city":"Oslo","country":"Norway"}\n```'}, scenario="structured")
