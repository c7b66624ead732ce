"""What the histories of two protocols have in common: runs of a role, and ids."""

from __future__ import annotations

import re

from providers.protocols.merging import Run, new_id

LAWFUL = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def test_results_stand_before_other_blocks() -> None:
    """One message is made of a run, in the order that the vendors take."""
    run = Run("user")
    run.blocks += [{"text": "a"}]
    run.results += [{"result": 1}]
    assert run.message() == {"role": "user", "content": [{"result": 1}, {"text": "a"}]}


def test_a_lawful_id_is_kept_once() -> None:
    """A second call of the same id, one without and one out of the charset get new ones, always the same."""
    made = []
    for _ in range(2):
        taken: set[str] = set()
        made.append([new_id(each, LAWFUL, taken) for each in ("c1", "c1", None, "c:1", "x" * 99)])
        assert set(made[-1]) == taken
    assert made[0] == made[1]
    assert made[0][0] == "c1"
    assert len({*made[0]}) == 5
    assert all(LAWFUL.fullmatch(each) for each in made[0])
    assert made[0][3].startswith("c_1_")
