"""What a service file is made of: Operation, and how an answer's body is opened.

A service is what a provider does beside answering a call: it embeds texts, lists models, counts tokens,
keeps files, runs batches. None of it streams and none of it makes a Turn: one request, one whole answer, both
typed. An operation is a row of a service's table, two pure functions; it opens no socket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlencode

import msgspec

from providers import jsontext
from providers.call import JSON
from providers.errors import MalformedFrame, RemoteError
from providers.wire import Endpoint, Headers, Request, bounded

Object: TypeAlias = dict[str, Any]
Refusal: TypeAlias = Callable[[int, Headers, bytes], RemoteError]
Kind = TypeVar("Kind")


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a protocol can be asked for.

    ``source`` is the reference. ``build(ask, endpoint)`` is the request before authentication; raises
    UnsupportedFeature for what the protocol cannot say. ``read(status, headers, content)`` is the typed
    answer; raises RemoteError for a refusal and MalformedFrame for a body of another shape. ``repeatable``
    tells that asking twice does no harm, so that a lost answer may be asked for again.
    """

    source: str
    build: Callable[[Any, Endpoint], Request]
    read: Callable[[int, Headers, bytes], Any]
    repeatable: bool = True

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "build", bounded(self.build))


def row(
    source: str,
    build: Callable[[Any, Endpoint], Request],
    read: Callable[..., Any],
    *,
    repeatable: bool = True,
) -> Operation:
    """An operation, as a table of a service's many names it."""
    return Operation(source=source, build=build, read=read, repeatable=repeatable)


# What one protocol offers of one service, by the type of what is asked.
Operations: TypeAlias = Mapping[type, Operation]


def reading(error: Refusal, value: Callable[[JSON], Kind]) -> Callable[[int, Headers, bytes], Kind]:
    """A ``read`` for JSON answers: ``error`` makes a refusal of any other status than 2xx."""

    def read(status: int, headers: Headers, content: bytes) -> Kind:
        return value(opened(error, status, headers, content))

    return read


def opened(error: Refusal, status: int, headers: Headers, content: bytes) -> JSON:
    """The parsed body. Raises what the status means, and MalformedFrame when it is no JSON."""
    accepted(error, status, headers, content)
    return jsontext.parse(content)


def accepted(error: Refusal, status: int, headers: Headers, content: bytes) -> None:
    """Raise the refusal unless the status is 2xx."""
    if not 200 <= status < 300:
        raise error(status, headers, content)


def fields(endpoint: Endpoint, *ours: tuple[str, str], extra: Headers = ()) -> Headers:
    """Ours, then the endpoint's, then the caller's; of two with one name the later one counts."""
    merged = {name.lower(): (name, value) for name, value in (*ours, *endpoint.headers, *extra)}
    return tuple(merged.values())


JSON_CONTENT = ("Content-Type", "application/json")


def posting(endpoint: Endpoint, path: str, body: Object, headers: Headers) -> Request:
    """A POST of the values of ``body`` that are not None."""
    sent = {name: value for name, value in body.items() if value is not None}
    return Request("POST", endpoint.at(path), headers, jsontext.write(sent))


def getting(endpoint: Endpoint, path: str, headers: Headers, **query: str | int | None) -> Request:
    """A GET with those parameters that are not None."""
    asked = urlencode({name: value for name, value in query.items() if value is not None})
    return Request("GET", endpoint.at(path + (f"?{asked}" if asked else "")), headers, b"")


def whole(value: JSON) -> Object:
    """``value``, which must be an object."""
    return _is(value, dict, "an object", "")


def member(holder: JSON, name: str, kind: type[Kind], at: str = "") -> Kind:
    """The member ``name`` of an object that stands at the JSON pointer ``at``. Raises MalformedFrame."""
    inner = _is(holder, dict, "an object", at)
    return _is(inner.get(name), kind, _TYPES[kind], f"{at}/{name}")


def maybe(holder: JSON, name: str, kind: type[Kind]) -> Kind | None:
    """The member when it is there and of this kind; an integer is no boolean."""
    value = holder.get(name) if isinstance(holder, dict) else None
    return value if type(value) is kind else None


def first(holder: JSON, names: Iterable[str], kind: type[Kind]) -> Kind | None:
    """The first of ``names`` that is there and of this kind."""
    return next((value for name in names if (value := maybe(holder, name, kind)) is not None), None)


_TYPES: Mapping[type, str] = {dict: "an object", list: "an array", str: "a string", int: "an integer"}


def _is(value: JSON, kind: type[Kind], words: str, at: str) -> Kind:
    if type(value) is not kind:
        raise MalformedFrame(expected=words, seen=value, pointer=at)
    return value
