"""What the client sends: the recorded request, as the vendor's reference wants it, and nothing more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import msgspec

from harness.checks.registry import ALL, ANSWERED, check, require, unjudgeable
from harness.matching import differences
from harness.observation import Observation
from harness.redaction import REDACTED, is_credential
from providers.wire import header

_HTTP = "RFC 9110, section 9"
_CREDENTIALS = "RFC 9110, section 11.6.2"
_CHAT = "https://platform.openai.com/docs/api-reference/chat/create"


def _values(value: Any) -> list[Any]:
    """Every leaf of a JSON value."""
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in _values(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in _values(each)]
    return [value]


@check(
    "wire.body_matched", capability="requests", scenarios=ALL, blames="subject", source="the recorded request"
)
def body_matched(seen: Observation) -> None:
    """The request MUST be the one that was recorded: method, URL, the fields that matter and body."""
    found = next(differences(seen.exchange.request, seen.sent), None)
    require(
        found is None, expected=str(found and found[1]), observed=found and found[2], at=found and found[0]
    )


@check("wire.golden", capability="requests", scenarios=ALL, blames="subject", source="the recorded request")
def golden(seen: Observation) -> None:
    """The body SHOULD be the recorded one to the byte, so that prompt caches keep their prefix."""
    same = seen.sent.content == seen.exchange.request.content
    require(same, expected=repr(seen.exchange.request.content[:200]), observed=seen.sent.content[:200])


@check(
    "wire.schema",
    capability="requests",
    scenarios=ALL,
    blames="subject",
    source="the vendor's reference, as its emulator has it",
)
def schema(seen: Observation) -> None:
    """The request MUST be one that the vendor's reference allows."""
    first = seen.violations[0] if seen.violations else ("", "", "", "")
    require(not seen.violations, expected=first[1], observed=f"{first[0]}: {first[2]}", at=first[3])


@check("wire.path_method", capability="requests", scenarios=ALL, blames="subject", source=_HTTP)
def path_method(seen: Observation) -> None:
    """The request MUST be a POST to the endpoint's own host and path, without doubled or empty segments."""
    sent, base = urlsplit(seen.sent.url), urlsplit(seen.endpoint.base_url)
    segments = sent.path.strip("/").split("/")
    doubled = any(one == other for one, other in pairwise(segments))
    require(
        seen.sent.method == "POST"
        and sent.netloc == base.netloc
        and sent.path.startswith(base.path)
        and not doubled
        and "" not in segments,
        expected=f"POST below {seen.endpoint.base_url}",
        observed=f"{seen.sent.method} {seen.sent.url}",
    )


@check("wire.required_headers", capability="requests", scenarios=ALL, blames="subject", source=_HTTP)
def required_headers(seen: Observation) -> None:
    """The request MUST declare its media type, and carry its endpoint's own fields."""
    told = header(seen.sent.headers, "content-type") or ""
    require(told.startswith("application/json"), expected="application/json", observed=told)
    for name, value in seen.endpoint.headers:
        found = header(seen.sent.headers, name)
        hidden = REDACTED if is_credential(name) else value
        require(found in (value, hidden), expected=f"{name}: {value}", observed=found)


@check("wire.no_phantom_params", capability="requests", scenarios=("text",), blames="subject", source=_CHAT)
def no_phantom_params(seen: Observation) -> None:
    """A call of one message and an output limit MUST NOT send settings that nobody set or declared."""
    body = seen.sent.json()
    declared = _words(msgspec.to_builtins(seen.endpoint.deviations))
    phantom = [
        name
        for name, value in body.items()
        if name in _SETTINGS and name not in declared and value not in (None, [], {})
    ]
    require(not phantom, expected="no settings", observed=phantom)


def _words(deviations: Any) -> set[str]:
    """What an endpoint's deviations say, their own names left out: values, and keys of tables."""
    told: set[str] = set()
    for value in deviations.values() if isinstance(deviations, dict) else ():
        told.update(value if isinstance(value, dict) else ())
        told.update(leaf for leaf in _values(value) if isinstance(leaf, str))
    return told


