"""The regular expressions of catalog files: a language so small that a match always ends soon.

Python's ``re`` tries one way after another, and a pattern such as ``(a+)+$`` has more ways than there is time
for. So nothing is repeated here that holds a repetition or an alternative, the choices of a pattern are
counted, and the text it is matched against has a longest length. There are characters, classes, escapes,
``|``, quantifiers and groups, of those with ``(?`` only ``(?:``. Pure.

Document: https://docs.python.org/3/library/re.html#regular-expression-syntax, read 2026-11-21.
"""

from __future__ import annotations

import re
import warnings

LONGEST = 256  # characters, of a pattern and of a text that one is matched against
_CHOICES = 26  # the ways through a text are at most two to the power of this
# Of a quantifier or an alternative: 2 ** 8 is LONGEST, and a repetition may end behind each character.
_COSTS = {"choice": 1, "exact": 1, "repeat": 8}
_TOKEN = re.compile(
    r"""
    (?P<choice> \||\? )  |  (?P<repeat> [*+]|\{\d{0,3},\d{0,3}\} )  |  (?P<exact> \{\d{1,3}\} )
    | (?P<open> \((?:\?:)? )  |  (?P<close> \) )
    | \\[^0-9]  |  \[\^?\]?(?:\\.|[^\]\\])*\]  |  [^\\\[{]  |  \{(?!\d*,?\d*\})
    """,
    re.VERBOSE | re.DOTALL,
)


def fault_of(pattern: str) -> str:
    """Why ``pattern`` is none that a catalog file may hold; empty when it is one."""
    if len(pattern) > LONGEST:
        return f"a pattern of {len(pattern)} characters; at most {LONGEST}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            re.compile(pattern)
    except (re.error, OverflowError, FutureWarning) as fault:
        return f"no regular expression: {fault}"
    return _costly(pattern)


def matches(pattern: str, text: str) -> bool:
    """Whether ``text`` is short enough and, whole, what ``pattern`` describes."""
    return len(text) <= LONGEST and re.fullmatch(pattern, text) is not None


def _costly(pattern: str) -> str:
    """What would let a match of a valid ``pattern`` last, or is none of the language's."""
    held = [0]  # the choices inside each open group; the last is the innermost
    before = 0  # the choices of what a quantifier here would repeat
    at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None or (token[0] == "(" and pattern.startswith("(?", at)):
            return f"at {at} what is neither a character, a class, a group nor a quantifier"
        at = token.end()
        kind = token.lastgroup
        if kind in ("repeat", "exact") and before:
            return f"at {token.start()} a repetition of what holds a repetition or an alternative"
        if kind == "open":
            held.append(0)
        cost = held.pop() if kind == "close" else _COSTS.get(kind or "", 0)
        held[-1] += cost
        before = before + cost if kind in _COSTS else cost
    return "" if held[0] <= _CHOICES else "more repetitions and alternatives than a short match can try"
