"""A Trial: one provider of one dialect, and what a check may ask of the two.

``resolve`` asks which credential is used and keeps what it cost; ``sent`` lets ``providers.client`` send a
call with it to the protocol's emulator and keeps what arrived; ``ask`` runs an operation of the vector
format. Nothing is judged here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from harness.dialects.bench import Bench, Outcome
from harness.dialects.checks import worlds
from harness.dialects.checks.worlds import Source, World
from harness.dialects.operations import OPERATIONS
from harness.dialects.vectors import run
from harness.emulators import EMULATORS
from harness.emulators.emulator import Violation
from harness.fixtures import placeholder_values
from providers import schema
from providers.call import Call, Text, user
from providers.client import Client, Prepared, prepare
from providers.dialects import Dialect
from providers.dialects.resolved import Command, Resolved
from providers.dialects.tables import Row
from providers.errors import ProviderError
from providers.events import Turn
from providers.wire import Request

Operations = Mapping[tuple[str, str], Callable[[Bench], Outcome]]
PRINTED = "canary-from-a-command"
REFRESHED = "canary-refreshed"
ELSEWHERE = "elsewhere.test"
PLAIN_SCHEMES = ("bearer", "header", "query", "sigv4")  # sigv4: a text is Bedrock's bearer key


def opened(transport: httpx.BaseTransport) -> Client:
    """Our own client over ``transport``."""
    return Client(transport=transport, sleep=lambda seconds: None, verify=False, undeclared=True)


Opened = Callable[[httpx.BaseTransport], Client]


class Seen:
    """A resolution, and what was evaluated for it: commands run, entries refreshed."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.refreshes: list[str] = []
        self.resolved = Resolved(provider="")

    def run(self, command: Command) -> str | None:
        """The runner of the resolution."""
        self.commands.append(command)
        return PRINTED

    def refresh(self, provider: str, entry: Mapping[str, Any]) -> str | None:
        """The refresher of the resolution."""
        self.refreshes.append(provider)
        return REFRESHED


class Arrival(httpx.BaseTransport):
    """The network's other end: the vendor's emulator, which judges what arrives and answers.

    With ``location`` it answers every request by pointing there."""

    def __init__(self, prepared: Prepared, call: Call, location: str = "") -> None:
        self._prepared = prepared
        self._call = call
        self._location = location
        self.requests: list[Request] = []
        self.violations: tuple[Violation, ...] = ()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One request, judged and answered."""
        headers = tuple((name.decode(), value.decode()) for name, value in request.headers.raw)
        arrived = Request(
            method=request.method, url=str(request.url), headers=headers, content=request.read()
        )
        self.requests.append(arrived)
        if self._location:
            arrived_there = str(request.url) == self._location
            return httpx.Response(404 if arrived_there else 307, headers={"location": self._location})
        endpoint = self._prepared.endpoint
        emulator = EMULATORS.get(endpoint.protocol)
        if emulator is None:
            return httpx.Response(404)
        self.violations = emulator.judge(arrived, endpoint)
        turn = Turn(parts=(Text("Hello."),), finish="stop", complete=True)
        spoken = emulator.speak(turn, self._call, endpoint)
        return httpx.Response(spoken.status, headers=list(spoken.headers), content=spoken.content)


class Sent:
    """What became of a call: the requests that arrived, what the vendor objects to, the error if any."""

    def __init__(self, arrival: Arrival, error: ProviderError | None) -> None:
        self.requests = tuple(arrival.requests)
        self.violations = arrival.violations
        self.error = error

    @property
    def hosts(self) -> set[str]:
        """Where the requests went."""
        return {httpx.URL(request.url).host for request in self.requests}

    def holds(self, text: str) -> bool:
        """Whether ``text`` is anywhere in a request."""
        return any(text in repr((r.url, r.headers, r.content)) for r in self.requests)


class Trial:
    """One provider of one dialect, the operations of the vector format, and the client that sends.

    ``entry`` is the first catalog entry of the provider whose credential travels as it is; None where
    something else signs."""

    def __init__(
        self, dialect: Dialect, row: Row, *, operations: Operations = OPERATIONS, client: Opened = opened
    ) -> None:
        self.dialect = dialect
        self.row = row
        self.operations = operations
        self.client = client
        entries = (schema.get(id) for id in row.catalog)
        self.entry = next((entry for entry in entries if entry.auth.scheme in PLAIN_SCHEMES), None)
        self._sent: dict[tuple[str | None, str], Sent] = {}

    @property
    def id(self) -> str:
        """``pi/groq``."""
        return f"{self.dialect.name}/{self.row.id}"

    @cached_property
    def sources(self) -> list[Source]:
        """Every source of the provider, the first one first."""
        return worlds.sources(self.dialect, self.row)

    def canary(self, source: Source) -> str:
        """A value that only ``source`` holds."""
        return f"canary-{self.sources.index(source)}-of-{self.row.id}"

    def world(self, *planted: Source) -> World:
        """A world in which these sources hold their canaries, and no other one is set."""
        world = worlds.empty(self.dialect, self.row)
        for source in planted:
            source.plant(world, self.canary(source))
        return world

    def resolve(self, world: World, provider: str = "") -> Seen:
        """Which credential the dialect uses."""
        seen = Seen()
        asked = provider or worlds.asked(self.dialect, self.row)
        seen.resolved = self.dialect.resolve(world.given(seen.run, seen.refresh), asked, None)
        return seen

    def sent(self, value: str | None, location: str = "") -> Sent:
        """A call with the credential ``value``, sent to the emulator. A call of the provider that carries
        the same credential is sent once."""
        known = self._sent.get((value, location))
        if known is None:
            known = self._sent[value, location] = self._send(value, location)
        return known

    def _send(self, value: str | None, location: str) -> Sent:
        entry = self.entry
        assert entry is not None
        call = Call(
            model=entry.models[0].id if entry.models else "a-model",
            messages=(user("Hello"),),
            stream=entry.offered.get("streaming") is not False,
        )
        settings = placeholder_values(entry)
        arrival = Arrival(prepare(entry, call, key="none", values=settings, undeclared=True), call, location)
        error: ProviderError | None = None
        with self.client(arrival) as client:
            try:
                client.complete(entry, call, key=value, values=settings)
            except ProviderError as raised:
                error = raised
        return Sent(arrival, error)

    def ask(self, op: str, given: Mapping[str, Any] | None = None, **when: Any) -> Outcome:
        """What an operation of the vector format gives, in a home directory of its own."""
        asked = {"provider": worlds.asked(self.dialect, self.row), **when, "op": op}
        with tempfile.TemporaryDirectory() as folder:
            return run(Bench(self.dialect, given or {}, asked, Path(folder)), self.operations)
