"""Tests that a credential is found and hidden in every form in which it travels."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.redaction import (
    REDACTED,
    find_secrets,
    is_credential,
    kept_headers,
    redact,
    redacted_headers,
    redacted_log,
    redacted_url,
    secrets_of,
    sent_secrets,
    without,
)
from providers.auth import AWSKeys, Keys, SessionToken

KEY = "canary/9f8e+7d6c=5b4a"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Authorization", True),
        ("x-api-key", True),
        ("x-goog-api-key", True),
        ("api-key", True),
        ("Set-Cookie", True),
        ("X-Amz-Security-Token", True),
        ("x-ratelimit-remaining-tokens", False),
        ("anthropic-ratelimit-tokens-limit", False),
        ("x-amzn-bedrock-input-token-count", False),
        ("num_tokens", False),
        ("content-type", False),
        ("x-request-id", False),
    ],
)
def test_a_credentials_field_is_known_by_its_name(name: str, expected: bool) -> None:
    """Fields of credentials are told from those of rate limits."""
    assert is_credential(name) is expected


def test_a_scheme_stays_when_its_credential_goes() -> None:
    """A replay can still tell that a bearer token was sent."""
    fields = (("Authorization", f"Bearer {KEY}"), ("X-Api-Key", KEY), ("Accept", "*/*"))
    assert redacted_headers(fields) == (
        ("Authorization", f"Bearer {REDACTED}"),
        ("X-Api-Key", REDACTED),
        ("Accept", "*/*"),
    )


def test_a_url_loses_its_credentials() -> None:
    """User information goes and a key in the query is replaced; the rest stays."""
    url = redacted_url(f"https://user:pass@host/v1?alt=sse&key={quote(KEY, safe='')}")
    assert url == "https://host/v1?alt=sse&key=[redacted]"


@given(before=st.binary(max_size=7), after=st.binary(max_size=7))
def test_every_form_is_found_and_removed(before: bytes, after: bytes) -> None:
    """Plain, URL-encoded, base64 at any offset and hexadecimal: found, and gone once redacted."""
    whole = before + KEY.encode() + after
    encoded = base64.b64encode(whole).decode()
    for text in (f"x {KEY} y", quote(KEY, safe=""), encoded, whole.hex(), whole.hex().upper()):
        assert find_secrets(text, (KEY,))
        assert find_secrets(without(text, (KEY,)), (KEY,)) == ()


@pytest.mark.parametrize("digits", [str.lower, str.upper])
def test_hexadecimal_is_redacted_in_bytes(digits: Callable[[str], str]) -> None:
    """A key that an answer dumps is replaced whole, what stands beside it stays, and letters beyond ASCII
    are their bytes."""
    for key in (KEY, "schlüssel-9f8e"):
        dumped = digits(key.encode().hex())
        assert redact(f"<{dumped}>".encode(), (key,)).content == f"<{REDACTED}>".encode()


@pytest.mark.parametrize("form", ["", " \\u0041 %41 &#65;"], ids=["plain", "escaped"])
def test_a_near_miss_is_passed_over_at_once(form: str) -> None:
    """What differs from a key in its last character alone is looked at once, not in every combination."""
    key = "canary/9f8e+7d6c 5b4a=" * 3 + "a"
    near = f"{key[:-1]}b"
    assert find_secrets(f"{near} {quote(near)} {near}{form}" * 50, (key,)) == ()


@pytest.mark.parametrize(
    "text",
    [
        urlencode(parse_qsl("key=" + quote(KEY, safe="+"))),
        quote(KEY, safe="").replace("%2F", "%2f"),
        quote(quote(KEY, safe=""), safe=""),
        quote(quote(quote(KEY, safe=""), safe=""), safe=""),
        "canary\\/9f8e\\u002b7d6c=5b4a",
        KEY.replace("/", "\\\\/"),
        "".join(f"\\u{ord(each):04X}" for each in KEY),
        "".join(f"\\\\u{ord(each):04x}" for each in KEY),
        "".join(f"%{ord(each):02x}" for each in KEY),
        KEY.replace("/", "&#x2F;").replace("=", "&#61;"),
    ],
    ids=[
        "decoded and encoded",
        "lower case",
        "encoded twice",
        "encoded three times",
        "in JSON",
        "in JSON in JSON",
        "each letter in JSON",
        "each letter in JSON in JSON",
        "each letter in a URL",
        "in HTML",
    ],
)
def test_a_mixture_of_forms_is_found(text: str) -> None:
    """Who decodes and encodes a value again does not hide it."""
    assert find_secrets(text, (KEY,))
    assert "9f8e" not in without(text, (KEY,))


@pytest.mark.parametrize(
    "shape",
    [
        "sk-" + "a1" * 12,
        "gsk_" + "a1" * 12,
        "AIza" + "b" * 32,
        "AKIA" + "C" * 16,
        "ASIA" + "C" * 16,
        "ABSK" + "a1" * 24,
        "hf_" + "d" * 24,
        "github_pat_" + "a1" * 20,
        "glpat-" + "a1" * 10,
        "nvapi-" + "a1" * 20,
        "pplx-" + "a1" * 20,
        "fw_" + "a1" * 12,
        "tgp_v1_" + "a1" * 14,
        "r8_" + "a1" * 18,
        "vck_" + "a1" * 20,
        "AQ." + "a1" * 20,
        "sk_" + "live_" + "a1" * 12,
        "xox" + "b-12345-" + "a1" * 10,
        "0f" * 16 + "." + "a1" * 8,
        base64.b64encode(b"sk-" + b"a1" * 12).decode(),
    ],
)
def test_the_shape_of_a_key_is_a_secret(shape: str) -> None:
    """A key of nobody we know is found by its shape, and is not told whole."""
    found = find_secrets(f'{{"k": "{shape}"}}')
    assert len(found) == 1
    assert shape not in found[0]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('"owner": "ada.lovelace@analytical.org"', "e-mail"),
        ("in organization `org-Ab12Cd34Ef56Gh78Ij90` on", "account"),
        ('{"organization_id": "9f8e7d6c-5b4a"}', "account"),
        ("arn:aws:bedrock:us-east-1:210987654321:inference-profile/x", "account"),
        ("key gsk_" + "a1" * 12, "credential"),
        ("aws_secret_access_key = " + "aB1/" * 10, "credential"),
        ("x-api-key: " + "a1" * 12, "credential"),
        ("Authorization: Bearer " + "a1" * 12, "credential"),
        ("https://host/v1?alt=sse&key=" + "a1" * 12, "credential"),
        ("ada%40analytical.org", "e-mail"),
        (r"ada\u0040analytical.org", "e-mail"),
        ("/accounts/" + "0f" * 16 + "/ai", "account"),
        ('"group_id":"1898765432101234567"', "account"),
        ("anthropic-organization-id: b2f3a1c4-1111", "account"),
    ],
)
def test_what_tells_whose_account_it_is_goes(text: str, kind: str) -> None:
    """Accounts, organisations and addresses are found by the same rules by which they are replaced."""
    assert len(find_secrets(text)) == 1
    cleaned = redact(text.encode(), ())
    assert cleaned.kinds == (kind,)
    assert REDACTED.encode() in cleaned.content
    assert find_secrets(cleaned.content.decode()) == ()


@pytest.mark.parametrize(
    "text",
    [
        "me@example.com",
        "a@host.invalid",
        "user-agent",
        "org-chart",
        "@decorator",
        "user-defined-words",
        "arn:aws:iam::123456789012:role/batch",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    """Names reserved for examples and words that begin like an id are nobody's."""
    assert find_secrets(text) == ()


