"""Tests that no part of a credential is left where a text was shortened before it was redacted."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.redaction import REDACTED
from harness.remnants import untold
from providers.errors import RemoteError, shown

KEY = "canary/9f8e+7d6c=5b4a~0z"
FORMS = {
    "plain": KEY,
    "URL-encoded": quote(KEY, safe=""),
    "twice": quote(quote(KEY, safe=""), safe=""),
    "JSON": json.dumps(KEY).strip('"').replace("/", "\\/"),
    "\\u": "".join(f"\\u{ord(each):04x}" for each in KEY),
    "HTML": "".join(f"&#{ord(each)};" for each in KEY),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mark", ["… (300 characters)", "..."])
def test_a_beginning_before_a_cut_is_found(form: str, mark: str) -> None:
    """Wherever the cut falls, also inside an escaped character, all that is left of the key is replaced."""
    text = FORMS[form]
    width = len(text) // len(KEY)  # characters of the form that stand for one of the key
    for length in range(7 * max(width, 1) + 8, len(text)):
        assert untold(f"said: {text[:length]}{mark}", [KEY]) == f"said: {REDACTED}{mark}", length


@pytest.mark.parametrize("form", ["plain", "URL-encoded", "\\u", "HTML"])
def test_an_end_after_a_cut_is_found(form: str) -> None:
    """The middle of a value may be left out as well."""
    whole = FORMS[form]
    for start in range(len(whole) - 6 * (len(whole) // len(KEY) + 1) - 8):
        told = untold(f"said: x...{whole[start:]}!", [KEY])
        assert told.endswith(f"{REDACTED}!")
        assert len(told) <= len(f"said: x...{REDACTED}!") + 6


@pytest.mark.parametrize("shift", range(3))
def test_a_part_in_base64_is_found(shift: int) -> None:
    """At each offset, from eight characters before a cut, from twelve anywhere."""
    coded = base64.b64encode(b"x" * shift + KEY.encode()).decode()
    for length in range(12, 25):
        assert REDACTED in untold(f"{coded[:length]}…", [KEY])
    assert REDACTED in untold(coded[:18], [KEY])


@pytest.mark.parametrize("digits", [str.lower, str.upper])
def test_a_part_in_hexadecimal_is_found(digits: Callable[[str], str]) -> None:
    """Six characters of it, be it cut in the middle of one."""
    dumped = digits(KEY.encode().hex())
    for length in range(12, len(dumped)):
        assert untold(f"{dumped[:length]}…", [KEY]) == f"{REDACTED}…"
        assert untold(f"...{dumped[-length:]}!", [KEY]) == f"...{REDACTED}!"


def test_a_cut_without_a_mark_is_found() -> None:
    """Twelve characters are too many to be anything else; fewer, without a mark, are left as they are."""
    assert untold(f"'{KEY[:12]}'", [KEY]) == f"'{REDACTED}'"
    assert untold(f"'{KEY[-12:]}'", [KEY]) == f"'{REDACTED}'"
    assert untold("the canary sings", [KEY]) == "the canary sings"
    assert untold("the canary… sings", ["can"]) == "the canary… sings"


@settings(deadline=None)
@example("\x7f", 9, 20, "")
@given(st.text(max_size=40), st.integers(0, 30), st.integers(0, 30), st.text(max_size=40))
def test_what_was_json_stays_json(before: str, start: int, end: int, after: str) -> None:
    """A part goes with whole escapes, whatever stands beside it."""
    text = json.dumps([f"{before}{KEY[start:end]}{after}", f"{KEY[:end]}…", f"{before}\n{KEY[start:]}"])
    assert len(json.loads(untold(text, [KEY, "nary/9f8e+7d6c", "t9f8e+7d6c=5b4"]))) == 3


def test_an_error_is_cut_and_tells_nothing() -> None:
    """What a vendor repeats over the limit of an error's one line is shortened, once or more often."""
    for pad in range(100, 220):
        error = RemoteError("x" * pad + KEY, status=400)
        for text in (str(error), shown(repr(error)), shown([str(error)])):
            told = untold(text, [KEY])
            assert not any(KEY[at : at + 6] in told for at in range(len(KEY) - 5)), told


@pytest.mark.parametrize(
    "hostile",
    [KEY[:11], KEY[1:], f"...{KEY[:6]}", KEY[-6:], "\\", "%25", "&#", "\\u2026", "&amp;", "…"],
)
def test_a_hostile_text_takes_no_longer(hostile: str) -> None:
    """Two megabytes of near misses come to an end, and a part of the key behind them is found."""
    text = hostile * (2_000_000 // len(hostile))
    assert untold(f"{text}|{KEY[:12]}", [KEY]).endswith(f"|{REDACTED}")
