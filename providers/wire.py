"""What a protocol file is made of: Endpoint and Request, Frame and Framing, Decoder, Protocol.

A protocol is data and pure functions. It builds a request and decodes frames; it opens no socket,
reads no clock and knows no provider. Where a provider differs, the difference is a field of the
protocol's own ``Deviations`` struct, whose value stands in the provider's catalog file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import wraps
from typing import Any, TypeAlias
from typing import Protocol as Interface
from urllib.parse import parse_qsl, urlencode

import msgspec

from providers import jsontext
from providers.addresses import segments
from providers.call import JSON, Call
from providers.errors import MalformedFrame, RemoteError, UnsupportedFeature, remote_error_class, shown
from providers.events import Event
from providers.unsayable import refuse_unsayable

Headers: TypeAlias = tuple[tuple[str, str], ...]  # (name, value) pairs, wire case and order kept


class Refused(msgspec.Struct, frozen=True):
    """How a vendor words one kind of refusal; None where its body has no such field. ``param`` is the place
    of what it refuses."""

    status: int
    message: str
    type: str | None = None
    code: str | int | None = None
    param: str | None = None


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A provider speaking a protocol at a base URL.

    ``base_url`` has no trailing slash and no placeholder left. ``path`` replaces the protocol's own
    path where the vendor's differs; ``{model}`` in it is filled in. ``headers`` and the parameters of
    ``query`` are sent with every request; ``model_names`` tell what a model is called here, where that is
    not its id; ``call_headers`` are fields whose value the call decides, with the name of a row of
    ``providers.callfields``. ``deviations`` is an instance of the protocol's ``Deviations`` struct.
    ``features`` are the names of the declared features. ``refusals`` are this vendor's own words for an
    error, by kind. ``shapes`` are the services that are asked for in another shape than the protocol's,
    and ``values`` the provider's further values by name, for what such a shape wants beside the call.
    """

    provider: str
    protocol: str
    base_url: str
    path: str | None = None
    headers: Headers = ()
    query: tuple[tuple[str, str], ...] = ()
    model_names: Mapping[str, str] = {}
    call_headers: Mapping[str, str] = {}
    deviations: Any = None
    features: frozenset[str] = frozenset()
    refusals: Mapping[str, Refused] = {}
    shapes: Mapping[str, str] = {}
    values: Mapping[str, str] = {}

    def shape(self, service: str) -> str:
        """The row of the table of ``service`` that is asked here."""
        return self.shapes.get(service, self.protocol)

    def url(self, path: str, model: str = "") -> str:
        """The full URL of the protocol's ``path``, or of this endpoint's own.

        Raises ConfigurationError for a model whose name is no part of a path.
        """
        if self.path and "{model}" in self.path:
            return self.at(self.path.replace("{model}", segments(self.named(model))))
        return self.at(self.path or path)

    def at(self, path: str) -> str:
        """The URL of ``path`` below the base URL, with the parameters that it has not itself."""
        told, _, asked = path.partition("?")
        own = parse_qsl(asked, keep_blank_values=True)
        missing = urlencode([pair for pair in self.query if pair[0] not in dict(own)])
        query = "&".join(part for part in (asked, missing) if part)
        return self.base_url + told + (f"?{query}" if query else "")

    def named(self, model: str) -> str:
        """What ``model`` is called here; a model without a name of its own keeps its id."""
        return self.model_names.get(model, model)


class Request(msgspec.Struct, frozen=True):
    """An HTTP request before authentication. ``content`` is the body's bytes, empty for none."""

    method: str
    url: str
    headers: Headers
    content: bytes

    def json(self) -> JSON:
        """The body as JSON. Raises MalformedFrame when it is not."""
        return jsontext.parse(self.content)


