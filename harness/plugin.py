"""The pytest plugin: checks × providers × scenarios to items to results. No requirement of its own.

Loaded by name (``-p harness.plugin``, or ``wirecheck run``). Cells are items beside the ordinary tests; as
soon as cells are selected (``--provider``, ``--protocol``, ``--scenario``, ``--check``, ``--live``), or the
configuration says ``wirecheck_only_cells``, they alone are collected. Under xdist the workers judge, and the
controller writes one result file, the same as without.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from harness import configuration, evidence, given, live_session
from harness.checks import CHECKS
from harness.checks.registry import selects
from harness.errors import NotAsked, OutOfBudget, RecordingError, UnmatchedRequest, UnusableInput, told_of
from harness.judging import Judged, judge
from harness.light_item import LightItem
from harness.live import LiveStage
from harness.live_items import PROBE, Probe
from harness.live_session import LiveSession
from harness.redaction import redacted_log
from harness.remnants import untold, without_remnants
from harness.repeats import FLAKY, folded
from harness.selection import Selection
from harness.sharding import Sharding, add_options
from harness.stage import Case, Stage
from harness.tracebacks import Tracebacks, credentials_of
from providers import custom, endings, extensions
from providers.errors import (
    ConfigurationError,
    Explained,
    MissingCredential,
    UnsupportedFeature,
    UnusableExtension,
)
from providers.schema import Catalog, Provider
from reports import escaping, files, matrix, results
from reports.errors import ReportError
from reports.spool import Spool

_KEY = pytest.StashKey["Conformance"]()


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
            type=given.text,
            default=[],
            metavar="GLOB",
            help=f"only cells whose {name} {what} matches; may be repeated",
        )
    live_session.add_options(group)
    group.addoption(
        "--catalog",
        action="append",
        type=given.path,
        default=[],
        metavar="DIR",
        help="also read the catalog files in DIR",
    )
    group.addoption(
        "--exchanges", type=given.path, metavar="DIR", help="replay the exchanges below DIR instead of ours"
    )
    group.addoption(
        "--results", type=given.path, metavar="FILE", help="write the results to FILE (JSON Lines)"
    )
    add_options(group)
    parser.addini("wirecheck_only_cells", "collect cells and no ordinary tests", type="bool", default=False)


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
    config.stash[_KEY].register()


class Conformance:
    """One run: what was selected, who makes the observations, and what was found."""

    def __init__(self, config: pytest.Config, selection: Selection) -> None:
        option = config.option
        self._config = config
        self._selection = selection
        # A base URL, a protocol and a model describe an endpoint that no file does: it is asked, live.
        self._described = bool(option.base_url and option.model and option.protocol)
        self._live: bool = option.live or self._described
        self._only_cells = bool(selection) or self._live or config.getini("wirecheck_only_cells")
        self._controls = not hasattr(config, "workerinput")
        self._path: Path | None = option.results if self._controls else None
        for name in ("record", "resume", "drift", "probe", "dialect", "budget"):
            if getattr(option, name) not in (None, False) and not self._live:
                raise pytest.UsageError(f"--{name} needs --live")
        if option.base_url and not self._live:
            missing = [f"--{name}" for name in ("protocol", "model") if not getattr(option, name)]
            needs = f"--base-url needs {' and '.join(missing)} to describe an endpoint"
            raise pytest.UsageError(f"{needs}, or --live and one --provider")
        selection.verify()
        self._sharding = Sharding(option, controls=self._controls)
        configured = configuration.read(config.invocation_params.dir, option.catalog, option.exchanges)
        catalog = configured.catalog
        self._stale_after_days = configured.stale_after_days
        self._faults = (*catalog.faults, *extensions.faults())
        self._providers = (self._custom(),) if self._described else self._chosen(catalog)
        alone = len(self._providers) == 1
        known = frozenset(each.id for each in (*catalog, *self._providers))
        option.undeclared = option.undeclared or self._described  # nobody claimed anything of it
        self._session = LiveSession(config, configured, alone=alone, known=known) if self._live else None
        if option.base_url:
            self._verify_base_url(option.base_url)
        self._stage: Stage | LiveStage = (
            self._session.stage if self._session else Stage(catalog, configured.exchanges)
        )
        self._secrets = tuple(self._credentials()) if self._live else ()
        self._spool = Spool()
        self._shown: set[str] = set()
        config.add_cleanup(self._spool.close)
        listed = {*getattr(option, "reportchars", "")}
        told = listed & _LISTING["passed"] or option.durations is not None
        self._forgets = self._only_cells and not told  # nobody lists passes at the end
        self._forgotten = [each for each in _LISTING if self._forgets and not listed & _LISTING[each]]
        self._kept: dict[str, pytest.TestReport] = {}
        self._terminal: Any = None
        self._unwritten = ""
        if self._path is not None:
            files.writable(self._path)

    def register(self) -> None:
        """Let pytest know of this run, and of what surrounds it when it is live."""
        self._config.pluginmanager.register(self, "wirecheck-conformance")
        if self._session is not None:
            self._config.pluginmanager.register(self._session, "wirecheck-live")
            told = Tracebacks(self._known)
            self._config.pluginmanager.register(told, "wirecheck-tracebacks")

    def _custom(self) -> Provider:
        option = self._config.option
        for name in ("provider", "protocol"):
            told = getattr(option, name)
            if len(told) > 1:
                raise pytest.UsageError(
                    f"--base-url with --protocol and --model describes one endpoint; expected: one --{name}; "
                    f"seen: {', '.join(told)}"
                )
        names = option.provider or ["custom"]
        return custom.provider(option.base_url, option.protocol[0], option.model, id=names[0])

    def _verify_base_url(self, base_url: str) -> None:
        """Raise ConfigurationError for one that ends in the path of a protocol that is asked there."""
        for declared in self._providers[0].endpoints:
            appended = declared.path is None and not declared.base_url_form
            if appended and selects(self._selection.protocols, declared.protocol):
                endings.verify(base_url, declared.protocol)

    def _chosen(self, catalog: Catalog) -> tuple[Provider, ...]:
        try:
            return self._selection.chosen(catalog)
        except UnusableInput as unknown:
            told = "; ".join(str(fault) for fault in self._faults)
            raise UnusableInput(f"{unknown}; {told}" if told else str(unknown)) from None

    def _credentials(self) -> Iterator[str]:
        if self._config.option.api_key:
            yield self._config.option.api_key
        for provider in self._providers:
            for auth in (provider.auth, *(each.auth for each in provider.endpoints if each.auth)):
                yield from (os.environ[name] for name in auth.env if os.environ.get(name))

    def _known(self) -> Iterator[str]:
        """Every credential that the run can have seen."""
        yield from self._secrets
        yield from credentials_of(os.environ)
        if isinstance(self._stage, LiveStage):
            yield from self._stage.secrets

    @property
    def _named(self) -> list[Path]:
        """The files and folders that pytest was asked to collect."""
        start = self._config.invocation_params.dir
        return [(start / argument.split("::")[0]).resolve() for argument in self._config.args]

    @property
    def wanted(self) -> bool:
        """Whether cells are collected: always, but when a path of ordinary tests was named."""
        named = self._config.args_source is pytest.Config.ArgsSource.ARGS
        return self._only_cells or not named or self._config.option.results is not None

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave the ordinary tests out once cells were selected; pytest wants to find what was named."""
        if not self._only_cells:
            return None
        return None if any(place.is_relative_to(collection_path) for place in self._named) else True

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell the live session what is going to be asked."""
        if self._session is not None:
            self._plan(item.case for item in session.items if isinstance(item, Cell | Probe))

    def _plan(self, cases: Iterable[Case]) -> None:
        assert self._session is not None
        try:
            self._session.planned(cases)
            self._session.begin(self._header())
        except (Explained, ReportError) as fault:
            raise pytest.UsageError(str(fault)) from None

    def _header(self) -> results.Header:
        """What this run is about, for the result file. A live one has a time."""
        if not self._sharding.planned:  # workers collect
            self._sharding.plan(self._cases(), self._selection.as_mapping())
        selection = {**self._selection.as_mapping(), **self._sharding.selection}
        header = evidence.header(self._providers, selection)
        started = datetime.now(UTC).replace(microsecond=0) if self._live else None
        return msgspec.structs.replace(header, started=started, stale_after_days=self._stale_after_days)

    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add the cells: after pytest sorted what has fixtures, before it deselects (``-k``)."""
        if self._only_cells:
            items.clear()
        if self.wanted:
            try:
                cells = list(self._cells(session))
                self._sharding.plan((each.case for each in cells), self._selection.as_mapping())
                cells = self._sharding.mine(cells)
            except Explained as fault:  # a fixture or another package's row that cannot be used
                raise pytest.UsageError(str(fault)) from None
            items.extend(cells)
            found = pytest.CollectReport("", "passed", None, [*cells])  # so that pytest counts them
            session.config.hook.pytest_collectreport(report=found)

    def _cells(self, session: pytest.Session) -> Iterator[Cell | Probe]:
        for case in self._cases():
            if case.check == PROBE:
                named = {"name": case.id, "nodeid": case.id, "case": case}
                yield Probe.from_parent(session, live=self._session, **named)
            else:
                yield Cell.from_parent(session, case=case)

    def _cases(self) -> Iterator[Case]:
        """Every case that was selected."""
        for provider in self._providers:
            probes = self._session is not None and self._config.option.probe
            found = (
                self._session.probes(provider) if self._session and probes else self._stage.cases(provider)
            )
            for case in found:
                if self._selection.takes(case.protocol, case.scenario, case.check):
                    yield case

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Judge a cell. It has no fixtures: nothing is set up or torn down, and one report tells all."""
        if not isinstance(item, Cell):
            return None
        hook, location = item.ihook, item.location
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=location)
        start = time.time()
        standing = self._session.standing(item.case) if self._session else None
        found, fresh = standing or self._untold(*item.judged())
        report = _report(item, found, start, time.time())
        if self._config.option.results is not None or self._live:
            self._keep_or_send(report, found, fresh)
        if self._is_stale(found):
            report.__dict__["wirecheck_stale"] = True
        if self._session is not None:
            self._session.tell_differences(report, item.case)
        hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=location)
        return True

    def _is_stale(self, found: results.Result) -> bool:
        """Whether a pass rests on an answer that was seen too long ago."""
        if found.verdict != "passed" or found.origin not in ("recorded", "imported") or found.date is None:
            return False
        return matrix.age([found.date], datetime.now(UTC).date(), self._stale_after_days) == "stale"

    def _untold(
        self, found: results.Result, fresh: tuple[results.Exchange, ...]
    ) -> tuple[results.Result, tuple[results.Exchange, ...]]:
        """The same without credentials and accounts, which a real answer may repeat."""
        if not isinstance(self._stage, LiveStage):
            return found, fresh
        secrets = {*self._secrets, *self._stage.secrets}
        first, *others = (untold(results.json_line(each).decode(), secrets) for each in (found, *fresh))
        return _read(first, others)

    def _keep_or_send(
        self, report: pytest.TestReport, found: results.Result, fresh: Iterable[results.Exchange]
    ) -> None:
        """Keep a result; a worker puts it on the report, which travels to the controller."""
        if self._controls:
            self._keep(found, fresh)
        else:
            report.__dict__["wirecheck"] = [results.json_line(each).decode() for each in (found, *fresh)]

    def _keep(self, found: results.Result, fresh: Iterable[results.Exchange]) -> None:
        fresh = tuple(fresh)
        try:
            self._spool.add(found)
            for each in fresh:
                if each.id not in self._shown:  # each cell of a scenario has it
                    self._spool.add_exchange(each)
                    self._shown.add(each.id)
        except ReportError as fault:
            pytest.exit(f"wirecheck: {fault}")
        if self._session is not None:
            self._session.keep(found, fresh)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a worker found, and how long it took."""
        if report.when == "call":
            self._sharding.took(report.nodeid, report.duration)
        told = report.__dict__.pop("wirecheck", None) if self._controls else None
        if told is not None:
            self._keep(*_read(told[0], told[1:]))
        self._forget(report)

    def _forget(self, report: pytest.TestReport) -> None:
        """Let go of a pass or skip that everybody was told of: the terminal keeps reports, and only counts
        these."""
        for kind in self._forgotten if self._terminal is not None else ():
            reports = self._terminal.stats.get(kind)
            if reports and reports[-1] is report:
                reports[-1] = self._kept.setdefault(kind, report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """A broken SHOULD is told as ``warned``, a pass on old evidence as ``stale``; neither is red."""
        call = report.when == "call"
        if call and hasattr(report, "wirecheck_warned"):
            return "warned", "w", "WARNED"
        if call and hasattr(report, "wirecheck_stale"):
            return "stale", "o", "STALE"
        # told here, a pass is not looked up in, and so added to, the table that pytest keeps of subtests
        return ("passed", ".", "PASSED") if self._forgets and call and report.passed else None

    def pytest_sessionstart(self) -> None:
        """Keep credentials out of every log record of a live run, whoever writes it at whatever level."""
        self._terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if self._forgets and hasattr(self._terminal, _REPORTED):
            setattr(self._terminal, _REPORTED, _Counted())
        self._make_record = logging.getLogRecordFactory()
        if isinstance(self._stage, LiveStage):
            logging.setLogRecordFactory(self._redacted_record)
        if self._session is not None and self._session.spreads:
            self._plan(self._cases())

    def _redacted_record(self, *args: Any, **more: Any) -> logging.LogRecord:
        record = self._make_record(*args, **more)
        assert isinstance(self._stage, LiveStage)
        said = record.getMessage()
        secrets = {*self._secrets, *self._stage.secrets}
        cleaned = without_remnants(redacted_log(said, secrets), secrets)
        if cleaned != said:
            record.msg, record.args = cleaned, ()
        return record

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell what the counts do not: stale evidence, unusable catalog files, results that were not
        written."""
        stale = len(terminalreporter.stats.get("stale", ()))
        if stale:
            passes = "1 pass rests" if stale == 1 else f"{stale} passes rest"
            terminalreporter.write_line(
                f"wirecheck: {passes} on stale evidence, seen more than {self._stale_after_days} days ago",
                yellow=True,
            )
        if self._unwritten:
            terminalreporter.write_line(self._unwritten, yellow=True)
        for fault in self._faults:
            kind = "PACKAGE" if isinstance(fault, UnusableExtension) else "CATALOG"
            terminalreporter.write_line(escaping.line(f"{kind} {fault}"), red=True)

    def _told_something(self, session: pytest.Session) -> bool:
        """Whether the run came to judge: no usage or internal error, no mere collection."""
        broken = session.exitstatus in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)
        return bool(self._spool or self._sharding) and not broken and not self._config.option.collectonly

    def _not_written(self) -> str:
        if self._path is None or self._config.option.collectonly:
            return ""
        left = "is as it was" if self._path.exists() else "was not written"
        return f"wirecheck: nothing was judged: {self._path.name} {left}"

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the results."""
        logging.setLogRecordFactory(self._make_record)
        if self._faults and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self._sharding and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK  # more shards than work: this one has none
        self._sharding.store()
        if self._path is None or not self._told_something(session):
            self._unwritten = self._not_written()
            return  # what is on disk is worth more than a run that judged nothing
        header = self._header()
        try:
            if self._session is None:
                self._spool.write(self._path, header)
            else:
                results.write(self._path, self._session.finish(self._spool.run(header)))
        except ReportError as fault:
            raise pytest.UsageError(str(fault)) from None
        if self._session is not None:
            self._session.written()


_LISTING = {"passed": {*"pPA"}, "skipped": {*"sSaA"}}  # pytest's -r that lists them at the end
_REPORTED = "_progress_nodeids_reported"


class _Counted(set[object]):
    """Stands for the set of ids by which the terminal tells how far it is: a cell is reported once."""

    _count = 0

    def add(self, element: object) -> None:
        self._count += 1

    def __len__(self) -> int:
        return self._count


class Cell(LightItem):
    """One check on one observation."""

    __slots__ = ()

    def runtest(self) -> None:
        """Judge; what comes of it is for whoever asks ``judged``."""
        self.judged()

    def judged(self) -> tuple[results.Result, tuple[results.Exchange, ...]]:
        """What the check finds, and the exchanges that nobody was told of before."""
        case = self.case
        stage = self.config.stash[_KEY]._stage
        try:
            rounds = stage.observations(case)
            judged = folded([judge(CHECKS[case.check], seen) for seen in rounds])
            return evidence.result(rounds[0], case.check, judged), stage.fresh(case)
        except MissingCredential as missing:
            judged = Judged(verdict="skipped", reason=f"no key: {missing.places}")
        except (UnsupportedFeature, OutOfBudget, NotAsked) as refused:  # nothing was asked
            judged = Judged(verdict="skipped", reason=str(refused))
        except ConfigurationError as fault:  # the operator's: nothing was asked
            judged = Judged(verdict="skipped", reason=f"not configured: {fault}")
        except (UnmatchedRequest, RecordingError) as fault:
            judged = Judged(verdict="errored", blame="harness", reason=str(fault))
        except (Exception, SystemExit) as fault:  # ours, or another package's protocol: nothing to judge
            judged = Judged(verdict="errored", blame="harness", reason=told_of(fault))
        return evidence.unseen(
            case.provider, case.protocol, case.scenario, case.fault, case.check, judged
        ), ()


_OUTCOMES: Mapping[str, Literal["passed", "failed", "skipped"]] = {
    "passed": "passed",
    "warned": "passed",
    "skipped": "skipped",
    "failed": "failed",
    "errored": "failed",
}


def _read(first: str, others: Iterable[str]) -> tuple[results.Result, tuple[results.Exchange, ...]]:
    """A result and its exchanges, as ``results.json_line`` wrote them."""
    return results.from_json(first, results.Result), tuple(
        results.from_json(each, results.Exchange) for each in others
    )


def _report(item: Cell, found: results.Result, start: float, stop: float) -> pytest.TestReport:
    """A result in pytest's words: a pass, a skip with its reason, or a failure with the requirement."""
    outcome = _OUTCOMES[found.verdict]
    told: str | tuple[str, int, str] | None = None
    if outcome == "failed":
        check = CHECKS[found.check]
        reason = escaping.log(found.reason)
        told = f"{check.requirement}\n  {found.verdict}, blame {found.blame}: {reason}\n  {check.source}"
    elif outcome == "skipped":
        told = (str(item.path), 0, f"Skipped: {escaping.log(found.reason)}")
    report = pytest.TestReport(
        item.nodeid, item.location, {}, outcome, told, "call", (), stop - start, start, stop
    )
    if found.verdict == "warned":
        flaky = found.reason.startswith(FLAKY)
        report.__dict__["wirecheck_flaky" if flaky else "wirecheck_warned"] = True
    return report
