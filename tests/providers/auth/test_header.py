"""The schemes that send the credential as it is."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from providers.auth import SCHEMES, authenticate
from providers.errors import ConfigurationError
from providers.wire import Request


class Auth(NamedTuple):
    scheme: str
    name: str = ""


REQUEST = Request(
    "POST", "https://api.example/v1/chat?alt=sse", (("Content-Type", "application/json"),), b"{}"
)


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (Auth("bearer"), ("Authorization", "Bearer k-1")),
        (Auth("bearer", "cf-aig-authorization"), ("cf-aig-authorization", "Bearer k-1")),
        (Auth("header", "x-api-key"), ("x-api-key", "k-1")),
    ],
    ids=["bearer", "bearer in another field", "header"],
)
def test_a_credential_becomes_the_last_field(auth: Auth, expected: tuple[str, str]) -> None:
    """A field scheme adds one field and leaves the others, the target and the content alone."""
    signed = authenticate(REQUEST, auth, "k-1")
    assert signed.headers == (*REQUEST.headers, expected)
    assert (signed.method, signed.url, signed.content) == ("POST", REQUEST.url, b"{}")


def test_a_credential_replaces_a_field_of_the_same_name() -> None:
    """A field of the call cannot stand in for authentication, however it is spelled."""
    forged = Request("POST", REQUEST.url, (("AUTHORIZATION", "Bearer other"), ("x", "1")), b"")
    assert authenticate(forged, Auth("bearer"), "k-1").headers == (
        ("x", "1"),
        ("Authorization", "Bearer k-1"),
    )


def test_a_query_credential_is_escaped_and_replaces_an_earlier_one() -> None:
    """The query scheme keeps the other parameters and escapes what a URL cannot hold."""
    request = Request("POST", "https://api.example/v1?key=old&alt=sse", (), b"")
    assert authenticate(request, Auth("query", "key"), "a&b=c").url == (
        "https://api.example/v1?alt=sse&key=a%26b%3Dc"
    )


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_no_credential_changes_nothing(scheme: str) -> None:
    """A server that wants no key gets the request as it was built."""
    assert authenticate(REQUEST, Auth(scheme, "x-api-key"), None) == REQUEST


def test_the_scheme_none_sends_nothing_even_with_a_credential() -> None:
    """The scheme none never puts a credential on the wire."""
    assert authenticate(REQUEST, Auth("none"), "k-1") == REQUEST


@pytest.mark.parametrize("scheme", ["bearer", "header", "query"])
@pytest.mark.parametrize(
    ("credential", "seen"),
    [
        ("", "an empty text"),
        ("secret-7\n", "a line break at character 8 of 9"),
        ("secret-7\r\nX-Evil: 1", "a line break at character 8 of 19"),
        ("sécret-7", "a non-ASCII character at 1 of 8"),
        ("secret\t7", "a control character at 6 of 8"),
        ("secret\x007", "a control character at 6 of 8"),
        (" secret-7", "blanks around it"),
    ],
    ids=["empty", "line feed", "header injection", "non-ASCII", "tab", "NUL", "blank"],
)
def test_an_unsendable_credential_is_refused_without_being_shown(
    scheme: str, credential: str, seen: str
) -> None:
    """A credential no HTTP field can carry is the operator's error, told without the credential."""
    with pytest.raises(ConfigurationError) as raised:
        authenticate(REQUEST, Auth(scheme, "x-api-key"), credential)
    assert raised.value.seen == seen
    assert "7" not in str(raised.value).replace(seen, "")
    assert "Evil" not in str(raised.value)


def test_an_unknown_scheme_is_a_configuration_error() -> None:
    """A scheme that no row names is refused, with the known ones."""
    with pytest.raises(ConfigurationError) as raised:
        authenticate(REQUEST, Auth("pigeon"), "k-1")
    assert raised.value.seen == "pigeon"
    assert "bearer" in raised.value.expected
