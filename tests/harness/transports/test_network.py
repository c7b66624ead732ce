"""Tests of the operator's proxies and of answers that do not end."""

from __future__ import annotations

import gzip
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from httpx import ByteStream, Response

from harness.errors import EndlessAnswer, UnaskedEncoding
from harness.transports.network import Bounded, Limits, Network, proxy_for
from providers.errors import TimedOut, TransportError, Unreachable

SET = {
    "HTTPS_PROXY": "http://p:1",
    "http_proxy": "q:2",
    "HTTP_PROXY": "upper:3",
    "NO_PROXY": "a.example, .b.example",
}


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("https://x.example/", SET, "http://p:1"),
        ("http://x.example/", SET, "http://q:2"),
        ("https://a.example/", SET, None),
        ("https://z.b.example/", SET, None),
        ("https://notb.example/", SET, "http://p:1"),
        ("http://127.0.0.1:8000/", SET, None),
        ("http://localhost/", SET, None),
        ("https://x.example/", {"all_proxy": "http://all:4"}, "http://all:4"),
        ("https://x.example/", {"ALL_PROXY": "http://all:4", "no_proxy": "*"}, None),
        ("https://x.example/", {}, None),
    ],
)
def test_the_proxy_is_the_environments(url: str, environ: dict[str, str], proxy: str | None) -> None:
    """By the scheme, else for all; not for what is excepted, nor for this machine."""
    assert proxy_for(url, environ) == proxy


def test_a_proxy_that_cannot_be_used_is_an_error() -> None:
    """A proxy of an unknown kind is told, and its password is not."""
    network = Network({"HTTPS_PROXY": "gopher://user:canary-secret@p:1"})
    with pytest.raises(httpx.ProxyError) as told:
        network.handle_request(httpx.Request("GET", "https://x.example/"))
    assert "canary" not in str(told.value)
    network.close()


class _Endless(httpx.SyncByteStream):
    """Gives bytes for ever."""

    def __init__(self) -> None:
        self.closed = False

    def __iter__(self) -> itertools.repeat[bytes]:  # type: ignore[override]
        return itertools.repeat(b"x" * 100)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("limits", "told"),
    [(Limits(most_bytes=1000), "too large"), (Limits(whole_s=5.0), "does not end")],
    ids=["too large", "too long"],
)
def test_an_endless_answer_ends(limits: Limits, told: str) -> None:
    """Reading stops with an error of ours, and the connection is closed."""
    endless = _Endless()
    seconds = itertools.count()
    bounded = Bounded(
        httpx.MockTransport(lambda request: httpx.Response(200, stream=endless)),
        limits,
        clock=lambda: float(next(seconds)),
    )
    with (
        httpx.Client(transport=bounded) as client,
        pytest.raises(EndlessAnswer, match=told),
        client.stream("GET", "https://x.example/") as response,
    ):
        response.read()
    assert endless.closed


@pytest.mark.parametrize("status", [200, 401, 503])
@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip"])
def test_an_encoding_that_was_not_asked_for_is_not_read(coding: str, status: int) -> None:
    """What would decode to any size is left alone, whatever the answer says."""
    seen = Response(
        status, headers={"content-encoding": coding}, stream=ByteStream(gzip.compress(b"0" * 999))
    )
    bounded = Bounded(httpx.MockTransport(lambda request: seen), Limits())
    with (
        httpx.Client(transport=bounded) as client,
        pytest.raises(UnaskedEncoding, match="an encoding that was not asked for"),
    ):
        client.get("https://x.example/")


def test_the_identity_is_no_encoding() -> None:
    """A field that says so changes nothing."""
    seen = Response(200, headers={"content-encoding": "Identity"}, stream=ByteStream(b"ok"))
    with httpx.Client(transport=Bounded(httpx.MockTransport(lambda request: seen), Limits())) as client:
        assert client.get("https://x.example/").text == "ok"


