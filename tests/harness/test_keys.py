"""Tests of whose credential a live run sends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.dialects import homes
from harness.keys import Keys
from providers import schema
from providers.errors import MissingCredential

GROQ = schema.get("groq")
CHAT = ("openai-completions", "llama-3.1-8b-instant")


def test_the_plain_variables_are_read() -> None:
    """Without a dialect the catalog's variable is sent, and a given key goes before it."""
    environ = {"GROQ_API_KEY": "from the environment"}
    assert Keys(environ).find(GROQ, *CHAT) == "from the environment"
    assert Keys(environ, given="given").find(GROQ, *CHAT) == "given"


def test_a_missing_variable_is_named() -> None:
    """The skip can say what was looked for."""
    with pytest.raises(MissingCredential) as missing:
        Keys({}).find(GROQ, *CHAT)
    assert missing.value.looked_for == ("GROQ_API_KEY",)


@pytest.mark.parametrize("name", ["zot", "pi", "pi@newest", "mayros"])
def test_a_dialects_variable_is_read(name: str, tmp_path: Path) -> None:
    """Each client system finds the key in its own environment variable."""
    keys = Keys({"GROQ_API_KEY": "k-123"}, dialect=homes.dialect(name), home=tmp_path)
    assert keys.find(GROQ, *CHAT) == "k-123"


def test_a_dialects_file_goes_before_its_variable(tmp_path: Path) -> None:
    """pi's auth file wins over the environment, as it does in pi."""
    (tmp_path / ".pi/agent").mkdir(parents=True)
    auth = tmp_path / ".pi/agent/auth.json"
    auth.write_text(json.dumps({"groq": {"type": "api_key", "key": "from the file"}}))
    auth.chmod(0o600)
    keys = Keys({"GROQ_API_KEY": "from the environment"}, dialect=homes.dialect("pi"), home=tmp_path)
    assert keys.find(GROQ, *CHAT) == "from the file"


def test_every_place_of_a_dialect_is_named(tmp_path: Path) -> None:
    """What had nothing is told in the system's order, with the reason."""
    with pytest.raises(MissingCredential) as missing:
        Keys({}, dialect=homes.dialect("pi"), home=tmp_path).find(GROQ, *CHAT)
    told = ", ".join(missing.value.looked_for)
    assert told.index("auth.json") < told.index("GROQ_API_KEY")
    assert "GROQ_API_KEY (not set)" in told


def test_a_provider_that_a_system_does_not_know_is_said_so(tmp_path: Path) -> None:
    """The skip names the dialect."""
    row = next(each for each in schema.all() if "zot" not in each.systems and each.auth.required)
    with pytest.raises(MissingCredential, match="zot, which has none"):
        Keys({}, dialect=homes.dialect("zot"), home=tmp_path).find(row, row.protocols[0], "m")
