"""A bar a provider while a live run goes on. Shows on a terminal; counts nothing that is reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class _Writing:
    """A file for rich that hands its text on."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def write(self, text: str) -> int:
        self._write(text)
        return len(text)

    def flush(self) -> None:
        """What is written is handed on at once."""

    def isatty(self) -> bool:
        return True


class Bars:
    """The bars. ``write`` puts text on the terminal at once; ``width`` is the terminal's, in columns."""

    def __init__(self, write: Callable[[str], None], width: int, totals: Mapping[str, int]) -> None:
        console = Console(file=_Writing(write), force_terminal=True, width=width)  # type: ignore[arg-type]
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
            console=console,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._tasks: dict[str, TaskID] = {}
        self._counts: dict[str, Counter[str]] = {}
        for provider, total in sorted(totals.items()):
            self._tasks[provider] = self._progress.add_task(provider, total=total, told="")
        self._progress.start()

    def advance(self, provider: str, verdict: str) -> None:
        """One more cell of a provider is judged."""
        counts = self._counts.setdefault(provider, Counter())
        counts[verdict] += 1
        told = " ".join(f"{count} {name}" for name, count in sorted(counts.items()))
        if provider in self._tasks:
            self._progress.update(self._tasks[provider], advance=1, told=told)

    def stop(self) -> None:
        """Leave the bars as they are."""
        self._progress.stop()
