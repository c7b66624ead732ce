"""What stands behind a gateway: plays one scene at a time at an address the gateway was configured with.

A scene is an exchange of the back's protocol, whole or damaged. It may be held: the second half is given only
once the front has seen something of the first; and it may have several voices, told apart by a word in the
request. Every request of a scene is kept as it came, as if it had gone to the vendor. What is asked while no
scene is played (a health check, a list of models) finds nothing. Opens no socket; ``harness.server`` carries
it, on the path of the vendor's own address.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit

from msgspec.structs import replace

from harness.errors import UnmatchedRequest
from harness.exchange import Exchange
from harness.server import Passed
from harness.shelf import Answer
from providers.errors import MalformedFrame
from providers.wire import Headers, Request

HOLD_S = 3.0
PRIVATE = "wirecheck-canary-private"
PRIVATE_FIELDS: Headers = (
    ("set-cookie", f"session={PRIVATE}; Path=/; HttpOnly"),
    ("openai-organization", PRIVATE),
    ("anthropic-organization-id", PRIVATE),
)
"""Fields of an answer that name the operator's account or session at the vendor."""
_LOOK_S = 0.005


class Scene:
    """One case. ``forms`` are the exchanges by whether they are streamed; ``asked`` what the gateway sent.

    ``held``: after the first half of a stream the upstream waits for ``seen``, for ``HOLD_S`` at most, and
    ``waited_out`` says that it waited in vain. ``voices``: exchanges by the word that the request has.
    """

    def __init__(
        self,
        forms: Mapping[bool, Exchange],
        base_url: str,
        *,
        held: bool = False,
        voices: Mapping[str, Exchange] | None = None,
    ) -> None:
        self.asked: list[Request] = []
        self.held = held
        self.seen = threading.Event()
        self.waited_out = False
        self._forms = {streamed: _marked(exchange) for streamed, exchange in forms.items()}
        self._voices = {word: _marked(exchange) for word, exchange in (voices or {}).items()}
        self._base = urlsplit(base_url)

    @property
    def slow(self) -> bool:
        """Whether its answers are given piece by piece as others ask for them."""
        return self.held or bool(self._voices)

    @property
    def everyone(self) -> bool:
        """Whether every voice was asked for."""
        return len(self.asked) >= len(self._voices)

    def keep(self, request: Request) -> None:
        """Note a request as one to the vendor's own host."""
        came = urlsplit(request.url)
        url = self._base._replace(path=came.path, query=came.query, fragment="").geturl()
        headers = tuple(
            (name, self._base.netloc if name.lower() == "host" else value) for name, value in request.headers
        )
        self.asked.append(Request(request.method, url, headers, request.content))

    def answer(self, request: Request) -> Exchange:
        """The exchange that answers: the voice that is called, or the form that is asked for."""
        text = request.content.decode("utf-8", "replace")
        for word, exchange in self._voices.items():
            if word in text:
                return exchange
        return self._forms.get(streamed(request)) or next(iter(self._forms.values()))


def streamed(request: Request) -> bool:
    """Whether a request asks for a stream: by its body, or by its path where that says so."""
    if "stream" in urlsplit(request.url).path.lower():
        return True
    try:
        body = request.json()
    except MalformedFrame:
        return False
    return isinstance(body, dict) and body.get("stream") is True


def _marked(exchange: Exchange) -> Exchange:
    return replace(exchange, headers=(*exchange.headers, *PRIVATE_FIELDS))


class Upstream:
    """The shelf of the server behind a gateway, and what gives the answers that wait."""

    def __init__(self) -> None:
        self._scene: Scene | None = None

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Nothing that could be listed: scenes come and go."""
        return ()

    def rewind(self) -> None:
        """There is no story to begin again."""

    def play(self, scene: Scene | None) -> None:
        """Answer as this scene from now on; None answers nobody."""
        self._scene = scene

    def answer(self, request: Request) -> Answer:
        """The scene's answer. Raises UnmatchedRequest without one, and for what ``forward`` is to give."""
        scene = self._scene
        if scene is None or scene.slow:
            raise _unmatched(request)
        scene.keep(request)
        return Answer(scene.answer(request))

    async def forward(self, request: Request) -> Passed:
        """The answer of a scene that waits, piece by piece. Raises UnmatchedRequest without one."""
        scene = self._scene
        if scene is None or not scene.slow:
            raise _unmatched(request)
        scene.keep(request)
        exchange = scene.answer(request)
        return Passed(exchange.status, exchange.headers, _pieces(scene, exchange))


async def _pieces(scene: Scene, exchange: Exchange) -> AsyncIterator[bytes]:
    chunks = exchange.chunks
    half = len(chunks) // 2
    for number, chunk in enumerate(chunks):
        if number == half and len(chunks) > 1:
            await _held(scene)
        yield chunk
        await asyncio.sleep(_LOOK_S if not scene.held else 0)


async def _held(scene: Scene) -> None:
    """Wait until the front has seen something, or until every voice is there."""
    until = asyncio.get_running_loop().time() + HOLD_S
    while not (scene.seen.is_set() if scene.held else scene.everyone):
        if asyncio.get_running_loop().time() > until:
            scene.waited_out = True
            return
        await asyncio.sleep(_LOOK_S)


def _unmatched(request: Request) -> UnmatchedRequest:
    return UnmatchedRequest(
        nearest="none", pointer="url", expected="a scene that is played", seen=request.url
    )
