"""The run of a third party: what each misbehaving subject is caught at, and what a run is the same for."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from harness.checks import CHECKS
from harness.errors import NotInstalled, UnusableInput
from harness.exchange import FIXTURES
from harness.fixtures import CANARY
from harness.selection import Selection
from harness.subjects.inprocess import InProcess, introduced
from harness.subjects.install import guarded, start_of
from harness.subjects.judged import JUDGED, UNJUDGED
from harness.subjects.process import Process
from harness.subjects.run import FIRST, Plan, Subject, run
from harness.subjects.table import SUBJECTS
from providers import schema
from reports import results

SCRIPT = Path(__file__).parent / "misbehaving.py"
CATALOG = schema.Catalog((schema.get("openai"),))


def plan(*scenarios: str, faults: tuple[str, ...] = ("none",), checks: tuple[str, ...] = ()) -> Plan:
    """A small run: chat completions of one provider."""
    selection = Selection(protocols=("openai-completions",), scenarios=scenarios, checks=checks)
    return Plan(catalog=CATALOG, exchanges=FIXTURES, selection=selection, faults=faults)


def process(mode: str) -> Callable[[], Process]:
    """Starts a subject of the miniatures."""
    return lambda: Process((sys.executable, str(SCRIPT), mode), guarded(), known_secrets=(CANARY,))


def found(
    planned: Plan,
    start: Callable[[], Subject],
    jobs: int = 1,
    path: Path | None = None,
    resume: Path | None = None,
) -> results.Run:
    """What a run finds."""
    return run(
        planned,
        start,
        name="mine",
        title=results.Subject("mine", "1"),
        spoken=("*",),
        jobs=jobs,
        path=path,
        resume=resume,
    )


def verdicts(made: results.Run, *wanted: str) -> set[tuple[str, str]]:
    """(check, verdict) of the results with one of these verdicts."""
    return {(each.check, each.verdict) for each in made.results if each.verdict in wanted}


def test_an_honest_subject_passes() -> None:
    """A subject that does nothing wrong has nothing against it, and is judged by what it shows alone."""
    made = found(plan("text"), process("honest"))
    judged = {each.check for each in made.results}
    assert verdicts(made, "failed", "errored") == set()
    assert {"client.text", "client.usage", "wire.schema", FIRST} <= judged
    assert "client.reasoning" not in judged


@pytest.mark.parametrize(
    ("mode", "check"),
    [
        ("crashes", FIRST),
        ("garbles", FIRST),
        ("breaks_schema", FIRST),
        ("invents", "client.text"),
        ("makes_up", "client.asked"),
        ("retries", "client.retries"),
        ("swaps", "wire.schema"),
        ("leaks", "client.key_untold"),
        ("goes_out", "client.asked"),
    ],
)
def test_each_kind_of_wrong_answer_is_caught(mode: str, check: str) -> None:
    """A misbehaving subject fails the check of its fault, is blamed, and nothing of it is left running."""
    made = found(plan("text"), process(mode))
    wrong = [each for each in made.results if each.verdict == "failed"]
    assert check in {each.check for each in wrong}
    assert {each.blame for each in wrong} == {"subject"}
    assert CANARY not in results.lines(made).decode()


@pytest.mark.parametrize(
    ("mode", "check", "seen"),
    [
        ("says_bogus", "client.words_carried", "Say hello in three words."),
        ("says_bogus", "client.words_added", "bogus"),
        ("instructs", "client.words_added", "You are helpful."),
        ("appends", "client.words_added", "Ads."),
        ("names_a_user", "client.settings_added", "user = u1"),
        ("tracks", "client.query", "utm"),
        ("reports", "client.asks_that_alone", "/telemetry"),
        ("asks_another_host", "wire.path_method", "elsewhere.example"),
        ("puts_key_in_url", "client.key_place", "parameter key"),
        ("puts_key_in_field", "client.key_place", "field x-debug"),
        ("encodes_key", "client.key_place", "field x-debug"),
        ("puts_key_in_body", "client.key_place", "/user"),
        ("puts_key_in_prompt", "client.key_place", "/messages/0/content"),
    ],
)
def test_what_is_sent_otherwise_than_asked_is_caught(mode: str, check: str, seen: str) -> None:
    """A subject that loses or adds something on the way fails the check of it, which never tells the key."""
    made = found(plan("text"), process(mode))
    wrong = {each.check: each for each in made.results if each.verdict == "failed"}
    assert seen in wrong[check].observed
    assert CANARY not in results.lines(made).decode()


def test_a_crash_is_one_failed_case() -> None:
    """A subject that ends is started anew, and each case it ended in is one result."""
    made = found(plan("text", "system"), process("crashes"))
    assert Counter(each.check for each in made.results) == {FIRST: 2}
    assert {each.verdict for each in made.results} == {"failed"}


def test_a_swallowed_error_is_found() -> None:
    """A subject that gives an empty answer for a refusal fails what refusals and faults require."""
    made = found(plan("text", "error_401_bad_key", faults=("status.*",)), process("swallows"))
    wrong = {(each.scenario, each.check) for each in made.results if each.verdict == "failed"}
    assert ("error_401_bad_key", "client.refused") in wrong
    assert ("text", "err.class") in wrong


def test_a_drivers_own_fault_is_ours() -> None:
    """An error raised in a driver's own lines, of a lawful answer, blames the harness and not the client."""
    made = found(plan("text"), process("trips"))
    told = [(each.check, each.verdict, each.blame) for each in made.results]
    assert told == [(FIRST, "errored", "harness")]


