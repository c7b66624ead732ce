"""Tests of the replay server, over real sockets on loopback."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from msgspec.structs import replace

from harness.commands import serving
from harness.errors import UnusableInput
from harness.exchange import FIXTURES, load, save
from harness.incoming import MOST_BYTES
from harness.late_shelf import LateShelf
from harness.scenarios import SCENARIOS
from harness.server import Server, running
from harness.shelf import Shelf
from harness.subjects import wirecheck
from providers import schema
from providers.wire import Request

KEY = "canary-0a1b2c3d4e5f"
PROTOCOLS = {
    "openai-completions": "groq",
    "anthropic-messages": "anthropic",
    "google-generative-ai": "google",
    "ollama-chat": "ollama",
    "cohere-chat": "cohere",
    "openai-responses": "openai",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """All recordings, without their pauses."""
    with running(Server(Shelf(schema.all, FIXTURES), speed="max")) as found:
        yield found


@pytest.fixture(autouse=True)
def _forget(server: Server) -> None:
    server.forget()


def recorded(scenario: str = "text_stream") -> Request:
    return load(FIXTURES, "groq", "openai-completions", scenario)[0].request


def send(url: str, request: Request, **more: str) -> httpx.Response:
    headers = {**dict(request.headers), "authorization": f"Bearer {KEY}", **more}
    with httpx.Client(trust_env=False) as client:
        return client.request(request.method, url, headers=headers, content=request.content)


@pytest.mark.parametrize(
    ("provider_id", "protocol", "story"),
    [
        *((id, protocol, "") for protocol, id in PROTOCOLS.items()),
        # the model's name in the path depends on the region, which a loopback address does not tell
        ("amazon-bedrock", "bedrock-converse", "/@text_stream"),
    ],
)
def test_our_own_client_reads_every_protocol_from_the_socket(
    server: Server, provider_id: str, protocol: str, story: str
) -> None:
    """Event streams, AWS messages and JSON lines arrive as they do in process, by the endpoint's path."""
    provider = schema.get(provider_id)
    (exchange,) = load(FIXTURES, provider.id, protocol, "text_stream")
    returned = wirecheck.run(
        provider,
        SCENARIOS["text_stream"].call(0, exchange.model, ()),
        key=KEY,
        protocol=protocol,
        values={},
        transport=httpx.HTTPTransport(),
        base_url=f"{server.url}{story}/{provider.id}/{protocol}",
    )
    assert returned.error is None
    assert returned.turn.complete
    assert [each.exchange for each in server.entries] == [exchange.id]


def test_the_bytes_are_the_recorded_ones(server: Server) -> None:
    """Status, fields and content are the recording's, whatever the length of its chunks."""
    (exchange,) = load(FIXTURES, "groq", "openai-completions", "text_stream")
    answer = send(f"{server.url}/groq/openai-completions/chat/completions", exchange.request)
    assert (answer.status_code, answer.content) == (200, exchange.content)
    assert answer.headers["transfer-encoding"] == "chunked"
    assert {name: answer.headers[name] for name, _ in exchange.headers} == dict(exchange.headers)


def test_chunks_and_pauses_are_the_recorded_ones(tmp_path: Path) -> None:
    """At recorded speed each recorded chunk is a chunk on the wire."""
    (exchange,) = load(FIXTURES, "groq", "openai-completions", "text_stream")
    delays = tuple(range(len(exchange.boundaries)))
    save(tmp_path, replace(exchange, delays_ms=delays))
    with running(Server(Shelf(schema.all, tmp_path))) as server:
        url = f"{server.url}/groq/openai-completions/chat/completions"
        headers = {**dict(exchange.request.headers), "authorization": "Bearer k"}
        with (
            httpx.Client(trust_env=False) as client,
            client.stream("POST", url, headers=headers, content=exchange.request.content) as answer,
        ):
            assert tuple(answer.iter_raw()) == exchange.chunks


def test_a_vendors_host_is_served(server: Server) -> None:
    """The Host field names the vendor, as behind a name that leads to loopback."""
    request = recorded()
    answer = send(f"{server.url}/openai/v1/chat/completions", request, host="api.groq.com")
    assert answer.status_code == 200
    assert server.entries[-1].exchange == "groq/openai-completions/text_stream/1"


