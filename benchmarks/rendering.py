"""How long a report takes, and how large it gets: ``python -m benchmarks.rendering [folder]``.

Three matrices, rows by columns: 54x25 with 250 checks, 60x100, 1000x300. Reading and building are timed
apart from rendering; rendering is timed with the templates compiled, the first one alone without, by the
clock on the wall and by the processor's, which others on the machine do not disturb.
With a folder, the report of the first matrix is written there, to be looked at.
"""

from __future__ import annotations

import datetime as dt
import random
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import TypeVar

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


def timed(work: Callable[[], _T]) -> tuple[_T, float]:
    """What ``work`` returns, and the milliseconds it took."""
    start = perf_counter()
    value = work()
    return value, (perf_counter() - start) * 1000


def _rendered_ms(table: matrix.Matrix) -> tuple[float, float]:
    """Milliseconds on the wall and of the processor."""
    start = process_time()
    _, wall_ms = timed(lambda: render.html(table))
    return wall_ms, (process_time() - start) * 1000


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def measure(rows: int, columns: int, checks: int) -> str:
    """One line of figures."""
    run = synthetic(rows, columns, checks)
    content, writing_ms = timed(lambda: results.lines(run))
    size_mb, count = len(content) / 1e6, len(run.results)
    run, reading_ms = timed(lambda: results.parse(content))
    content = b""
    before_mib = _resident_mib()
    table, building_ms = timed(lambda: matrix.build(run))
    page, first_ms = timed(lambda: render.html(table))
    rendering_ms, working_ms = (
        min(spent) for spent in zip(*(_rendered_ms(table) for _ in range(3)), strict=True)
    )
    after_mib = _resident_mib()
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"{rows}x{columns}, {count} results, {size_mb:.1f} MB: "
        f"write {writing_ms:.0f} ms, read {reading_ms:.0f} ms, build {building_ms:.0f} ms, "
        f"page {rendering_ms:.0f} ms (processor {working_ms:.0f}, first {first_ms:.0f}), "
        f"{len(page) / 1e6:.2f} MB; "
        f"{before_mib:.0f} MiB with the run, {after_mib:.0f} after, {peak_mib:.0f} at most"
    )


def main(arguments: list[str]) -> None:
    """Print the figures."""
    for rows, columns, checks in ((54, 25, 250), (60, 100, 300), (1000, 300, 300)):
        print(measure(rows, columns, checks))
    run = synthetic(54, 25, 250)
    with tempfile.TemporaryDirectory() as spare:
        folder = Path(arguments[0]) if arguments else Path(spare)
        paths, writing_ms = timed(lambda: render.write_site(run, folder))
        size = sum(path.stat().st_size for path in paths)
        print(f"whole report of 54x25: {len(paths)} files, {size / 1e6:.1f} MB, {writing_ms:.0f} ms")


if __name__ == "__main__":
    main(sys.argv[1:])
