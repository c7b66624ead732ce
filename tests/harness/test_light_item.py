"""Items that weigh little."""

from __future__ import annotations

import pytest

from harness.light_item import LightItem
from harness.stage import Case

CASE = Case("groq", "openai-completions", "text", "", "text.present")


class _Item(LightItem):
    __slots__ = ()

    def runtest(self) -> None:
        """Do nothing."""


@pytest.fixture
def item(request: pytest.FixtureRequest) -> _Item:
    """An item of this very session."""
    made: _Item = _Item.from_parent(request.session, case=CASE)
    return made


def test_what_a_run_asks_of_every_item_leaves_it_light(item: _Item) -> None:
    """An id, a place, markers and a hash are had without an item's own attributes."""
    assert item.nodeid == CASE.id
    assert item.location == (".", None, CASE.id)
    assert list(item.iter_markers()) == []
    assert item in {item}
    assert not hasattr(item, "callspec")
    assert vars(item) == {}


def test_whoever_asks_for_more_gets_a_whole_item(item: _Item) -> None:
    """A name, keywords and a stash come to be when asked for, and what is put there stays."""
    item.add_marker(pytest.mark.skip)
    item.user_properties.append(("a", 1))
    assert item.name == CASE.id
    assert [each.name for each in item.iter_markers()] == ["skip"]
    assert item.get_closest_marker("skip") is not None
    assert item.user_properties == [("a", 1)]
    assert "skip" in item.keywords


def test_a_whole_item_lacks_what_pytest_lacks(item: _Item) -> None:
    """A name that this version of pytest does not set is missing, not looked for again and again."""
    assert item.stash is item.stash
    with pytest.raises(AttributeError, match="no_such"):
        item.no_such  # noqa: B018 - looking is the test
