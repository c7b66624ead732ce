"""A decision of the gate in each format, whatever a provider put into it."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from markdown import markdown

from reports import announcing, baseline, gate, sarif
from reports.gate import Decision, Expected
from tests.reports import junit_schema
from tests.reports.samples import OLD, TODAY, result, run

HOSTILE = (
    "</td><script>alert(1)</script> | `x` [a](https://evil.test) ![i](x) @team #1 &lt; <!-- \x1b[31mred\n"
    "::set-output name=a::b\r\n::error file=x::pwned %0A::add-mask::x ##[set-env name=PATH;]/tmp "
    "\u202e ]]> \ud83c"
)


def _decision(reason: str = "two finishes", expires: dt.date = TODAY) -> Decision:
    now = run(
        result("stream.order", "failed", blame="provider", reason=reason),
        result("stream.cut", "failed", reason=reason),
        result("tool.named", "failed", reason=reason),
        result("err.typed"),
    )
    before = run(result("stream.order", date=OLD), result("tool.named"), result("err.typed"))
    known = [
        Expected(id=glob, reason="known", owner=reason, upstream="https://acme.test/1", expires=expires)
        for glob in ("*/tool.named", "*/err.typed", "nowhere")
    ]
    return gate.decide(now, baseline.of(before), known, today=TODAY)


def test_text_is_for_people() -> None:
    """Each finding is a line with check, provider, blame and since when; the last one is the verdict."""
    assert announcing.text(_decision()).splitlines() == [
        "regression: wirecheck/acme/openai-completions/text/-/stream.order, good on 2026-05-01: two finishes "
        "(blames provider)",
        "expected to fail, and passes: */err.typed (two finishes, https://acme.test/1)",
        "expected to fail, and there is no such result any more: nowhere (two finishes, https://acme.test/1)",
        "new failure, not in the baseline: wirecheck/acme/openai-completions/text/-/stream.cut: two finishes",
        "not passed: 1 regression, 1 unexpected pass, 1 stale, 1 new failure, 1 expected",
    ]
    many = run(result("stream.order", "failed"), result("tool.named", "failed"))
    assert announcing.summary(gate.decide(many)) == "not passed: 2 regressions"
    assert announcing.text(Decision(gate.PASSED)) == "passed\n"
    assert announcing.text(gate.unusable("no file")) == "no file\nundecided\n"


def test_github_annotates() -> None:
    """Every finding is a workflow command at the file that was named; the verdict is plain."""
    *commands, last = announcing.github(_decision(), "ci/expected, x.toml").splitlines()
    assert commands[0] == (
        "::error file=ci/expected%2C x.toml,title=wirecheck%3A regression::regression: "
        "wirecheck/acme/openai-completions/text/-/stream.order, good on 2026-05-01: two finishes "
        "(blames provider)"
    )
    assert [command.split()[0] for command in commands] == ["::error", "::error", "::error", "::warning"]
    assert last.startswith("not passed")


def _runner(log: str) -> list[tuple[str, str]]:
    """The commands that GitHub's runner would find in a log, both forms."""
    found = []
    for line in log.splitlines():
        newer = re.match(r"\s*::(\S+?)(?: .*?)?::(.*)", line)
        if newer:
            found.append((newer[1], newer[2]))
        elif re.search(r"##\[.*?\]", line):
            found.append(("##", line))
    return found


@given(st.one_of(st.just(HOSTILE), st.text("%:#[]\n\r ,0A\x1bset", max_size=40)))
def test_no_words_of_a_peer_are_a_command(words: str) -> None:
    """In a CI log a provider's words start no command, and in an annotation they stay its text."""
    assert _runner(announcing.text(_decision(words))) == []
    written = announcing.github(_decision(words))
    assert [name for name, _ in _runner(written)] == ["error", "error", "error", "warning"]
    assert not re.search(r"%(?!25|0A|0D|3A|2C)", written)
    assert "%0A" not in written.replace("%250A", "")
    assert "##[" not in written


@pytest.mark.parametrize("render", [announcing.text, announcing.github, announcing.markdown])
def test_no_terminal_escape_is_printed(render: object) -> None:
    """What is printed is visible text of whole lines."""
    written = render(_decision(HOSTILE))  # type: ignore[operator]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", written)


def test_markdown_is_a_table_that_nothing_breaks() -> None:
    """A hostile text stays in its cell, and shows nothing but itself."""
    page = announcing.markdown(_decision(HOSTILE))
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {7}
    shown = markdown(page, extensions=["tables"])
    assert set(re.findall(r"<(\w+)", shown)) == {"h3", "table", "thead", "tbody", "tr", "th", "td", "p"}
    assert "<script>alert(1)</script>" in html.unescape(shown)
    assert "1 failed as expected." in page


def test_markdown_fits_into_a_comment() -> None:
    """What there is no room for is a number, and no text is longer than a table bears."""
    many = [result("stream.order", "failed", provider=f"p{n}", reason="*" * 9999) for n in range(205)]
    page = announcing.markdown(gate.decide(run(*many)))
    shown = page.count("\n| ✗")
    assert 100 < shown < 205
    assert f"… and {205 - shown} more." in page
    assert len(page) < 65_536


