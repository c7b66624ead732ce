"""Logins against a real authorization server on a socket, and the refresh of what they stored."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from harness.dialects import oauth
from harness.dialects.homes import given, resolve_offline
from harness.errors import UnusableInput
from providers.auth import logins
from providers.auth.logins import Server, Token
from providers.dialects import DIALECTS
from providers.errors import AuthenticationFailed, TimedOut, Unreachable
from tests.harness.authorization import CLIENT, Running


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """The authorization server."""
    server = Running(tmp_path)
    yield server
    server.close()


@pytest.fixture
def client(running: Running) -> Iterator[httpx.Client]:
    """A client that trusts the server's certificate."""
    with httpx.Client(verify=running.context, timeout=5) as opened:
        yield opened


def _server(running: Running) -> Server:
    return Server(
        client_id=CLIENT,
        authorize_url=f"{running.url}/authorize",
        device_url=f"{running.url}/device",
        token_url=f"{running.url}/token",
        scope=("models",),
    )


class _Browser:
    """Follows the redirect to the loopback address as an operator's browser would."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.threads: list[threading.Thread] = []

    def __call__(self, url: str) -> None:
        thread = threading.Thread(target=self._follow, args=(url,))
        thread.start()
        self.threads.append(thread)

    def _follow(self, url: str) -> None:
        location = self.client.get(url).headers["location"]
        httpx.get(location.split("?")[0].replace("/callback", "/favicon.ico"))
        httpx.get(self.changed(location))

    def changed(self, location: str) -> str:
        """What arrives at the loopback address."""
        return location

    def join(self) -> None:
        """Wait until it is done."""
        for thread in self.threads:
            thread.join()


def test_a_browser_login_gives_a_token(running: Running, client: httpx.Client) -> None:
    """The code comes over the loopback redirect and is exchanged with the PKCE verifier."""
    browser = _Browser(client)
    token = logins.authorization_code(_server(running), client, browser, timeout_s=5)
    browser.join()
    assert token.access == "access-browser"
    assert token.expires_at_s is not None
    assert 3500 < token.expires_at_s - time.time() <= 3600


def test_a_refused_browser_login_is_typed(running: Running, client: httpx.Client) -> None:
    """The operator's refusal comes as the server's error code."""
    running.memory.refuses_browser = True
    browser = _Browser(client)
    with pytest.raises(AuthenticationFailed) as raised:
        logins.authorization_code(_server(running), client, browser, timeout_s=5)
    browser.join()
    assert raised.value.code == "access_denied"


def test_a_foreign_state_is_refused(running: Running, client: httpx.Client) -> None:
    """A redirect that we did not ask for gives no token."""

    class Forged(_Browser):
        def changed(self, location: str) -> str:
            return location.split("&state=")[0] + "&state=forged"

    browser = Forged(client)
    with pytest.raises(AuthenticationFailed) as raised:
        logins.authorization_code(_server(running), client, browser, timeout_s=5)
    browser.join()
    assert raised.value.code == "mismatching_state"


def test_a_login_nobody_finishes_ends(running: Running, client: httpx.Client) -> None:
    """The wait for the browser has an end."""
    with pytest.raises(TimedOut):
        logins.authorization_code(_server(running), client, lambda url: None, timeout_s=0.05)


def test_a_device_login_waits_as_it_is_told(running: Running, client: httpx.Client) -> None:
    """Pending is asked again after the interval, slow_down makes it longer."""
    running.memory.device_answers = ["authorization_pending", "slow_down", "ok"]
    shown: list[tuple[str, str]] = []
    waits: list[float] = []
    token = logins.device_code(
        _server(running), client, lambda code, url: shown.append((code, url)), waits.append
    )
    assert token.access == "access-device"
    assert shown == [("ABCD-EFGH", "https://127.0.0.1/enter")]
    assert waits == [1, 1, 6]


@pytest.mark.parametrize("answer", ["access_denied", "expired_token"])
def test_a_refused_device_login_is_typed(running: Running, client: httpx.Client, answer: str) -> None:
    """Refusal and expiry end the login."""
    running.memory.device_answers = [answer]
    with pytest.raises(AuthenticationFailed) as raised:
        logins.device_code(_server(running), client, lambda code, url: None, lambda seconds: None)
    assert raised.value.code == answer


def test_no_message_shows_a_token(running: Running, client: httpx.Client) -> None:
    """The server's description, which holds the token, is left out."""
    with pytest.raises(AuthenticationFailed) as raised:
        logins.refresh(_server(running), "refresh-spent", client)
    assert raised.value.code == "invalid_grant"
    assert "refresh-spent" not in str(raised.value)


