"""GitLab Duo: the exchange, the fields that come with the token, and where neither token goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from providers import credentials, schema
from providers.auth import SCHEMES, SessionToken, authenticate, gitlab
from providers.auth.gitlab import EXCHANGE, KEPT_S, asking, session
from providers.auth.sessions import Sessions
from providers.call import Call, user
from providers.client import prepare
from providers.errors import AuthenticationFailed, ConfigurationError, MalformedFrame
from providers.fetch import over
from providers.wire import Headers, Request, header

DUO = schema.get("gitlab-duo")
GITLAB_TOKEN = "glpat-canary-of-gitlab-1234"
TOKEN = "canary.of.gateway"
FIELDS = {"X-Gitlab-Instance-Id": "instance-1", "x-gitlab-realm": "saas"}
REQUEST = Request("POST", "https://cloud.gitlab.com/ai/v1/proxy/anthropic/v1/messages", (), b"{}")


def answer(**body: Any) -> bytes:
    return json.dumps({"token": TOKEN, "headers": FIELDS, **body}).encode()


class Instance:
    """Answers the exchange and remembers what it was asked."""

    def __init__(self, status: int = 201, content: bytes = answer()) -> None:
        self.status, self.content = status, content
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> tuple[int, Headers, bytes]:
        self.asked.append(request)
        return self.status, (), self.content


def test_the_gitlab_token_goes_to_the_instance() -> None:
    """The request is a POST at the instance with the token."""
    request = asking(GITLAB_TOKEN, "https://gitlab.acme.test:8443/")
    assert request.method == "POST"
    assert request.url == "https://gitlab.acme.test:8443/api/v4/ai/third_party_agents/direct_access"
    assert header(request.headers, "authorization") == f"Bearer {GITLAB_TOKEN}"


@pytest.mark.parametrize(
    "instance", ["http://gitlab.com", "https://gitlab.com/a/b", "a b", "x@gitlab.com", ""]
)
def test_an_instance_that_is_no_https_address_is_refused(instance: str) -> None:
    """The token is not shown to an address in the clear, or to one that hides another host."""
    with pytest.raises(ConfigurationError) as raised:
        asking(GITLAB_TOKEN, instance)
    assert GITLAB_TOKEN not in str(raised.value)


def test_the_token_and_its_fields_go_with_a_request() -> None:
    """A request to the gateway carries the short-lived token and GitLab's fields."""
    token = Sessions(EXCHANGE, Instance(), lambda: 100.0).of(GITLAB_TOKEN)
    sent = authenticate(REQUEST, DUO.auth, token)
    assert header(sent.headers, "authorization") == f"Bearer {TOKEN}"
    assert header(sent.headers, "x-gitlab-instance-id") == "instance-1"
    assert header(sent.headers, "x-gitlab-realm") == "saas"
    assert token.expires_at_s == 100.0 + KEPT_S
    assert TOKEN not in repr(token)


def test_a_field_that_is_not_gitlabs_stays_behind() -> None:
    """An answer cannot put another credential or host on a request."""
    others = {"x-api-key": "other", "Authorization": "Bearer other", "Host": "other", "x-gitlab-n": 1}
    found = session(200, (), answer(headers={**FIELDS, **others}), 0.0)
    assert dict(found.headers) == FIELDS


def test_a_gitlab_token_is_not_sent_to_the_gateway() -> None:
    """A token that was not exchanged is refused before any request, and not shown."""
    with pytest.raises(ConfigurationError, match="no token of the AI gateway") as raised:
        authenticate(REQUEST, DUO.auth, GITLAB_TOKEN)
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        pytest.param(answer(token=None), "/token", id="no token"),
        pytest.param(answer(token=""), "/token", id="an empty token"),
        pytest.param(answer(headers=None), "/headers", id="no fields"),
        pytest.param(b"[]", "/token", id="a list"),
    ],
)
def test_an_answer_without_its_parts_is_malformed(content: bytes, pointer: str) -> None:
    """What lacks in an answer is named by its place."""
    with pytest.raises(MalformedFrame) as raised:
        session(201, (), content, 0.0)
    assert raised.value.pointer == pointer


