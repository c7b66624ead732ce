"""Plain text: that there is some, whole and unharmed, with the answer's own identity."""

from __future__ import annotations

from harness.checks.registry import ANSWERED, check, require, unjudgeable
from harness.materials import UNICODE
from harness.observation import Observation
from providers import jsontext
from providers.errors import MalformedFrame

_CHAT = "https://platform.openai.com/docs/api-reference/chat/object"
_WORDS = ("text*", "system*", "unicode*", "settings*")


@check("text.basic", capability="text", scenarios=_WORDS, source=_CHAT)
def basic(seen: Observation) -> None:
    """A question that wants words MUST be answered with words."""
    require(bool(seen.turn.text), expected="words", observed=seen.error or seen.turn.parts)


@check("text.unicode", capability="unicode", scenarios=("unicode*",), source="RFC 8259, section 8.1")
def unicode(seen: Observation) -> None:
    """Characters of any plane, joined and combining ones MUST arrive unchanged."""
    said = seen.turn.text or ""
    require("\ufffd" not in said, expected="no U+FFFD", observed=said, blame="subject")
    require(UNICODE in said, expected=UNICODE, observed=said, blame="model")


@check("text.system", capability="text", scenarios=("system*",), blames="subject", source=_CHAT)
def system(seen: Observation) -> None:
    """A system instruction MUST reach the wire."""
    sent = seen.sent.content
    require(b"Answer with one word." in sent, expected="the instruction", observed=sent[:300])


@check("text.multi_turn", capability="text", scenarios=("system*",), blames="subject", source=_CHAT)
def multi_turn(seen: Observation) -> None:
    """Earlier turns MUST reach the wire, in order."""
    sent = seen.sent.content
    places = [
        sent.find(text) for text in (b"My name is Ada.", b"Nice to meet you, Ada.", b"What is my name?")
    ]
    listed = places[:2] if seen.protocol in _LAST_APART else places
    require(-1 not in places and listed == sorted(listed), expected="three turns in order", observed=places)


_LAST_APART = ("cohere-chat-v1",)  # the last turn has a field of its own, which may stand anywhere


@check(
    "id.present",
    capability="text",
    scenarios=ANSWERED,
    protocols=("*", "!bedrock-converse", "!ollama-*", "!watsonx-generation"),  # which have no such field
    source=_CHAT,
)
def id_present(seen: Observation) -> None:
    """An answer SHOULD carry an id of its own."""
    require(bool(seen.turn.id), expected="an id", observed=seen.turn.id)


@check(
    "id.prefix",
    capability="text",
    scenarios=("text", "text_stream"),
    protocols=("anthropic-messages", "openai-responses"),
    source="https://docs.anthropic.com/en/api/messages",
)
def id_prefix(seen: Observation) -> None:
    """An answer's id SHOULD have the protocol's prefix."""
    identity = seen.turn.id or ""
    require(identity.startswith(("msg_", "resp_")), expected="msg_… or resp_…", observed=identity)


@check(
    "id.model_echo",
    capability="text",
    scenarios=("text", "text_stream"),
    protocols=("*", "!cohere-chat*", "!bedrock-converse"),  # whose references have no such field
    source=_CHAT,
)
def model_echo(seen: Observation) -> None:
    """An answer SHOULD name the model that gave it."""
    require(bool(seen.turn.model), expected=seen.call.model, observed=seen.turn.model)


@check("img.base64", capability="vision", scenarios=("vision*",), source=_CHAT)
def image(seen: Observation) -> None:
    """A picture sent inline MUST reach the wire whole, and be answered with words."""
    _taken(seen, "the picture")


@check("doc.base64", capability="pdf", scenarios=("pdf*", "!pdf_url*"), source=_CHAT)
def document(seen: Observation) -> None:
    """A document sent inline MUST reach the wire whole, and be answered with words."""
    _taken(seen, "the document")


@check("doc.url", capability="pdf", scenarios=("pdf_url*",), source=_CHAT)
def document_at_an_address(seen: Observation) -> None:
    """A document given by its address MUST be sent by it, and be answered with words."""
    _taken(seen, "the document's address")


def _taken(seen: Observation, what: str) -> None:
    """The last part of the question was sent, and words came back."""
    part = seen.call.messages[0].parts[-1]
    data = getattr(part, "data", None) or getattr(part, "url", None) or ""
    require(data.encode() in seen.sent.content, expected=what, observed="none", blame="subject")
    require(bool(seen.turn.text), expected="words", observed=seen.error or seen.turn.parts)


@check("json.schema", capability="structured", scenarios=("structured*",), source=_CHAT)
def json_schema(seen: Observation) -> None:
    """An answer asked for as JSON of a schema MUST be an object with what the schema requires."""
    value = _object(seen)
    require({"city", "country"} <= set(value), expected="city and country", observed=sorted(value))


@check("json.fence", capability="structured", scenarios=("structured*",), source=_CHAT)
def json_fence(seen: Observation) -> None:
    """JSON MUST NOT be wrapped in a Markdown fence."""
    require("```" not in (seen.turn.text or ""), expected="no fence", observed=seen.turn.text)


def _object(seen: Observation) -> dict[str, object]:
    text = seen.turn.text
    if text is None:
        calls = [dict(call.arguments or {}) for call in seen.turn.tool_calls]
        if not calls:
            unjudgeable("the answer has neither words nor a call")
        return calls[0]
    try:
        value = jsontext.parse(text.encode("utf-8", "surrogatepass"))
    except MalformedFrame:
        value = None
    require(isinstance(value, dict), expected="a JSON object", observed=text)
    return dict(value)
