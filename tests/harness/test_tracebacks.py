"""Tests of what pytest prints of an unexpected error: all of it, without the credential."""

from __future__ import annotations

import pytest

pytest_plugins = "pytester"
KEY = "gsk_a-key-in-a-local-Qx81zR7t"
PLUGIN = f"""
import pytest
from harness.tracebacks import Tracebacks

def pytest_configure(config):
    config.pluginmanager.register(Tracebacks(lambda: ["{KEY}"]))
"""
BROKEN = """
def {name}(*hooked):
    local = open("key").read()
    raise {error}("it broke with " + local)
"""


@pytest.mark.parametrize(
    "options", ["", "--showlocals --full-trace --tb=long", "--tb=native", "--tb=line -rA"]
)
@pytest.mark.parametrize(
    ("hook", "name", "error", "mark"),
    [
        (False, "test_it", "ValueError", "it broke with "),
        (False, "test_it", "KeyboardInterrupt", "KeyboardInterrupt"),
        (True, "pytest_runtest_logstart", "ValueError", "INTERNALERROR"),
        (True, "pytest_runtest_logstart", "KeyboardInterrupt", "KeyboardInterrupt"),
        (True, "pytest_collection_finish", "KeyboardInterrupt", "KeyboardInterrupt"),
    ],
    ids=["in a test", "Ctrl-C in a test", "in a hook", "Ctrl-C in a hook", "Ctrl-C while collecting"],
)
def test_an_error_is_told_without_the_credential(
    pytester: pytest.Pytester, hook: bool, name: str, error: str, mark: str, options: str
) -> None:
    """Wherever it is raised and however it is printed, message, arguments and locals hold no key."""
    (pytester.path / "key").write_text(KEY)
    broken = BROKEN.format(name=name, error=error)
    pytester.makeconftest(PLUGIN + (broken if hook else ""))
    pytester.makepyfile("def test_it(): pass" if hook else broken)
    told = pytester.runpytest_inprocess("-p", "no:xdist", "-p", "no:cacheprovider", *options.split())
    said = told.stdout.str() + told.stderr.str()
    assert told.ret != pytest.ExitCode.OK
    assert mark in said
    assert KEY not in said
    assert KEY[:12] not in said
