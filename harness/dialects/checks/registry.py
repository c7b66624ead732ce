"""What a dialect check is: ``@check``, as in ``harness.checks.registry``; here a Trial is judged.

    @check("auth.precedence", source="…")
    def precedence(trial: Trial) -> None:
        \"\"\"The first source set MUST win, …\"\"\"

The id and the docstring alone tell the rule. A dialect is a set of pure functions, so a check may ask it
several times; it asserts one thing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase

import msgspec

from harness.checks.registry import Level, require
from harness.dialects.checks.trial import Trial
from providers.errors import shown

Judge = Callable[[Trial], None]
Applies = Callable[[Trial], bool]

_LEVEL = re.compile(r"\b(MUST|SHOULD|MAY)\b")


class DialectCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement on a dialect. ``dialects`` are globs of their names; ``when`` tells for which of
    their providers it is a question at all."""

    id: str
    requirement: str
    level: Level
    source: str
    dialects: tuple[str, ...]
    when: Applies
    judge: Judge

    @property
    def topic(self) -> str:
        """The part of the id before the first dot."""
        return self.id.split(".")[0]

    def applies(self, trial: Trial) -> bool:
        """Whether the check is collected for a provider of a dialect."""
        named = any(fnmatchcase(trial.dialect.name, glob) for glob in self.dialects)
        return named and self.when(trial)


_REGISTERED: dict[str, DialectCheck] = {}


def everywhere(trial: Trial) -> bool:
    """For every provider."""
    return True


def only(*providers: str) -> Applies:
    """For the providers named, by the system's own ids."""
    return lambda trial: trial.row.id in providers


def check(
    id: str, *, source: str, dialects: tuple[str, ...] = ("*",), when: Applies = everywhere
) -> Callable[[Judge], Judge]:
    """Register a function as the check ``id``. Raises ValueError for an id taken and for a docstring
    without a level."""

    def register(judge: Judge) -> Judge:
        requirement = " ".join((judge.__doc__ or "").split())
        level = _LEVEL.search(requirement)
        if id in _REGISTERED or level is None or not source:
            raise ValueError(f"{id}: an id is given once, with MUST, SHOULD or MAY, and a source")
        _REGISTERED[id] = DialectCheck(
            id=id,
            requirement=requirement,
            level=level.group(1),  # type: ignore[arg-type]
            source=source,
            dialects=dialects,
            when=when,
            judge=judge,
        )
        return judge

    return register


def equal(observed: object, expected: object, at: object = "") -> None:
    """Raise Nonconformance unless the two are equal."""
    require(observed == expected, expected=shown(expected), observed=observed, at=at)


def registered() -> dict[str, DialectCheck]:
    """Every check registered so far, by id."""
    return dict(_REGISTERED)
