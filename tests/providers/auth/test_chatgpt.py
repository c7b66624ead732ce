"""The scheme of ChatGPT subscriptions."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from harness.redaction import REDACTED, redacted_headers
from providers import schema
from providers.auth import SCHEMES
from providers.auth.chatgpt import account_id, token_and_account
from providers.call import Call, user
from providers.client import prepare
from providers.errors import ConfigurationError
from providers.wire import Request, header

REQUEST = Request("POST", "https://chat.example/responses", (), b"{}")


def token(payload: Any) -> str:
    """A JWT that says ``payload``, signed by nobody."""
    told = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return f"aGVhZA.{told}.c2lnbmF0dXJl"


def test_the_account_goes_beside_the_token() -> None:
    """The claim's account id is sent in its own field, and is kept out of recordings."""
    credential = token({"https://api.openai.com/auth": {"chatgpt_account_id": "acc-1"}})
    sent = token_and_account(REQUEST, "", credential)
    assert header(sent.headers, "authorization") == f"Bearer {credential}"
    assert header(sent.headers, "chatgpt-account-id") == "acc-1"
    assert header(redacted_headers(sent.headers), "chatgpt-account-id") == REDACTED
    assert SCHEMES["chatgpt"].apply(REQUEST, "", credential) == sent


@pytest.mark.parametrize(
    "credential",
    [
        "k-1",
        "a.b",
        "a.!.c",
        "a.YQ.c",
        "a.é.c",
        token([1]),
        token({}),
        token({"https://api.openai.com/auth": "x"}),
        token({"https://api.openai.com/auth": {"chatgpt_account_id": 7}}),
        token({"https://api.openai.com/auth": {"chatgpt_account_id": ""}}),
    ],
)
def test_a_token_without_an_account_names_none(credential: str) -> None:
    """What is no JWT, or has no such claim, has no account."""
    assert account_id(credential) is None


def test_a_token_without_an_account_is_not_sent() -> None:
    """Without the claim the operator is told to log in, and not what the token was."""
    call = Call(model="gpt-5.5", messages=(user("hi"),), stream=True)
    with pytest.raises(ConfigurationError, match="account") as raised:
        prepare(schema.get("openai-codex"), call, key="k-1-secret")
    assert "k-1-secret" not in str(raised.value)


def test_an_account_that_no_field_can_carry_is_refused() -> None:
    """A line break in the claim is a faulty credential, not a second field."""
    credential = token({"https://api.openai.com/auth": {"chatgpt_account_id": "a\r\nb: c"}})
    with pytest.raises(ConfigurationError):
        token_and_account(REQUEST, "", credential)
