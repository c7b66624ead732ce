"""What the server answers during a run: each case has an address of its own, and a journal of its own.

    http://127.0.0.1:PORT/case/17/v1/chat/completions      the exchange of case 17, whatever is asked there

Whether the request is a lawful one is for checks to say; here every request of a case is answered alike, so
that a client which tries again meets the same fault again. Requests are kept as if they had gone to the
vendor, credentials redacted. Opens no socket; ``harness.server`` carries it.
"""

from __future__ import annotations

from itertools import count
from urllib.parse import urlsplit

from harness.errors import UnmatchedRequest
from harness.exchange import Exchange
from harness.redaction import redacted_headers, redacted_url
from harness.shelf import Answer
from providers.wire import Request

PREFIX = "/case/"
MOST_REQUESTS = 100  # of one case; what a client sends beyond is counted and not kept


class Place:
    """One case: what it answers, and what was asked there."""

    def __init__(self, number: str, exchange: Exchange, base_url: str) -> None:
        self.number = number
        self.exchange = exchange
        self.asked: list[Request] = []
        self.count = 0
        self._base = urlsplit(base_url)

    def path(self) -> str:
        """The base URL's path on the server."""
        return f"{PREFIX}{self.number}{self._base.path}"

    def keep(self, request: Request, rest: str) -> None:
        """Note a request as one to the vendor's own host."""
        self.count += 1
        if len(self.asked) < MOST_REQUESTS:
            came = urlsplit(request.url)
            url = self._base._replace(path=rest, query=came.query, fragment="").geturl()
            headers = tuple(
                (name, self._base.netloc if name.lower() == "host" and value == came.netloc else value)
                for name, value in redacted_headers(request.headers)
            )
            self.asked.append(Request(request.method, redacted_url(url), headers, request.content))


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

    def open(self, exchange: Exchange, base_url: str) -> Place:
        """A place that answers with ``exchange``, as if it were below ``base_url``."""
        place = Place(str(next(self._numbers)), exchange, base_url)
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
