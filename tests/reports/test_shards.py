"""Splitting a run over machines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import results, shards
from reports.errors import EmptyReport, MixedVersions, ReportError, UnreadableReport
from tests.reports.samples import result, run

UNITS = st.dictionaries(st.text("abc/", min_size=1, max_size=5), st.integers(1, 50), max_size=30)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3/8", shards.Shard(3, 8)),
        ("1/1", shards.Shard(1, 1)),
        ("9/8", None),
        ("0/8", None),
        ("3", None),
        ("3/8/1", None),
        ("-1/8", None),
        ("1/99999", None),
        ("", None),
    ],
)
def test_a_shard_is_a_number_of_a_count(text: str, found: shards.Shard | None) -> None:
    """``3/8`` names a shard, counted from 1; what names none is None."""
    assert shards.shard(text) == found


@given(UNITS, st.integers(1, 9))
def test_every_unit_is_in_one_shard(units: dict[str, int], count: int) -> None:
    """Each unit is in one of the shards, and where it is does not depend on the order of units."""
    placed = shards.assign(units, {}, count)
    assert placed.keys() == units.keys()
    assert set(placed.values()) <= set(range(1, count + 1))
    assert placed == shards.assign(dict(reversed(units.items())), {}, count)


@given(UNITS, st.integers(1, 9))
def test_shards_are_balanced(units: dict[str, int], count: int) -> None:
    """No shard has more than the mean and one unit more."""
    loads = dict.fromkeys(range(1, count + 1), 0)
    for unit, number in shards.assign(units, {}, count).items():
        loads[number] += units[unit]
    assert max(loads.values()) <= sum(units.values()) / count + max(units.values(), default=0)


def test_durations_decide() -> None:
    """A unit that takes long has a shard of its own, however few cells it has; an unknown one counts."""
    units = {"slow": 1, "a": 30, "b": 30, "unknown": 30}
    placed = shards.assign(units, {"slow": 9000.0, "a": 3.0, "b": 3.0, "gone": 1e9}, 2)
    assert [unit for unit in units if placed[unit] == placed["slow"]] == ["slow"]


def test_durations_come_from_a_file_of_them_or_a_result_file(tmp_path: Path) -> None:
    """What was written is read back, and a result file's durations are added up by scenario."""
    written = shards.write_durations(tmp_path / "d.json", {"a/b/c": 12.34, "a/b/a": 1.0})
    assert shards.durations(written) == {"a/b/a": 1.0, "a/b/c": 12.3}
    timed = run(
        result("stream.order", duration_ms=5.0), result("tool.named", duration_ms=3.0), result("err.typed")
    )
    file = results.write(tmp_path / "r.jsonl", timed)
    assert shards.durations(file) == {"acme/openai-completions/text": 8.0}


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", EmptyReport),
        (b"[1, 2]", UnreadableReport),
        (b'{"durations_ms": {"a": "long"}}', UnreadableReport),
        (b'{"durations_ms": {"a": 1', UnreadableReport),
        (b"\xff\xfe", UnreadableReport),
        (b'{"kind":"header"', UnreadableReport),
    ],
)
def test_broken_durations_are_refused(tmp_path: Path, content: bytes, error: type[ReportError]) -> None:
    """A file of durations that is empty, cut or something else is told with its path."""
    path = tmp_path / "durations.json"
    path.write_bytes(content)
    with pytest.raises(error, match=r"durations\.json"):
        shards.durations(path)


def test_merging_all_shards_is_the_run() -> None:
    """All shards of a split make a run that is none; without one of them it says which it has."""
    parts = [run(selection={"shard": (f"{number}/3",)}) for number in (1, 2, 3)]
    assert results.merge(parts).header.selection == {}
    some = results.merge(parts[:2]).header.selection
    assert some == {"shard": ("1/3", "2/3")}
    assert results.missing_shards(some) == ("3/3",)
    assert results.merge([results.merge(parts[:2]), parts[2]]) == results.canonical(run())


@pytest.mark.parametrize("other", ["1/4", "x", "1/99999999999"])
def test_shards_of_two_splits_do_not_merge(other: str) -> None:
    """Parts of 3 and of 4 are no run, nor is a part whose name is none."""
    with pytest.raises(MixedVersions):
        results.merge([run(selection={"shard": ("2/3",)}), run(selection={"shard": (other,)})])


_PLANS = ("0" * 16, "f" * 16)


def test_shards_of_two_plans_do_not_merge() -> None:
    """Parts of as many shards, split by other durations or of another selection, are no run."""
    one, other = (run(selection={"shard": (f"{n}/2@{plan}",)}) for n, plan in enumerate(_PLANS, 1))
    with pytest.raises(MixedVersions) as refused:
        results.merge([one, other])
    assert (refused.value.summary, refused.value.seen) == (
        "shards of several splits",
        f"1/2@{_PLANS[0]}, 2/2@{_PLANS[1]}",
    )
    with pytest.raises(MixedVersions):
        results.merge([one, run(selection={"shard": ("2/2",)})])


def test_a_plan_is_gone_once_it_is_done() -> None:
    """What lacks names the number alone, and all parts of a plan are the run."""
    parts = [run(selection={"shard": (f"{number}/2@{_PLANS[0]}",)}) for number in (1, 2)]
    assert results.missing_shards(parts[0].header.selection) == ("2/2",)
    assert results.merge(parts) == results.canonical(run())


def test_some_shards_and_a_run_do_not_merge() -> None:
    """A whole run does not stand for the parts that lack; beside all of them it is welcome."""
    parts = [run(selection={"shard": (f"{number}/2",)}) for number in (1, 2)]
    with pytest.raises(MixedVersions):
        results.merge([parts[0], run()])
    assert results.merge([*parts, run()]).header.selection == {}