@contextmanager
def dripping(first: bytes, drop: bytes, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address of a peer that says ``first``, and then ``drop`` for ever, a few times a second."""
    done = threading.Event()

    def drip(server: socket.socket) -> None:
        peer, _ = server.accept()
        with suppress(OSError), tls.wrap_socket(peer, server_side=True) if tls else peer as peer:
            peer.recv(65536)
            peer.sendall(first)
            while not done.wait(0.05):
                peer.sendall(drop)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            done.set()
            thread.join()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@pytest.mark.parametrize(
    ("first", "drop", "kind"),
    [
        (HEAD, b"x-more: 1\r\n", TimedOut),
        (b"HTTP/1.1 200 O", b"K", TimedOut),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", TimedOut),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n", b"0", EndlessAnswer),
        (HEAD + b"content-length: 1000000\r\n\r\n", b" ", EndlessAnswer),
        (HEAD + b"connection: close\r\n\r\n", b" ", EndlessAnswer),
    ],
    ids=["fields", "status line", "interim answers", "a chunk's size", "a counted answer", "an answer"],
)
def test_what_drips_ends(first: bytes, drop: bytes, kind: type[Exception]) -> None:
    """A peer that is never silent for long has as long as an exchange may last, head and all."""
    limits = Limits(silence_s=5.0, whole_s=0.4)
    started = time.monotonic()
    with dripping(first, drop) as url, httpx.Client(transport=Bounded(Network({}), limits)) as client:
        with pytest.raises(kind, match=r"does not end; expected: its end within 0\.4 s"):
            client.get(url)
        assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("first", "kind", "told"),
    [
        (b"", TimedOut, "none within 0.4 s"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Unreachable, "WRONG_VERSION_NUMBER"),
    ],
    ids=["silent", "plain"],
)
def test_tls_that_does_not_come_about_is_told(first: bytes, kind: type[TransportError], told: str) -> None:
    """A peer that answers no handshake, or in plain text, is told as that, and not as a slow connection."""
    with (
        dripping(first, b"") as url,
        httpx.Client(transport=Bounded(Network({}), Limits(0.4))) as client,
        pytest.raises(kind) as seen,
    ):
        client.get(url.replace("http:", "https:") + "?key=canary")
    assert (seen.value.summary, seen.value.expected) == ("TLS did not come about", "a TLS handshake")
    assert told in seen.value.seen.replace("wrong version number", "WRONG_VERSION_NUMBER")
    assert seen.value.where.startswith("https://127.0.0.1:")
    assert "canary" not in str(seen.value)


def _certificate(folder: Path, name: str, days: int) -> ssl.SSLContext:
    """The server's side of TLS, with a certificate for ``name``; its ``days`` began two days ago."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin = datetime.now(UTC) - timedelta(days=2)
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    written = folder / "certificate.pem"
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    written.write_bytes(plain + signed.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(written)
    return context


@pytest.mark.parametrize(
    ("name", "days", "trusted", "told"),
    [
        ("localhost", 30, False, "self-signed certificate"),
        ("localhost", 1, True, "certificate has expired"),
        ("other.example", 30, True, "Hostname mismatch"),
    ],
)
def test_a_wrong_certificate_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, days: int, trusted: bool, told: str
) -> None:
    """One that nobody trusts, that has expired, or is another's ends the connection with its reason."""
    context = _certificate(tmp_path, name, days)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    with (
        dripping(b"", b"", context) as url,
        httpx.Client(transport=Bounded(Network({}), Limits(5.0))) as client,
        pytest.raises(Unreachable, match="TLS did not come about") as seen,
    ):
        client.get(url.replace("http://127.0.0.1", "https://localhost"))
    assert told in seen.value.seen


def test_a_head_that_drips_through_tls_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog reaches a connection with TLS too, which is not taken for one without."""
    context = _certificate(tmp_path, "localhost", 30)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    with (
        dripping(HEAD, b"x-more: 1\r\n", context) as url,
        httpx.Client(transport=Bounded(Network({}), Limits(5.0, 0.5))) as client,
        pytest.raises(TimedOut, match="head does not end"),
    ):
        client.get(url.replace("http://127.0.0.1", "https://localhost"))


def test_the_longest_silence_is_the_limits() -> None:
    """Whatever the client waits for, the limit holds."""
    seen: list[object] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"]["read"])
        return httpx.Response(200, stream=httpx.ByteStream(b"ok"))

    with httpx.Client(transport=Bounded(httpx.MockTransport(answer), Limits(silence_s=0.5))) as client:
        assert client.get("https://x.example/").text == "ok"
    assert seen == [0.5]