def test_an_unreachable_server_is_typed(client: httpx.Client) -> None:
    """A server that is not there is told as such."""
    with pytest.raises(Unreachable):
        logins.refresh(Server(client_id=CLIENT, token_url="https://127.0.0.1:1/token"), "r", client)


EXPIRED: dict[str, Any] = {
    "pi": {
        "anthropic": {
            "type": "oauth",
            "access": "access-old",
            "refresh": "refresh-0",
            "expires": 1000,
        }
    },
    "zot": {
        "anthropic": {
            "oauth": {
                "access_token": "access-old",
                "refresh_token": "refresh-0",
                "expiry": "2001-01-01T00:00:00Z",
            }
        }
    },
}


@pytest.mark.parametrize("name", ["pi", "pi@newest", "zot", "zot@newest"])
def test_an_expired_token_is_refreshed_once_stored_and_used(
    running: Running, client: httpx.Client, tmp_path: Path, name: str
) -> None:
    """Of eight resolutions at once one asks the server; all use what it stored; other entries stay."""
    running.memory.delay_s = 0.05
    chosen = DIALECTS[name]
    home = tmp_path / "home"
    path = home / chosen.state / "auth.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({**EXPIRED[chosen.system], "note": 7}))
    path.chmod(0o600)
    refresh = oauth.refresher(chosen, {}, home, _server(running), client)
    world = msgspec.structs.replace(given(chosen, {}, home, {}), refresh=refresh)
    used: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: used.append(chosen.resolve(world, "anthropic", None).value))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert used == ["access-refreshed-1"] * 8
    assert running.memory.refreshed == 1
    document = json.loads(path.read_text())
    assert document["note"] == 7
    assert "access-refreshed-1" in json.dumps(document)
    assert "refresh-0" not in json.dumps(document)


def test_a_refresh_that_fails_writes_nothing(running: Running, client: httpx.Client, tmp_path: Path) -> None:
    """A spent refresh token gives no key and leaves the file."""
    running.memory.refresh_tokens.clear()
    chosen = DIALECTS["pi"]
    path = tmp_path / chosen.state / "auth.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(EXPIRED["pi"]))
    before = path.read_bytes()
    refresh = oauth.refresher(chosen, {}, tmp_path, _server(running), client)
    world = msgspec.structs.replace(given(chosen, {}, tmp_path, {}), refresh=refresh)
    assert chosen.resolve(world, "anthropic", None).value is None
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["pi", "zot"])
def test_a_stored_login_is_found_again(tmp_path: Path, name: str) -> None:
    """What a login stores, a resolution uses."""
    chosen = DIALECTS[name]
    token = Token("access-new", "refresh-new", time.time() + 3600)
    oauth.keep(chosen, {}, tmp_path, "anthropic", token)
    resolved = chosen.resolve(given(chosen, {}, tmp_path, {}), "anthropic", None)
    assert (resolved.value, resolved.source) == ("access-new", "oauth")


@pytest.mark.parametrize("name", ["pi", "zot@newest"])
def test_a_resolution_refreshes_only_when_asked(running: Running, tmp_path: Path, name: str) -> None:
    """Unasked a token that is due is told of and nothing is written; asked it is refreshed and stored."""
    chosen = DIALECTS[name]
    path = tmp_path / chosen.state / "auth.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(EXPIRED[chosen.system]))
    before = path.read_bytes()
    world = given(chosen, {}, tmp_path, {})
    unasked = resolve_offline(chosen, world, "anthropic", None)
    assert "token_due" in [warning.category for warning in unasked.warnings]
    assert (running.memory.refreshed, path.read_bytes()) == (0, before)
    client = httpx.Client(verify=running.context, timeout=5)
    asked = oauth.resolve(chosen, world, {}, tmp_path, _server(running), "anthropic", client=client)
    assert (asked.value, running.memory.refreshed) == ("access-refreshed-1", 1)
    assert b"access-refreshed-1" in path.read_bytes()


@pytest.mark.parametrize(
    ("name", "server"),
    [("pi", Server(client_id="", token_url="")), ("zot", Server(client_id="mine", token_url=""))],
)
def test_a_refresh_needs_the_operators_client(tmp_path: Path, name: str, server: Server) -> None:
    """Without a client id or an endpoint nothing is asked for."""
    chosen = DIALECTS[name]
    with pytest.raises(UnusableInput, match="--token-url"):
        oauth.resolve(chosen, given(chosen, {}, tmp_path, {}), {}, tmp_path, server, "anthropic")
