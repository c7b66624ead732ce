"""Regular expressions of catalog files: what may be one, and how long a match may last."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from providers import patterns, schema
from providers.errors import ConfigurationError, InvalidDeclaration

WATSONX = (schema.CATALOG / "watsonx.toml").read_text("utf-8")
PATTERN = 'pattern = "[a-z0-9-]+"'


@pytest.mark.parametrize(
    "pattern",
    [
        "[a-z0-9-]+",
        "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?",
        "arn:aws[a-z-]*:[a-z-]+:([a-z0-9-]+):",
        r"\d{4}-\d{2}",
        "eu|us|ap",
        "[]a]+",
        "[^]?*|]{1,63}",
        "a{b}",
        r"\(a\)+",
    ],
)
def test_a_plain_pattern_is_lawful(pattern: str) -> None:
    """Characters, classes, groups and a few quantifiers are what a pattern is made of."""
    assert patterns.fault_of(pattern) == ""


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("([", "no regular expression: unterminated character set"),
        ("a**", "no regular expression: multiple repeat"),
        ("[[a]", "no regular expression: Possible nested set"),
        ("(a+)+$", "at 4 a repetition"),
        ("(a|aa)+", "at 6 a repetition"),
        ("((a?)?)*", "at 7 a repetition"),
        ("(a{2,3}){2}", "at 8 a repetition"),
        ("(?:(){200}){200}", "at 11 a repetition"),
        ("a*a*a*a*b", "more repetitions"),
        ("a?" * 30, "more repetitions"),
        ("(?=a)b", "at 0 what is neither"),
        ("(?i)a", "at 0 what is neither"),
        (r"(a)\1", "at 3 what is neither"),
        ("a{99999}", "at 1 what is neither"),
        ("a{99999999999999999999}", "no regular expression: the repetition number is too large"),
        ("a" * 257, "a pattern of 257 characters; at most 256"),
    ],
)
def test_a_pattern_that_may_last_is_a_fault(pattern: str, fault: str) -> None:
    """What is no expression, and what could be matched in too many ways, is told with its place."""
    assert patterns.fault_of(pattern).startswith(fault)


@pytest.mark.parametrize("pattern", ["a*a*a*a?a?b", "(a)*(a)*(a)*a?a?b", "(?:a*)?a*?a*b"])
def test_the_slowest_match_is_soon_over(pattern: str) -> None:
    """A pattern at the bound, against the longest text, which it does not match, is quick."""
    assert patterns.fault_of(pattern) == ""
    began = time.process_time()
    assert not patterns.matches(pattern, "a" * patterns.LONGEST)
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("new", "fault"),
    [
        ('pattern = "(["', "values.region.pattern: no regular expression"),
        ('pattern = "(a+)+$"', "values.region.pattern: at 4 a repetition"),
        ('from_model = "(["', "values.region.from_model: no regular expression"),
        ('from_model = "(a+)+"', "values.region.from_model: at 4 a repetition"),
        ('from_model = "a+"', "values.region.from_model: expected a regular expression with one group"),
    ],
)
def test_a_bad_pattern_is_the_files_fault(tmp_path: Path, new: str, fault: str) -> None:
    """It is found when the file is read, and told with its key."""
    path = tmp_path / "watsonx.toml"
    assert PATTERN in WATSONX
    path.write_text(WATSONX.replace(PATTERN, new, 1), "utf-8")
    with pytest.raises(InvalidDeclaration) as raised:
        schema.load_file(path)
    assert any(line.startswith(fault) for line in raised.value.faults), raised.value.faults


def test_a_value_too_long_for_its_pattern_is_refused() -> None:
    """Nothing longer than the bound is matched at all; the error tells the bound."""
    with pytest.raises(ConfigurationError, match="at most 256 characters"):
        schema.get("watsonx").endpoint("openai-completions", values={"region": "a" * 257})
