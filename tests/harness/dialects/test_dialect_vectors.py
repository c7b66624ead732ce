"""The vector runner: what it counts, how it compares, what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.dialects.vectors import json_schema, load, subset, system_of, verify
from harness.errors import UnusableInput

ROOT = Path(__file__).parents[3]
FOREIGN = ROOT.parent / "shared" / "facts" / "vectors"


def _file(folder: Path, *vectors: dict[str, Any]) -> Path:
    path = folder / "pi.json"
    path.write_text(json.dumps(vectors))
    return path


def _vector(**changes: Any) -> dict[str, Any]:
    told = {
        "id": "pi-x-1",
        "rule": "P3",
        "profile": "both",
        "given": {"env": {"GROQ_API_KEY": "canary"}},
        "when": {"op": "resolve_credential", "provider": "groq"},
        "expect": {"credential": {"value": "canary"}},
    }
    return {**told, **changes}


@pytest.mark.parametrize("profile", ["default", "newest"])
@pytest.mark.parametrize("system", ["zot", "pi", "mayros", "zeroclaw", "gomodel"])
def test_foreign_vectors_hold(system: str, profile: Any) -> None:
    """All vectors that others wrote from the systems' pages and sources pass."""
    path = FOREIGN / f"{system}.json"
    if not path.exists():
        pytest.skip("the vectors of others are not beside this repository")
    report = verify([path], profile)
    assert report.total > 0
    assert report.failures == ()


def test_a_wrong_expectation_fails_with_what_was_seen(tmp_path: Path) -> None:
    """A vector that does not hold is reported with its rule, what it expects and what happened."""
    report = verify([_file(tmp_path, _vector(expect={"credential": None}))])
    assert report.plain() == {
        "total": 1,
        "pass": 0,
        "fail": [
            {
                "id": "pi-x-1",
                "rule": "P3",
                "expected": {"credential": None},
                "actual": {"credential": {"value": "canary", "source": "env", "name": "GROQ_API_KEY"}},
            }
        ],
    }


def test_other_profiles_are_not_counted(tmp_path: Path) -> None:
    """A vector of another profile is in no count."""
    path = _file(tmp_path, _vector(), _vector(id="pi-x-2", profile="newest"))
    assert verify([path]).total == 1
    assert verify([path], "newest").total == 2


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        pytest.param({"a": 1}, {"a": 1, "b": 2}, True, id="objects are subsets"),
        pytest.param([1], [1, 2], False, id="lists are exact"),
        pytest.param({"a": None}, {}, True, id="null is absent"),
        pytest.param(0.3, 0.1 + 0.2, True, id="numbers by value"),
        pytest.param(1, True, False, id="a truth value is no number"),
        pytest.param([{"a": 1}], [{"a": 1, "b": 2}], True, id="objects in lists are subsets"),
    ],
)
def test_comparison(expected: Any, actual: Any, same: bool) -> None:
    """Values are compared as the format says."""
    assert subset(expected, actual) is same


