"""Results on their way to a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from reports import results
from reports.errors import DuplicateResult, UnknownReference, UnwritableReport
from reports.spool import Spool
from tests.reports.samples import exchange, result, run

PLACES = ("acme/a/1", "acme-b/a/1", "acme", "acme/a-b/1")  # as text, - comes before /


@pytest.fixture
def spool() -> Iterator[Spool]:
    """A spool that is closed in the end."""
    with closing(Spool()) as made:
        yield made


def _filled(spool: Spool, made: results.Run) -> Spool:
    for seen in made.exchanges:
        spool.add_exchange(seen)
    for found in made.results:
        spool.add(found)
    return spool


def test_a_spool_writes_what_the_run_is(tmp_path: Path, spool: Spool) -> None:
    """A spool writes the very bytes of the run in memory, in whatever order its parts came."""
    made = run(
        *(
            result(check, verdict, provider=provider, reason="\ud800")
            for provider, verdict in (("zeta", "failed"), ("acme", "passed"))
            for check in ("tool.named", "stream.order")
        ),
        exchanges=tuple(exchange(id) for id in PLACES),
    )
    path = _filled(spool, made).write(tmp_path / "out.jsonl", made.header)
    assert path.read_bytes() == results.lines(made)


def test_a_later_exchange_takes_the_place_of_an_earlier_one(tmp_path: Path, spool: Spool) -> None:
    """An exchange that two workers tell of is written once, as the last one told it."""
    made = run(result("stream.order"), exchanges=(exchange(answer="new"),))
    _filled(spool, run(exchanges=(exchange(answer="old"),)))
    spool.add_exchange(made.exchanges[0])
    spool.add(made.results[0])
    assert spool.write(tmp_path / "out.jsonl", made.header).read_bytes() == results.lines(made)
    assert results.lines(spool.run(made.header)) == results.lines(made)


@pytest.mark.parametrize(
    ("found", "error"),
    [
        pytest.param((result("stream.order"),) * 2, DuplicateResult, id="twice"),
        pytest.param((result("stream.order", exchanges=("gone",)),), UnknownReference, id="unknown"),
    ],
)
def test_a_broken_run_leaves_the_old_file(
    tmp_path: Path, spool: Spool, found: tuple[results.Result, ...], error: type[Exception]
) -> None:
    """A run that cannot be written leaves the earlier file, and nothing beside it."""
    path = tmp_path / "out.jsonl"
    path.write_text("old")
    made = run(*found)
    with pytest.raises(error):
        _filled(spool, made).write(path, made.header)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_spool_that_holds_a_result_is_true(spool: Spool) -> None:
    """An exchange alone is no finding."""
    spool.add_exchange(exchange())
    assert not spool
    spool.add(result("stream.order"))
    assert spool


def test_a_full_disk_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary file that cannot be made is reported as a file that cannot be written."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(UnwritableReport, match="cannot be kept"):
        Spool().add(result("stream.order"))


def test_reading_shares_equal_strings(tmp_path: Path) -> None:
    """Two results of a file that say the same say it with one string."""
    made = run(result("stream.order", reason="a reason"), result("tool.named", reason="a reason"))
    first, second = results.read(results.write(tmp_path / "out.jsonl", made)).results
    assert first.reason is second.reason
    assert first == replace(second, check="stream.order")
