"""Tests of runs that are split over machines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.exchange import FIXTURES
from reports import results
from reports.errors import MixedVersions

pytest_plugins = "pytester"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project that loads the plugin and has a few exchanges of groq."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    for scenario in ("text", "text_stream", "tool_call", "error_401_bad_key"):
        place = Path("groq/openai-completions") / scenario
        shutil.copytree(FIXTURES / place, pytester.path / "exchanges" / place)
    pytester.makeini("[pytest]\naddopts = -p harness.plugin --exchanges=exchanges -p no:cacheprovider\n")
    return pytester


def _run(project: pytest.Pytester, name: str, *arguments: str) -> Path:
    told = project.runpytest_inprocess(
        "-q", "--provider=groq", "--check=[sw]*", f"--results={name}", *arguments
    )
    assert told.ret == 0
    return project.path / name


@pytest.mark.parametrize(
    "more", [(), ("--shard-durations=durations.json",)], ids=["by count", "by durations"]
)
def test_shards_merge_to_the_whole_run(project: pytest.Pytester, more: tuple[str, ...]) -> None:
    """The results of all shards, merged, are byte for byte those of one run; no shard has all of them."""
    whole = _run(project, "whole.jsonl", "--store-durations=durations.json")
    parts = [_run(project, f"{n}.jsonl", f"--shard={n}/3", *more) for n in (3, 1, 2)]
    runs = [results.read(part) for part in parts]
    assert results.lines(results.merge(runs)) == whole.read_bytes()
    assert all(0 < len(each.results) < len(results.read(whole).results) for each in runs)


def test_a_shard_is_the_same_on_a_worker(project: pytest.Pytester) -> None:
    """Under xdist, where workers judge, a shard holds the same results."""
    alone, spread = _run(project, "a.jsonl", "--shard=2/3"), _run(project, "b.jsonl", "--shard=2/3", "-n1")
    assert alone.read_bytes() == spread.read_bytes()


def test_a_shard_without_work_is_well(project: pytest.Pytester) -> None:
    """With more shards than scenarios the last ones are empty, finished and merge."""
    empty = results.read(_run(project, "empty.jsonl", "--shard=9/9"))
    assert (empty.results, empty.complete) == ((), True)
    (mark,) = empty.header.selection["shard"]
    assert results.shard_number(mark) == "9/9"


@pytest.mark.parametrize(
    "other", [("--shard-durations=slow.json",), ("--scenario=t*",)], ids=["balance", "selection"]
)
def test_parts_of_two_plans_do_not_merge(project: pytest.Pytester, other: tuple[str, ...]) -> None:
    """Halves of another balance, or of another selection, are refused rather than joined with holes."""
    (project.path / "slow.json").write_text(
        json.dumps(
            {
                "durations_ms": {
                    f"groq/openai-completions/{n}": ms for n, ms in (("text", 1e9), ("text_stream", 1))
                }
            }
        )
    )
    parts = _run(project, "1.jsonl", "--shard=1/2"), _run(project, "2.jsonl", "--shard=2/2", *other)
    with pytest.raises(MixedVersions, match="several splits"):
        results.merge(map(results.read, parts))


def test_durations_are_stored_by_scenario(project: pytest.Pytester) -> None:
    """A run writes how long each scenario took, faults included, and nothing of ordinary tests."""
    project.makepyfile(test_one="def test_a(): pass\n")
    project.runpytest_inprocess("-q", "--store-durations=d.json")
    stored = json.loads((project.path / "d.json").read_text())["durations_ms"]
    assert sorted(stored) == [
        f"groq/openai-completions/{name}"
        for name in ("error_401_bad_key", "text", "text_stream", "tool_call")
    ]
    assert all(number > 0 for number in stored.values())


@pytest.mark.parametrize("option", ["--shard=9/8", "--shard=x", "--shard-durations=nowhere.json"])
def test_an_unusable_option_is_a_usage_error(project: pytest.Pytester, option: str) -> None:
    """A shard that is none and durations that are not there end the run before it begins."""
    told = project.runpytest_inprocess("--provider=groq", option)
    assert told.ret == pytest.ExitCode.USAGE_ERROR
