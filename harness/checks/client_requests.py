"""What a client under test sends: everything that the call holds, and nothing that it does not.

Judged of third parties only. Its request is compared with the one that our own adapters build of the same
call (``harness.subjects.carried``), which the checks of requests have judged. A client that does not know
vendors by name may send what the protocol's own reference has instead.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import parse_qsl, urlsplit

from msgspec.structs import replace

from harness.checks import registry
from harness.checks.registry import ALL, require, selects, unjudgeable
from harness.redaction import REDACTED
from harness.subjects.carried import (
    added_settings,
    added_words,
    lost_settings,
    lost_tools,
    lost_words,
    own,
    spelt_out,
)
from harness.subjects.observation import ClientObservation
from providers.errors import MalformedFrame
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint

check = partial(registry.check, blames="subject", client=True)
_PROTOCOL = "the subject protocol (docs/subjects.md)"
_URL = "RFC 3986, section 3.4"
_CREDENTIALS = "RFC 9110, section 11.6.2"
_SHOWN = 80
_MOST = 3
_TOOLS = ("tool_*", "reasoning_roundtrip*")
# What a protocol has no place for may need a word in it: that there was no result, or that it is an error.
_WHOLE = ("*", "!history_*", "!tool_result_empty*", "!tool_result_error*")

KEY_FIELDS: tuple[tuple[str, str], ...] = (
    ("openai-*", "authorization"),
    ("mistral-*", "authorization"),
    ("cohere-*", "authorization"),
    ("ollama-*", "authorization"),
    ("watsonx-*", "authorization"),
    ("azure-*", "api-key"),
    ("anthropic-*", "x-api-key"),
    ("google-vertex", "authorization"),
    ("google-code-assist", "authorization"),
    ("google-*", "x-goog-api-key"),
    ("bedrock-*", "authorization"),
)
"""Where clients of a protocol send the key; the first glob that fits."""
_BEARERS = ("azure-*",)  # Microsoft's reference gives the key to OpenAI's SDK, which sends it as a bearer's
# Parameters of a protocol's own reference that say how an answer is told, and nothing of what is asked.
_PARAMETERS: tuple[tuple[str, frozenset[str]], ...] = (
    ("google-*", frozenset({"alt", "$alt"})),
    ("anthropic-*", frozenset({"beta"})),
    ("azure-*", frozenset({"api-version"})),
    ("watsonx-*", frozenset({"version"})),
)

# What a client may ask about a model, of the server's own description; it sends nothing of the call.
_INQUIRIES: tuple[tuple[str, str, str], ...] = (
    ("ollama-*", "POST", "/api/show"),
    ("ollama-*", "GET", "/api/tags"),
    ("ollama-*", "GET", "/api/version"),
    ("*", "GET", "/models"),
)


def key_field(protocol: str) -> str:
    """The field in which clients of a protocol send the key."""
    return next((name for glob, name in KEY_FIELDS if selects((glob,), protocol)), "authorization")


def _readable(seen: ClientObservation) -> None:
    """Skip where no body came that could be compared, of which ``wire.schema`` tells."""
    try:
        seen.sent.json()
    except MalformedFrame:
        unjudgeable("the body is no JSON")
    if own(seen.call, seen.endpoint) is None:
        unjudgeable("our own adapters cannot say this call here")


def _endpoints(seen: ClientObservation) -> tuple[Endpoint, ...]:
    """The vendor's endpoint, and one of the bare protocol."""
    bare = replace(seen.endpoint, deviations=PROTOCOLS[seen.protocol].deviations())
    return (seen.endpoint, bare)


def _few(found: tuple[str, ...]) -> str:
    return str([each[:_SHOWN] for each in found[:_MOST]])


@check("client.words_carried", capability="requests", scenarios=("*", "!history_*"), source=_PROTOCOL)
def words_carried(seen: ClientObservation) -> None:
    """Instructions, messages, tool calls, results, pictures and documents of a call MUST be sent."""
    _readable(seen)
    lost = lost_words(seen.call, seen.endpoint, seen.sent)
    require(not lost, expected="everything that was said", observed=f"without {_few(lost)}")