def test_what_a_driver_stumbles_over_is_no_error_of_its_client() -> None:
    """Of a broken answer, a driver's own error says that the client told none, and what it returned."""
    made = found(plan("text", faults=("error.html_200",)), process("returns_pages"))
    wrong = {each.check: each for each in made.results if each.verdict in ("failed", "warned")}
    assert "str '<html>', which has no answer in it" in wrong["stream.foreign_media_type"].observed
    assert not any("TypeError" in each.reason + each.observed for each in made.results)
    assert "client.typed_error" not in wrong


def test_what_a_subject_cannot_say_is_skipped() -> None:
    """A call that is unsupported is one skipped result, and never a pass."""
    made = found(plan("text_stream"), process("honest"))
    assert [(each.check, each.verdict) for each in made.results] == [(FIRST, "skipped")]


def test_any_number_of_workers_finds_the_same(tmp_path: Path) -> None:
    """Three subjects at a time write the very bytes that one writes."""
    planned = plan("text", "system", "usage", "error_*", faults=("status.5*", "error.*", "connect.*"))
    paths = [tmp_path / "one.jsonl", tmp_path / "three.jsonl"]
    for jobs, path in zip((1, 3), paths, strict=True):
        found(planned, process("honest"), jobs, path=path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_run_that_was_cut_off_is_taken_up(tmp_path: Path) -> None:
    """Whole stories of an unfinished file are kept, and the torn one is played again."""
    planned = plan("text", "system", "usage", faults=("status.500",))
    whole = tmp_path / "whole.jsonl"
    found(planned, process("honest"), path=whole)
    lines = whole.read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"".join(lines[: len(lines) // 2]) + lines[-2][:40])
    played: list[str] = []
    run(
        planned,
        process("honest"),
        name="mine",
        title=results.Subject("mine", "1"),
        spoken=("*",),
        path=cut,
        resume=cut,
        told=lambda story, _: played.append(story.scenario),
    )
    assert cut.read_bytes() == whole.read_bytes()
    assert 0 < len(played) < 3


@pytest.mark.parametrize(
    ("more", "told"),
    [({"plain": True}, ("!*",)), ({"faults": ("status.500",)}, ("status.500",)), ({"faults": ()}, None)],
)
def test_the_header_tells_the_faults(more: dict[str, Any], told: tuple[str, ...] | None) -> None:
    """A run of some faults, or of undamaged exchanges alone, says so in its header."""
    made = found(replace(plan("usage"), **more), process("makes_up"))
    assert made.header.selection.get("faults") == told


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (replace(plan("text"), plain=True), r"expected: faults !\*.*seen: faults status.500"),
        (plan("usage", faults=("status.500",)), "expected: .*scenarios usage; seen: .*scenarios text"),
        (replace(plan("text", faults=("status.500",)), catalog=schema.Catalog(())), "expected: 0 stories"),
    ],
    ids=["faults", "scenarios", "catalog"],
)
def test_a_run_of_something_else_keeps_the_file(other: Plan, told: str, tmp_path: Path) -> None:
    """A file is not taken up with another selection or catalog; both are named, and it stays as it is."""
    path = tmp_path / "run.jsonl"
    found(plan("text", faults=("status.500",)), process("honest"), path=path)
    before = path.read_bytes()
    with pytest.raises(UnusableInput, match=told):
        found(other, process("honest"), path=path, resume=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", ["answers_twice", "chatters"])
def test_two_answers_to_one_command_fail_the_case(mode: str) -> None:
    """What a subject writes beyond its answer is a failed case, not another case's answer."""
    made = found(plan("text", "usage"), process(mode))
    assert verdicts(made, "failed") == {(FIRST, "failed")}
    assert {each.scenario for each in made.results if each.verdict == "failed"} == {"text", "usage"}
    assert all("more than it was asked for" in each.reason for each in made.results)


def test_another_subjects_file_is_not_taken_up(tmp_path: Path) -> None:
    """A file of another subject is refused, and stays as it is."""
    path = tmp_path / "other.jsonl"
    header = found(plan("text"), process("honest"), path=path).header
    other = results.Run(replace(header, subjects=(results.Subject("other"),)))
    results.write(path, other)
    before = path.read_bytes()
    with pytest.raises(UnusableInput, match="another subject"):
        found(plan("text"), process("honest"), path=path, resume=path)
    assert path.read_bytes() == before


def test_our_adapters_come_through_the_same_door() -> None:
    """Our adapters pass everything in process, and say the very same as a program of their own."""
    planned = plan(
        "text*", "tool_call_parallel*", "error_401*", faults=("cut.utf8", "truncated.*", "status.500")
    )
    inside = found(planned, lambda: InProcess(CATALOG))
    start = start_of(SUBJECTS["wirecheck"])
    outside = found(planned, lambda: Process(start.command, start.environ))
    assert verdicts(inside, "failed", "errored") == set()
    assert results.lines(inside) == results.lines(outside)
    assert introduced().protocols


def test_a_subject_that_cannot_be_started_ends_the_run() -> None:
    """A command that is not there is told once, not once a case."""
    with pytest.raises(NotInstalled):
        found(plan("text"), lambda: Process(("no-such-program-anywhere",)))


def test_the_tables_name_every_check_that_blames_a_client() -> None:
    """Each check that blames the client is judged of third parties, or is not with a reason."""
    from_checks = {name for name, check in CHECKS.items() if check.blames == "subject"}
    assert from_checks <= {*JUDGED, *UNJUDGED}
    assert not {*JUDGED} & {*UNJUDGED}
    assert {*JUDGED, *UNJUDGED} <= {*CHECKS}


def test_a_document_at_an_address_is_not_played(tmp_path: Path) -> None:
    """A client may fetch a document itself, for which there is no network; one sent inline is played."""
    for name in ("pdf", "pdf_url", "pdf_url_stream"):
        place = tmp_path / "openai" / "openai-completions" / name
        place.mkdir(parents=True)
        (place / "1.exchange.toml").touch()
    stories = Plan(catalog=CATALOG, exchanges=tmp_path, selection=Selection(), plain=True).stories(("*",))
    assert [story.scenario for story in stories] == ["pdf"]
