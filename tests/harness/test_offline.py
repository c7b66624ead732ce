"""The offline commands: pytest in this process, and what it leaves behind."""

from __future__ import annotations

import subprocess
import sys

_COUNTING = """
import gc
from harness import offline, plugin

class Counting:
    def pytest_collection_finish(self, session):
        self.collected = len(session.items)

counting = Counting()
code = offline.run_pytest(["--provider=groq", "--scenario=text_stream", "-p", "no:terminal"], [counting])
gc.collect()
left = sum(isinstance(each, plugin.Cell) for each in gc.get_objects())
print(code, counting.collected, left)
"""


def test_a_run_lets_go_of_its_cells() -> None:
    """Once a run has ended its cells are gone, but for the few that pytest itself looked at last."""
    ended = subprocess.run([sys.executable, "-c", _COUNTING], capture_output=True, text=True, check=True)
    code, collected, left = map(int, ended.stdout.split())
    assert code == 0
    assert collected > 100
    assert left < 10


def test_a_usage_error_ends_as_one() -> None:
    """A run that never had a session ends with pytest's own code."""
    command = [sys.executable, "-m", "harness", "run", "--no-such-option"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 4, ended.stderr
    assert "--no-such-option" in ended.stderr