def test_junit_holds_every_notice() -> None:
    """What fails the gate is a failure, an expected failure is skipped; the counts agree."""
    suites = ElementTree.fromstring(announcing.junit(_decision(HOSTILE)))
    assert [*junit_schema.faults(suites)] == []
    suite = suites[0]
    assert [suite.get(name) for name in ("tests", "failures", "skipped")] == ["5", "3", "1"]
    assert len(suite.findall("testcase")) == 5
    assert len(suite.findall("*/failure")) == 3
    assert "<script>" in (suite.findall("*/failure")[0].get("message") or "")
    passed = ElementTree.fromstring(announcing.junit(Decision(gate.PASSED)))[0]
    assert (passed.get("tests"), passed.get("failures"), len(passed)) == ("1", "0", 1)


def test_the_junit_schema_forbids() -> None:
    """What the schema does not know, lacks, or has elsewhere is told."""
    wrong = ElementTree.fromstring(
        '<testsuites skipped="1"><testsuite name="a" tests="1" failures="0" time="soon">text'
        "<testcase><failure/><testcase name='b'/></testcase></testsuite></testsuites>"
    )
    assert [*junit_schema.faults(wrong)] == [
        "testsuites has skipped",
        "testsuite lacks errors",
        "testsuite takes soon",
        "testsuite holds text",
        "testcase lacks name",
        "testcase holds testcase",
    ]


def _object(required: list[str], **properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


def _list(items: object) -> dict[str, object]:
    return {"type": "array", "items": items}


TEXT = {"type": "string"}
MESSAGE = _object(["text"], text=TEXT)
LEVEL = {"enum": ["none", "note", "warning", "error"]}
# The part of the SARIF 2.1.0 schema that we use, in the standard's names and with its required properties.
LOG = _object(
    ["version", "runs"],
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"const": "2.1.0"},
    runs=_list(
        _object(
            ["tool"],
            tool=_object(
                ["driver"],
                driver=_object(
                    ["name"],
                    name=TEXT,
                    rules={**_list(_object(["id"], id=TEXT, shortDescription=MESSAGE)), "uniqueItems": True},
                ),
            ),
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            results=_list(
                _object(
                    ["message"],
                    ruleId=TEXT,
                    ruleIndex={"type": "integer", "minimum": -1},
                    level=LEVEL,
                    message=MESSAGE,
                    locations=_list(
                        _object(
                            [],
                            physicalLocation=_object(
                                ["artifactLocation"],
                                artifactLocation=_object(
                                    [], uri={"type": "string", "pattern": r"^[^\s\\\"<>^`{|}]+$"}
                                ),
                                region=_object([], startLine={"type": "integer", "minimum": 1}),
                            ),
                            logicalLocations=_list(_object([], fullyQualifiedName=TEXT, kind=TEXT)),
                        )
                    ),
                    partialFingerprints={"type": "object", "additionalProperties": TEXT},
                    suppressions=_list(
                        _object(
                            ["kind"],
                            kind={"enum": ["inSource", "external"]},
                            status={"enum": ["accepted", "underReview", "rejected"]},
                        )
                    ),
                    properties={"type": "object"},
                )
            ),
        )
    ),
)


@pytest.mark.parametrize("reason", ["two finishes", HOSTILE], ids=["plain", "hostile"])
def test_sarif_is_valid(reason: str) -> None:
    """The log has the shape of SARIF 2.1.0; an expected failure is suppressed; rules are found by index."""
    log = json.loads(sarif.document(_decision(reason), "ci/my expected.toml").encode())
    Draft7Validator.check_schema(LOG)
    Draft7Validator(LOG).validate(log)
    (found,) = log["runs"]
    rules = [rule["id"] for rule in found["tool"]["driver"]["rules"]]
    assert all(rules[each["ruleIndex"]] == each["ruleId"] for each in found["results"])
    assert [each["level"] for each in found["results"]] == ["error", "error", "error", "warning", "note"]
    assert [each["ruleId"] for each in found["results"] if "suppressions" in each] == ["expected"]


def test_sarif_alerts_keep_their_fingerprint() -> None:
    """Another reason is the same alert; another result is another one."""
    prints = [
        [each["partialFingerprints"]["wirecheckId/v1"] for each in json.loads(log)["runs"][0]["results"]]
        for log in (sarif.document(_decision("one")), sarif.document(_decision("other")))
    ]
    assert prints[0] == prints[1]
    assert len(set(prints[0])) == 5


@pytest.mark.parametrize("name", announcing.FORMATS)
def test_every_format_tells_of_unusable_input(name: str) -> None:
    """What could not be read is told in each format, on which a run's page depends."""
    told = announcing.FORMATS[name](gate.unusable("the report cannot be read; where: x.jsonl"), "")
    assert "x.jsonl" in told.replace("\\", "")
    assert announcing.FORMATS[name](Decision(gate.PASSED), "")
