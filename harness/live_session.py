"""What surrounds a live run: its options, the shared ledger, what is told before, while and after.

Registered by the plugin when ``--live`` is given. The controller makes the ledger's folder, and every xdist
worker is told of it; a scenario's cells stay on one worker, so that it is asked once. Asking is
``harness.live``'s, judging and the result file are the plugin's.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import tempfile
import threading
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from xdist.scheduler import LoadScopeScheduling

from harness import __version__, drift, given, resuming
from harness.budget import Amount, dollars
from harness.configuration import Configuration
from harness.dialects import homes
from harness.drift import Compared
from harness.errors import UnusableInput
from harness.evidence import SUBJECT
from harness.keys import Keys
from harness.ledger import Ledger
from harness.live import LiveStage, Probed, Recorded, Terms
from harness.pacing import paces
from harness.progress import Bars
from harness.redaction import SHORTEST
from harness.remnants import untold
from harness.resuming import Found
from harness.stage import Case
from harness.tally import Tally
from harness.transports.network import Limits, here
from providers.errors import ConfigurationError, MissingCredential
from providers.schema import Provider
from reports import escaping, files, results

_WORKER = "wirecheck_live"
PROBE = "probe"
PROBED = pytest.StashKey[Probed]()
_NEWS = "wirecheck_news"
_MEGABYTE = 1024 * 1024
_LARGEST_MB = 64.0  # an answer is held as bytes, frames and events: 12 to 17 times its size
_UNHURRIED = 1_000_000  # requests a minute: a server on this machine has nobody else to serve


def add_options(group: pytest.OptionGroup) -> None:
    """The options of a live run."""
    add = group.addoption
    add("--live", action="store_true", help="talk to the real providers instead of replaying")
    add(
        "--record",
        action="store_true",
        help="with --live: keep what was said as fixtures, below the folder of --exchanges",
    )
    add(
        "--model",
        type=given.text,
        help="with --live: this model instead of the cheapest that the catalog declares",
    )
    add(
        "--api-key",
        type=given.text,
        help="with --live and one --provider: this key instead of the provider's variables",
    )
    add(
        "--base-url",
        type=given.text,
        help="with --live and one --provider: this base URL instead of the catalog's; with --protocol and "
        "--model it needs no catalog file at all",
    )
    add(
        "--dialect",
        type=given.text,
        metavar="NAME",
        help="with --live: the credentials that this client system would use",
    )
    add(
        "--dialect-home",
        type=given.path,
        metavar="DIR",
        help="with --dialect: the home directory, yours by default",
    )
    add("--budget", type=float, metavar="USD", help="with --live: what may be spent at most")
    for name, what in (
        ("rpm", "a minute, for one as groq=N; 60"),
        ("concurrency", "at a time, or groq=N; 4"),
    ):
        add(
            f"--{name}",
            action="append",
            type=given.text,
            default=[],
            metavar="N",
            help=f"requests {what}",
        )
    add("--repeat", type=int, default=1, metavar="N", help="with --live: ask N times, and tell the rate")
    add("--resume", action="store_true", help="with --live: go on from what --results holds")
    add(
        "--undeclared",
        action="store_true",
        help="with --live: ask also for features that the catalog neither claims nor denies",
    )
    add(
        "--answered-by",
        type=given.text,
        metavar="TEXT",
        help="with --record: what answers, where it is not the vendor's own service",
    )
    add("--drift", action="store_true", help="with --live: compare the shape of answers with the fixtures'")
    add(
        "--drift-report",
        type=given.path,
        metavar="FILE",
        help="with --drift: write the comparison to FILE (JSON)",
    )
    add(
        "--probe",
        action="store_true",
        help="with --live: one call a recorded fixture; with --record, its shape seen again renews its age",
    )
    add(
        "--stall", type=float, default=30.0, metavar="S", help="seconds without a byte after which to give up"
    )
    add("--longest", type=float, default=300.0, metavar="S", help="seconds that an answer may go on")
    add(
        "--largest",
        type=float,
        default=16.0,
        metavar="MB",
        help=f"megabytes that an answer may have, up to {_LARGEST_MB:g}",
    )


class LiveSession:
    """One live run, in the controller or in a worker. Raises UnusableInput for unusable options."""

    def __init__(
        self, config: pytest.Config, configured: Configuration, *, alone: bool, known: frozenset[str]
    ) -> None:
        option = config.option
        self._config = config
        self._option = option
        told: Mapping[str, str] | None = getattr(config, "workerinput", {}).get(_WORKER)
        self._controls = not hasattr(config, "workerinput")
        _verify(option, alone=alone)
        pace, own = paces(option.rpm, option.concurrency)
        nobodys = sorted({*own} - known)
        if nobodys:
            raise UnusableInput(
                "--rpm and --concurrency name nobody", expected="a provider's id", seen=", ".join(nobodys)
            )
        if not option.rpm and here(urlsplit(option.base_url or "").hostname or ""):
            pace = msgspec.structs.replace(pace, per_minute=_UNHURRIED)
        dialect = homes.dialect(option.dialect) if option.dialect else None
        self._folder = Path(told["folder"]) if told else _own_folder(config)
        self.ledger = Ledger(self._folder / "ledger.sqlite", pace=pace, paces=own, budget_usd=option.budget)
        self.stage = LiveStage(
            Keys(
                os.environ,
                given=option.api_key,
                dialect=dialect,
                home=option.dialect_home or Path.home(),
            ),
            self.ledger,
            Terms(
                model=option.model,
                base_url=option.base_url,
                repeat=option.repeat,
                record=option.record,
                drift=option.drift,
                undeclared=option.undeclared,
                answered_by=option.answered_by or "",
                limits=Limits(option.stall, option.longest, round(option.largest * _MEGABYTE)),
            ),
            configured.exchanges,
        )
        self.earlier = self._earlier() if option.resume else None
        self._spreads = self._controls and getattr(option, "dist", "no") != "no"
        self._standing: Mapping[tuple[str, ...], Found] = {}
        self._journal: resuming.Journal | None = None
        self._tally = Tally()
        self._compared: list[Compared] = []
        self._renewed: list[str] = []
        self._kept: list[str] = []
        self._not_kept: list[str] = []
        self._bars: Bars | None = None
        self._planned: list[Case] = []

    def _earlier(self) -> results.Run | None:
        """What the interrupted run found; workers read the controller's copy, which nobody changes."""
        copy = self._folder / "earlier.jsonl"
        if not self._controls:
            return results.read(copy, unfinished=True) if copy.exists() else None
        found = resuming.earlier(self._option.results)
        if found is None:
            return None
        if found.header.wirecheck != __version__:
            raise UnusableInput(
                "another version of wirecheck made these results",
                expected=__version__,
                seen=found.header.wirecheck,
                where=str(self._option.results),
            )
        results.write(copy, found)
        return found

    def planned(self, cases: Iterable[Case]) -> None:
        """Tell which cells are to be judged, all of them, before the first is."""
        self._planned = list(cases)
        if self.earlier is not None:
            self._standing = resuming.standing(self.earlier, map(_identity, self._planned))

    def standing(self, case: Case) -> Found | None:
        """What an earlier run found for a cell; None when it is to be asked."""
        return self._standing.get(_identity(case))

    def probes(self, provider: Provider) -> Iterator[Case]:
        """A case for every fixture that one call can renew."""
        for protocol, scenario in self.stage.probes(provider):
            yield Case(provider.id, protocol, scenario, "", PROBE)

    def begin(self, header: results.Header) -> None:
        """Begin the journal, with everything that an earlier run found."""
        if not self._controls or self._option.results is None:
            return
        left = None
        if self.earlier is not None:
            again = {*map(_identity, self._planned)} - {*self._standing}
            left = resuming.without(self.earlier, again)
        self._journal = resuming.Journal(resuming.journal_of(self._option.results), header, left)

    def keep(self, found: results.Result, exchanges: Iterable[results.Exchange]) -> None:
        """Count a result, and write it to the journal."""
        self._tally.add(found)
        if self._journal is not None and found.identity not in self._standing:
            self._journal.add(found, exchanges)

    def finish(self, run: results.Run) -> results.Run:
        """The run with what an earlier one found."""
        return resuming.joined(self.earlier, run) if self.earlier is not None else run

    def written(self) -> None:
        """The result file is there: the journal has done its work."""
        if self._journal is not None:
            self._journal.close()

    def tell_differences(self, report: pytest.TestReport, case: Case) -> None:
        """Put what was compared and recorded on a report, which may travel to the controller."""
        self._tell(report, self.stage.compared(case), self.stage.told_of_recording())

    def _tell(self, report: pytest.TestReport, compared: Compared | None, recorded: Recorded) -> None:
        """Put on a report what holds no credential and nobody's account."""
        if compared is not None or recorded != Recorded():
            news = results.json_line(_News(compared, recorded)).decode()
            report.__dict__[_NEWS] = untold(news, self.stage.secrets)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put what came of a probe on its report."""
        report = yield
        probed = item.stash.get(PROBED, None)
        if probed is not None and call.when == "call":
            name = probed.compared.name
            self._tell(report, probed.compared, Recorded(renewed=(name,) if probed.renewed else ()))
        return report

    @property
    def spreads(self) -> bool:
        """Whether this process only gives cells to others."""
        return self._spreads

    @property
    def breaking(self) -> bool:
        """Whether an answer has a shape on which a reader of the fixture may fail."""
        return any(each.breaking for each in self._compared)

    def forecast(self) -> list[str]:
        """How many calls the planned cells need and what they cost, a line a provider."""
        lines: list[str] = []
        total = Amount()
        for provider in dict.fromkeys(case.provider for case in self._planned):
            line, amount = self._forecast(provider)
            lines.append(f"live: {provider}: {line}")
            total += amount
        cap = "" if self._option.budget is None else f"; the cap is {dollars(self._option.budget)}"
        return [*lines, f"live: in all {total.told()}{cap}"]

    def _forecast(self, provider: str) -> tuple[str, Amount]:
        mine = dict.fromkeys(
            (case.protocol, case.scenario)
            for case in self._planned
            if case.provider == provider and self.standing(case) is None
        )
        if not mine:
            return "nothing left to ask", Amount()
        try:
            for protocol, scenario in list(mine)[:1]:
                model = self.stage.model_of(provider, protocol, scenario)
                self.stage.credential(provider, protocol, model)
            steps = 1 if self._option.probe else None
            amount = sum((self.stage.forecast(provider, *place, steps=steps) for place in mine), Amount())
        except MissingCredential as missing:
            return f"no key: {missing.places}", Amount()
        except ConfigurationError as fault:
            return f"cannot be asked: {fault}", Amount()
        return amount.told(), amount

    def pytest_sessionstart(self) -> None:
        """Let SIGTERM, by which a scheduler stops a job, end the run as Ctrl-C does."""
        main = threading.current_thread() is threading.main_thread()
        if self._controls and main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            self._config.add_cleanup(_ends_at_once)

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say what the run will ask and cost, before it does."""
        return self.forecast() if self._planned else []

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where the ledger is."""
        node.workerinput[_WORKER] = {"folder": str(self._folder)}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Keep a scenario's cells on one worker."""
        return _ByScenario(config, log)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        """Draw the bars, where there is a terminal to draw them on."""
        terminal: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        if self._spreads and terminal is not None:  # pytest collects in the workers, and so says nothing here
            terminal.write("\n".join(["", *self.forecast(), ""]))
        if self._controls and terminal is not None and terminal.isatty and terminal.verbosity <= 0:
            totals = Counter(case.provider for case in self._planned)
            width = self._config.get_terminal_writer().fullwidth
            terminal.ensure_newline()
            terminal.showfspath = terminal._show_progress_info = False  # the bars say it
            self._bars = Bars(lambda text: terminal.write(text, flush=True), width, totals)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Move a bar, and take in what a report tells of drift and of fixtures."""
        if not self._controls:
            return
        told = report.__dict__.pop(_NEWS, None)
        if told is not None:
            news = results.from_json(told, _News)
            self._compared += [news.compared] if news.compared is not None else []
            self._take(news.recorded)
        if self._bars is not None and report.when == "call":
            self._bars.advance(report.nodeid.partition("/")[0], report.outcome)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Let the bars speak: a cell prints nothing of its own. A flaky one is told apart."""
        if report.when != "call":
            return None
        names = ("flaky", "warned")
        category = next((name for name in names if hasattr(report, f"wirecheck_{name}")), report.outcome)
        if self._bars is not None:
            return category, "", ""
        return (category, "~", "FLAKY") if category == "flaky" else None

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Stop the bars. A run that found breaking drift, or could not record, is not a success."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
        self._take(self.stage.told_of_recording())  # what an interrupt kept from a report
        if (self.breaking or self._not_kept) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self._controls and self._option.drift_report is not None:
            files.replace(self._option.drift_report, drift.as_json(self._compared))

    def _take(self, recorded: Recorded) -> None:
        self._kept += recorded.kept
        self._not_kept += recorded.not_kept
        self._renewed += recorded.renewed

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell what was found by provider and whom it blames, what drifted, and what was recorded."""
        for title, lines in self._sections():
            terminalreporter.section(title)
            for line in lines:
                terminalreporter.write_line(escaping.visible(untold(line, self.stage.secrets)))

    def _sections(self) -> Iterator[tuple[str, list[str]]]:
        spent = self.ledger.spent()
        if self._tally or spent:
            yield "by provider", self._tally.lines(spent)
        if self._compared:
            yield "drift", drift.report(self._compared)
        if self._option.record and not self._option.probe:
            kept = [f"kept {name}" for name in sorted(self._kept)]
            yield "recorded", kept + [f"NOT KEPT {told}" for told in sorted(self._not_kept)]
        if self._option.probe:
            yield "renewed", sorted(self._renewed) or ["nothing; --record renews what has its old shape"]
        if self._journal is not None and self._journal.fault:
            yield "journal", [f"{self._journal.path.name} could not be written: {self._journal.fault}"]


class _News(msgspec.Struct, frozen=True):
    """What a report tells the controller beside its result."""

    compared: Compared | None
    recorded: Recorded


class _ByScenario(LoadScopeScheduling):  # type: ignore[misc]
    """Gives all cells of a scenario to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.rpartition("/")[0]


