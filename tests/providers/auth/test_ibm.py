"""IBM Cloud: the exchange of an API key for an access token, and where neither of them goes."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from providers import credentials, schema
from providers.auth import SCHEMES, SessionToken, authenticate, ibm
from providers.auth.ibm import EARLY_S, EXCHANGE, KEYS, TOKENS, asking, session
from providers.auth.sessions import Sessions
from providers.call import Call, user
from providers.client import prepare
from providers.errors import AuthenticationFailed, ConfigurationError, InvalidRequest, MalformedFrame
from providers.wire import Headers, Request, header

WATSONX = schema.get("watsonx")
KEY = "canary-of-ibm-cloud_0123456789-ABCDEFGHIJKLM"
TOKEN = "canary.of.iam"
REQUEST = Request("POST", "https://us-south.ml.cloud.ibm.com/ml/v1/text/generation", (), b"{}")


def answer(**body: Any) -> bytes:
    told = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600, "expiration": 5000}
    return json.dumps({**told, **body}).encode()


class IAM:
    """Answers the exchange and remembers what it was asked."""

    def __init__(self, status: int = 200, content: bytes = answer()) -> None:
        self.status, self.content = status, content
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> tuple[int, Headers, bytes]:
        self.asked.append(request)
        return self.status, (), self.content


def test_the_key_goes_to_the_exchange_in_a_form() -> None:
    """The request is a form with the grant and the key, and carries no other credential."""
    request = asking("a+b&c")
    assert (request.method, request.url) == ("POST", "https://iam.cloud.ibm.com/identity/token")
    assert header(request.headers, "content-type") == "application/x-www-form-urlencoded"
    assert header(request.headers, "authorization") is None
    assert parse_qs(request.content.decode(), strict_parsing=True) == {
        "grant_type": ["urn:ibm:params:oauth:grant-type:apikey"],
        "apikey": ["a+b&c"],
    }


def test_a_key_with_a_line_break_asks_nobody() -> None:
    """What no key holds is refused before it is sent, and not shown."""
    with pytest.raises(ConfigurationError) as raised:
        asking(f"{KEY}\n")
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "end"),
    [(answer(), 5000.0), (answer(expiration=None), 3700.0)],
    ids=["its end", "its length"],
)
def test_the_answer_tells_the_tokens_end(content: bytes, end: float) -> None:
    """``expiration`` is the end; without it ``expires_in`` counts from now."""
    told = session(200, (), content, now_s=100.0)
    assert told == SessionToken(TOKEN, end)
    assert TOKEN not in repr(told)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, InvalidRequest), (401, AuthenticationFailed)], ids=["unknown key", "refused"]
)
def test_a_refused_exchange_is_ibms_word(status: int, kind: type[Exception]) -> None:
    """A refusal is a typed error with IBM's code and message."""
    told = b'{"errorCode":"BXNIM0415E","errorMessage":"Provided API key could not be found."}'
    with pytest.raises(kind, match=r"BXNIM0415E.*could not be found"):
        session(status, (), told)


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"{}",
        answer(access_token=""),
        answer(expiration=None, expires_in=None),
        answer(expiration=True, expires_in=True),
        b"<",
    ],
    ids=["array", "nothing", "no token", "no end", "no numbers", "no JSON"],
)
def test_an_answer_without_a_token_is_malformed(content: bytes) -> None:
    """What has no token or no end is no exchange."""
    with pytest.raises(MalformedFrame):
        session(200, (), content)


def test_a_key_is_exchanged_once_until_shortly_before_the_end() -> None:
    """A token is kept, and another asked for when its end is near."""
    iam, now = IAM(), [0.0]
    sessions = Sessions(EXCHANGE, iam, lambda: now[0])
    first = sessions.of(KEY)
    now[0] = 5000 - EARLY_S - 1
    assert sessions.of(KEY) is first
    now[0] += 1
    assert sessions.of(KEY) is not first
    assert len(iam.asked) == 2


def test_a_key_is_never_sent_to_the_api() -> None:
    """The scheme refuses what has a key's form without showing any of it; a token goes as it is."""
    with pytest.raises(ConfigurationError, match="exchange") as raised:
        authenticate(REQUEST, WATSONX.auth, KEY)
    assert "canary" not in str(raised.value)
    sent = SCHEMES["ibm"].apply(REQUEST, "", SessionToken(TOKEN, 1.0))
    assert sent.headers == (("Authorization", f"Bearer {TOKEN}"),)
    assert SCHEMES["ibm"].apply(REQUEST, "", TOKEN) == sent


@pytest.mark.parametrize("variable", KEYS)
def test_each_variable_of_a_key_is_exchanged(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of IBM's two SDKs and of other clients all hold the key."""
    iam = IAM()
    monkeypatch.setattr(ibm, "_SESSIONS", Sessions(EXCHANGE, iam, lambda: 0.0))
    found = credentials.find(WATSONX, {variable: KEY, "WATSONX_REGION": "eu-de"})
    assert found == SessionToken(TOKEN, 5000.0)
    assert KEY.encode() in iam.asked[0].content
    made = prepare(
        WATSONX,
        Call(model="ibm/granite-3-3-8b-instruct", messages=(user("hi"),)),
        key=found,
        values={"project": "p"},
    )
    assert header(made.request.headers, "authorization") == f"Bearer {TOKEN}"
    assert TOKEN in made.secrets


@pytest.mark.parametrize("variable", TOKENS)
def test_a_token_asks_nobody(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that is there is used, with a key beside it or not."""
    iam = IAM()
    monkeypatch.setattr(ibm, "_SESSIONS", Sessions(EXCHANGE, iam, lambda: 0.0))
    assert credentials.find(WATSONX, {variable: TOKEN, "WATSONX_API_KEY": KEY}) == TOKEN
    assert iam.asked == []


def test_a_key_of_another_exchange_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mumbai's keys are not IAM's: the operator is told to set a token."""
    iam = IAM()
    monkeypatch.setattr(ibm, "_SESSIONS", Sessions(EXCHANGE, iam, lambda: 0.0))
    environ = {"WATSONX_APIKEY": KEY, "WATSONX_REGION": "ap-south-1"}
    with pytest.raises(ConfigurationError, match="WATSONX_TOKEN"):
        credentials.find(WATSONX, environ)
    assert credentials.find(WATSONX, {**environ, "WATSONX_TOKEN": TOKEN}) == TOKEN
    assert iam.asked == []


def test_the_catalog_names_the_variables_that_are_read() -> None:
    """The tokens stand first, as they are tried."""
    assert WATSONX.auth.env == (*TOKENS, *KEYS)
