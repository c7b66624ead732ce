"""What is left of a credential where somebody shortened a text before it could be redacted.

An error message is cut to one printable line, a library shortens the middle of a value: a credential across
the cut is no whole one any more, so ``harness.redaction`` alone does not find it. Its beginning and its end
are looked for here, in the same forms: a long part wherever it stands, a short one beside a mark of omission.

Only for what is told. In a body that is kept, half a secret is a sign that it came in pieces: there a part
must stay visible until the whole answer was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from harness.redaction import (
    REDACTED,
    SHORTEST,
    character,
    escapes,
    in_base64,
    in_hex,
    redact,
    rest_of_escape,
)

_LONG = 12  # characters of a credential that are too many, whatever stands beside them
_BESIDE = {"plain": SHORTEST, "base64": 8, "hex": 2 * SHORTEST}  # and beside a mark of omission
# as itself, escaped, and as three full stops
_MARK = r"(?:…|\\+u2026|\\+xe2\\+x80\\+xa6|\.\.\.)"
# nothing, or the beginning of a character that was escaped and cut
_BEFORE_MARK = re.compile(
    r"(?:|\\+(?:u[0-9a-fA-F]{0,3})?|%(?:25)*[0-9a-fA-F]?|&(?:\#(?:x?[0-9a-fA-F]*)?|[a-z]*))(?=" + _MARK + ")"
)
_AFTER_MARK = re.compile(
    _MARK + r"(u?[0-9a-fA-F]{0,4}|\#?x?[0-9a-fA-F]{0,6};|[a-z]{1,5};)\Z"
)  # or the end of one
_MARK_LENGTH = 40
_CHARACTER_LENGTH = 40


def untold(text: str, known: Iterable[str]) -> str:
    """``text`` without secrets, and without the parts of a known one that a cut has left."""
    secrets = tuple(dict.fromkeys(known))
    return without_remnants(redact(text.encode("utf-8", "replace"), secrets).content.decode(), secrets)


def without_remnants(text: str, known: Iterable[str]) -> str:
    """``text`` with every beginning and end of a known secret replaced."""
    escaped = escapes(text)
    for secret in known:
        if len(secret) < SHORTEST:
            continue
        text = _cut_out(text, _plain(secret, escaped), _BESIDE["plain"])
        for form in _coded(secret):
            text = _cut_out(text, form, _BESIDE["base64"])
        text = _cut_out(text, in_hex(secret), _BESIDE["hex"])
    return text


@lru_cache(maxsize=1024)
def _plain(secret: str, escaped: bool) -> tuple[str, ...]:
    return tuple(character(each, escaped) for each in secret)


@lru_cache(maxsize=1024)
def _coded(secret: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(map(re.escape, form)) for form in dict.fromkeys(in_base64(secret)))


def _cut_out(text: str, form: Sequence[str], beside: int) -> str:
    """``form``: a pattern a character."""
    if len(form) < beside:
        return text
    found = sorted({*_beginnings(text, form, beside), *_ends(text, form, beside)})
    pieces: list[str] = []
    at = 0
    for start, end in found:
        if start >= at:
            start += rest_of_escape(text, start)
            pieces += (text[at:start], REDACTED)
        at = max(at, end)
    return "".join([*pieces, text[at:]])


def _beginnings(text: str, form: Sequence[str], beside: int) -> Iterator[tuple[int, int]]:
    for hit in _pattern("".join(form[:beside])).finditer(text):
        end, count = hit.end(), beside
        for each in form[beside:]:
            further = _pattern(each).match(text, end)
            if further is None:
                break
            end, count = further.end(), count + 1
        cut = _BEFORE_MARK.match(text, end)
        if cut or count >= _LONG:
            yield hit.start(), cut.end() if cut else end


def _ends(text: str, form: Sequence[str], beside: int) -> Iterator[tuple[int, int]]:
    for hit in _pattern("".join(form[-beside:])).finditer(text):
        start, count = hit.start(), beside
        for each in reversed(form[:-beside]):
            before = max(0, start - _CHARACTER_LENGTH)
            further = _pattern(f"(?:{each})\\Z").search(text[before:start])
            if further is None:
                break
            start, count = before + further.start(), count + 1
        before = max(0, start - _MARK_LENGTH)
        cut = _AFTER_MARK.search(text[before:start])
        if cut or count >= _LONG:
            yield before + cut.start(1) if cut else start, hit.end()


@lru_cache(maxsize=4096)
def _pattern(shape: str) -> re.Pattern[str]:
    return re.compile(shape)
