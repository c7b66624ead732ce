"""The errors of reports."""

from __future__ import annotations

import inspect

import pytest

from reports import errors
from reports.errors import ReportError, UnreadableReport

CLASSES = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__
]


def test_message_tells_expected_seen_where_and_next() -> None:
    """The message is made of the fields, in one order."""
    error = UnreadableReport("run.jsonl", 3, expected="a record", seen="[]", next_step="again")
    assert str(error) == (
        "the report cannot be read; expected: a record; seen: []; where: run.jsonl, line 3; next: again"
    )


def test_message_is_one_harmless_line() -> None:
    """What a file holds cannot speak to the terminal through an error, and is bounded."""
    text = str(ReportError("bad", seen="\x1b[2J\n" + "x" * 1000))
    assert "\x1b" not in text
    assert "\n" not in text
    assert text.endswith("… (1005 characters)")


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_tree_in_the_docstring_is_the_tree(kind: type[ReportError]) -> None:
    """Every class is a ReportError, says something about the world, and is listed at the head."""
    assert issubclass(kind, ReportError)
    assert (kind.__doc__ or "").splitlines()[0].endswith(".")
    assert kind.__name__ in (errors.__doc__ or "")
