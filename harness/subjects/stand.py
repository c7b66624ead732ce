"""What the server answers during a run: each case has an address of its own, and a journal of its own.

    http://127.0.0.1:PORT/case/17/v1/chat/completions      the exchange of case 17, whatever is asked there

Whether the request is a lawful one is for checks to say; here every request of a case is answered alike, so
that a client which tries again meets the same fault again. Requests are kept as if they had gone to the
vendor, credentials redacted; where a case's key stood is noted before. Opens no socket; ``harness.server``
carries it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from urllib.parse import parse_qsl, unquote, urlsplit

from harness.errors import UnmatchedRequest
from harness.exchange import Exchange
from harness.redaction import redacted_headers, redacted_url, without
from harness.shelf import Answer
from harness.subjects.carried import leaves
from providers.errors import MalformedFrame
from providers.wire import Request

PREFIX = "/case/"
MOST_REQUESTS = 100  # of one case; what a client sends beyond is counted and not kept
_HERE = ("127.0.0.1", "localhost", "::1")


class Place:
    """One case: what it answers, what was asked there, and in which places ``secret`` stood."""

    def __init__(self, number: str, exchange: Exchange, base_url: str, secret: str = "") -> None:
        self.number = number
        self.exchange = exchange
        self.asked: list[Request] = []
        self.told_key: dict[str, None] = {}
        self.count = 0
        self._base = urlsplit(base_url)
        self._secret = secret

    def path(self) -> str:
        """The base URL's path on the server."""
        return f"{PREFIX}{self.number}{self._base.path}"

    def keep(self, request: Request, rest: str) -> None:
        """Note a request as one to the vendor's own host."""
        self.count += 1
        if len(self.asked) < MOST_REQUESTS:
            self.told_key |= dict.fromkeys(places_of(self._secret, request))
            came = urlsplit(request.url)
            host = self._base.netloc if came.hostname in _HERE else came.netloc
            url = self._base._replace(netloc=host, path=rest, query=came.query, fragment="").geturl()
            headers = tuple(
                (name, host if name.lower() == "host" and value == came.netloc else value)
                for name, value in redacted_headers(request.headers)
            )
            kept = Request(request.method, redacted_url(url), headers, request.content)
            self.asked.append(cleaned(kept, (self._secret,)))


def cleaned(request: Request, secrets: Sequence[str]) -> Request:
    """The request with every form of the secrets replaced, wherever they stood."""
    headers = tuple((without(name, secrets), without(value, secrets)) for name, value in request.headers)
    content = without(request.content.decode("utf-8", "surrogateescape"), secrets)
    url = without(request.url, secrets)
    return Request(request.method, url, headers, content.encode("utf-8", "surrogateescape"))


def places_of(secret: str, request: Request) -> Iterator[str]:
    """Where a secret stands in a request, in any form in which a value travels; never the secret itself."""

    def has(text: str) -> bool:
        return bool(secret) and without(text, (secret,)) != text

    parts = urlsplit(request.url)
    yield from (f"field {name.lower()}" for name, value in request.headers if has(value) or has(name))
    yield from (
        f"parameter {without(name, (secret,))}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if has(value) or has(name)
    )
    if has(unquote(parts.path)):
        yield "the path"
    text = request.content.decode("utf-8", "replace")
    if not has(text):
        return
    try:
        body = request.json()
    except MalformedFrame:
        body = None
    named = ["/" + "/".join(place) for place, value in leaves(body) if isinstance(value, str) and has(value)]
    yield from named or ["the body"]


class Stand:
    """The cases that are open now. One thread opens and closes them, another answers."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}
        self._numbers = count(1)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Nothing that could be listed: cases come and go."""
        return ()

    def rewind(self) -> None:
        """There is no story to begin again."""

    def open(self, exchange: Exchange, base_url: str, secret: str = "") -> Place:
        """A place that answers with ``exchange``, as if it were below ``base_url``, and looks for ``secret``
        in what is asked."""
        place = Place(str(next(self._numbers)), exchange, base_url, secret)
        self._places[place.number] = place
        return place

    def close(self, place: Place) -> None:
        """Answer there no longer."""
        self._places.pop(place.number, None)

    def answer(self, request: Request) -> Answer:
        """The exchange of the case that is asked. Raises UnmatchedRequest for a case that is not open."""
        path = urlsplit(request.url).path
        number, slash, rest = path.removeprefix(PREFIX).partition("/")
        place = self._places.get(number) if path.startswith(PREFIX) else None
        if place is None:
            raise UnmatchedRequest(
                nearest="none", pointer="url", expected=f"{PREFIX}<number>/…", seen=request.url
            )
        place.keep(request, slash + rest)
        return Answer(place.exchange)
