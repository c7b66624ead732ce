"""GitHub Copilot: the exchange, the address that comes with the token, and where neither token goes."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from providers import credentials, schema
from providers.auth import SCHEMES, SessionToken, authenticate, copilot
from providers.auth.copilot import EARLY_S, EXCHANGE, address, asking, session
from providers.auth.sessions import Sessions
from providers.call import Call, Image, Text, ToolResult, tool_results, user
from providers.client import Client, prepare
from providers.errors import (
    AuthenticationFailed,
    ConfigurationError,
    MalformedFrame,
    MissingCredential,
    PermissionDenied,
    TimedOut,
    Unreachable,
)
from providers.fetch import over
from providers.wire import Headers, Request, header

COPILOT = schema.get("github-copilot")
GITHUB_TOKEN = "gho_canary-of-github-1234"
TOKEN = "tid=canary-of-copilot;exp=9;proxy-ep=proxy.business.githubcopilot.com;st=dotcom"
REQUEST = Request("POST", "https://api.individual.githubcopilot.com/chat/completions", (), b"{}")


def answer(**body: Any) -> bytes:
    return json.dumps({"token": TOKEN, "expires_at": 5000, "refresh_in": 1500, **body}).encode()


class GitHub:
    """Answers the exchange and remembers what it was asked."""

    def __init__(self, status: int = 200, content: bytes = answer()) -> None:
        self.status, self.content = status, content
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> tuple[int, Headers, bytes]:
        self.asked.append(request)
        return self.status, (), self.content


def test_the_github_token_goes_to_the_exchange() -> None:
    """The request is a GET at GitHub's own API with the token and the client's fields."""
    request = asking(GITHUB_TOKEN)
    assert (request.method, request.url) == ("GET", "https://api.github.com/copilot_internal/v2/token")
    assert header(request.headers, "authorization") == f"Bearer {GITHUB_TOKEN}"
    assert header(request.headers, "copilot-integration-id") == "vscode-chat"
    assert request.content == b""


def test_an_enterprise_exchanges_at_its_own_domain() -> None:
    """The enterprise's token is shown to the enterprise's host alone."""
    assert asking(GITHUB_TOKEN, "acme.ghe.com").url == "https://api.acme.ghe.com/copilot_internal/v2/token"


@pytest.mark.parametrize("domain", ["", "ghe", "acme.ghe.com/x", "user@acme.ghe.com", "https://acme.ghe.com"])
def test_a_domain_that_is_none_is_refused(domain: str) -> None:
    """What is no plain name would send the token to an address nobody meant."""
    with pytest.raises(ConfigurationError, match="domain"):
        asking(GITHUB_TOKEN, domain)


@pytest.mark.parametrize(
    ("token", "domain", "expected"),
    [
        (TOKEN, "github.com", "https://api.business.githubcopilot.com"),
        ("proxy-ep=proxy.x.githubcopilot.com", "github.com", "https://api.x.githubcopilot.com"),
        ("tid=1;exp=2", "github.com", "https://api.individual.githubcopilot.com"),
        ("tid=1;exp=2", "acme.ghe.com", "https://copilot-api.acme.ghe.com"),
    ],
    ids=["proxy-ep", "first", "individual", "enterprise"],
)
def test_the_token_tells_the_address(token: str, domain: str, expected: str) -> None:
    """``proxy-ep`` wins; without it an enterprise has its own host."""
    assert address(token, domain) == expected


def test_the_answers_address_wins() -> None:
    """``endpoints.api`` is taken before what the token says."""
    told = session(200, (), answer(endpoints={"api": "https://api.enterprise.githubcopilot.com/"}))
    assert told == SessionToken(TOKEN, 5000.0, {"api_url": "https://api.enterprise.githubcopilot.com"})
    assert session(200, (), answer()).values == {"api_url": "https://api.business.githubcopilot.com"}
    assert TOKEN not in repr(told)


@pytest.mark.parametrize(
    "api",
    [
        "http://api.individual.githubcopilot.com",
        "https://evil.example",
        "https://githubcopilot.com.evil.example",
        "https://evilgithubcopilot.com",
        "https://u@api.githubcopilot.com",
        "https://copilot-api.acme.ghe.com",
    ],
)
def test_an_address_elsewhere_is_refused(api: str) -> None:
    """The token is never sent to a host that is not Copilot's."""
    with pytest.raises(ConfigurationError, match="another place"):
        session(200, (), answer(endpoints={"api": api}))


