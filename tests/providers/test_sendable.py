"""Tests of what HTTP can carry, and of what is not told."""

from __future__ import annotations

import pytest

from providers.errors import ConfigurationError, InvalidRequest
from providers.sendable import added, place, refuse_unsendable, refuse_unusable, untold
from providers.wire import Request

PLAIN = Request("POST", "https://host/v1?alt=sse", (("Accept", "*/*"),), b"")


@pytest.mark.parametrize(
    ("signed", "secrets"),
    [
        (
            Request("POST", PLAIN.url, (*PLAIN.headers, ("Authorization", "Bearer abcdefgh")), b""),
            ("abcdefgh",),
        ),
        (Request("POST", PLAIN.url, (*PLAIN.headers, ("x-api-key", "abcdefgh")), b""), ("abcdefgh",)),
        (Request("POST", f"{PLAIN.url}&key=abcdefgh", PLAIN.headers, b""), ("abcdefgh",)),
        (Request("POST", PLAIN.url, (*PLAIN.headers, ("x-api-key", "none")), b""), ()),
        (PLAIN, ()),
    ],
    ids=["bearer", "field", "query", "too short to blot out", "nothing"],
)
def test_what_authentication_added_is_known(signed: Request, secrets: tuple[str, ...]) -> None:
    """The credential is found wherever a scheme puts it."""
    assert added(PLAIN, signed) == secrets


def test_a_secret_is_taken_out_of_every_field() -> None:
    """Message, summary, code and the parsed body lose the secret; the rest stays."""
    body = {"error": {"message": "bad abcdefgh", "keys": ["abcdefgh", 1]}, "abcdefgh": None}
    error = InvalidRequest("bad abcdefgh", status=400, code="abcdefgh", body=body)
    untold(error, ("abcdefgh",))
    assert error.message == "bad [redacted]"
    assert error.body == {
        "error": {"message": "bad [redacted]", "keys": ["[redacted]", 1]},
        "[redacted]": None,
    }
    assert "abcdefgh" not in repr(vars(error)) + repr(error) + str(error)


def test_a_place_is_without_credentials() -> None:
    """User information and query go; scheme, host and path stay."""
    assert place("https://user:pass@host:8/v1/x?key=1") == "https://host:8/v1/x"
    assert place("host/v1") == "host/v1"


@pytest.mark.parametrize(
    "url", ["https://api.example.com/v1", "http://localhost:11434", "http://[::1]:8080/v1"]
)
def test_a_usable_url_is_not_refused(url: str) -> None:
    """Hosts, ports and IPv6 addresses pass."""
    assert refuse_unusable(url) is None  # type: ignore[func-returns-value]
    assert refuse_unsendable(PLAIN) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("method", "url", "field"),
    [
        ("", PLAIN.url, ("a", "b")),
        ("é", PLAIN.url, ("a", "b")),
        ("POST\r\nA: b", PLAIN.url, ("a", "b")),
        ("POST", "https://host/x\r\ny", ("a", "b")),
        ("POST", "https://host/\ud800", ("a", "b")),
        ("POST", PLAIN.url, ("", "b")),
        ("POST", PLAIN.url, ("a b", "c")),
        ("POST", PLAIN.url, ("a", "é")),
        ("POST", PLAIN.url, ("a", "b\r\nc: d")),
        ("POST", PLAIN.url, ("a", " b")),
    ],
)
def test_what_no_request_can_carry_is_refused(method: str, url: str, field: tuple[str, str]) -> None:
    """A method, an address and a field are judged by what HTTP takes."""
    with pytest.raises(ConfigurationError, match=r"cannot be (sent|used)"):
        refuse_unsendable(Request(method, url, (field,), b""))


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Connection"])
def test_what_the_transfer_writes_is_nobody_elses(name: str) -> None:
    """A field by which a request is delimited or routed is refused, and the error says so."""
    with pytest.raises(ConfigurationError, match=f"{name}: the transfer itself"):
        refuse_unsendable(Request("POST", PLAIN.url, (*PLAIN.headers, (name, "3")), b""))