# Top-level fields that change what a call means; by any protocol's spelling.
_SETTINGS = frozenset(
    {
        *("temperature", "top_p", "top_k", "seed", "stop", "stop_sequences", "n", "logprobs", "logit_bias"),
        *("frequency_penalty", "presence_penalty", "store", "metadata", "user", "service_tier", "include"),
        *("tools", "tool_choice", "toolConfig", "parallel_tool_calls", "response_format", "truncation"),
        *("reasoning", "reasoning_effort", "thinking", "stream_options", "prompt_cache_key", "background"),
        *("system", "systemInstruction", "instructions", "safetySettings", "cachedContent"),
        "previous_response_id",
    }
)


@check("wire.settings_reach", capability="requests", scenarios=("settings*",), blames="subject", source=_CHAT)
def settings_reach(seen: Observation) -> None:
    """Every setting of the call MUST be in the body with its value."""
    values = _values(seen.sent.json())
    for name in ("temperature", "top_p", "max_output_tokens"):
        wanted = getattr(seen.call, name)
        require(wanted in values, expected=f"{name} {wanted}", observed="absent")


@check(
    "wire.temperature_omitted", capability="requests", scenarios=("text*",), blames="subject", source=_CHAT
)
def temperature_omitted(seen: Observation) -> None:
    """A temperature that nobody set MUST be absent from the body."""
    require(b'"temperature"' not in seen.sent.content, expected="absent", observed="sent")


@check(
    "wire.max_tokens_param",
    capability="requests",
    scenarios=("text*", "length_stop*"),
    blames="subject",
    source=_CHAT,
)
def max_tokens_param(seen: Observation) -> None:
    """The output limit MUST be sent once, under the name that the endpoint declares."""
    body = seen.sent.json()
    limit = seen.call.max_output_tokens
    named = [name for name, value in _members(body) if value == limit and _is_limit(name)]
    declared = getattr(seen.endpoint.deviations, "max_tokens_field", None)
    if declared == "":
        unjudgeable("the endpoint takes no limit")
    require(len(named) == 1, expected="one field", observed=named)
    require(declared in (None, named[0]), expected=str(declared), observed=named[0])


def _members(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The members of an object and of those in it, lists left out."""
    yield from value.items()
    for inner in value.values():
        if isinstance(inner, Mapping):
            yield from _members(inner)


def _is_limit(name: str) -> bool:
    return "token" in name.lower() or name == "num_predict"


@check(
    "wire.extra_body",
    capability="requests",
    scenarios=("extras*",),
    blames="subject",
    source="observed: callers need fields a client does not know",
)
def extra_body(seen: Observation) -> None:
    """A body field that only the caller knows MUST be sent at the top level, unchanged."""
    found = seen.sent.json().get("wirecheck_probe")
    wanted = seen.call.extra_body["wirecheck_probe"]
    require(found == wanted, expected=str(wanted), observed=found)


@check(
    "wire.extra_headers",
    capability="requests",
    scenarios=("extras*",),
    blames="subject",
    source="observed: callers need fields a client does not know",
)
def extra_headers(seen: Observation) -> None:
    """A header field that only the caller knows MUST be sent beside the credential."""
    require(
        header(seen.sent.headers, "x-wirecheck-probe") == "kept", expected="kept", observed=seen.sent.headers
    )


@check("auth.header", capability="requests", scenarios=ALL, blames="subject", source=_CREDENTIALS)
def auth_header(seen: Observation) -> None:
    """The credential MUST be sent in the field or parameter that the endpoint declares, and only there."""
    sent, recorded = (
        [name for name, value in request.headers if REDACTED in value and name.lower() not in _ACCOUNTS]
        for request in (seen.sent, seen.exchange.request)
    )
    if not recorded and REDACTED not in seen.exchange.request.url:
        unjudgeable("the endpoint wants no credential")
    same = [name.lower() for name in sent] == [name.lower() for name in recorded]
    require(same, expected=str(recorded), observed=sent)


_ACCOUNTS = ("chatgpt-account-id", "openai-organization", "openai-project", "x-goog-user-project")


@check("wire.stream_asked", capability="requests", scenarios=ANSWERED, blames="subject", source=_CHAT)
def stream_asked(seen: Observation) -> None:
    """A stream MUST be asked for exactly when the call wants one, in the body or in the URL."""
    asked = b'"stream":true' in seen.sent.content or "stream" in urlsplit(seen.sent.url).path.lower()
    require(asked == seen.call.stream, expected=f"stream {seen.call.stream}", observed=asked)
