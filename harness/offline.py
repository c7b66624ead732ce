"""``wirecheck run`` and ``wirecheck matrix``: pytest with the plugin loaded, and the pages of what it found.

pytest is given a configuration and a folder of its own, so that nothing of the project in whose folder the
command is typed is collected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from reports import baseline as baselines
from reports import escaping, files, render, results
from reports.errors import EmptyReport

_HERE = Path(__file__).parent
_OURS = ("-p", "harness.plugin", "-p", "no:cacheprovider", "-c", str(_HERE / "pytest.ini"))


class Made(msgspec.Struct, frozen=True):
    """What ``matrix`` made: the page to open, a summary for people, and the exit code."""

    page: Path
    summary: str
    exit_code: int


def run_pytest(arguments: Sequence[str], plugins: Sequence[object] = ()) -> int:
    """Run the cells that ``arguments`` select; pytest's exit code."""
    return int(pytest.main([*_OURS, f"--rootdir={_HERE}", *arguments, str(_HERE)], [_Release(), *plugins]))


class _Release:
    """Lets go of the cells at the end of a run. They would stay: the modules that pytest's import hook loaded
    name it as their loader, and it knows the session by its configuration."""

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        session = config.pluginmanager.get_plugin("session")
        if session is not None:  # none was made after a usage error
            session.items.clear()


class _Bar:
    """A progress bar over the cells, in place of pytest's own report."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("checks"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
        )
        self._task = self._progress.add_task("checks", total=None)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if session.items:
            self._progress.update(self._task, total=len(session.items))
        self._progress.start()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: Sequence[str]) -> None:
        self._progress.update(self._task, total=len(ids))
        self._progress.start()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or (report.when == "setup" and report.skipped):
            self._progress.advance(self._task)

    def pytest_sessionfinish(self) -> None:
        self._progress.stop()


def matrix(
    out: Path,
    providers: tuple[str, ...],
    *,
    jobs: int,
    more: Sequence[str],
    console: Console,
    against: Path | None = None,
) -> Made:
    """Run the offline checks of ``providers`` (globs; none takes all); write pages and results to ``out``.

    ``more`` are further options of the plugin; ``against`` as in ``pages``.
    """
    path = out / "results.jsonl"
    files.writable(path)
    arguments = [f"--results={path}", "-p", "no:terminal", *more]
    arguments += [f"--provider={glob}" for glob in providers]
    arguments += [f"--numprocesses={jobs}"] if jobs > 1 else []
    code = run_pytest(arguments, [_Bar(console)])
    if code not in (0, 1):
        return Made(path, f"pytest ended with exit code {code}", 2)
    run = _judged(path)
    return Made(_pages(run, out, against), _summary(run), code)


def pages(path: Path, out: Path, against: Path | None = None) -> Path:
    """Write the matrix of the result file at ``path`` to ``out``; the page to open. It tells what changed
    since ``against``: a baseline's folder, or an older result file."""
    return _pages(_judged(path), out, against)


def _judged(path: Path) -> results.Run:
    """The run at ``path``, which holds results."""
    run = results.read(path)
    if not run.results:
        raise EmptyReport("the report holds no result", where=str(path), next_step="run the checks again")
    return run


def _pages(run: results.Run, out: Path, against: Path | None) -> Path:
    before = baselines.parts(against) if against else None
    render.write_site(run, out, before=before)
    return (out / "index.html").resolve()


def _summary(run: results.Run) -> str:
    verdicts = Counter(result.verdict for result in run.results)
    origins = Counter(result.origin or "no evidence" for result in run.results)
    lines = [
        f"{len(run.results)} checks of {len(run.header.providers)} providers: "
        + ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in results.VERDICTS if verdicts[verdict]),
        "evidence: " + ", ".join(f"{number} {origin}" for origin, number in sorted(origins.items())),
    ]
    red = [result for result in run.results if result.verdict in ("failed", "errored")]
    lines += [f"  {each.id}  blame {each.blame}: {escaping.log(each.reason)}" for each in red[:20]]
    lines += [f"  … and {len(red) - 20} more" for _ in red[20:21]]
    return "\n".join(lines)
