"""Foreign recordings to exchanges: redacted, with origin ``imported``, their source and their licence.

The table lists the formats by how a file's name ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from harness.errors import RecordingError, UnusableInput
from harness.exchange import Exchange
from harness.importers import har, recordings, vcr
from harness.importers.foreign import Foreign
from harness.keeping import prepared
from harness.redaction import asked_headers, redacted_url, sent_secrets
from providers.errors import MalformedFrame
from providers.protocols import PROTOCOLS
from providers.wire import Request

_FORMATS: Mapping[str, Callable[[str], tuple[Foreign, ...]]] = {
    ".yaml": vcr.read,
    ".yml": vcr.read,
    ".har": har.read,
    ".json": lambda text: vcr.read(text) if '"interactions"' in text else recordings.read(text),
}


def read(path: Path) -> tuple[Foreign, ...]:
    """The recordings in a file, or in the files of a folder by name. Raises UnusableInput."""
    if path.is_dir():
        inside = sorted(each for each in path.iterdir() if each.suffix in _FORMATS and each.is_file())
        return tuple(found for each in inside for found in read(each))
    reads = _FORMATS.get(path.suffix)
    if reads is None:
        raise UnusableInput("no such format", expected=", ".join(_FORMATS), seen=path.name)
    try:
        return reads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        raise UnusableInput("the file cannot be read", seen=str(fault), where=path.name) from None
    except UnusableInput as fault:
        raise UnusableInput(str(fault), where=path.name) from None


def exchanges(
    found: tuple[Foreign, ...],
    *,
    provider: str,
    protocol: str,
    scenario: str,
    read_on: date | None = None,
    source: str = "",
    licence: str = "",
) -> tuple[Exchange, ...]:
    """The recordings as the turns of one scenario; what a recording says of itself goes before the arguments.

    Raises UnusableInput where a date, a source or a licence is known from neither, and UnredactedSecret.
    """
    if protocol not in PROTOCOLS:
        raise UnusableInput("no such protocol", expected=", ".join(PROTOCOLS), seen=protocol)
    if not found:
        raise UnusableInput("there is no recording in it")
    return tuple(
        _exchange(each, provider, protocol, scenario, turn, read_on, source, licence)
        for turn, each in enumerate(found, start=1)
    )


def stories(
    path: Path,
    *,
    provider: str,
    protocol: str,
    read_on: date | None = None,
    source: str = "",
    licence: str = "",
) -> tuple[tuple[tuple[Exchange, ...], ...], tuple[str, ...]]:
    """Each file of a folder as a scenario that has its name, and why others are none.

    A file that is given by itself is no folder: what is wrong with it is raised, as ``exchanges`` does.
    """
    made: list[tuple[Exchange, ...]] = []
    refused: list[str] = []
    for name, file in _named(path).items():
        try:
            made.append(
                exchanges(
                    read(file),
                    provider=provider,
                    protocol=protocol,
                    scenario=name,
                    read_on=read_on,
                    source=source,
                    licence=licence,
                )
            )
        except (UnusableInput, RecordingError) as fault:
            if file == path or protocol not in PROTOCOLS:
                raise
            refused.append(f"{file.name}: {fault}")
    return tuple(made), tuple(refused)


def _named(path: Path) -> dict[str, Path]:
    """The files by the scenarios that they become."""
    files = sorted(each for each in path.iterdir() if each.suffix in _FORMATS) if path.is_dir() else [path]
    found: dict[str, Path] = {}
    for file in files:
        plain = re.sub(r"[^a-z0-9_]+", "_", file.stem.lower()).strip("_") or "imported"
        name, number = plain, 1
        while name in found:
            number += 1
            name = f"{plain}_{number}"
        found[name] = file
    return found


def _exchange(
    found: Foreign,
    provider: str,
    protocol: str,
    scenario: str,
    turn: int,
    read_on: date | None,
    source: str,
    licence: str,
) -> Exchange:
    when = found.date or read_on
    told = {"--source": found.source or source, "--licence": found.licence or licence}
    missing = [name for name, value in {**told, "--date": when}.items() if not value]
    if when is None or missing:
        raise UnusableInput("the recording does not say it itself", expected=" and ".join(missing))
    asked = found.request
    request = Request(asked.method, redacted_url(asked.url), asked_headers(asked.headers), asked.content)
    exchange = Exchange(
        provider=provider,
        protocol=protocol,
        scenario=scenario,
        turn=turn,
        request=request,
        status=found.status,
        headers=found.headers,
        content=found.content,
        boundaries=(len(found.content),) if found.content else (),
        origin="imported",
        date=when,
        source=told["--source"],
        licence=told["--licence"],
        model=_model(asked),
        redactions=("credential",),
    )
    return prepared(exchange, sent_secrets(asked.url, asked.headers))


def _model(request: Request) -> str:
    """The model that the request names in its body; empty where it does not."""
    try:
        body = request.json()
    except MalformedFrame:
        return ""
    named = body.get("model") if isinstance(body, dict) else None
    return named if isinstance(named, str) else ""
