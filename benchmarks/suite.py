"""What a cell costs, beside a trivial pytest test; and how long a contributor and the offline suite wait.

The first part makes 6,000 cells out of one observation and a check that finds nothing, and 6,000 tests
``def test_i(): pass``; both run in this environment, the tests without our plugin. The second part changes a
decoder and asks for one provider's verdict, as its author does. The third runs the offline suite of a few
providers and of all, in one process and in two, and makes the matrix of it, alone and against the baseline.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

from measure import ROOT, Line, report

CELLS = 6_000
_PLAIN = ("-q", "-q", "--tb=no", "-p", "no:cacheprovider", "--import-mode=importlib")

# A plugin that puts the same empty check in place of every cell's observation and check.
_EMPTY = f"""
from harness import plugin
from harness.stage import Stage

class Empty(Stage):
    def cases(self, provider):
        first = next(super().cases(provider))
        super().observation(first)
        for number in range({CELLS}):
            yield first

    def fresh(self, case):
        return ()

plugin.Stage = Empty
plugin.judge = lambda check, seen: plugin.Judged(verdict="passed")
"""

# A plugin that makes the decoder of chat completions tell a wrong finish reason.
_CHANGED = """
from providers.protocols.openai_completions import answer

told = answer._Answer._finish

def changed(self, choice, raw, events):
    told(self, choice, raw and raw + "x", events)

answer._Answer._finish = changed
"""


class Ran(NamedTuple):
    """One run of pytest: seconds, the largest process in MB, and its exit code."""

    seconds: float
    peak_mb: float
    code: int


def ran(arguments: Sequence[str], folder: Path, module: str = "pytest") -> Ran:
    """Run ``module`` with ``arguments`` in ``folder``; its own children count for the peak."""
    environ = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", module, *arguments]
    start = perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ran(perf_counter() - start, used.ru_maxrss / 1024, process.returncode)


def told(path: Path) -> int:
    """How many results a file tells in its last line. It is not held: the largest size of a child counts
    from that of the process that starts it."""
    with path.open("rb") as file:
        file.seek(-4096, os.SEEK_END)
        return int(json.loads(file.read().splitlines()[-1])["results"])


def empty_lines(rounds: int) -> Iterator[Line]:
    """Empty cells beside trivial tests, whole runs and without the start of pytest."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "empty_cells.py").write_text(_EMPTY)
        tests = "".join(f"def test_{number}(): pass\n" for number in range(CELLS))
        (folder / "test_trivial.py").write_text(tests)
        trivial = [*_PLAIN, "test_trivial.py"]
        cells = [*_PLAIN, "-p", "harness.plugin", "-p", "empty_cells", "--provider=groq"]
        cells += ["-p", "no:xdist"]
        theirs, ours = [], []
        for _ in range(rounds):
            theirs.append(ran([*trivial, "-p", "no:xdist"], folder))
            ours.append(ran(cells, folder))
        assert all(each.code == 0 for each in (*theirs, *ours)), (theirs, ours)
        yield Line(
            f"{CELLS} empty cells, of as many trivial tests",
            median(each.seconds for each in ours) / median(each.seconds for each in theirs),
            1.2,
        )
        yield Line("one trivial test", median(each.seconds for each in theirs) / CELLS * 1e6, unit="µs")
        yield Line("one empty cell", median(each.seconds for each in ours) / CELLS * 1e6, unit="µs")


def loop_lines(rounds: int) -> Iterator[Line]:
    """From a changed decoder to the verdict: the offline suite of one provider, which finds the change."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "changed_decoder.py").write_text(_CHANGED)
        ours = [*_PLAIN, "-p", "harness.plugin", "--provider=groq"]
        runs = [ran([*ours, "-p", "changed_decoder"], folder) for _ in range(rounds)]
        kept = ran(ours, folder)
        assert {each.code for each in runs} == {1}, runs
        assert kept.code == 0, kept
        yield Line(
            "a changed decoder, --provider groq: to the verdict",
            median(r.seconds for r in runs),
            10,
            unit="s",
        )
        yield Line("the same, largest process", max(r.peak_mb for r in runs), unit="MB")


def suite_lines(trivial_us: float) -> Iterator[Line]:
    """The offline suite of some providers and of all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n")
        grown: list[tuple[int, float]] = []
        for label, globs, processes in (
            ("providers a* to d*", ("[a-d]*",), 0),
            ("all providers", ("*",), 0),
            ("all providers, -n 2", ("*",), 2),
        ):
            path = folder / "results.jsonl"
            arguments = [*_PLAIN, "-p", "harness.plugin", f"--results={path}"]
            arguments += [f"--provider={glob}" for glob in globs]
            arguments += ["-n", str(processes)] if processes else []
            run = ran(arguments, folder)
            count = told(path)
            yield Line(f"suite, {label}: cells", count, unit="")
            yield Line(f"suite, {label}: time", run.seconds, unit="s")
            yield Line(f"suite, {label}: a cell", run.seconds / count * 1000, unit="ms")
            most = 4 if label == "all providers" else None
            yield Line(
                f"suite, {label}: of as many trivial tests", run.seconds / count * 1e6 / trivial_us, most
            )
            yield Line(f"suite, {label}: largest process", run.peak_mb, 300 if most else None, unit="MB")
            grown += [] if processes else [(count, run.peak_mb)]
        (few, small), (many, large) = grown
        yield Line("suite: memory of one more cell", (large - small) / (many - few) * 1024, unit="KB")


def matrix_lines() -> Iterator[Line]:
    """The run of every provider and its pages, in one process; ``make matrix`` compares with the baseline."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label, more in (("", ()), (" --against", ("--against", f"{ROOT / 'reports' / 'data'}"))):
            run = ran(["matrix", "--out", str(folder / "matrix"), *more], folder, "harness")
            assert run.code in (0, 1), run  # 1 tells a change, or one of Python's own; the results tell which
            assert told(folder / "matrix" / "results.jsonl"), run
            yield Line(f"wirecheck matrix{label}: time", run.seconds, unit="s")
            yield Line(f"wirecheck matrix{label}: largest process", run.peak_mb, 300, unit="MB")


def lines(rounds: int, whole: bool) -> Iterator[Line]:
    """All lines."""
    trivial_us = 0.0
    for line in empty_lines(rounds):
        trivial_us = line.figure if line.name == "one trivial test" else trivial_us
        yield line
    yield from loop_lines(rounds)
    if whole:
        yield from suite_lines(trivial_us)
        yield from matrix_lines()


def main() -> int:
    """Print the lines; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="runs of each kind (default 3)")
    parser.add_argument("--empty-only", action="store_true", help="leave the offline suite out")
    chosen = parser.parse_args()
    return report(lines(chosen.rounds, not chosen.empty_only))


if __name__ == "__main__":
    sys.exit(main())