def test_a_miss_is_told_in_the_vendors_shape(server: Server) -> None:
    """An unrecorded request gets the nearest recording and the first difference, and is in the journal."""
    request = replace(recorded(), content=recorded().content.replace(b"Reply", b"Answer", 1) + b" ")
    changed = json.loads(request.content) | {"temperature": 0.123}
    url = f"{server.url}/groq/openai-completions/chat/completions"
    answer = send(url, replace(request, content=json.dumps(changed).encode()))
    assert answer.status_code == 404
    assert "the nearest is groq/openai-completions/" in answer.json()["error"]["message"]
    assert server.misses == 1
    assert server.entries[-1].miss
    assert send(f"{server.url}/nobody/nothing/x", request).status_code == 404


def test_a_named_scenario_answers_any_program(server: Server) -> None:
    """Its turns come one after the other, whatever is asked, and begin again."""
    turns = load(FIXTURES, "groq", "openai-completions", "tool_roundtrip")
    url = f"{server.url}/@tool_roundtrip/groq/openai-completions/chat/completions"
    said = [send(url, Request("POST", url, (), b"{}")).content for _ in range(3)]
    assert said == [turns[0].content, turns[1].content, turns[0].content]
    refusal = f"{server.url}/@error_429_rate_limit/groq/openai-completions/chat/completions"
    assert send(refusal, recorded()).status_code == 429


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ("disconnect.midstream", httpx.ReadError),
        ("stall.midstream", httpx.ReadTimeout),
        ("connect.refused", httpx.ReadError),
        ("connect.no_head", httpx.RemoteProtocolError),
    ],
)
def test_a_fault_is_on_the_wire(server: Server, fault: str, raised: type[Exception]) -> None:
    """A connection is reset, or falls silent, after the bytes that came before."""
    url = f"{server.url}/@text_stream+{fault}/groq/openai-completions/chat/completions"
    with httpx.Client(trust_env=False, timeout=0.2) as client, pytest.raises(raised):
        client.post(url, content=b"{}")


def test_the_journal_holds_no_credential(server: Server) -> None:
    """A test can read what was asked; a key is in none of it, wherever the client put it."""
    url = f"{server.url}/@text/groq/openai-completions/chat/completions?key={KEY}"
    send(url, Request("POST", url, (), json.dumps({"echo": KEY, "q": 1}).encode()))
    with httpx.Client(trust_env=False) as client:
        journal = client.get(f"{server.url}/__wirecheck__/journal")
        assert KEY not in journal.text
        (entry,) = journal.json()["requests"]
        assert (entry["method"], entry["exchange"]) == ("POST", "groq/openai-completions/text/1")
        assert json.loads(entry["body"])["q"] == 1
        client.delete(f"{server.url}/__wirecheck__/journal")
        assert client.get(f"{server.url}/__wirecheck__/journal").json()["requests"] == []
        elsewhere = client.get(f"{server.url}/__wirecheck__/journal", headers={"host": "evil.example"})
        assert elsewhere.status_code == 404


@pytest.mark.parametrize("before", range(0, len(KEY), 5))
def test_a_credential_at_the_end_of_what_is_shown_is_not_cut(server: Server, before: int) -> None:
    """Of a long request the first 64 kB are shown, and no part of a key that begins in them."""
    url = f"{server.url}/@text/groq/openai-completions/chat/completions?key={KEY}"
    send(url, Request("POST", url, (), b"x" * (64 * 1024 - before) + KEY.encode() + b"y" * 50_000))
    with httpx.Client(trust_env=False) as client:
        (entry,) = client.get(f"{server.url}/__wirecheck__/journal").json()["requests"]
    assert entry["body"].replace("[redacted]", "").strip("x") == ""
    assert len(entry["body"]) <= 64 * 1024 + len("[redacted]")


@pytest.mark.parametrize(
    "place", ["/@text/groq/openai-completions/x", "/groq/openai-completions/x", "/nowhere"]
)
def test_a_credential_that_is_encoded_again_is_told_nowhere(server: Server, place: str) -> None:
    """A key in another parameter, half encoded, is in neither the journal nor what a miss says."""
    key = "canary/9f8e+7d6c=5b4a~1"
    url = f"{server.url}{place}?x=canary%2f9f8e+7d6c%3D5b4a~1&key=k"
    with httpx.Client(trust_env=False) as client:
        said = client.post(url, headers={"authorization": f"Bearer {key}"}, content=b'{"a": 1}').text
        assert "9f8e" not in said + client.get(f"{server.url}/__wirecheck__/journal").text


