"""What a dialect is given and what it answers: Given, Resolved, Catalogue, and how sources are walked.

A dialect is a pure function of what the operator set. What needs the world (running a command,
refreshing a token, asking whether a file exists) comes in as a callable or a mapping. Sources are
walked in order; the first usable one wins. A source after the winner is looked at (is there something?)
and never evaluated: no command runs, no token is refreshed. This module opens no file and no socket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from providers.errors import DialectFault

SourceKind: TypeAlias = Literal[
    "ambient", "auth_file", "cli", "config", "env", "models_json", "oauth", "profile", "user"
]


class File(msgspec.Struct, frozen=True):
    """A file's bytes and its permission bits (None where the system has none)."""

    content: bytes
    mode: int | None = None


class Command(msgspec.Struct, frozen=True):
    """A program to run for its output. ``shell``: ``argv[0]`` is shell text. ``cached``: the output is
    kept for the life of the process. ``environ`` is what the program sees."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    shell: bool = True
    cached: bool = False
    timeout_s: float = 10.0


def run_nothing(command: Command) -> str | None:
    """The runner of a resolution that may run nothing: every command yields nothing."""
    return None


def refresh_nothing(provider: str, entry: Mapping[str, Any]) -> str | None:
    """The refresher of a resolution that may not use the network: an expired token stays expired."""
    return None


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a resolution may look at.

    ``files``: by path relative to the system's state directory, ``~/…`` below the home directory, or
    absolute. ``run`` gives a command's trimmed output, None when it failed or printed nothing.
    ``refresh`` gives the new access token of a stored entry, None when it cannot be had. ``store`` is a
    system's profile store where its file layout does not matter. ``now_s`` is the time, in seconds.
    """

    flags: Mapping[str, Any] = {}
    environ: Mapping[str, str] = {}
    files: Mapping[str, File] = {}
    store: Mapping[str, Any] = {}
    builtin_models: tuple[Mapping[str, Any], ...] = ()
    live_models: tuple[Mapping[str, Any], ...] = ()
    run: Callable[[Command], str | None] = run_nothing
    refresh: Callable[[str, Mapping[str, Any]], str | None] = refresh_nothing
    now_s: float = 0.0

    def flag(self, name: str) -> str:
        """The option's text; empty when it was not given."""
        value = self.flags.get(name)
        return value if isinstance(value, str) else ""


class Warned(msgspec.Struct, frozen=True):
    """Something the operator should know; nothing failed. ``name``: a variable, field or model."""

    category: str
    message: str = ""
    provider: str | None = None
    name: str | None = None
    path: str | None = None


class Lost(msgspec.Struct, frozen=True):
    """A source that did not win, and why. ``name`` is its variable, file entry or profile."""

    source: SourceKind
    name: str
    why: str


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """Which credential is used.

    ``value`` is None when there is none, or when an ambient chain outside the client signs
    (``source`` is then "ambient"). ``name`` is the winning variable, file entry or profile. ``fault``
    is why there is none, where the system calls that an error.
    """

    provider: str
    value: str | None = None
    source: SourceKind | None = None
    name: str | None = None
    lost: tuple[Lost, ...] = ()
    warnings: tuple[Warned, ...] = ()
    fault: DialectFault | None = None

    @property
    def found(self) -> bool:
        """Whether a source won."""
        return self.source is not None

    def require(self) -> str | None:
        """The value. Raises the fault when there is one."""
        if self.fault is not None:
            raise self.fault
        return self.value


class Candidate(msgspec.Struct, frozen=True):
    """One source in order, looked at and not yet evaluated.

    ``absent`` says why there is nothing ("not set", "empty"); it is empty when there is something, and
    ``take`` then evaluates it. ``owns``: if it yields nothing, the search ends here.
    """

    source: SourceKind
    name: str
    absent: str = ""
    take: Callable[[], str | None] = lambda: None
    owns: bool = False
    ambient: bool = False