@given(cuts=st.sets(st.integers(1, 59), max_size=8))
def test_boundaries_follow_what_is_left(cuts: set[int]) -> None:
    """However a body was cut, its chunks are whole, ascending, and as slow together as before."""
    content = b"before " + KEY.encode() + b" \xff\xe2\x82\xac after " + KEY.encode()
    ends = (*sorted(cut for cut in cuts if cut < len(content)), len(content))
    cleaned = redact(content, (KEY,), ends, [3] * len(ends))
    assert cleaned.content == b"before [redacted] \xff\xe2\x82\xac after [redacted]"
    assert list(cleaned.boundaries) == sorted(set(cleaned.boundaries))
    assert cleaned.boundaries[-1] == len(cleaned.content)
    assert sum(cleaned.delays_ms) == 3 * len(ends)


def test_a_log_of_fields_is_redacted_by_their_names() -> None:
    """The pairs of bytes that an HTTP library logs lose cookies, keys and organisations of any shape."""
    said = """[(b'openai-organization', b'acme'), (b'Set-Cookie', b"a='b'"), (b'server', b'x')]"""
    assert redacted_log(said, ()) == (
        """[(b'openai-organization', b'[redacted]'), (b'Set-Cookie', b"[redacted]"), (b'server', b'x')]"""
    )


def test_only_listed_fields_of_an_answer_are_kept() -> None:
    """Rate limits and request ids stay; cookies, organisations and unknown fields go."""
    fields = (
        ("Content-Type", "text/event-stream"),
        ("x-ratelimit-remaining-tokens", "12"),
        ("anthropic-ratelimit-requests-limit", "50"),
        ("x-request-id", "req_1"),
        ("openai-organization", "org-x"),
        ("anthropic-organization-id", "9f8e"),
        ("Set-Cookie", "a=b"),
        ("x-internal-host", "h"),
    )
    assert kept_headers(fields) == fields[:4]


def test_the_credentials_of_a_request_are_known_without_their_scheme() -> None:
    """What was sent is told in full and, for a signature, part by part."""
    fields = (
        (
            "Authorization",
            f"AWS4-HMAC-SHA256 Credential=AKIAabcdefghijklmnop/2026/eu, Signature={'0f' * 32}",
        ),
        ("X-Api-Key", KEY),
    )
    found = sent_secrets(f"https://host/v1?key={quote('query-key-1', safe='')}", fields)
    assert {"query-key-1", KEY, "AKIAabcdefghijklmnop", "0f" * 32} <= set(found)


def test_every_text_of_a_credential_is_a_secret() -> None:
    """Keys in parts and tokens inside others are found; a region is none."""
    keys = AWSKeys("access-1", "secret-1", "session-1", region="eu-west-1")
    assert secrets_of(keys) == ("access-1", "secret-1", "session-1")
    assert secrets_of(Keys("own-key", "upstream-key")) == ("own-key", "upstream-key")
    assert secrets_of(SessionToken("token-1", 1.0, {"base_url": "https://h"})) == ("token-1",)
    assert secrets_of(None) == ()


@pytest.mark.parametrize(
    "hostile",
    ["user-", "org-org-", "org-aaaaaaaa-", "?key=", "?key=a", "x-api-key=", "authorization: bearer ", "eyJ",
     "eyJaaaaaaaaaaaa.", "a@", "a@a.", "0123456789abcdef", "c2st=", '"org_id":"', "arn:aws:a:a:", "%25"],
)  # fmt: skip
def test_near_misses_come_to_an_end(hostile: str) -> None:
    """A quarter of a megabyte of what is nearly a secret is looked through, not searched for ever; what
    follows it is found."""
    text = hostile * (250_000 // len(hostile))
    assert KEY.encode() not in redact(f"{text} {KEY}".encode(), [KEY]).content