def test_an_enterprises_address_lies_in_its_domain() -> None:
    """An enterprise's own host is trusted for that enterprise."""
    told = session(200, (), answer(endpoints={"api": "https://copilot-api.acme.ghe.com"}), "acme.ghe.com")
    assert told.values == {"api_url": "https://copilot-api.acme.ghe.com"}


@pytest.mark.parametrize(
    ("status", "kind"), [(401, AuthenticationFailed), (403, PermissionDenied)], ids=["unknown", "no licence"]
)
def test_a_refused_exchange_is_githubs_word(status: int, kind: type[Exception]) -> None:
    """A refusal is a typed error with GitHub's message, and without the token."""
    with pytest.raises(kind) as raised:
        session(status, (), b'{"message": "Bad credentials"}')
    assert "Bad credentials" in str(raised.value)


@pytest.mark.parametrize(
    "content",
    [b"[]", b"{}", b'{"token": ""}', b'{"token": "t"}', b'{"token": "t", "expires_at": true}', b"<"],
)
def test_an_answer_without_a_token_is_malformed(content: bytes) -> None:
    """What has no token or no end is no exchange."""
    with pytest.raises(MalformedFrame):
        session(200, (), content)


def test_a_token_is_exchanged_once_until_shortly_before_its_end() -> None:
    """The cache asks again for another account, and when the end is near."""
    github = GitHub()
    now = [0.0]
    sessions = Sessions(EXCHANGE, github, lambda: now[0])
    first = sessions.of(GITHUB_TOKEN)
    now[0] = 5000 - EARLY_S - 1
    assert sessions.of(GITHUB_TOKEN) is first
    assert len(github.asked) == 1
    sessions.of("gho_another")
    now[0] = 5000 - EARLY_S
    assert sessions.of(GITHUB_TOKEN) is not first
    assert len(github.asked) == 3


def test_a_failed_exchange_is_not_kept() -> None:
    """After a refusal the next call asks again."""
    github = GitHub(status=401, content=b"{}")
    sessions = Sessions(EXCHANGE, github, lambda: 0.0)
    for _ in range(2):
        with pytest.raises(AuthenticationFailed):
            sessions.of(GITHUB_TOKEN)
    assert len(github.asked) == 2


@pytest.mark.parametrize("token", ["gho_x", "ghp_x", "ghu_x", "github_pat_x"])
def test_a_github_token_is_never_sent_to_the_api(token: str) -> None:
    """The scheme refuses it, without showing it."""
    with pytest.raises(ConfigurationError, match="exchange") as raised:
        authenticate(REQUEST, COPILOT.auth, token)
    assert token not in str(raised.value)


def test_a_copilot_token_travels_as_a_bearer() -> None:
    """The session's token goes into Authorization, also when it is given as text."""
    sent = SCHEMES["copilot"].apply(REQUEST, "", SessionToken(TOKEN, 1.0))
    assert sent.headers == (("Authorization", f"Bearer {TOKEN}"),)
    assert SCHEMES["copilot"].apply(REQUEST, "", TOKEN) == sent


@pytest.mark.parametrize(
    ("model", "url", "protocol"),
    [
        ("claude-haiku-4.5", "https://api.business.githubcopilot.com/v1/messages", "anthropic-messages"),
        ("gpt-5.3-codex", "https://api.business.githubcopilot.com/responses", "openai-responses"),
        ("gpt-4o", "https://api.business.githubcopilot.com/chat/completions", "openai-completions"),
    ],
)
def test_a_call_goes_where_the_token_says(model: str, url: str, protocol: str) -> None:
    """Address, protocol by model, and the whole header set; an address of the operator's own wins."""
    key = session(200, (), answer())
    call = Call(model=model, messages=(user("hi"),))
    made = prepare(COPILOT, call, key=key)
    assert (made.request.url, made.endpoint.protocol) == (url, protocol)
    sent = made.request.headers
    assert header(sent, "authorization") == f"Bearer {TOKEN}"
    assert header(sent, "x-api-key") is None
    assert header(sent, "x-initiator") == "user"
    assert header(sent, "copilot-vision-request") is None
    assert header(sent, "openai-intent") == "conversation-edits"
    assert header(sent, "user-agent") == "GitHubCopilotChat/0.35.0"
    assert TOKEN in made.secrets
    own = prepare(COPILOT, call, key=key, base_url="http://127.0.0.1:1/v1")
    assert own.request.url.startswith("http://127.0.0.1:1/v1/")


