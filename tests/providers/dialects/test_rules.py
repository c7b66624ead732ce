"""Every rule of every dialect, by the project's own vectors; a test's id begins with its rule."""

from pathlib import Path
from typing import Any

import pytest

from harness.dialects.vectors import COUNTED, Profile, check, load, system_of

FOLDER = Path(__file__).parents[3] / "fixtures" / "dialects"
FILES = [path for path in sorted(FOLDER.glob("*.json")) if path.name != "schema.json"]
RULES = {"zot": ("Z", 59), "pi": ("P", 85), "mayros": ("M", 47), "zeroclaw": ("C", 49), "gomodel": ("G", 40)}


def _cases() -> list[Any]:
    found = []
    for path in FILES:
        for vector in load(path):
            for profile, counted in COUNTED.items():
                if vector["profile"] in counted:
                    name = f"{vector['rule']}-{vector['id']}-{profile}"
                    found.append(pytest.param(system_of(path, vector), vector, profile, id=name))
    return found


@pytest.mark.parametrize(("system", "vector", "profile"), _cases())
def test_a_rule_holds(system: str, vector: dict[str, Any], profile: Profile) -> None:
    """The dialect does what the rule's vector says."""
    failure = check(system, vector, profile)
    assert failure is None, failure


@pytest.mark.parametrize("system", RULES)
def test_each_rule_has_a_vector(system: str) -> None:
    """No rule of a dialect is without a vector of its own."""
    letter, last = RULES[system]
    have = {vector["rule"] for vector in load(FOLDER / f"{system}.json")}
    assert have == {f"{letter}{number}" for number in range(1, last + 1)}


@pytest.mark.parametrize("system", RULES)
def test_vector_ids_are_unique(system: str) -> None:
    """No two vectors of a file share an id."""
    ids = [vector["id"] for vector in load(FOLDER / f"{system}.json")]
    assert len(ids) == len(set(ids))