def _ends_at_once() -> None:
    """SIGTERM is what it was."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _own_folder(config: pytest.Config) -> Path:
    """A folder for the ledger, which goes when pytest does, however it ends."""
    folder = Path(tempfile.mkdtemp(prefix="wirecheck-live-"))
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    return folder


def _identity(case: Case) -> tuple[str, ...]:
    return (SUBJECT.name, case.provider, case.protocol, case.scenario, case.fault, case.check)


def _verify(option: Any, *, alone: bool) -> None:
    """Raise UnusableInput for options that exclude each other or make no sense. ``alone``: one provider."""
    for wrong, what, expected in (
        (option.record and option.repeat > 1, "--record asks once", "no --repeat"),
        (bool(option.api_key) and not alone, "--api-key would go to several providers", "one --provider"),
        (bool(option.base_url) and not alone, "--base-url would get several keys", "one --provider"),
        (
            option.api_key is not None and len(option.api_key) < SHORTEST,
            "--api-key is too short to be kept out of results and logs",
            f"at least {SHORTEST} characters",
        ),
        (_names_a_user(option.base_url), "--base-url holds user information", "--api-key for a credential"),
        (option.resume and option.results is None, "--resume needs the results", "--results FILE"),
        (option.repeat < 1, "--repeat asks at least once", "a number from 1"),
        (option.drift_report and not option.drift, "--drift-report tells of drift", "--drift"),
        (option.probe and option.drift, "--probe compares already", "--probe without --drift"),
        (not _amount(option.budget), "--budget is an amount of dollars", "a number from 0"),
        (
            not all(map(_amount, (option.stall, option.longest, option.largest))),
            "a limit is no number",
            "> 0",
        ),
        (
            option.largest > _LARGEST_MB,
            "--largest is more than a run holds in memory",
            f"at most {_LARGEST_MB:g}",
        ),
    ):
        if wrong:
            raise UnusableInput(what, expected=expected)


def _names_a_user(url: str | None) -> bool:
    """Whether an address has a name or a password in it, which would be printed wherever it is named."""
    return "@" in (url or "").partition("://")[2].partition("/")[0]


def _amount(value: float | None) -> bool:
    return value is None or (math.isfinite(value) and value >= 0)
