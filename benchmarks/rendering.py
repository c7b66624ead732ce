"""How long a report takes, and how much memory: ``python benchmarks/rendering.py [--out FOLDER]``.

Matrices of rows by columns: 54x25 with 250 checks, 60x100, 1000x300. Each is rendered in fresh processes
that read the result file as ``wirecheck report`` does: one renders the page, one publishes the whole report.
A peak is that of such a process, with Python, the reader and the run; making the synthetic run is not in it.
Times are of the processor, which others on the machine disturb least, with the templates compiled; the first
page, and times on the wall, are printed without a goal. With a folder, the report of the first matrix is
written there, to be looked at. Exits with 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple, TypeVar

from measure import Line, report

from harness import offline
from reports import matrix, render, results
from reports.results import (
    Capability,
    Check,
    Claim,
    Exchange,
    Group,
    Header,
    Origin,
    Provider,
    Request,
    Response,
    Result,
    Run,
    Scenario,
    Subject,
    Verdict,
)

TODAY = dt.date(2026, 11, 21)
PROTOCOLS = ("openai-completions", "openai-responses", "anthropic-messages", "google-generative-ai")
COLUMNS = (
    (
        "Transport",
        ("Content type", "Framing", "Chunk boundaries", "Completion signal", "Truncation", "Faults"),
    ),
    ("Answers", ("Text", "Streaming", "Stop sequences", "Structured output", "Usage", "Finish reasons")),
    ("Tools", ("Tool calls", "Parallel tool calls", "Tool choice", "Named tool choice", "Strict tools")),
    ("Input", ("Images", "Documents", "Prompt caching")),
    ("Reasoning", ("Reasoning", "Replayed reasoning")),
    ("Refusals", ("Errors", "Rate limits", "Credentials")),
)

_T = TypeVar("_T")


class Size(NamedTuple):
    """A matrix, and what rendering its page may take; None where nobody set a goal."""

    rows: int
    columns: int
    checks: int
    page_ms: float | None = None
    peak_mb: float | None = None


SIZES = (Size(54, 25, 250), Size(60, 100, 300, page_ms=60), Size(1000, 300, 300, page_ms=2000, peak_mb=400))


def synthetic(rows: int, columns: int, checks: int, seed: int = 1) -> Run:
    """A run of ``rows`` endpoints, ``columns`` capabilities and ``checks`` spread over them."""
    dice = random.Random(seed)
    groups = _groups(columns)
    capabilities = [capability for group in groups for capability in group.capabilities]
    described = [_check(number, capabilities[number % columns]) for number in range(checks)]
    providers = [_provider(number, capabilities, dice) for number in range(rows)]
    found: list[Result] = []
    seen: list[Exchange] = []
    for provider in providers:
        exchange = _exchange(provider, dice)
        seen.append(exchange)
        untested = {one.id for one in capabilities if dice.random() < 0.2 or _refused(provider, one)}
        troubled = {one.id for one in capabilities if dice.random() < 0.12}
        for check in described:
            if check.capability not in untested:
                found.append(_result(provider, check, exchange, check.capability in troubled, dice))
    header = Header(
        wirecheck="0.1.0",
        started=dt.datetime(2026, 11, 21, 8, tzinfo=dt.UTC),
        subjects=(Subject("wirecheck", "0.1.0"),),
        providers=tuple(providers),
        checks=tuple(described),
        scenarios=(Scenario("text_stream", "A streamed answer"),),
        groups=groups,
    )
    return Run(header, tuple(seen), tuple(found))


def _groups(columns: int) -> tuple[Group, ...]:
    named = [(group, title) for group, titles in COLUMNS for title in titles]
    wanted = [
        named[n] if n < len(named) else (f"Further {n // 20}", f"Capability {n}") for n in range(columns)
    ]
    titles = dict.fromkeys(group for group, _ in wanted)
    return tuple(
        Group(
            group,
            tuple(
                Capability(title.lower().replace(" ", "_"), title, (title.lower(),))
                for owner, title in wanted
                if owner == group
            ),
        )
        for group in titles
    )


def _check(number: int, capability: Capability) -> Check:
    return Check(
        f"{capability.id}.requirement_{number}",
        capability.id,
        capability.id,
        "SHOULD" if number % 4 == 0 else "MUST",
        f"An answer {'SHOULD' if number % 4 == 0 else 'MUST'} keep rule {number} of {capability.id}.",
        "https://example.org/reference/streaming",
    )


def _provider(number: int, capabilities: list[Capability], dice: random.Random) -> Provider:
    read = dt.date(2026, 11, 1)
    said = {one.id: dice.choice((True, True, True, False, None)) for one in capabilities}
    return Provider(
        f"provider-{number:03}",
        f"Provider {number}",
        "hosted",
        "https://example.org/docs",
        (PROTOCOLS[number % len(PROTOCOLS)],),
        {
            one.features[0]: Claim(offered, "https://example.org/docs", read)
            for one in capabilities
            if (offered := said[one.id]) is not None
        },
    )


def _refused(provider: Provider, capability: Capability) -> bool:
    claim = provider.claims.get(capability.features[0])
    return claim is not None and not claim.offered


def _exchange(provider: Provider, dice: random.Random) -> Exchange:
    answer = b"".join(
        b'data: {"choices":[{"index":0,"delta":{"content":"word %d <b>&amp;</b>"}}]}\n\n' % n
        for n in range(9)
    )
    return Exchange(
        f"{provider.id}/{provider.protocols[0]}/text_stream/1",
        Request(
            "POST",
            f"https://{provider.id}.example.org/v1/chat/completions",
            (("content-type", "application/json"), ("authorization", "[redacted]")),
            results.body(b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}'),
        ),
        Response(200, (("content-type", "text/event-stream"),), results.body(answer + b"data: [DONE]\n\n")),
        "recorded",
        TODAY - dt.timedelta(dice.choice((1, 12, 45, 120))),
        "the provider's endpoint",
        {"text": "word", "finish_reason": "stop", "usage": {"input": 3, "output": 9}},
    )


def _result(
    provider: Provider, check: Check, exchange: Exchange, troubled: bool, dice: random.Random
) -> Result:
    verdict: Verdict = "passed"
    if troubled:
        worse: tuple[Verdict, ...] = ("failed", "warned", "errored", "passed", "skipped")
        verdict = dice.choices(worse, (3, 3, 1, 8, 1))[0]
    origin: Origin = dice.choices(("recorded", "imported", "documented"), (90, 5, 5))[0]
    bad = verdict != "passed"
    return Result(
        subject="wirecheck",
        provider=provider.id,
        protocol=provider.protocols[0],
        scenario="text_stream",
        check=check.id,
        verdict=verdict,
        blame="provider" if verdict in ("failed", "warned") else "",
        reason="two finish reasons came where one was expected" if bad else "",
        expected="one finish reason" if bad else "",
        observed="stop, then stop" if bad else "",
        where="frames 7 and 9" if bad else "",
        origin=origin,
        date=exchange.date,
        exchanges=(exchange.id,),
    )


def _timed(work: Callable[[], _T]) -> tuple[_T, float, float]:
    """What ``work`` gives, with milliseconds of the processor and on the wall."""
    wall, processor = perf_counter(), process_time()
    value = work()
    return value, (process_time() - processor) * 1000, (perf_counter() - wall) * 1000


def _page(path: Path) -> dict[str, float]:
    """Figures of reading a result file and rendering its page, without anything else in the process."""
    run, read_ms, _ = _timed(lambda: results.read(path))
    table, build_ms, _ = _timed(lambda: matrix.build(run))
    size_mb, first_ms, _ = _timed(lambda: len(render.html(table)) / 1e6)
    peak_mb = _peak_mb()
    again = [_timed(lambda: len(render.html(table))) for _ in range(3)]
    return {
        "read_ms": read_ms,
        "build_ms": build_ms,
        "first_ms": first_ms,
        "page_ms": min(spent for _, spent, _ in again),
        "wall_ms": min(spent for *_, spent in again),
        "size_mb": size_mb,
        "peak_mb": peak_mb,
    }


def _report(path: Path, out: Path) -> dict[str, float]:
    """Figures of ``wirecheck report``: every file, published."""
    _, spent_ms, _ = _timed(lambda: offline.pages(path, out))
    sizes = [file.stat().st_size for file in out.rglob("*") if file.is_file()]
    return {
        "report_ms": spent_ms,
        "files": len(sizes),
        "files_mb": sum(sizes) / 1e6,
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _fresh(*arguments: str) -> dict[str, float]:
    """What this script prints in a process of its own."""
    told = subprocess.run(
        [sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    figures: dict[str, float] = json.loads(told)
    return figures


def measured(size: Size, out: Path) -> Iterator[Line]:
    """The lines of one matrix, whose report goes to ``out``."""
    name = f"{size.rows}x{size.columns}"
    with tempfile.TemporaryDirectory() as spare:
        path = Path(spare) / "results.jsonl"
        _fresh("--make", str(path), *map(str, size[:3]))
        yield Line(f"{name}: the result file", path.stat().st_size / 1e6, unit=" MB")
        page = _fresh("--page", str(path))
        yield Line(f"{name}: reading it", page["read_ms"], unit=" ms")
        yield Line(f"{name}: building the matrix", page["build_ms"], unit=" ms")
        yield Line(f"{name}: rendering the page", page["page_ms"], size.page_ms, unit=" ms")
        yield Line(f"{name}: the same on the wall", page["wall_ms"], unit=" ms")
        yield Line(f"{name}: the first page, templates not compiled", page["first_ms"], unit=" ms")
        yield Line(f"{name}: the page", page["size_mb"], unit=" MB")
        yield Line(
            f"{name}: peak of a process that renders the page", page["peak_mb"], size.peak_mb, unit=" MB"
        )
        whole = _fresh("--report", str(path), str(out))
    yield Line(f"{name}: wirecheck report", whole["report_ms"], unit=" ms")
    yield Line(f"{name}: its {whole['files']} files", whole["files_mb"], unit=" MB")
    yield Line(
        f"{name}: peak of a process that makes the whole report", whole["peak_mb"], size.peak_mb, unit=" MB"
    )


def _lines(kept: Path | None) -> Iterator[Line]:
    for size in SIZES:
        with tempfile.TemporaryDirectory() as spare:
            yield from measured(size, kept if kept and size is SIZES[0] else Path(spare) / "report")


def main() -> int:
    """Print the figures; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, help="where the report of the first matrix is kept")
    parser.add_argument("--make", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--page", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--report", nargs=2, type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.make:
        path, *size = asked.make
        results.write(path, synthetic(*map(int, size)))
        print("{}")
    elif asked.page:
        print(json.dumps(_page(asked.page)))
    elif asked.report:
        print(json.dumps(_report(*asked.report)))
    else:
        return report(_lines(asked.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
