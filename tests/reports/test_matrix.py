"""Results to Matrix."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import matrix
from reports.matrix import Cell
from reports.results import ORIGINS, VERDICTS, Capability, Claim, Provider, Result, Subject
from tests.reports.samples import FRESH, OLD, TODAY, result, run

P, W, F, E, S = "passed", "warned", "failed", "errored", "skipped"


def _results(*told: tuple[str, str, dt.date | None]) -> list[Result]:
    return [
        result(
            "stream.order", verdict, fault=f"f{number}", origin=origin, date=date, reason=f"because {number}"
        )
        for number, (verdict, origin, date) in enumerate(told)
    ]


@pytest.mark.parametrize(
    ("told", "claim", "needs_claim", "state"),
    [
        pytest.param([(P, "recorded", FRESH), (F, "recorded", FRESH)], True, True, "failed", id="any-failed"),
        pytest.param(
            [(E, "recorded", FRESH), (F, "recorded", FRESH)], True, True, "failed", id="failed-first"
        ),
        pytest.param([(E, "recorded", OLD), (P, "recorded", OLD)], True, True, "errored", id="any-errored"),
        pytest.param([], False, True, "not_offered", id="claim-says-no"),
        pytest.param([], None, True, "unknown", id="no-claim"),
        pytest.param([], True, True, "untested", id="claimed"),
        pytest.param([], None, False, "untested", id="needs-no-claim"),
        pytest.param([(S, "", None)], True, True, "untested", id="skipped-and-claimed"),
        pytest.param([(S, "", None)], False, True, "not_offered", id="skipped-and-not-offered"),
        pytest.param([(P, "recorded", OLD), (W, "imported", OLD)], True, True, "stale", id="all-stale"),
        pytest.param([(P, "recorded", OLD), (P, "recorded", FRESH)], True, True, "passed", id="one-stale"),
        pytest.param([(P, "documented", OLD)], True, True, "passed", id="documented-never-stale"),
        pytest.param(
            [(P, "documented", FRESH), (P, "recorded", OLD)], True, True, "stale", id="not-propped-up"
        ),
        pytest.param([(P, "recorded", FRESH), (W, "recorded", FRESH)], True, True, "warned", id="any-warned"),
        pytest.param([(P, "recorded", FRESH), (S, "", None)], True, True, "passed", id="passed"),
    ],
)
def test_state(
    told: list[tuple[str, str, dt.date | None]], claim: bool | None, needs_claim: bool, state: str
) -> None:
    """The state follows from results and claim by the rules, in their order."""
    assert matrix.cell(_results(*told), claim, TODAY, needs_claim=needs_claim).state == state


@pytest.mark.parametrize(
    ("days", "age"), [(0, "fresh"), (30, "fresh"), (31, "ageing"), (90, "ageing"), (91, "stale")]
)
def test_age(days: int, age: str) -> None:
    """Evidence is fresh for 30 days, ageing until 90, then stale."""
    assert matrix.age([TODAY - dt.timedelta(days)], TODAY) == age


def test_a_run_says_how_long_its_evidence_lasts() -> None:
    """Another limit makes the same evidence stale sooner, and its pass counts as none."""
    cell = matrix.cell(_results((P, "recorded", FRESH)), True, TODAY, stale_after_days=1)
    older = matrix.cell(_results((P, "recorded", TODAY - dt.timedelta(2))), True, TODAY, stale_after_days=1)
    assert (cell.age, older.state, older.age) == (matrix.age([FRESH], TODAY, 1), "stale", "stale")


def test_documented_evidence_has_a_date_and_no_age() -> None:
    """A documented answer carries the date its source was read, and is never fresh."""
    cell = matrix.cell(_results((P, "documented", FRESH)), True, TODAY)
    assert (cell.origin, cell.oldest, cell.age) == ("documented", FRESH, "never")


def test_cell_shows_weakest_origin_and_oldest_date() -> None:
    """Beside its state a cell tells its weakest origin, oldest date and what it consists of."""
    cell = matrix.cell(
        _results((P, "recorded", OLD), (P, "synthetic", FRESH), (W, "imported", FRESH), (S, "", None)),
        True,
        TODAY,
    )
    assert (cell.origin, cell.oldest, cell.age) == ("synthetic", OLD, "stale")
    assert cell.counts == {"passed": 2, "warned": 1, "skipped": 1}
    assert cell.origins == {"recorded": 1, "imported": 1, "synthetic": 1}


def test_reason_is_the_first_failures() -> None:
    """The reason shown is that of the first failure, by identity and not by arrival."""
    told = _results(
        (P, "recorded", FRESH), (F, "recorded", FRESH), (F, "recorded", FRESH), (E, "recorded", FRESH)
    )
    assert matrix.cell(reversed(told), True, TODAY).reason == "because 1"


@pytest.mark.parametrize(
    ("told", "claim", "needs_claim", "findings"),
    [
        ([(P, "recorded", FRESH)], None, True, ("pass without claim",)),
        ([(P, "recorded", FRESH)], False, True, ("pass without claim",)),
        ([(P, "recorded", FRESH)], None, False, ()),
        ([(P, "recorded", FRESH)], True, True, ()),
        ([(F, "recorded", FRESH)], True, True, ("claim without pass",)),
        ([], True, True, ("claim without pass",)),
        ([(F, "recorded", FRESH)], None, True, ()),
        ([], False, True, ()),
    ],
)
def test_findings(
    told: list[tuple[str, str, dt.date | None]],
    claim: bool | None,
    needs_claim: bool,
    findings: tuple[str, ...],
) -> None:
    """A pass without a claim and a claim without a pass are findings."""
    assert matrix.cell(_results(*told), claim, TODAY, needs_claim=needs_claim).findings == findings


@given(
    st.lists(
        st.tuples(
            st.sampled_from(VERDICTS),
            st.sampled_from(ORIGINS),
            st.dates(dt.date(2026, 1, 1), TODAY) | st.none(),
        ),
        max_size=5,
    ),
    st.booleans() | st.none(),
    st.booleans(),
)
def test_order_of_results_changes_no_cell(
    told: list[tuple[str, str, dt.date | None]], claim: bool | None, needs_claim: bool
) -> None:
    """A cell is a function of the set of its results; passing states have a pass and no failure."""
    results = _results(*told)
    cell = matrix.cell(results, claim, TODAY, needs_claim=needs_claim)
    assert cell == matrix.cell(reversed(results), claim, TODAY, needs_claim=needs_claim)
    verdicts = {verdict for verdict, _, _ in told}
    assert (cell.state in ("passed", "warned", "stale")) is (
        bool(verdicts & {P, W}) and not verdicts & {F, E}
    )


def test_rows_are_endpoints_and_columns_capabilities() -> None:
    """Every declared endpoint has a row, every capability a cell, tested or not."""
    table = matrix.build(run(result("stream.order"), result("err.typed", provider="zeta", protocol="own")))
    assert [(row.provider, row.protocol) for row in table.rows] == [
        ("acme", "openai-completions"),
        ("zeta", "ollama"),
        ("zeta", "own"),
    ]
    assert [cell.state for cell in table.rows[0].cells] == [
        "passed",
        "untested",
        "not_offered",
        "untested",
        "unknown",
    ]
    assert [capability.id for capability in table.capabilities] == [
        "streaming",
        "tools",
        "vision",
        "errors",
        "pdf",
    ]


def test_results_about_no_provider_have_a_row() -> None:
    """A check of no provider (configuration, files) is not lost, and is measured against no claim."""
    row = matrix.build(run(result("stream.order", provider="", protocol=""))).rows[0]
    assert (row.provider, row.title, row.cells[0].state) == ("", "No provider", "passed")
    assert row.cells[0].findings == ()


def test_matrix_of_providers_shows_one_subject() -> None:
    """Another client's failure does not colour a provider's cell."""
    subjects = (Subject("wirecheck", "1"), Subject("other", "2"))
    seen = run(result("stream.order"), result("stream.order", F, subject="other"), subjects=subjects)
    assert matrix.build(seen).rows[0].cells[0].state == "passed"
    assert matrix.build(seen, subject="other").rows[0].cells[0].state == "failed"


def test_matrix_of_subjects_shows_each_over_all_providers() -> None:
    """By subject there is a row for each client, without claims."""
    subjects = (Subject("wirecheck", "1"), Subject("other", "2"))
    seen = run(result("stream.order"), result("stream.order", F, subject="other"), subjects=subjects)
    table = matrix.build(seen, by="subject")
    assert [(row.title, row.cells[0].state) for row in table.rows] == [
        ("wirecheck 1", "passed"),
        ("other 2", "failed"),
    ]
    assert table.rows[0].cells[1] == Cell("untested")


def test_capability_of_several_features_is_offered_by_any() -> None:
    """One offered feature is a claim; only no to all that was said is a no."""
    column = Capability("tools", "Tools", ("tools", "parallel_tools"))
    yes, no = Claim(True), Claim(False)
    assert matrix.claimed(column, {"tools": no, "parallel_tools": yes}) is True
    assert matrix.claimed(column, {"tools": no}) is False
    assert matrix.claimed(column, {"vision": yes}) is None


def test_row_claims_what_its_protocol_has() -> None:
    """What an endpoint lacks is not offered there, and no finding; another endpoint's claim stands."""
    facts = Provider(
        "acme",
        "Acme",
        protocols=("ollama", "openai-completions"),
        claims={"tools": Claim(True, "https://acme.test/docs/tools")},
        lacks={"ollama": ("tools", "vision")},
    )
    rows = matrix.build(run(providers=(facts,))).rows
    tools, images = zip(*((row.cells[1], row.cells[2]) for row in rows), strict=True)
    assert [(cell.state, cell.findings) for cell in tools] == [
        ("not_offered", ()),
        ("untested", ("claim without pass",)),
    ]
    assert [cell.state for cell in images] == ["unknown", "unknown"]


