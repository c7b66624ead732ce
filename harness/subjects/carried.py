"""What a call holds and a request lacks, and what a request holds that its call does not.

A request is compared with the one that our own adapter builds of the same call (``own``). What is lost is
looked for wherever it may stand: a client may split, wrap or encode it. What was added is told by its place:
words where a protocol has words, settings anywhere beside the conversation and the tools. It knows no
protocol. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from providers.call import (
    JSON,
    Call,
    Document,
    Image,
    Named,
    Part,
    Reasoning,
    Structured,
    Text,
    ToolCall,
    ToolResult,
)
from providers.errors import MalformedFrame, UnsupportedFeature
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Request

Leaf: TypeAlias = tuple[tuple[str, ...], JSON]  # the steps of its place, and what stands there
Said: TypeAlias = tuple[tuple[str, ...], str]

SETTINGS: Mapping[str, Any] = {
    "max_output_tokens": None,
    "temperature": None,
    "top_p": None,
    "seed": None,
    "stop": (),
    "tool_choice": None,
}
"""The settings of a call, each with the value that leaves it out."""
_SYNONYMS = {"maxcompletiontokens": "maxtokens"}

# Members whose value is the conversation, by any protocol's spelling; and those whose string is its words.
_CONVERSATION = frozenset(
    {
        *("messages", "input", "inputs", "contents", "system", "systeminstruction", "instructions", "prompt"),
        *("message", "chathistory", "preamble", "documents"),
    }
)
_WORDS = frozenset(
    {
        *("content", "text", "system", "systeminstruction", "instructions", "prompt", "message", "preamble"),
        *("input", "parts", "contents", "output"),
    }
)
_TOOLS = frozenset({"tools", "functions", "toolconfig"})
_CHOICES = frozenset({"toolchoice", "toolconfig", "paralleltoolcalls"})
_SHAPES = frozenset(
    {
        *("responseformat", "format", "outputformat", "outputconfig", "responseschema", "responsejsonschema"),
        *("responsemimetype", "text", "guidedjson"),
    }
)
_THOUGHTS = frozenset(
    {
        *("thinking", "reasoning", "reasoningeffort", "reasoningformat", "includereasoning", "include"),
        *("thinkingconfig", "think", "additionalmodelrequestfields", "outputconfig", "promptmode"),
    }
)
# Who counts may ask for counts, and who knows a version may name it, in the body as in a field.
_ANYHOW = frozenset(
    {"streamoptions", "additionalmodelresponsefieldpaths", "anthropicbeta", "anthropicversion"}
)
_INERT: Collection[JSON] = (None, "", False, "disabled")  # what says that something is not asked for
_DEFAULTS: Collection[tuple[str, JSON]] = (
    ("n", 1),
    ("candidatecount", 1),
    ("topp", 1),
    ("responsemodalities", "TEXT"),
    ("servicetier", "on_demand"),
    ("servicetier", "default"),
    ("servicetier", "auto"),
)
"""What vendors' references give as the value of a setting that is absent."""
_CLOSE = 1e-6  # of a number; Groq's own reference sends 1e-8 for a temperature of 0
_FORCED = {"any", "required"}  # a tool must be called; Mistral's reference has both
_SHOWN = 80
_SENTENCE = re.compile(r"\w[^\w]*\s[^\w]*\w")
_WORD = re.compile(r"\w")
_URL_SAFE = str.maketrans("-_", "+/")  # base64 in its other alphabet (RFC 4648, section 5)
_GONE = "…"
_LONG = 8  # characters of what is not said twice by chance


