"""A reproduced case as text, as a report, and as a server of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from typing import Any

import pytest
from msgspec.structs import replace

from reports import bug_report
from reports.bug_report import MARK, Case, Damage
from reports.results import Request, Response, body
from tests.reports.samples import check

WHOLE = b'data: {"text":"Hello"}\n\ndata: [DONE]\n\n'
CUT = WHOLE[:24]


def case(**facts: Any) -> Case:
    """A client that takes half a stream for a whole one."""
    known: dict[str, Any] = {
        "id": "wild/acme/openai-completions/text_stream/truncated.half/stream.end",
        "client": "wild",
        "version": "2.0",
        "title": "Wild",
        "home": "https://example.org/wild",
        "wirecheck": "1",
        "date": None,
        "provider": "acme",
        "protocol": "openai-completions",
        "scenario": "text_stream",
        "check": check("stream.end", "streaming"),
        "verdict": "failed",
        "expected": "an error",
        "observed": "an answer",
        "fault": "truncated.half",
        "damage": Damage("An end halfway", 24, 24, len(WHOLE) - 24),
        "call": {"model": "m", "stream": True},
        "requests": 1,
        "request": Request("POST", "https://api.acme.test/v1/chat", (("accept", "*/*"),), body(b"{}")),
        "response": Response(200, (("content-type", "text/event-stream"),), body(CUT)),
        "answer": CUT,
        "serve": "/@text_stream+truncated.half/acme/openai-completions",
        "base_path": "/v1",
        "turn": {"text": "Hel", "complete": True},
        "expected_turn": {"text": "Hel", "complete": False, "error": "the stream ended"},
    }
    return Case(**{**known, **facts})


def test_the_text_shows_both_sides() -> None:
    """The bytes sent, the answer with the fault's place marked, and both turns are shown."""
    text = bug_report.text(case())
    assert "POST https://api.acme.test/v1/chat" in text
    assert f'data: {{"text":"Hello"}}\n\n{MARK}' in text
    assert '"complete": false' in text
    assert '"complete": true' in text
    assert "wild 2.0 · stream.end · failed" in text


def test_the_report_stands_for_itself() -> None:
    """The report has the requirement with its source, the request, the answer, and two ways to see it."""
    text = bug_report.markdown(case())
    for part in (
        "<https://example.org/spec>",
        "`wirecheck serve --port 8080`",
        "http://127.0.0.1:8080/@text_stream+truncated.half/acme/openai-completions",
        "import socketserver",
        "http://127.0.0.1:8080/v1",
        "wirecheck reproduce wild/acme/openai-completions/text_stream/truncated.half/stream.end",
    ):
        assert part in text


def test_a_peers_fence_ends_no_block() -> None:
    """An answer that holds a code fence stays inside its own block, and escapes are made visible."""
    evil = b"```\n# Owned\n\x1b[31m"
    text = bug_report.markdown(case(answer=evil, damage=None))
    assert "````\n200" in text
    assert "\x1b" not in text


def test_a_long_answer_is_no_program() -> None:
    """An answer of many bytes is served by wirecheck alone."""
    assert "socketserver" not in bug_report.markdown(case(answer=b"x" * 100_000))


@pytest.mark.parametrize(
    ("verdict", "red"), [("failed", True), ("errored", True), ("passed", False), ("", False)]
)
def test_red_is_what_failed_or_could_not_be_judged(verdict: str, red: bool) -> None:
    """A case is red by its verdict alone."""
    assert case(verdict=verdict).red is red


def test_the_report_shows_how_the_client_is_called() -> None:
    """The lines that call the client stand in the report, where they are known."""
    told = bug_report.markdown(case(code="def chat(run):\n    return 1", language="python"))
    assert "```python\ndef chat(run):\n    return 1\n```" in told
    assert "The client is called so" not in bug_report.markdown(case())


@pytest.mark.parametrize(
    ("ending", "chunks", "came"),
    [
        ("whole", (), CUT),
        ("whole", (CUT[:4], CUT[4:]), b"4\r\ndata\r\n14\r\n" + CUT[4:] + b"\r\n0\r\n\r\n"),
        ("reset", (), b"18\r\n" + CUT + b"\r\n"),
        ("reset", (CUT[:4], CUT[4:]), b"4\r\ndata\r\n14\r\n" + CUT[4:] + b"\r\n"),
        ("no_head", (), b""),
    ],
)
def test_the_program_gives_the_answer(ending: str, chunks: tuple[bytes, ...], came: bytes) -> None:
    """The program in the report answers with the very bytes, cut as they were, and ends as they ended.

    A clean end has the last chunk of its transfer; one that breaks off has none."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = replace(case(), ending=ending, chunks=chunks)
    source = bug_report.script(told).replace("8080", str(port))
    with subprocess.Popen([sys.executable, "-c", source]) as server:
        try:
            got, reset = _asked(port)
        finally:
            server.kill()
    assert reset is (ending == "reset")
    head, _, content = got.partition(b"\r\n\r\n")
    assert content == came
    assert (b"content-type: text/event-stream" in head) is (ending != "no_head")


def _asked(port: int) -> tuple[bytes, bool]:
    """What the server answers to a request, and whether it reset the connection."""
    got = b""
    with _connected(port) as connection:
        connection.sendall(b"POST /v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
        try:
            while piece := connection.recv(65536):
                got += piece
        except ConnectionResetError:
            return got, True
    return got, False


def _connected(port: int) -> socket.socket:
    for _ in range(500):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except ConnectionRefusedError:
            time.sleep(0.02)
    raise AssertionError("the server did not start")