# Sends a request and gives (status, headers, content); raises TransportError. Passed in where one is needed.
Fetch: TypeAlias = Callable[[Request], tuple[int, Headers, bytes]]


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One message of a stream, or a whole body.

    ``data`` is its content, undecoded. ``event`` is the SSE event type or the AWS ``:event-type``,
    empty when none was sent. ``offset_bytes`` is where the frame starts in the body. ``fields`` are
    the other framing fields (SSE ``id`` and ``retry``, AWS headers).
    """

    data: bytes
    event: str = ""
    offset_bytes: int = 0
    fields: Mapping[str, Any] = {}


class Framing(Interface):
    """Bytes to frames, incremental; any cut of the bytes gives the same frames."""

    def feed(self, chunk: bytes) -> Iterable[Frame]:
        """The frames that ``chunk`` completes. Raises FramingError."""

    def finish(self) -> Iterable[Frame]:
        """The end of the body. Raises FramingError inside an unfinished frame."""


class Decoder(Interface):
    """Frames to events."""

    def feed(self, frame: Frame) -> Iterable[Event]:
        """The events of one frame.

        Raises RemoteError for an error inside the stream, MalformedFrame and EventOrderError for what
        the protocol forbids; events of earlier frames stand.
        """

    def finish(self) -> Iterable[Event]:
        """The end of the frames. Raises TruncatedStream when the completion signal never came."""


Build: TypeAlias = Callable[[Any, Endpoint], Request]


def bounded(build: Build) -> Build:
    """``build``, which raises UnsupportedFeature for what holds itself, or is nested nearly so deeply."""

    @wraps(build)
    def within(ask: Any, endpoint: Endpoint) -> Request:
        try:
            return build(ask, endpoint)
        except RecursionError:
            raise UnsupportedFeature(
                endpoint.provider,
                "a call that is nested so deeply",
                next_step="give schemas, arguments and further fields that end within a few hundred levels",
            ) from None

    return within


def sayable(build: Callable[[Call, Endpoint], Request]) -> Callable[[Call, Endpoint], Request]:
    """``build``, which raises UnsupportedFeature for what no protocol can say."""

    @wraps(build)
    def asked(call: Call, endpoint: Endpoint) -> Request:
        refuse_unsayable(call, endpoint.provider)
        return build(call, endpoint)

    return asked


class Protocol(msgspec.Struct, frozen=True, kw_only=True):
    """A wire protocol, as a row of PROTOCOLS. Its ``build`` is ``bounded`` and ``sayable``.

    ``source`` is the reference it follows. ``deviations`` is the struct type that a catalog file's
    ``deviations`` table is checked against. ``media_types``: (streamed, whole), what a lawful answer's
    Content-Type starts with. ``framing(streamed, deviations)`` and ``decoder(streamed, deviations)``
    make fresh objects. ``streams_json(deviations)`` says that a stream comes as JSON, not in the first
    media type; None means never. ``error(status, headers, body)`` is the typed error of a refusing
    answer. ``terminal`` names the completion signal, for people.
    """

    name: str
    source: str
    deviations: type
    media_types: tuple[str, str]
    build: Callable[[Call, Endpoint], Request]
    framing: Callable[[bool, Any], Framing]
    decoder: Callable[[bool, Any], Decoder]
    error: Callable[[int, Headers, bytes], RemoteError]
    terminal: str
    streams_json: Callable[[Any], bool] | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "build", bounded(sayable(self.build)))

    def reads_as_stream(self, media_type: str, deviations: Any) -> bool:
        """Whether an answer of ``media_type`` to a streamed call is a stream, and not a whole answer."""
        in_json = self.streams_json is not None and self.streams_json(deviations)
        return media_type != self.media_types[1] or in_json


def header(headers: Headers, name: str) -> str | None:
    """The first value of the field ``name``, compared without case; None when it is absent."""
    wanted = name.lower()
    return next((value for field, value in headers if field.lower() == wanted), None)


_REQUEST_ID = ("x-request-id", "request-id", "x-amzn-requestid", "apim-request-id", "cf-ray")


def request_id(headers: Headers) -> str | None:
    """The peer's id of the request, by the first of the fields vendors use for it."""
    return next((found for name in _REQUEST_ID if (found := header(headers, name))), None)


def retry_after_s(headers: Headers, now: datetime | None = None) -> float | None:
    """Seconds the peer asks us to wait: ``retry-after-ms``, or ``Retry-After`` (RFC 9110, 10.2.3) as
    seconds or, when ``now`` is given, as a date. None when absent, negative or unreadable."""
    milliseconds = _number(header(headers, "retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = header(headers, "retry-after")
    seconds = _number(value)
    if seconds is not None:
        return seconds
    if value is None or now is None:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < 1e9 else None


class Told(msgspec.Struct, frozen=True):
    """What a vendor's error body says; None where a field is absent."""

    message: str | None = None
    type: str | None = None
    code: str | int | None = None


def refusal(
    status: int, headers: Headers, content: bytes, read: Callable[[JSON], Told | None]
) -> RemoteError:
    """The typed error of a refusing answer.

    ``read`` finds the vendor's words in the parsed body and returns None when they are not there. A
    body that is empty, no JSON, or of another shape gives an error all the same, with what was seen.
    """
    body: JSON = None
    told: Told | None = None
    try:
        body = jsontext.parse(content) if content.strip() else None
        told = read(body)
    except (MalformedFrame, RecursionError):  # nested too deeply for ``read`` is of another shape
        pass
    if told is None:
        text = content.decode("utf-8", "replace").strip()
        told = Told(message=shown(text) if text else None)
    return refused(told, status=status, body=body, headers=headers)


def refused(told: Told, *, status: int, body: JSON = None, headers: Headers = ()) -> RemoteError:
    """The typed error for what a vendor told, inside a stream (``status`` 200) or instead of one."""
    kind = remote_error_class(status, told.message, told.type, told.code)
    return kind(
        told.message,
        status=status,
        type=told.type,
        code=told.code,
        body=body,
        request_id=request_id(headers),
        retry_after_s=retry_after_s(headers),
    )
