"""What pytest prints of an error that nobody expected, in a live run: without credentials.

A traceback may show the arguments and the locals of every frame (``--showlocals``, ``--full-trace``), each
shortened in the middle. Registered beside a live session. The order of things on the terminal stays pytest's,
of which no more is used than documented hooks, ``ExceptionInfo.getrepr`` and what that returns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

import pytest

from harness.remnants import untold

_CREDENTIAL = re.compile(r"key|token|secret|passw|credential|authorization", re.IGNORECASE)


@runtime_checkable
class Printable(Protocol):
    """What pytest makes of an error: it prints itself, and is the text of that."""

    def toterminal(self, tw: Any) -> None:
        """Write to a terminal writer, which has ``line``."""


def credentials_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values of variables whose names say that they hold a credential: a local may show them."""
    return tuple(value for name, value in environ.items() if value and _CREDENTIAL.search(name))


class Tracebacks:
    """Redacts what is told of an error. ``secrets`` gives what is known at the time."""

    def __init__(self, secrets: Callable[[], Iterable[str]]) -> None:
        self._secrets = secrets

    def _clean(self, text: object) -> str:
        return untold(str(text), self._secrets())

    def _hush(self, told: Printable) -> None:
        """Make what is to be printed print itself redacted; pytest keeps the object."""
        text = self._clean(told)

        def toterminal(tw: Any) -> None:
            tw.line(text)

        vars(told)["toterminal"] = toterminal
        crash: Any = getattr(told, "reprcrash", None)
        if crash is not None:
            crash.message = self._clean(crash.message)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """An item's traceback and what it wrote."""
        report = yield
        if isinstance(report.longrepr, Printable):
            self._hush(report.longrepr)
        report.sections = [(name, self._clean(text)) for name, text in report.sections]
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: Printable) -> None:
        """An error outside of every item, which ends the run."""
        self._hush(excrepr)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """What everybody after this hears of where Ctrl-C met the run."""
        getrepr = excinfo.getrepr

        def hushed(*arguments: Any, **options: Any) -> Printable:
            told = getrepr(*arguments, **options)
            self._hush(told)
            return told

        vars(excinfo)["getrepr"] = hushed
