"""The programs that reports hold for a client's developers: what they say, and that they run."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.commands.subjects import start_of
from harness.exchange import FIXTURES
from harness.selection import Selection
from harness.subjects import inventory, programs, reproduce
from harness.subjects.clients import provider_for
from harness.subjects.install import folder, installed
from harness.subjects.process import environment
from harness.subjects.programs import PROGRAMS
from harness.subjects.run import Plan
from harness.subjects.table import SUBJECTS, Subject
from providers import schema
from providers.call import Call, user
from providers.protocols import PROTOCOLS
from reports import bug_report

WORDS_ALONE = ("ollama-generate", "cohere-chat", "cohere-chat-v1", "openai-text-completions")
CATALOG = schema.all()
PLAN = Plan(catalog=CATALOG, exchanges=FIXTURES, selection=Selection())
CALL = Call(model="m", messages=(user("Hi."),), stream=True)
BODY = b'{"model": "m", "messages": [{"role": "user", "content": "Hi."}], "stream": true, "stop": null}'


def test_each_row_names_a_client_and_a_protocol() -> None:
    """Every program is of a client of the table, and of a protocol that its driver speaks."""
    for client, protocol in PROGRAMS:
        assert protocol in SUBJECTS[client].protocols
        assert protocol in PROTOCOLS


def test_the_arguments_are_those_of_the_language() -> None:
    """The body that was sent becomes a literal; what the call says by its name is left out."""
    told = programs.of("python", "openai", "openai-completions", CALL, BODY)
    compile(told, "openai", "exec")
    assert "'stop': None}" in told
    assert "for piece in client.chat.completions.create(**arguments):" in told
    assert "'stream'" not in programs.of("python", "anthropic", "anthropic-messages", CALL, BODY)
    assert '"stop": null' in programs.of("node", "groq-node", "openai-completions", CALL, BODY)
    assert "'model': 'ollama_chat/m'" in programs.of("python", "litellm", "ollama-chat", CALL, b"{}")


@pytest.mark.parametrize(
    ("language", "client", "body"),
    [
        ("python", "llm", BODY),
        ("go", "openai", BODY),
        ("python", "openai", b"no JSON"),
        ("python", "openai", b"[]"),
    ],
)
def test_what_is_unknown_has_no_program(language: str, client: str, body: bytes) -> None:
    """Another client, another language, and a body that is no object have none."""
    assert programs.of(language, client, "openai-completions", CALL, body) == ""


@pytest.mark.parametrize(("name", "protocol"), PROGRAMS)
def test_a_report_runs_as_it_stands(name: str, protocol: str) -> None:
    """The server and the call of a report, in an environment that has the client, give the answer."""
    client = SUBJECTS[name]
    if not installed(client):
        pytest.skip(f"{name} is not installed")
    scenario = "text" if protocol in WORDS_ALONE else "tool_call_stream"
    provider = provider_for(client, protocol, CATALOG)
    identity = f"{name}/{provider}/{protocol}/{scenario}/-/client.completes"
    case = reproduce.reproduce(reproduce.parse(identity), client, start_of(client), PLAN)
    with served(bug_report.script(case)) as port:
        program = case.program.replace("8080", str(port))
        done = subprocess.run(
            (*command(client), program),
            cwd=folder(client),
            env=environment(client.environ),
            capture_output=True,
            timeout=60,
            check=False,
        )
    said = done.stdout.decode()
    assert done.returncode == 0, done.stderr.decode()[-600:]
    told = case.turn.get("text") or "get_weather"
    assert str(told).split()[0] in said
    assert said.rstrip().endswith(("no error was raised", "no error was thrown"))
    assert case.program in bug_report.markdown(case)


def command(client: Subject) -> tuple[str, ...]:
    """What runs a program that is given as an argument, in the folder of its client."""
    if client.language == "node":
        return (shutil.which("node") or "node", "--input-type=module", "--eval")
    return (str(inventory.interpreter(folder(client))), "-c")


@contextmanager
def served(script: str) -> Iterator[int]:
    """The port of a report's server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    with subprocess.Popen([sys.executable, "-c", script.replace("8080", str(port))]) as server:
        try:
            while server.poll() is None:
                with socket.socket() as tried:
                    if tried.connect_ex(("127.0.0.1", port)) == 0:
                        break
            yield port
        finally:
            server.kill()
