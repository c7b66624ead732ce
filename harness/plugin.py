"""The pytest plugin: checks × providers × scenarios to items to results. No requirement of its own.

Loaded by name (``-p harness.plugin``, or ``wirecheck run``). Cells are items beside the ordinary tests; as
soon as cells are selected (``--provider``, ``--protocol``, ``--scenario``, ``--check``, ``--live``), they
alone are collected. Under xdist the workers judge, and the controller writes one result file, the same as
without.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness import evidence
from harness.checks import CHECKS
from harness.errors import RecordingError, UnmatchedRequest
from harness.exchange import FIXTURES
from harness.judging import Judged, judge
from harness.live import LiveStage
from harness.selection import Selection
from harness.stage import Case, Stage
from providers import schema
from providers.errors import Explained, MissingCredential
from reports import files, results
from reports.errors import ReportError

_KEY = pytest.StashKey["Conformance"]()
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(results.Result).decode
_decode_exchange = msgspec.json.Decoder(results.Exchange).decode


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of a conformance run."""
    group = parser.getgroup("wirecheck", "conformance of LLM providers")
    for name, what in (
        ("provider", "id or alias"),
        ("protocol", "name"),
        ("scenario", "name"),
        ("check", "id"),
    ):
        group.addoption(
            f"--{name}",
            action="append",
            default=[],
            metavar="GLOB",
            help=f"only cells whose {name} {what} matches; may be repeated",
        )
    group.addoption("--live", action="store_true", help="talk to the real providers instead of replaying")
    group.addoption("--model", help="with --live: this model instead of the catalog's first")
    group.addoption("--api-key", help="with --live: this key instead of the provider's variables")
    group.addoption("--base-url", help="with --live: this base URL instead of the catalog's")
    group.addoption(
        "--exchanges", type=Path, default=FIXTURES, metavar="DIR", help="replay the exchanges below DIR"
    )
    group.addoption("--results", type=Path, metavar="FILE", help="write the results to FILE (JSON Lines)")


def pytest_configure(config: pytest.Config) -> None:
    """Read the options. Raises UsageError for a name nobody has and a file that cannot be written."""
    option = config.option
    selection = Selection(
        providers=tuple(option.provider),
        protocols=tuple(option.protocol),
        scenarios=tuple(option.scenario),
        checks=tuple(option.check),
    )
    try:
        config.stash[_KEY] = Conformance(config, selection)
    except (Explained, ReportError) as fault:
        raise pytest.UsageError(str(fault)) from None
    config.pluginmanager.register(config.stash[_KEY], "wirecheck-conformance")


