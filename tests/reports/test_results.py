"""The result file."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import results
from reports.errors import (
    DuplicateResult,
    EmptyReport,
    MissingFooter,
    MixedVersions,
    UnknownReference,
    UnreadableReport,
    UnwritableReport,
)
from reports.results import VERDICTS, Body, Exchange, Request, Response, Run
from tests.reports.samples import exchange, header, result, run

ANY_TEXT = st.text(st.characters(), max_size=20)  # lone surrogates included
BODIES = st.builds(Body, ANY_TEXT, st.just("utf-8"), st.integers(0, 2**40), ANY_TEXT)
RUNS = st.builds(
    lambda found, seen: run(*found, exchanges=tuple(seen)),
    st.lists(
        st.builds(
            result,
            st.sampled_from(("stream.order", "tool.named", "err.typed")),
            st.sampled_from(VERDICTS),
            fault=ANY_TEXT,
            reason=ANY_TEXT.map(lambda text: text or "unsaid"),
            expected=ANY_TEXT,
            observed=ANY_TEXT,
            where=ANY_TEXT,
            origin=st.sampled_from(("", *results.ORIGINS)),
            date=st.none() | st.dates(),
            duration_ms=st.none() | st.floats(0, 1e9),
        ),
        max_size=4,
        unique_by=lambda found: found.identity,
    ),
    st.lists(
        st.builds(
            Exchange,
            ANY_TEXT,
            st.builds(results.Request, ANY_TEXT, ANY_TEXT, st.just(()), BODIES),
            st.none() | st.builds(Response, st.integers(100, 599), st.just((("a", "b"),)), BODIES),
            turn=st.dictionaries(ANY_TEXT, ANY_TEXT | st.integers(-(2**53), 2**53), max_size=2),
        ),
        max_size=2,
        unique_by=lambda seen: seen.id,
    ),
)


@given(RUNS)
def test_reading_a_written_report_gives_it_back(written: Run) -> None:
    """A run survives being written and read, whatever a provider put into its texts."""
    content = results.lines(written)
    assert results.parse(content) == results.canonical(written)
    assert results.lines(results.parse(content)) == content


def test_order_of_results_does_not_matter(tmp_path: Path) -> None:
    """The same results in another order are the same bytes."""
    found = (result("tool.named"), result("stream.order"), result("stream.order", fault="cut"))
    one = results.write(tmp_path / "one.jsonl", run(*found)).read_bytes()
    two = results.write(tmp_path / "two.jsonl", run(*reversed(found))).read_bytes()
    assert one == two


def test_lines_start_with_their_kind() -> None:
    """Every line tells its kind first: header, exchanges, results, footer."""
    seen = (exchange(),)
    content = results.lines(run(result("stream.order", exchanges=(seen[0].id,)), exchanges=seen))
    kinds = [line.split(b",")[0] for line in content.splitlines()]
    assert kinds == [b'{"kind":"%s"' % kind for kind in (b"header", b"exchange", b"result", b"footer")]


def test_footer_counts_by_verdict() -> None:
    """The footer counts each verdict apart."""
    footer = results.footer(run(result("stream.order"), result("tool.named", "failed")))
    assert (footer.results, footer.passed, footer.failed, footer.warned) == (2, 1, 1, 0)


def test_file_without_footer_is_refused_unless_asked() -> None:
    """A cut file is a MissingFooter, and with unfinished=True a run that says it is incomplete."""
    content = results.lines(run(result("stream.order"), result("tool.named")))
    cut = content[: content.rindex(b'{"kind":"footer"')]
    with pytest.raises(MissingFooter):
        results.parse(cut)
    assert results.parse(cut, unfinished=True).complete is False


def test_half_a_line_is_left_out_of_an_unfinished_run() -> None:
    """The line that a killed run was writing is dropped."""
    content = results.lines(run(result("stream.order"), result("tool.named")))
    cut = content[: content.rindex(b'"check"')]
    assert [found.check for found in results.parse(cut, unfinished=True).results] == ["stream.order"]


def _lines(*edits: tuple[bytes, bytes]) -> bytes:
    content = results.lines(run(result("stream.order"), result("tool.named")))
    for old, new in edits:
        assert old in content
        content = content.replace(old, new, 1)
    return content


@pytest.mark.parametrize(
    ("content", "error", "line"),
    [
        pytest.param(b" \n", EmptyReport, None, id="blank"),
        pytest.param(b"nonsense\n", UnreadableReport, 1, id="no-json"),
        pytest.param(b"\xff\n", UnreadableReport, 1, id="no-utf8"),
        pytest.param(b"[" * 100_000 + b"\n", UnreadableReport, 1, id="deep"),
        pytest.param(_lines((b'"version":1', b'"version":2')), UnreadableReport, 1, id="other-version"),
        pytest.param(_lines((b'"verdict":"passed"', b'"verdict":"ok"')), UnreadableReport, 2, id="verdict"),
        pytest.param(_lines((b'"fault":""', b'"fualt":""')), UnreadableReport, 2, id="unknown-key"),
        pytest.param(_lines((b'"passed":2', b'"passed":3')), UnreadableReport, 4, id="wrong-count"),
        pytest.param(_lines((b'"id":"acme"', b'"id":"../acme"')), UnreadableReport, 1, id="unsafe-id"),
        pytest.param(_lines((b'"kind":"result"', b'"kind":"other"')), UnreadableReport, 2, id="other-kind"),
        pytest.param(_lines((b"tool.named", b"stream.order")), DuplicateResult, None, id="check-twice"),
        pytest.param(_lines() + _lines(), UnreadableReport, 5, id="two-files"),
        pytest.param(_lines().split(b"\n", 1)[1], UnreadableReport, 1, id="no-header"),
    ],
)
def test_broken_file_is_refused(content: bytes, error: type[Exception], line: int | None) -> None:
    """Each way to be broken has its class, and a broken line its number."""
    with pytest.raises(error) as caught:
        results.parse(content)
    assert getattr(caught.value, "line", None) == line


@pytest.mark.parametrize(("kind", "lines"), [("result", "3, 4"), ("exchange", "2, 3")])
def test_a_line_twice_is_told_with_its_lines(kind: str, lines: str) -> None:
    """A result, or an exchange, that a file repeats is told with the file and both lines."""
    content = results.lines(run(result("stream.order"), exchanges=(exchange(),))).splitlines(keepends=True)
    twice = b"".join(line * (1 + line.startswith(b'{"kind":"%s"' % kind.encode())) for line in content)
    with pytest.raises(DuplicateResult) as caught:
        results.parse(twice, "r.jsonl")
    assert caught.value.where == f"r.jsonl, lines {lines}"


def test_duplicate_results_are_refused() -> None:
    """Two results of one identity name it."""
    with pytest.raises(DuplicateResult) as caught:
        results.lines(run(result("stream.order"), result("stream.order", "failed")))
    assert caught.value.identity == "wirecheck/acme/openai-completions/text/-/stream.order"


@pytest.mark.parametrize(
    "stray",
    [
        result("no.such"),
        result("stream.order", subject="other"),
        result("stream.order", provider="other"),
        result("stream.order", scenario="other"),
        result("stream.order", exchanges=("other",)),
    ],
    ids=lambda stray: stray.id,
)
def test_result_names_only_what_the_file_describes(stray: results.Result) -> None:
    """A result that names something unknown is refused, with its identity."""
    with pytest.raises(UnknownReference) as caught:
        results.lines(run(stray))
    assert caught.value.where == stray.id


def test_unreadable_path_is_told() -> None:
    """A file that is not there is an UnreadableReport naming it."""
    with pytest.raises(UnreadableReport, match=r"missing\.jsonl"):
        results.read("missing.jsonl")


def test_unwritable_path_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails names the path, leaves the old content and no spare file."""
    path = results.write(tmp_path / "run.jsonl", run())
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UnwritableReport) as caught:
        results.write(path, run(result("stream.order")))
    assert caught.value.where == str(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_folder_that_is_a_file_is_unwritable(tmp_path: Path) -> None:
    """A path below a file cannot be written, and the message names it."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnwritableReport, match=r"run\.jsonl"):
        results.write(tmp_path / "file" / "run.jsonl", run())


def test_shards_merge_in_any_order() -> None:
    """Shards merge to the same bytes in any order, the shortest duration staying."""
    one = run(result("stream.order", duration_ms=5.0), result("tool.named"), exchanges=(exchange(),))
    two = run(result("stream.order", duration_ms=3.0), result("err.typed"), exchanges=(exchange(),))
    merged = results.merge([one, two])
    assert results.lines(merged) == results.lines(results.merge([two, one]))
    assert [found.duration_ms for found in merged.results] == [None, 3.0, None]
    assert len(merged.exchanges) == 1


def test_merging_unites_selections() -> None:
    """What one shard left unselected is unselected in the union; names are joined."""
    one = run(selection={"providers": ("acme",), "checks": ("stream.order",)})
    two = run(selection={"providers": ("zeta",)})
    assert results.merge([one, two]).header.selection == {"providers": ("acme", "zeta")}


def test_merging_refuses_two_answers_to_one_question() -> None:
    """A result that differs between shards is refused, as is an exchange."""
    with pytest.raises(DuplicateResult):
        results.merge([run(result("stream.order")), run(result("stream.order", "failed"))])
    with pytest.raises(DuplicateResult):
        results.merge([run(exchanges=(exchange(),)), run(exchanges=(exchange(answer="other"),))])


def test_merging_refuses_other_versions_and_facts() -> None:
    """Shards of another version, of other facts or of other columns are refused, and so are none."""
    with pytest.raises(MixedVersions):
        results.merge([run(), run(wirecheck="0.2.0")])
    with pytest.raises(MixedVersions):
        results.merge([run(), run(groups=())])
    with pytest.raises(MixedVersions):
        results.merge([run(), run(subjects=(results.Subject("wirecheck", "9"),))])
    with pytest.raises(EmptyReport):
        results.merge([])


def test_merge_keeps_the_earliest_start() -> None:
    """A merged run started when its first shard did; an unfinished shard makes it incomplete."""
    early, late = dt.datetime(2026, 11, 20, tzinfo=dt.UTC), dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    merged = results.merge([run(started=late), run(started=early), Run(header(), complete=False)][:2])
    assert merged.header.started == early
    assert results.merge([Run(header(), complete=False), Run(header())]).complete is False


def test_body_keeps_text_and_cuts_it_at_a_character() -> None:
    """A long text is cut before the character that does not fit, and says so."""
    assert results.body(b"hi") == Body("hi", "utf-8", 2)
    cut = results.body("aé".encode() * 2, limit_bytes=2)
    assert cut == Body("a", "utf-8", 6, "first 2 of 6 bytes")


def test_body_keeps_binary_as_base64() -> None:
    """Bytes that are no UTF-8 are kept as base64."""
    assert results.body(b"\xff\x00") == Body("/wA=", "base64", 2)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (b'"verdict":"passed"', b'"verdict":"failed"', "why it failed"),
        (b'"verdict":"passed"', b'"verdict":"warned"', "why it warned"),
        (b'"duration_ms":null', b'"duration_ms":-1.5', "duration_ms"),
        (b'"verdict":"passed"', b'"verdict":"failed","verdict":"passed"', "twice: verdict"),
        (b'"wirecheck":"0.1.0"', b'"wirecheck":"0.1.0","wirecheck":"0.1.0"', "twice: wirecheck"),
        (b'"version":1', b'"version":7', "expected: wirecheck-results version 1; seen: version 7"),
    ],
)
def test_a_line_that_says_too_little_or_too_much_is_refused(before: bytes, after: bytes, told: str) -> None:
    """A failure without a word, a negative duration, a key twice and another version are told."""
    good = results.lines(run(result("stream.order")))
    assert before in good
    with pytest.raises(UnreadableReport) as refused:
        results.parse(good.replace(before, after, 1))
    assert told in str(refused.value)


def test_exchanges_of_a_file_share_their_headers() -> None:
    """Equal headers are one object, and so is a field that other headers have too."""
    one, other = exchange("one"), exchange("other")
    more = Request("GET", one.request.url, (*one.request.headers, ("x-more", "yes")))
    third = msgspec.structs.replace(one, id="third", request=more)
    written = results.parse(results.lines(run(exchanges=(one, other, third)))).exchanges
    assert written == (one, other, third)
    headers = [each.request.headers for each in written]
    assert headers[0] is headers[1]
    assert headers[0][0] is headers[2][0]


def test_a_header_of_an_older_release_is_read() -> None:
    """A file that does not tell what each protocol lacks is read, and its claims hold everywhere."""
    content = results.lines(run(result("stream.order")))
    older = content.replace(b',"lacks":{}', b"")
    assert older != content
    acme = results.parse(older).header.providers[0]
    assert (acme.lacks, acme.claims_at("ollama")) == ({}, acme.claims)
