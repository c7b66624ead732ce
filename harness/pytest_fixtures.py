"""What an installed wirecheck adds to everybody's pytest: three fixtures. No option, no item, no check.

    def test_my_client(wirecheck_transport):
        client = httpx.Client(transport=wirecheck_transport("groq", "openai-completions", "text_stream"))

The conformance run itself is ``harness.plugin``, loaded by name. For a project that names it in its
configuration, this page also mends one misreading: pytest looks for the configuration before any plugin is
loaded, and so takes the value of an option that it does not know yet (``--results /tmp/out.jsonl``) for a
file of tests whose folder decides. Such a command line is run again with the two words joined.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

_PLUGIN = "harness.plugin"
_TAKE_A_PATH = ("--results", "--exchanges", "--catalog", "--drift-report", "--dialect-home")
_CONFIGURATIONS = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")


@pytest.fixture(scope="session")
def wirecheck_exchange() -> Callable[..., tuple[Any, ...]]:
    """``wirecheck_exchange(provider, protocol, scenario, root=None)``: the exchanges of a scenario, by turn.

    ``root`` is a folder of exchanges, None for those that come with wirecheck.
    """

    def load(provider: str, protocol: str, scenario: str, root: Path | None = None) -> tuple[Any, ...]:
        exchange = import_module("harness.exchange")  # only whoever asks for it pays for it
        found: tuple[Any, ...] = exchange.load(root or exchange.FIXTURES, provider, protocol, scenario)
        return found

    return load


@pytest.fixture(scope="session")
def wirecheck_transport(wirecheck_exchange: Callable[..., tuple[Any, ...]]) -> Callable[..., Any]:
    """``wirecheck_transport(provider, protocol, scenario, root=None, strict=False)``: an httpx transport.

    It answers, sync and async, with the exchanges of the scenario in turn; ``strict`` refuses a request that
    is not the recorded one and says where it differs. ``seen`` holds the requests, credentials redacted.
    """

    def replay(
        provider: str, protocol: str, scenario: str, root: Path | None = None, *, strict: bool = False
    ) -> Any:
        exchanges = wirecheck_exchange(provider, protocol, scenario, root)
        return import_module("harness.transports.replay").Replay(exchanges, strict=strict)

    return replay


class _Served:
    """A replay server, for a test: where its recordings are, and what was asked of it."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def url(self, provider: str, protocol: str, scenario: str = "", fault: str = "") -> str:
        """The base URL of an endpoint, or of one of its scenarios, with a fault."""
        told = f"/@{scenario}{'+' if fault else ''}{fault}" if scenario else ""
        return f"{self._server.url}{told}/{provider}/{protocol}"

    @property
    def journal(self) -> list[Any]:
        """The requests of this test, credentials redacted: method, url, headers, body, exchange, miss."""
        return [*self._server.entries]


@pytest.fixture(scope="session")
def _wirecheck_serving() -> Iterator[Any]:
    page = import_module("harness.server")
    exchanges = import_module("harness.exchange").FIXTURES
    shelf = import_module("harness.shelf").Shelf(import_module("providers.schema").all, exchanges)
    with page.running(page.Server(shelf, speed="max")) as server:
        yield server


@pytest.fixture
def wirecheck_server(_wirecheck_serving: Any) -> _Served:
    """A server on loopback that gives recordings back to any client in this or another process.

    def test_my_client(wirecheck_server):
        client = OpenAI(base_url=wirecheck_server.url("groq", "openai-completions", "text"), api_key="k")
        assert client.chat.completions.create(...).choices
    """
    _wirecheck_serving.forget()
    return _Served(_wirecheck_serving)


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Run a misread command line again; adds no option, but is called before pytest captures any output.

    Raises UsageError where the process is not pytest's own.
    """
    config: Any = pluginmanager.get_plugin("pytestconfig")
    start = config.invocation_params.dir
    misread = [pair for pair in _split_options([*config.invocation_params.args]) if _led_away(pair[1], start)]
    if not misread or not (pluginmanager.hasplugin(_PLUGIN) or _named_in_configuration(start)):
        return
    command = joined(sys.orig_argv, misread)
    if command == sys.orig_argv:
        raise pytest.UsageError(" and ".join(f"write {name}={value}, with =" for name, value in misread))
    os.execv(sys.executable, [sys.executable, *command[1:]])


def _split_options(args: list[str]) -> list[tuple[str, str]]:
    return [pair for pair in pairwise(args) if pair[0] in _TAKE_A_PATH]


def _led_away(value: str, start: Path) -> bool:
    """Whether pytest took ``value`` for a place outside ``start`` where its configuration is."""
    place = start / value
    return place.exists() and not place.resolve().is_relative_to(start.resolve())


def _named_in_configuration(start: Path) -> bool:
    for folder in (start, *start.parents):
        for name in _CONFIGURATIONS:
            file = folder / name
            if file.is_file() and _PLUGIN in file.read_text("utf-8", "replace"):
                return True
    return False


def joined(command: list[str], pairs: list[tuple[str, str]]) -> list[str]:
    """``command`` with each of the (option, value) ``pairs`` as one word, ``option=value``."""
    words: list[str] = []
    for word in command:
        if words and (words[-1], word) in pairs:
            words[-1] = f"{words[-1]}={word}"
        else:
            words.append(word)
    return words