def test_what_is_had_in_an_own_shape_is_not_asked() -> None:
    """What a provider has only in a shape of its own is untested, and misses no pass."""
    tools, vision = Claim(True, own=True), Claim(False)
    facts = Provider("acme", "Acme", protocols=("ollama",), claims={"tools": tools, "vision": vision})
    row = matrix.build(run(providers=(facts,))).rows[0]
    assert (row.cells[1].state, row.cells[1].findings) == ("untested", ("own shape, not asked",))
    assert row.cells[2].state == "not_offered"
    column = Capability("tools", "Tools", ("tools", "parallel_tools"))
    assert matrix.own(column, {"tools": tools})
    assert not matrix.own(column, {"tools": tools, "parallel_tools": Claim(True)})
    assert not matrix.own(column, {"tools": Claim(False, own=True)})


def test_today_is_the_start_or_the_newest_evidence() -> None:
    """Without a day named, a run is looked at from its start, else from its newest evidence."""
    told = (result("stream.order", date=OLD), result("tool.named", date=FRESH))
    assert matrix.build(run(*told)).today == FRESH
    started = dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)
    assert matrix.build(run(*told, started=started)).today == TODAY
    assert matrix.build(run(*told), today=dt.date(2027, 6, 1)).rows[0].cells[0].state == "stale"
    assert matrix.build(run()).today is None