@check("client.tools_carried", capability="tools", scenarios=_TOOLS, source=_PROTOCOL)
def tools_carried(seen: ClientObservation) -> None:
    """Tools MUST be sent with their names, descriptions and parameters."""
    _readable(seen)
    if seen.call.tool_choice == "none":
        unjudgeable("tools that may not be called may be left out")
    lost = lost_tools(seen.call, seen.endpoint, seen.sent)
    require(
        not lost,
        expected="every tool, its parameters and what describes them",
        observed=f"without {_few(lost)}",
    )


@check("client.settings_carried", capability="requests", scenarios=ALL, source=_PROTOCOL)
def settings_carried(seen: ClientObservation) -> None:
    """Limit, sampling, stop texts, tool choice and the answer's schema MUST be sent with their values."""
    _readable(seen)
    lost = lost_settings(seen.call, _endpoints(seen), seen.sent)
    require(not lost, expected="every setting", observed="; ".join(lost))


@check("client.words_added", capability="requests", scenarios=_WHOLE, source=_PROTOCOL)
def words_added(seen: ClientObservation) -> None:
    """Words that are not in the call MUST NOT be sent as an instruction or a message, nor its own twice."""
    _readable(seen)
    added = added_words(seen.call, _endpoints(seen), seen.sent)
    require(not added, expected="the call's words alone", observed=_few(added))


@check("client.settings_added", capability="requests", scenarios=ALL, source=_PROTOCOL)
def settings_added(seen: ClientObservation) -> None:
    """Settings that nobody set MUST NOT be sent."""
    _readable(seen)
    added = added_settings(seen.call, _endpoints(seen), seen.sent)
    require(not added, expected="the call's settings alone", observed=_few(added))


@check("client.settings_spelt_out", capability="requests", scenarios=ALL, source=_PROTOCOL)
def settings_spelt_out(seen: ClientObservation) -> None:
    """Settings that nobody set SHOULD NOT be sent where they change nothing: not every model takes them."""
    _readable(seen)
    spelt = spelt_out(seen.call, _endpoints(seen), seen.sent)
    require(not spelt, expected="the call's settings alone", observed=_few(spelt))


@check("client.query", capability="requests", scenarios=ALL, faults=("*",), source=_URL)
def query(seen: ClientObservation) -> None:
    """The URL MUST have no parameter but those of the endpoint and of its protocol."""
    ours = own(seen.call, seen.endpoint)
    urls = (seen.exchange.request.url, ours.url if ours is not None else "")
    known = {name for url in urls for name in _parameters(url)} | {name for name, _ in seen.endpoint.query}
    known |= {name for glob, names in _PARAMETERS if selects((glob,), seen.protocol) for name in names}
    added = [name for name in _parameters(seen.sent.url) if name not in known]
    require(not added, expected=f"of these parameters: {sorted(known)}", observed=added)


def _parameters(url: str) -> list[str]:
    return [name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)]


@check("client.asks_that_alone", capability="requests", scenarios=ALL, faults=("*",), source=_PROTOCOL)
def asks_that_alone(seen: ClientObservation) -> None:
    """The call's request alone MUST be sent; where it is tried again, it MUST be the same."""
    strays = [each for each in seen.elsewhere if not _inquiry(seen.protocol, each)]
    require(not strays, expected="the one request", observed=strays[:_MOST])
    contents = {each.content for each in seen.asked}
    require(len(contents) < 2, expected="the same request again", observed=f"{len(contents)} different ones")


def _inquiry(protocol: str, told: str) -> bool:
    method, _, url = told.partition(" ")
    path = urlsplit(url).path
    return any(
        selects((glob,), protocol) and method == asked and path.endswith(end)
        for glob, asked, end in _INQUIRIES
    )


@check("client.key_place", capability="requests", scenarios=ALL, faults=("*",), source=_CREDENTIALS)
def key_place(seen: ClientObservation) -> None:
    """The credential MUST stand where the endpoint or its protocol wants it, and nowhere else."""
    recorded = seen.exchange.request
    known = {f"field {name.lower()}" for name, value in recorded.headers if REDACTED in value}
    known |= {
        f"parameter {name}" for name, value in parse_qsl(urlsplit(recorded.url).query) if value == REDACTED
    }
    known.add(f"field {key_field(seen.protocol)}")
    if selects(_BEARERS, seen.protocol):
        known.add("field authorization")
    strange = [place for place in seen.told_key if place not in known]
    require(not strange, expected=" or ".join(sorted(known)), observed=strange)
