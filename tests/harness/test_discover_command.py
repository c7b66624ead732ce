"""``wirecheck providers discover``, with servers of our own on loopback."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness import configuration
from harness.cli import app
from harness.commands import discovery as command
from providers import discovery, schema
from providers.schema import Catalog

MODELS = json.dumps({"object": "list", "data": [{"id": "tiny", "object": "model"}]}).encode()
KEY = "canary-of-a-local-server"


class _Server(http.server.HTTPServer):
    """Lists one model, or wants a key; remembers what it was sent."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.seen: list[tuple[str, str]] = []
        super().__init__(("127.0.0.1", 0), _Answer)


class _Answer(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.seen.append((self.path, str(self.headers)))
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(MODELS if self.server.status == 200 else b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test reads what was seen."""


@contextmanager
def listening(status: int) -> Iterator[_Server]:
    with _Server(status) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def only_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalog is vLLM alone, so that no other server of this machine matters."""
    catalog = Catalog([schema.get("vllm")])
    used = configuration.Configuration(catalog, Path("unused"))
    monkeypatch.setattr(configuration, "read", lambda start: used)
    monkeypatch.setenv("VLLM_API_KEY", KEY)


@pytest.mark.usefixtures("only_vllm")
def test_a_server_and_its_models_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers at the operator's address is printed; the key of the environment is not sent."""
    with listening(200) as server:
        monkeypatch.setenv("VLLM_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
        ran = CliRunner().invoke(app, ["providers", "discover"])
    assert ran.exit_code == 0
    assert "vllm" in ran.output
    assert "tiny" in ran.output
    assert [path for path, _ in server.seen] == ["/v1/models"]
    assert KEY not in server.seen[0][1]


@pytest.mark.usefixtures("only_vllm")
def test_a_server_that_wants_a_key_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server behind a key is found, and the variable for it is named."""
    with listening(401) as server:
        monkeypatch.setenv("VLLM_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
        ran = CliRunner().invoke(app, ["providers", "discover"])
    assert ran.exit_code == 0
    assert "wants a key: VLLM_API_KEY" in ran.output


@pytest.mark.usefixtures("only_vllm")
def test_nothing_that_answers_is_told_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody there is an empty list and exit code 1."""
    with listening(200) as server:
        free = server.server_port
    monkeypatch.setenv("VLLM_BASE_URL", f"http://127.0.0.1:{free}/v1")
    ran = CliRunner().invoke(app, ["providers", "discover", "--json"])
    assert (ran.exit_code, json.loads(ran.output)) == (1, [])


@pytest.mark.usefixtures("only_vllm")
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_what_answers_with_something_else_is_named(
    monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    """The address is told with what is wrong, beside the JSON; the exit code is that of nobody."""
    with listening(404) as server:
        address = f"http://127.0.0.1:{server.server_port}/v1"
        monkeypatch.setenv("VLLM_BASE_URL", address)
        ran = CliRunner().invoke(app, ["providers", "discover", *more])
    assert ran.exit_code == 1
    told = ran.stderr if more else ran.stdout
    assert f"{address}  answered with something else: " in told
    assert "404" in told
    assert ran.stdout.endswith("[]\n" if more else "1 of 1 addresses answered, 1 with something else\n")


def test_several_names_are_told_as_alternatives() -> None:
    """Servers that share an address, and cannot be told apart, are both named."""
    found = discovery.Found("http://localhost:8080/v1", ("openai-completions",), ("llamacpp", "tgi"), None)
    told = command.lines([found], 9, schema.all())
    assert told == [
        "http://localhost:8080/v1  llamacpp or tgi  openai-completions",
        "    wants a key: LLAMA_API_KEY or TGI_API_KEY",
        "1 of 9 addresses answered",
    ]