@pytest.mark.parametrize(
    "text",
    ["{", "{}", '[{"id": "pi-1"}]', '[{"id": "pi-1", "rule": "P1", "profile": "odd"}]'],
    ids=["no JSON", "no list", "incomplete", "odd profile"],
)
def test_unusable_files_are_refused(tmp_path: Path, text: str) -> None:
    """A file that holds no vectors is the operator's mistake, not a failing vector."""
    path = tmp_path / "pi.json"
    path.write_text(text)
    with pytest.raises(UnusableInput, match=r"pi\.json"):
        load(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A path that leads nowhere is told as such."""
    with pytest.raises(UnusableInput, match="cannot be read"):
        load(tmp_path / "pi.json")


def test_the_system_is_found_by_id_file_or_field() -> None:
    """Other people's files may be named as they like when their vectors say the system."""
    assert system_of(Path("mine.json"), _vector(id="7", system="zot")) == "zot"
    assert system_of(Path("mine.json"), _vector(id="gomodel-104")) == "gomodel"
    assert system_of(Path("mayros-hidden.json"), _vector(id="7")) == "mayros"
    with pytest.raises(UnusableInput, match="which system"):
        system_of(Path("mine.json"), _vector(id="7"))


def test_an_unknown_operation_fails_alone(tmp_path: Path) -> None:
    """A vector nobody can run fails, and the others still run."""
    report = verify([_file(tmp_path, _vector(when={"op": "levitate"}), _vector(id="pi-x-2"))])
    assert (report.total, report.passed) == (2, 1)


def test_the_published_schema_is_current() -> None:
    """fixtures/dialects/schema.json is what the runner reads."""
    published = json.loads((ROOT / "fixtures" / "dialects" / "schema.json").read_text())
    assert published == json_schema()


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        ({"files": {"../" * 12 + "tmp/out-of-the-vector": "x"}}, {"count": 0}),
        ({"modes": {"nope": "0600"}}, {"count": 0}),
        ({"modes": {"../../..": "0777"}}, {"count": 0}),
        ({}, {"files": 7}),
        ({}, {"warnings": 9}),
        ({}, {"models": 5}),
        ({"builtin_models": [{"a": 1}]}, {"models": []}),
    ],
    ids=["file outside", "mode of nothing", "mode outside", "files", "warnings", "models", "catalog"],
)
def test_a_vector_of_another_shape_fails_alone(
    tmp_path: Path, given: dict[str, object], expect: dict[str, object]
) -> None:
    """It is counted as a failure, the vector after it still runs, and nothing is written outside."""
    whole = {
        "rule": "P1",
        "profile": "both",
        "given": {},
        "when": {"op": "load_models"},
        "expect": {"count": 0},
    }
    path = tmp_path / "pi.json"
    path.write_text(
        json.dumps([{**whole, "id": "pi-1", "given": given, "expect": expect}, {**whole, "id": "pi-2"}])
    )
    report = verify([path])
    assert (report.total, report.passed, [each.id for each in report.failures]) == (2, 1, ["pi-1"])
    assert not Path("/tmp/out-of-the-vector").exists()


@pytest.mark.parametrize(
    ("changes", "category"),
    [
        ({"when": {"op": "levitate"}, "expect": {"error": {"category": "unknown_operation"}}}, "unknown_op"),
        ({"when": {"op": "resolve_credentail", "provider": "groq"}, "expect": {"url": None}}, "unknown_op"),
        ({"when": {"op": "resolve_credential"}, "expect": {"credential": None}}, "unusable_vector"),
        ({"when": {"op": "resolve_credential", "provider": 7}}, "unusable_vector"),
        (
            {"when": {"op": "store_credential", "provider": "groq"}, "expect": {"files": {}}},
            "unusable_vector",
        ),
        ({"expect": {}}, "unusable_vector"),
        ({"expect": {"note": "nothing"}}, "unusable_vector"),
        ({"expect": {"credentail": None}}, "unusable_vector"),
        ({"given": {"environ": {}}, "expect": {"credential": None}}, "unusable_vector"),
        (
            {"when": {"op": "parse_model_ref"}, "expect": {"error": {"category": "unusable_vector"}}},
            "unusable",
        ),
    ],
)
def test_a_vector_that_was_not_run_never_passes(
    tmp_path: Path, changes: dict[str, Any], category: str
) -> None:
    """A misspelled or incomplete vector fails by name, even one that expects just that."""
    (failure,) = verify([_file(tmp_path, _vector(**changes))]).failures
    assert failure.actual["error"]["category"].startswith(category)


def test_a_null_of_another_operation_does_not_hold(tmp_path: Path) -> None:
    """What an operation never tells is not absent."""
    path = _file(tmp_path, _vector(when={"op": "load_models"}, expect={"credential": None}))
    assert verify([path]).passed == 0


def test_a_deeply_nested_file_is_refused(tmp_path: Path) -> None:
    """A file that cannot be read for its depth is the operator's mistake."""
    path = tmp_path / "pi.json"
    path.write_text("[" * 200_000 + "]" * 200_000)
    with pytest.raises(UnusableInput, match="nested too deeply"):
        verify([path])