def test_a_field_with_a_line_break_is_refused() -> None:
    """A value that would begin a field of its own is not carried."""
    with pytest.raises(ConfigurationError, match="cannot be sent"):
        session(201, (), answer(headers={"x-gitlab-realm": "saas\r\nhost: other"}), 0.0)


def test_a_refused_token_is_an_authentication_failure() -> None:
    """A 401 of the instance tells its own words."""
    with pytest.raises(AuthenticationFailed, match="401 Unauthorized"):
        Sessions(EXCHANGE, Instance(401, b'{"message":"401 Unauthorized"}')).of(GITLAB_TOKEN)


def test_a_token_is_kept_for_its_time() -> None:
    """One exchange serves until the time is over, for each token and instance."""
    now = [0.0]
    instance = Instance()
    sessions = Sessions(EXCHANGE, instance, lambda: now[0])
    sessions.of(GITLAB_TOKEN)
    now[0] = KEPT_S - 1
    sessions.of(GITLAB_TOKEN)
    assert len(instance.asked) == 1
    now[0] = KEPT_S
    sessions.of(GITLAB_TOKEN)
    sessions.of(GITLAB_TOKEN, "gitlab.acme.test")
    assert len(instance.asked) == 3


def test_the_environment_names_token_and_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    """``GITLAB_TOKEN`` is exchanged at ``GITLAB_HOST``; without a token nothing is asked."""
    instance = Instance()
    monkeypatch.setattr(gitlab, "_SESSIONS", Sessions(EXCHANGE, instance))
    find = SCHEMES["gitlab"].find
    assert find is not None
    assert find({}) is None
    assert isinstance(find({"GITLAB_TOKEN": GITLAB_TOKEN}), SessionToken)
    find({"GITLAB_TOKEN": GITLAB_TOKEN, "GITLAB_HOST": "gitlab.acme.test"})
    assert [request.url.split("/")[2] for request in instance.asked] == ["gitlab.com", "gitlab.acme.test"]


def test_a_call_is_prepared_with_the_exchanged_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call to the provider goes to the gateway with the exchanged token and its fields."""
    monkeypatch.setattr(gitlab, "_SESSIONS", Sessions(EXCHANGE, Instance()))
    key = credentials.find(DUO, {"GITLAB_TOKEN": GITLAB_TOKEN}, "anthropic-messages")
    call = Call(model="claude-haiku-4-5-20251001", messages=(user("hi"),))
    sent = prepare(DUO, call, key=key, protocol="anthropic-messages").request
    assert sent.url.startswith("https://cloud.gitlab.com/ai/v1/proxy/anthropic/v1/")
    assert header(sent.headers, "authorization") == f"Bearer {TOKEN}"
    assert header(sent.headers, "x-gitlab-realm") == "saas"
    assert GITLAB_TOKEN not in repr(sent)


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """An instance on a socket of this machine that wants the right token."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["content-length"]))
            right = self.headers["authorization"] == f"Bearer {GITLAB_TOKEN}" and json.loads(asked)
            content = answer() if right else b'{"message":"401 Unauthorized"}'
            self.send_response(201 if right else 401)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as made:
        Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def test_the_exchange_over_a_socket(server: HTTPServer) -> None:
    """Real HTTP carries the exchange: the right token is answered, a wrong one refused."""
    port = server.server_address[1]

    def here(request: Request) -> tuple[int, Headers, bytes]:
        moved = request.url.replace("https://gitlab.com", f"http://127.0.0.1:{port}")
        with httpx.Client() as client:
            return over(client)(Request(request.method, moved, request.headers, request.content))

    assert Sessions(EXCHANGE, here).of(GITLAB_TOKEN).token == TOKEN
    with pytest.raises(AuthenticationFailed):
        Sessions(EXCHANGE, here).of("glpat-wrong")
