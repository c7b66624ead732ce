"""The client matrix: every installed client over one provider for each protocol it speaks, as one run.

Of each protocol a client is played the exchanges of one provider: the vendor whose name the client bears,
where it speaks the protocol, else the one of ``REPRESENTATIVES``, which defines the protocol or keeps closest
to it. A row has a result file of its own, so that a run that was cut off is taken up row by row. It renders
nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec
from msgspec.structs import replace

from harness import __version__
from harness.errors import HarnessError, UnusableInput
from harness.selection import Selection
from harness.subjects.run import Found, Plan, Story, Subject, run
from harness.subjects.table import Subject as Client
from providers.protocols import PROTOCOLS
from providers.schema import Catalog
from reports import results

REPRESENTATIVES: Mapping[str, str] = {
    "anthropic-messages": "anthropic",
    "azure-openai-responses": "azure-openai-responses",
    "bedrock-converse": "amazon-bedrock",
    "bedrock-invoke": "amazon-bedrock",
    "cohere-chat": "cohere",
    "cohere-chat-v1": "cohere",
    "google-gemini-cli": "google-gemini-cli",
    "google-generative-ai": "google",
    "google-interactions": "google",
    "google-vertex": "google-vertex",
    "mistral-chat": "mistral",
    "ollama-chat": "ollama",
    "ollama-generate": "ollama",
    "openai-codex-responses": "openai-codex",
    "openai-completions": "openai",
    "openai-responses": "openai",
    "openai-text-completions": "vllm",
    "watsonx-generation": "watsonx",
}
"""Whose exchanges stand for a protocol. One that is not here is stood for by its provider with the fewest
deviations."""

_VENDORS = ("hosted", "cloud")  # a gateway of a client's name passes on what others say
Starter = Callable[[Client], Callable[[], Subject]]


class Row(msgspec.Struct, frozen=True):
    """A client, a protocol it speaks, and whose exchanges it is played."""

    client: Client
    protocol: str
    provider: str

    @property
    def title(self) -> results.Subject:
        """The client as results name it."""
        return results.Subject(self.client.name, self.client.version or __version__)

    @property
    def file_name(self) -> str:
        """Of its result file: other pins are another file."""
        return f"{self.client.name}@{self.title.version}.{self.protocol}.{self.provider}.jsonl"


class Missed(msgspec.Struct, frozen=True):
    """A client that was not run, or one row of it, and why."""

    client: str
    reason: str
    protocol: str = ""


class Played(msgspec.Struct, frozen=True):
    """What came of all rows, and what could not be played."""

    run: results.Run
    missed: tuple[Missed, ...]


def provider_for(client: Client, protocol: str, catalog: Catalog) -> str | None:
    """Whose exchanges a client is played; None when nobody of the catalog speaks the protocol."""
    speaking = [provider for provider in catalog if protocol in provider.protocols]
    for word in (client.name, *client.name.split("-")[::-1]):
        for provider in speaking:
            if word in (provider.id, *provider.aliases) and provider.kind in _VENDORS:
                return provider.id
    if any(provider.id == REPRESENTATIVES.get(protocol) for provider in speaking):
        return REPRESENTATIVES[protocol]
    nearest = min(
        speaking, key=lambda each: (len(each.declaration(protocol).deviations), each.id), default=None
    )
    return nearest.id if nearest else None


def chosen(clients: Iterable[Client], globs: Iterable[str]) -> tuple[Client, ...]:
    """The clients whose names one of ``globs`` takes; none takes all. Raises UnusableInput."""
    every, wanted = tuple(clients), tuple(globs)
    for glob in wanted:
        if not any(fnmatchcase(client.name, glob) for client in every):
            raise UnusableInput(
                f"no client is named {glob!r}",
                expected=", ".join(client.name for client in every),
                next_step="wirecheck subject list shows all names",
            )
    return tuple(
        client for client in every if not wanted or any(fnmatchcase(client.name, glob) for glob in wanted)
    )


def rows(clients: Iterable[Client], catalog: Catalog) -> Iterator[Row]:
    """A row for each protocol that a client's driver speaks and somebody offers."""
    for client in clients:
        for protocol in sorted(PROTOCOLS):
            provider = provider_for(client, protocol, catalog)
            if provider is not None and any(fnmatchcase(protocol, glob) for glob in client.protocols):
                yield Row(client, protocol, provider)


def play(
    every: Iterable[Row],
    start: Starter,
    *,
    catalog: Catalog,
    exchanges: Path,
    folder: Path,
    started: dt.datetime | None,
    jobs: int = 2,
    resume: bool = False,
    scenarios: tuple[str, ...] = (),
    faults: tuple[str, ...] = (),
    plain: bool = False,
    begins: Callable[[Row], None] = lambda row: None,
    told: Callable[[Story, Found], None] = lambda story, found: None,
) -> Played:
    """Play every row, and put them together; ``begins`` is told each row before it is played.

    A row whose client cannot be started is missed, with its reason. Raises UnusableInput when none was
    played.
    """
    found: list[results.Run] = []
    missed: list[Missed] = []
    for row in every:
        begins(row)
        path = folder / row.file_name
        plan = Plan(
            catalog=catalog,
            exchanges=exchanges,
            selection=Selection(providers=(row.provider,), protocols=(row.protocol,), scenarios=scenarios),
            faults=faults,
            plain=plain,
        )
        try:
            found.append(
                run(
                    plan,
                    start(row.client),
                    name=row.client.name,
                    title=row.title,
                    spoken=(row.protocol,),
                    jobs=jobs,
                    path=path,
                    resume=path if resume else None,
                    told=told,
                )
            )
        except HarnessError as fault:
            missed.append(Missed(row.client.name, str(fault), row.protocol))
    if not found:
        raise UnusableInput(
            "no client was run",
            expected="an installed client",
            seen="; ".join(each.reason for each in missed) or "none",
            next_step="wirecheck subject install NAME",
        )
    return Played(joined(found, started), tuple(missed))


def joined(found: Iterable[results.Run], started: dt.datetime | None) -> results.Run:
    """The runs of several rows as one, of the day on which it was begun."""
    merged = results.merge(found)
    return replace(merged, header=replace(merged.header, started=started))
