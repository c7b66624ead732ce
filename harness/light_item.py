"""A pytest item that weighs little: a run of every provider has a quarter of a million of them.

pytest gives each item keywords, markers, a stash, an id and more when it is made, about 1.5 KB. Here they
come to be when somebody first asks for one of them (``-k``, another plugin), all at once, and then stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest

from harness.stage import Case

_HEAVY = frozenset(  # what pytest's own constructors set; its versions differ
    {
        "_id",
        "_nodeid",
        "_report_sections",
        "_store",
        "extra_keyword_matches",
        "keywords",
        "name",
        "own_markers",
        "stash",
        "user_properties",
    }
)


@lru_cache(maxsize=1)
def _shared(provider: str, protocol: str, scenario: str, fault: str) -> tuple[str, str, str, str]:
    """The names, the same object as the last time if they are equal: cases of one place come together."""
    return provider, protocol, scenario, fault


class LightItem(pytest.Item):
    """An item of a case, whose id is the case's."""

    __slots__ = ("_check", "_light", "_place")
    _check: str
    _light: bool
    _place: tuple[str, str, str, str]

    def __init__(self, *, parent: pytest.Session, case: Case, **more: Any) -> None:
        # pytest's constructors wait for the first look at what they set; these four are shared by all items
        self.parent = parent
        self.session = parent
        self.config = parent.config
        self.path = parent.path
        self._place = _shared(case.provider, case.protocol, case.scenario, case.fault)
        self._check = case.check
        self._light = True

    def __getattr__(self, name: str) -> Any:
        if name not in _HEAVY or not self._light:
            raise AttributeError(name, name=name, obj=self)
        self._light = False
        super().__init__(self.case.id, self.parent, nodeid=self.case.id)
        return getattr(self, name)

    __hash__ = object.__hash__  # pytest's needs the id

    @property
    def case(self) -> Case:
        """What is judged here."""
        return Case(*self._place, self._check)

    @property
    def nodeid(self) -> str:
        """The case's id."""
        return self.case.id

    @property
    def location(self) -> tuple[str, int | None, str]:
        """Where it stands: nowhere in a file; its name is its id."""
        return ".", None, self.case.id

    def iter_markers_with_node(self, name: str | None = None) -> Iterator[tuple[Any, pytest.Mark]]:
        """Its markers and those of its parents; pytest asks for them before every test."""
        if self._light and self.parent is not None:
            return self.parent.iter_markers_with_node(name)
        return super().iter_markers_with_node(name)