def leaves(value: JSON, place: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Everything that is no object and no array, in document order; a string that is JSON is looked into."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from leaves(member, (*place, str(name)))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from leaves(member, (*place, str(number)))
    else:
        inner = _inner(value)
        if inner is None:
            yield place, value
        else:
            yield from leaves(inner, place)


def _inner(value: JSON) -> JSON:
    """The object or array that a string holds, None for any other."""
    if not isinstance(value, str) or value.strip()[:1] not in ("{", "["):
        return None
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    return found if isinstance(found, dict | list) else None


def own(call: Call, endpoint: Endpoint) -> Request | None:
    """The request that our own adapter builds of a call; None where the protocol cannot say it."""
    try:
        return PROTOCOLS[endpoint.protocol].build(call, endpoint)
    except UnsupportedFeature:
        return None


def _body(request: Request | None) -> JSON:
    try:
        return request.json() if request is not None else None
    except MalformedFrame:
        return None


def _word(value: JSON) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def members(request: Request) -> frozenset[str]:
    """The names of every member of a request's body."""
    return frozenset(step for place, _ in leaves(_body(request)) for step in place)


def _words_of(request: Request | None) -> str:
    """Everything in the conversation of a request: each string by itself, then the words without what stands
    between them, then all of it with base64 in one alphabet."""
    said = [*_conversation(request)]
    whole = "\0".join(text for _, text in said)
    spliced = "".join(text for place, text in said if place[-1] in _WORDS)
    return "\0".join((whole, spliced, whole.translate(_URL_SAFE)))


def lost_words(call: Call, endpoint: Endpoint, request: Request) -> tuple[str, ...]:
    """What of the conversation is not in the request: instructions, messages, calls, results, pictures."""
    ours, there = own(call, endpoint), _words_of(request)
    known, given = (_conversed(each) for each in (ours, request))
    wanted = _words_of(ours)
    lost = [each for each in _said(call) if each.strip() in wanted and each.strip() not in there]
    lost += [
        f"{name}: {_word(value)}"
        for name, value in _arguments(call)
        if (name, value) in known and (name, value) not in given
    ]
    return tuple(dict.fromkeys(lost))


def _said(call: Call) -> Iterator[str]:
    if call.system:
        yield call.system
    for message in call.messages:
        for part in message.parts:
            yield from _of_part(part)


def _of_part(part: Part) -> Iterator[str]:
    match part:
        case Text():
            told = [part.text]
        case Image() | Document():
            told = [part.data or part.url or ""]
        case ToolCall():
            told = [part.name]
        case ToolResult():
            told = [text for each in part.content for text in _of_part(each)]
        case _:
            told = []
    yield from filter(None, told)


def _arguments(call: Call) -> Iterator[tuple[str, JSON]]:
    """(name, value) of everything in the arguments of a history's tool calls."""
    for message in call.messages:
        for part in message.parts:
            if isinstance(part, ToolCall):
                yield from _named(part.arguments)


def _named(value: JSON) -> Iterator[tuple[str, JSON]]:
    """(name, value) of every leaf; of one in a list, the list's name."""
    for place, leaf in leaves(value):
        yield next((step for step in reversed(place) if not step.isdigit()), ""), leaf


def _conversed(request: Request | None) -> set[tuple[str, JSON]]:
    return {*_named(_body(request))}


def lost_tools(call: Call, endpoint: Endpoint, request: Request) -> tuple[str, ...]:
    """The names and descriptions of tools and of their parameters that are not in the request."""
    wanted: list[str] = []
    named = call.tool_choice.name if isinstance(call.tool_choice, Named) else ""
    for tool in call.tools:
        if named and tool.name != named:
            continue  # a choice of one tool may be said by offering no other
        wanted += (tool.name, tool.description, *_described(tool.parameters))
    return tuple(
        each for each in _unnamed(wanted, request) if each not in _unnamed(wanted, own(call, endpoint))
    )


def _unnamed(wanted: Iterable[str], request: Request | None) -> list[str]:
    """Which of these are no string and no member's name of a request, and do not stand in quotes in one."""
    found = [*leaves(_body(request))]
    there = {step for place, _ in found for step in place} | {
        value for _, value in found if isinstance(value, str)
    }
    whole = "\0".join(each for each in there if '"' in each)
    return [each for each in dict.fromkeys(wanted) if each and each not in there and f'"{each}"' not in whole]


def _described(schema: JSON) -> Iterator[str]:
    """The names of a schema's properties, at any depth, and what describes them."""
    if isinstance(schema, Mapping):
        for name, member in schema.items():
            if name == "properties" and isinstance(member, Mapping):
                yield from member
            if name == "description" and isinstance(member, str):
                yield member
            yield from _described(member)


def lost_settings(
    call: Call, endpoints: Sequence[Endpoint], request: Request, front: Endpoint | None = None
) -> tuple[str, ...]:
    """The settings that the request lacks, or has otherwise. It may say them as at any of the ``endpoints``,
    of which the first decides whether they can be said; with a ``front`` only where that can, too."""
    there = {(_plain(place), value) for place, value in leaves(_body(request)) if _hashable(value)}
    there |= {(place[-1:], value) for place, value in there}
    found = []
    for name, absent in SETTINGS.items():
        if getattr(call, name) in (absent, "auto") or _needless(call, name, request):
            continue
        if front and not _expressed(call, name, absent, front):
            continue
        ways = [_expressed(call, name, absent, endpoint) for endpoint in endpoints]
        if ways[0] and not any(_says(way, there) for way in ways):
            place, value = ways[0][0]
            seen = next((value for at, value in there if at == place), None)
            found.append(f"{name}: {'/'.join(place)} = {value!r}, seen {seen!r}")
    found += _lost_shape(call.structured, request) if own(call, endpoints[0]) is not None else ()
    return tuple(found)


def _needless(call: Call, name: str, request: Request) -> bool:
    """Whether a setting need not be said: no choice without tools to choose from, and no limit as it is where
    a client counts the words of an answer by it and adds those of the thoughts."""
    if name == "tool_choice" and call.tool_choice == "none":
        tools = [tool.name for tool in call.tools]
        return len(_unnamed(tools, request)) == len(tools)
    return name == "max_output_tokens" and call.thinking is not None


def _says(way: Sequence[Leaf], there: Collection[Leaf]) -> bool:
    return bool(way) and all(
        any(at in (place, place[-1:]) and _same(value, seen) for at, seen in there) for place, value in way
    )


def _same(one: JSON, other: JSON) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= _CLOSE
    return bool(one == other) or {one, other} == _FORCED


def _lost_shape(structured: Structured | None, request: Request) -> list[str]:
    """What of the answer's schema is nowhere in the request; of one without a schema, the word JSON."""
    if structured is None:
        return []
    if structured.schema is None:
        return [] if b"json" in request.content.lower() else ["structured: nothing asks for JSON"]
    names = _unnamed(_described(structured.schema), request)
    return [f"structured: without {names}"] if names else []


def _expressed(call: Call, name: str, absent: Any, endpoint: Endpoint) -> list[Leaf]:
    """Where and how a protocol says a setting; empty where it cannot."""
    said, unsaid = own(call, endpoint), own(replace(call, **{name: absent}), endpoint)
    if said is None or unsaid is None:
        return []
    without = [*leaves(_body(unsaid))]
    return [(_plain(place), value) for place, value in leaves(_body(said)) if (place, value) not in without]


def _plain(place: Sequence[str]) -> tuple[str, ...]:
    """A place without the freedoms of spelling: snake and camel case, one text and a list of one."""
    steps = [step.replace("_", "").lower() for step in place]
    kept = [_SYNONYMS.get(step, step) for step in steps]
    return tuple(kept[:-1] if kept[-1:] == ["0"] else kept)


def _hashable(value: JSON) -> bool:
    return not isinstance(value, Mapping | list)


def added_words(call: Call, endpoints: Sequence[Endpoint], request: Request) -> tuple[str, ...]:
    """What stands in the conversation of a request, and neither in the call nor in what we would send of it:
    words of others, and words of the call that are said more often than we say them."""
    ours = [[*_conversation(own(call, endpoint))] for endpoint in endpoints]
    there = [leaf for each in ours for leaf in each]
    words = _longest(({text for place, text in there if place[-1] in _WORDS}, _said(call), _marks(call)))
    marks = _longest(({text for _, text in there}, _said(call), _marks(call)))
    said = [*_conversation(request)]
    worded = [text for place, text in said if place[-1] in _WORDS]
    found = [_strange(text, marks, _SENTENCE) for place, text in said if place[-1] not in _WORDS]
    if _strange("".join(worded), words, _WORD):  # a text in pieces is whole once they are put together
        found += [_strange(text, words, _WORD) for text in worded]
    return (*filter(None, found), *_repeated(call, ours, said))


def _longest(texts: Iterable[Iterable[str]]) -> list[str]:
    found = {text.strip() for each in texts for text in each}
    return sorted(filter(None, found), key=len, reverse=True)


def _strange(text: str, known: Sequence[str], form: re.Pattern[str]) -> str:
    """A text without what is known of it; empty where no more than signs are left."""
    for each in known:
        text = text.replace(each, _GONE)
    return text.strip(f" {_GONE}\n\t") if form.search(text) else ""


def _conversation(request: Request | None) -> Iterator[Said]:
    """(place, string) of everything in a request's conversation; numbers of lists are left out."""
    for place, value in leaves(_body(request)):
        steps = tuple(step for step in _plain(place) if not step.isdigit())
        if isinstance(value, str) and value and _CONVERSATION.intersection(steps[:2]):
            yield steps, value


def _marks(call: Call) -> Iterator[str]:
    """What of a history may be sent and need not: thoughts, ids and signatures, and the names of pages."""
    for message in call.messages:
        for part in message.parts:
            if isinstance(part, Reasoning) and part.text:
                yield part.text
            told = (getattr(part, name, None) for name in ("id", "call_id", "item_id", "signature", "name"))
            yield from (each for each in told if each)


def _repeated(call: Call, ours: Sequence[Sequence[Said]], said: Sequence[Said]) -> Iterator[str]:
    names = {tool.name for tool in call.tools}
    for words in {each.strip() for each in _said(call)} - names:
        if len(words) < _LONG:
            continue
        wanted = max((sum(text.count(words) for _, text in each) for each in ours), default=0)
        if wanted and sum(text.count(words) for _, text in said) > wanted:
            yield f"twice: {words}"


def added_settings(call: Call, endpoints: Sequence[Endpoint], request: Request) -> tuple[str, ...]:
    """The settings of a request that neither the call has nor our own requests to the ``endpoints``; those
    that ``spelt_out`` has are left out."""
    return tuple(_told(leaf) for leaf in _added(call, endpoints, request) if not _so_anyway(leaf))


def spelt_out(call: Call, endpoints: Sequence[Endpoint], request: Request) -> tuple[str, ...]:
    """The settings of a request that nobody set and that would be so without."""
    return tuple(_told(leaf) for leaf in _added(call, endpoints, request) if _so_anyway(leaf))


def _told(leaf: Leaf) -> str:
    place, value = leaf
    return f"{'/'.join(place)} = {_word(value)[:_SHOWN]}"


def _so_anyway(leaf: Leaf) -> bool:
    place, value = leaf
    return (_plain(place)[-1], value) in _DEFAULTS


def _added(call: Call, endpoints: Sequence[Endpoint], request: Request) -> Iterator[Leaf]:
    known = {_plain(place) for each in endpoints for place, _ in leaves(_body(own(call, each)))}
    for place, value in leaves(_body(request)):
        steps = _plain(place)
        if value not in _INERT and steps not in known and not _asked(call, steps, value):
            yield place, value


def _asked(call: Call, steps: tuple[str, ...], value: JSON) -> bool:
    """Whether a leaf is the conversation's, or of something that the call asks for."""
    there = {*steps}
    if call.tools and not call.structured and there & _TOOLS and steps[-1:] == ("name",):
        return value in {tool.name for tool in call.tools}
    if there & _CONVERSATION.intersection(steps[:2]) or steps[-1:] == ("model",) or steps == ("stream",):
        return True
    if any(name.replace("_", "").lower() in there for name in call.extra_body):
        return True
    if value == call.max_output_tokens and any("token" in step or step == "numpredict" for step in there):
        return True
    allowed = {*_ANYHOW}
    if call.tools or call.structured:
        allowed |= _TOOLS | _CHOICES
    if call.structured:
        allowed |= _SHAPES
    if call.thinking:
        allowed |= _THOUGHTS
    return bool(there & allowed)