@pytest.mark.parametrize("fault", ["status.529", "no.such"])
def test_a_named_fault_that_does_not_apply_is_told(server: Server, fault: str) -> None:
    """The undamaged answer is not given in its place; the miss names the faults that there are."""
    url = f"{server.url}/@text_stream+{fault}/groq/openai-completions/chat/completions"
    answer = send(url, recorded("text_stream"))
    assert answer.status_code == 404
    assert fault in answer.text
    assert "connect.refused" in answer.text


def test_a_connection_is_kept(server: Server) -> None:
    """Two requests, and two that are sent at once, are answered in order on one connection."""
    address = urlsplit(server.url)
    path = "/@text/groq/openai-completions/chat/completions"
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    for _ in range(2):
        connection.request("POST", path, b"{}")
        assert connection.getresponse().read()
    connection.close()
    one = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    last = one.replace(b"Host: x", b"Host: x\r\nConnection: close")
    with socket.create_connection((address.hostname, address.port)) as raw:
        raw.sendall(one + last)
        with raw.makefile("rb") as stream:
            assert stream.read().count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (MOST_BYTES + 1), 413),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70_000, 431),
        (b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"GET /@..%2f..%2f/../../x HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"GET /groq/..%2f..%2fetc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    ],
    ids=["too large", "no http", "long head", "traversal", "in a scenario", "in a protocol"],
)
def test_bad_requests_are_refused(server: Server, sent: bytes, status: int) -> None:
    """What is too much, is no HTTP or leads out of the recordings gets a status, and the server lives."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port)) as raw:
        raw.sendall(sent)
        assert int(raw.recv(4096).split()[1]) == status
    assert send(f"{server.url}/@text/groq/openai-completions/x", recorded()).status_code == 200


def test_a_client_that_sends_too_much_reads_why(server: Server) -> None:
    """It may send all of its content and still finds the refusal; none of it is kept."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port)) as raw:
        raw.sendall(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (MOST_BYTES + 1))
        for _ in range(MOST_BYTES // 2**20):
            raw.sendall(bytes(2**20))
        assert b" 413 " in raw.recv(4096)
    assert server.entries == ()


def test_a_large_request_is_answered_and_shown_in_part(server: Server) -> None:
    """Eight megabytes of content are read, and the journal holds the first of them."""
    url = f"{server.url}/@text/groq/openai-completions/chat/completions"
    assert send(url, Request("POST", url, (), b"x" * 2**23)).status_code == 200
    assert len(server.entries[-1].body) == 2**16


def test_a_client_that_does_not_read_is_not_read(server: Server) -> None:
    """Its pipelined requests wait in its own machine; once it reads, each has its answer, in order."""
    address = urlsplit(server.url)
    path = "/@text_stream/groq/openai-completions/chat/completions"
    one = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n".encode() + b"y" * 20000
    last = one.replace(b"Host: x", b"Host: x\r\nConnection: close")
    got = []
    with socket.create_connection((address.hostname, address.port)) as raw:
        reader = threading.Thread(target=lambda: got.append(raw.makefile("rb").read()))
        sender = threading.Thread(target=lambda: raw.sendall(one * 600 + last))
        sender.start()
        time.sleep(0.1)
        reader.start()
        for each in (sender, reader):
            each.join(20)
    assert got[0].count(b"HTTP/1.1 200") == 601


def test_an_answer_stops_when_its_client_goes(tmp_path: Path) -> None:
    """A long pause is not waited for, and the server stops at once."""
    (exchange,) = load(FIXTURES, "groq", "openai-completions", "text_stream")
    save(tmp_path, replace(exchange, delays_ms=(0, *[60_000] * (len(exchange.boundaries) - 1))))
    begun = time.monotonic()
    with running(Server(Shelf(schema.all, tmp_path))) as server:
        url = f"{server.url}/@text_stream/groq/openai-completions/chat/completions"
        with (
            httpx.Client(trust_env=False, timeout=0.2) as client,
            pytest.raises(httpx.ReadTimeout),
        ):
            client.post(url, content=b"{}")
        with httpx.Client(trust_env=False) as client, client.stream("POST", url, content=b"{}") as answer:
            assert next(answer.iter_raw()) == exchange.chunks[0]
    assert time.monotonic() - begun < 10


def test_a_stop_lets_an_answer_end(tmp_path: Path) -> None:
    """What is being given is given to its end, and then the server is gone."""
    (exchange,) = load(FIXTURES, "groq", "openai-completions", "text_stream")
    save(tmp_path, replace(exchange, delays_ms=(0, 200, *[0] * (len(exchange.boundaries) - 2))))
    with httpx.Client(trust_env=False) as client:
        with running(Server(Shelf(schema.all, tmp_path))) as server:
            url = f"{server.url}/@text_stream/groq/openai-completions/chat/completions"
            answer = client.send(client.build_request("POST", url, content=b"{}"), stream=True)
        assert answer.read() == exchange.content
        with pytest.raises(httpx.ConnectError):
            client.post(url, content=b"{}")


def test_an_old_client_gets_no_chunks(server: Server) -> None:
    """HTTP/1.0 knows none: the content has a length, or ends with the connection."""
    address = urlsplit(server.url)
    sent = b"POST /@text_stream/groq/openai-completions/x HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}"
    with socket.create_connection((address.hostname, address.port)) as raw:
        raw.sendall(sent)
        head, _, body = raw.makefile("rb").read().partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert body == load(FIXTURES, "groq", "openai-completions", "text_stream")[0].content


def test_a_late_shelf_is_the_shelf(tmp_path: Path) -> None:
    """It lists the same endpoints before anything is loaded, answers the same, and tells the same faults."""
    late = LateShelf(Path.cwd(), FIXTURES, providers=("groq",))
    shelf = Shelf(schema.all, FIXTURES, providers=("groq",))
    assert late.endpoints == shelf.endpoints
    late.rewind()
    late.fetch()
    url = "http://127.0.0.1/@text/groq/openai-completions/x"
    assert late.answer(Request("POST", url, (), b"{}")) == shelf.answer(Request("POST", url, (), b"{}"))
    with pytest.raises(UnusableInput, match="nothing to serve"):
        LateShelf(Path.cwd(), tmp_path)
    with pytest.raises(UnusableInput, match="fault"):
        LateShelf(Path.cwd(), FIXTURES, fault="nothing")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--speed=slow"], "slow"),
        (["--provider=nobody"], "nothing to serve"),
        (["--port=70000"], "port"),
        (["--record-misses"], "--fixtures"),
        (["--record-misses", "--emulate", "--fixtures=x"], "--emulate"),
    ],
)
def test_what_cannot_be_served_is_told(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on standard error and exit code 2, no traceback and no ready line."""
    with pytest.raises(SystemExit) as ended:
        serving.main(arguments)
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert told in err


def test_the_configured_folder_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --fixtures the exchanges are those of the project where the command is typed."""
    (tmp_path / "pyproject.toml").write_text('[tool.wirecheck]\nexchanges = "mine"\n')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        serving.main([])
    assert str(tmp_path / "mine") in capsys.readouterr().err


def test_a_client_that_leaves_harms_nobody(server: Server) -> None:
    """Gone in the middle of a request: the next one is answered."""
    address = urlsplit(server.url)
    for sent in (b"", b"POST /groq", b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"):
        with socket.create_connection((address.hostname, address.port)) as raw:
            raw.sendall(sent)
    assert send(f"{server.url}/@text/groq/openai-completions/x", recorded()).status_code == 200


def test_a_port_in_use_is_told(server: Server) -> None:
    """A second server on the port is refused in words, and so is a fault or a provider nobody has."""
    with (
        pytest.raises(UnusableInput, match="port"),
        running(Server(Shelf(schema.all, FIXTURES), port=server.port)),
    ):
        pass
    with pytest.raises(UnusableInput, match="fault"):
        Shelf(schema.all, FIXTURES, fault="nothing")
    with pytest.raises(UnusableInput, match="nothing to serve"):
        Shelf(schema.all, FIXTURES, providers=("nobody",))


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 1)])
def test_the_command_serves_until_it_is_told_to_stop(strict: bool, code: int) -> None:
    """It prints one line of JSON when ready, ends on SIGTERM, and with --strict exits 1 after a miss."""
    command = [sys.executable, "-m", "harness", "serve", "--provider=groq", *(["--strict"] if strict else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert (
            ready["urls"].keys()
            == {"groq/openai-completions", "groq/openai-responses"} & ready["urls"].keys()
        )
        answer = send(
            f"{ready['urls']['groq/openai-completions']}/chat/completions", Request("POST", "", (), b"{}")
        )
        assert answer.status_code == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == code


def test_the_fixture_serves_a_test(wirecheck_server: object) -> None:
    """A project's own test asks for the server by name, and reads what its client sent."""
    url = wirecheck_server.url("groq", "openai-completions", "text")  # type: ignore[attr-defined]
    assert send(f"{url}/chat/completions", recorded("text")).status_code == 200
    assert [each.miss for each in wirecheck_server.journal] == [""]  # type: ignore[attr-defined]