def walk(provider: str, candidates: Iterable[Candidate], warnings: tuple[Warned, ...] = ()) -> Resolved:
    """The first candidate that yields something, with all the others and why they lost.

    A DialectFault raised while evaluating ends the search and becomes the result's fault.
    """
    winner: Candidate | None = None
    value: str | None = None
    lost: list[Lost] = []
    stopped = ""
    fault: DialectFault | None = None
    for candidate in candidates:
        if candidate.absent:
            lost.append(Lost(candidate.source, candidate.name, candidate.absent))
        elif winner is not None:
            why = f"outranked by {winner.source} {winner.name}".rstrip()
            lost.append(Lost(candidate.source, candidate.name, why))
        elif stopped:
            lost.append(Lost(candidate.source, candidate.name, stopped))
        else:
            try:
                value = candidate.take()
            except DialectFault as raised:
                fault = raised
            if value or (candidate.ambient and fault is None):
                winner = candidate
            else:
                lost.append(Lost(candidate.source, candidate.name, "it yields no value"))
                if candidate.owns or fault:
                    stopped = f"{candidate.name} owns the provider and yields nothing"
    return Resolved(
        provider=provider,
        value=value if winner else None,
        source=winner.source if winner else None,
        name=winner.name if winner else None,
        lost=tuple(lost),
        warnings=warnings,
        fault=fault,
    )


def flag_candidate(given: Given, name: str = "api_key") -> Candidate:
    """The key given on the command line, verbatim; an empty one counts as absent."""
    value = given.flag(name)
    shown = "--" + name.replace("_", "-")
    if value:
        return Candidate("cli", shown, take=lambda: value)
    return Candidate("cli", shown, "empty" if given.flags.get(name) == "" else "not given")


def variable(environ: Mapping[str, str], name: str, *, blanks_count: bool = True) -> Candidate:
    """An environment variable; an empty one counts as absent, one of blanks if not ``blanks_count``."""
    value = environ.get(name)
    if value is None:
        return Candidate("env", name, "not set")
    if not value or not (blanks_count or value.strip()):
        return Candidate("env", name, "empty")
    return Candidate("env", name, take=lambda: value)


def ambient(name: str, present: bool, why_not: str = "not set") -> Candidate:
    """A credential chain outside the client; the value is not ours to know."""
    return Candidate("ambient", name, "" if present else why_not, ambient=True)


def broken(source: SourceKind, name: str, fault: DialectFault) -> Candidate:
    """A source that cannot be read; it is an error only where the search comes to it."""

    def take() -> str | None:
        raise fault

    return Candidate(source, name, take=take, owns=True)


def missing(resolved: Resolved, next_step: str = "") -> Resolved:
    """``resolved`` with the fault that no credential was found, when it has neither."""
    if resolved.found or resolved.fault:
        return resolved
    places = [lost.name for lost in resolved.lost]
    fault = DialectFault(
        "missing_credential",
        f"no credential for {resolved.provider}",
        provider=resolved.provider,
        expected=" or ".join(places),
        next_step=next_step,
    )
    return msgspec.structs.replace(resolved, fault=fault)


class Merged(msgspec.Struct, frozen=True):
    """One model of the merged catalogue; ``origins`` says for each field where its value comes from."""

    provider: str
    id: str
    fields: Mapping[str, Any]
    origins: Mapping[str, str]

    def flat(self) -> dict[str, Any]:
        """The entry as one mapping, ``provider`` and ``id`` first."""
        return {"provider": self.provider, "id": self.id, **self.fields}


class Catalogue(msgspec.Struct, frozen=True):
    """The merged models. ``faults`` are what was refused; the other entries stand."""

    models: tuple[Merged, ...]
    faults: tuple[DialectFault, ...] = ()
    warnings: tuple[Warned, ...] = ()

    def find(self, provider: str, model: str) -> Merged | None:
        """The entry with these two ids."""
        return next((m for m in self.models if m.provider == provider and m.id == model), None)