def test_the_call_decides_initiator_and_vision() -> None:
    """After a tool's result the program goes on by itself; an image in a result is announced."""
    shown = ToolResult("c1", "look", (Image(data="cA=="),))
    asked = Call(model="gpt-4o", messages=(user("hi"), tool_results(shown)))
    sent = prepare(COPILOT, asked, key=TOKEN).request.headers
    assert header(sent, "x-initiator") == "agent"
    assert header(sent, "copilot-vision-request") == "true"
    plain = Call(model="gpt-4o", messages=(user("hi"), tool_results(ToolResult("c1", "t", (Text("x"),)))))
    assert header(prepare(COPILOT, plain, key=TOKEN).request.headers, "copilot-vision-request") is None


def test_the_two_tokens_keep_to_their_hosts() -> None:
    """Exchange and call over a network: each host sees its own token and never the other one."""
    seen: dict[str, str] = {}

    def network(request: httpx.Request) -> httpx.Response:
        seen[request.url.host] = str(request.headers.multi_items())
        if request.url.host == "api.github.com":
            return httpx.Response(200, content=answer())
        body = {"id": "c", "object": "chat.completion", "model": "gpt-4o", "choices": []}
        choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
        return httpx.Response(200, json={**body, "choices": [choice]})

    transport = httpx.MockTransport(network)
    with httpx.Client(transport=transport) as http, Client(transport=transport) as client:
        key = Sessions(EXCHANGE, over(http), lambda: 0.0).of(GITHUB_TOKEN)
        assert client.complete(COPILOT, Call(model="gpt-4o", messages=(user("hi"),)), key=key).text == "hi"
    assert set(seen) == {"api.github.com", "api.business.githubcopilot.com"}
    assert GITHUB_TOKEN in seen["api.github.com"]
    assert GITHUB_TOKEN not in seen["api.business.githubcopilot.com"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(httpx.ReadTimeout("slow"), TimedOut), (httpx.ConnectError("down"), Unreachable)],
    ids=["slow", "down"],
)
def test_an_exchange_without_an_answer_is_a_transport_error(fault: Exception, kind: type[Exception]) -> None:
    """No answer is told with the place, and without the token."""

    def network(request: httpx.Request) -> httpx.Response:
        raise fault

    with httpx.Client(transport=httpx.MockTransport(network)) as http, pytest.raises(kind) as raised:
        Sessions(EXCHANGE, over(http), lambda: 0.0).of(GITHUB_TOKEN)
    assert "api.github.com" in str(raised.value)
    assert GITHUB_TOKEN not in str(raised.value)


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"GITHUB_COPILOT_TOKEN": GITHUB_TOKEN}, "https://api.github.com/copilot_internal/v2/token"),
        (
            {
                "COPILOT_GITHUB_TOKEN": GITHUB_TOKEN,
                "GITHUB_COPILOT_TOKEN": "gho_2",
                "GH_HOST": "acme.ghe.com",
            },
            "https://api.acme.ghe.com/copilot_internal/v2/token",
        ),
    ],
    ids=["second variable", "first one, and an enterprise"],
)
def test_the_environments_token_is_exchanged(
    environ: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The catalog's variables are read in its order, and GH_HOST names an enterprise."""
    github = GitHub()
    monkeypatch.setattr(copilot, "_SESSIONS", Sessions(EXCHANGE, github, lambda: 0.0))
    assert credentials.find(COPILOT, environ) == session(200, (), answer())
    (asked,) = github.asked
    assert (asked.url, header(asked.headers, "authorization")) == (url, f"Bearer {GITHUB_TOKEN}")


def test_no_token_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a variable the credential is missing, and the catalog's variables are those that are read."""
    github = GitHub()
    monkeypatch.setattr(copilot, "_SESSIONS", Sessions(EXCHANGE, github, lambda: 0.0))
    with pytest.raises(MissingCredential) as raised:
        credentials.find(COPILOT, {"COPILOT_GITHUB_TOKEN": ""})
    assert raised.value.looked_for == COPILOT.auth.env == copilot.VARIABLES
    assert github.asked == []