class Conformance:
    """One run: what was selected, who makes the observations, and what was found."""

    def __init__(self, config: pytest.Config, selection: Selection) -> None:
        option = config.option
        self._config = config
        self._selection = selection
        self._live: bool = option.live
        self._only_cells = bool(selection) or self._live
        self._controls = not hasattr(config, "workerinput")
        self._path: Path | None = option.results if self._controls else None
        selection.verify()
        catalog = schema.all()
        self._providers = selection.chosen(catalog)
        self._stage: Stage | LiveStage = (
            LiveStage(os.environ, key=option.api_key, model=option.model, base_url=option.base_url)
            if self._live
            else Stage(catalog, option.exchanges)
        )
        self._results: list[results.Result] = []
        self._fresh: dict[str, results.Exchange] = {}
        if self._path is not None:
            files.writable(self._path)

    @property
    def wanted(self) -> bool:
        """Whether cells are collected: always, but when a path of ordinary tests was named."""
        named = self._config.args_source is pytest.Config.ArgsSource.ARGS
        return self._only_cells or not named or self._config.option.results is not None

    @pytest.hookimpl
    def pytest_ignore_collect(self) -> bool | None:
        """Leave the ordinary tests out once cells were selected."""
        return True if self._only_cells else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add the cells."""
        if self.wanted:
            items.extend(self._cells(session))

    def _cells(self, session: pytest.Session) -> Iterator[Cell]:
        for provider in self._providers:
            for case in self._stage.cases(provider):
                if self._selection.takes(case.protocol, case.scenario, case.check):
                    yield Cell.from_parent(
                        session, name=case.id, nodeid=case.id, case=case, stage=self._stage
                    )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put a cell's result on its report, so that it travels from a worker to the controller."""
        report = yield
        if isinstance(item, Cell) and report.when == "call" and item.result is not None:
            report.__dict__["wirecheck"] = _encode(item.result).decode()
            report.__dict__["wirecheck_fresh"] = [_encode(each).decode() for each in item.fresh]
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what was found (in the controller, or the only process)."""
        told = getattr(report, "wirecheck", None)
        if told is not None and self._controls:
            self._results.append(_decode(told))
            for text in getattr(report, "wirecheck_fresh", ()):
                fresh = _decode_exchange(text)
                self._fresh[fresh.id] = fresh

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """A broken SHOULD is told as ``warned``, and is not red."""
        if report.when == "call" and '"verdict":"warned"' in getattr(report, "wirecheck", ""):
            return "warned", "w", "WARNED"
        return None

    def pytest_sessionfinish(self) -> None:
        """Write the results."""
        if self._path is None:
            return
        run = results.Run(
            evidence.header(self._providers, self._selection.as_mapping()),
            tuple(self._exchanges()),
            tuple(self._results),
        )
        try:
            results.write(self._path, run)
        except ReportError as fault:
            raise pytest.UsageError(str(fault)) from None

    def _exchanges(self) -> Iterator[results.Exchange]:
        yield from self._fresh.values()
        if isinstance(self._stage, Stage):
            named = {each.exchanges[0]: each for each in self._results if each.exchanges}
            for each in named.values():
                yield self._stage.evidence(Case(each.provider, each.protocol, each.scenario, "", each.check))


class Cell(pytest.Item):
    """One check on one observation."""

    def __init__(self, *, case: Case, stage: Stage | LiveStage, **more: Any) -> None:
        super().__init__(**more)
        self.case = case
        self._stage = stage
        self.result: results.Result | None = None
        self.fresh: tuple[results.Exchange, ...] = ()

    def runtest(self) -> None:
        """Judge, and say it in pytest's words: a pass, a failure, a skip."""
        judged = self._judged()
        if judged.verdict == "skipped":
            pytest.skip(judged.reason)
        if judged.verdict in ("failed", "errored"):
            raise _Red(judged)

    def _judged(self) -> Judged:
        case = self.case
        try:
            seen = self._stage.observation(case)
            judged = judge(CHECKS[case.check], seen)
            self.result = evidence.result(seen, case.check, judged)
            self.fresh = self._stage.fresh(case)
            return judged
        except MissingCredential as missing:
            judged = Judged(verdict="skipped", reason=f"no key: looked for {', '.join(missing.looked_for)}")
        except (UnmatchedRequest, RecordingError) as fault:
            judged = Judged(verdict="errored", blame="harness", reason=str(fault))
        except Exception as fault:  # ours, whatever it is: the check could not judge
            judged = Judged(verdict="errored", blame="harness", reason=f"{type(fault).__name__}: {fault}")
        self.result = evidence.unseen(
            case.provider, case.protocol, case.scenario, case.fault, case.check, judged
        )
        return judged

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """The requirement, and what was found instead."""
        if not isinstance(excinfo.value, _Red):
            return str(super().repr_failure(excinfo))
        check, judged = CHECKS[self.case.check], excinfo.value.judged
        lines = [
            check.requirement,
            f"  {judged.verdict}, blame {judged.blame}: {judged.reason}",
            f"  {check.source}",
        ]
        return "\n".join(lines)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it stands: nowhere in a file; its name is its id."""
        return self.path, None, self.name


class _Red(Exception):
    def __init__(self, judged: Judged) -> None:
        self.judged = judged
        super().__init__(judged.reason)
