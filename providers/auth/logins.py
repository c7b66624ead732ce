"""OAuth logins: authorization code with PKCE over a loopback redirect, device code, refresh.

Follows RFC 6749 (section 6), RFC 7636 (PKCE, S256), RFC 8252 (section 7.3, loopback) and RFC 8628
(device code), read 2026-11-21; oauthlib writes and reads the messages and refuses a server without
TLS. Whose client id it is, is the operator's business: there is none in here. Tokens are stored by
whoever asks for them; no message shows one.
"""

from __future__ import annotations

import http.server
import secrets
import time
from collections.abc import Callable
from typing import Any, cast

import httpx
import msgspec
from oauthlib.oauth2 import DeviceClient, OAuth2Error, WebApplicationClient

from providers.errors import AuthenticationFailed, ConfigurationError, TimedOut, Unreachable

CALLBACK = "/callback"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
POLL_S = 5.0  # RFC 8628, 3.5: the interval where the server names none, and what slow_down adds


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization server and the client that is registered there."""

    client_id: str
    token_url: str
    authorize_url: str = ""
    device_url: str = ""
    scope: tuple[str, ...] = ()
    redirect_port: int = 0


class Token(msgspec.Struct, frozen=True):
    """What the server gave. ``expires_at_s``: seconds since the epoch, None when it did not say."""

    access: str
    refresh: str | None = None
    expires_at_s: float | None = None


def _failed(error: OAuth2Error, status: int) -> AuthenticationFailed:
    """The server's refusal in its own error code; its description may hold anything and is left out."""
    return AuthenticationFailed("the authorization server refused", status=status, code=error.error)


def _post(client: httpx.Client, url: str, body: str) -> httpx.Response:
    try:
        return client.post(url, content=body, headers=FORM)
    except httpx.TimeoutException:
        raise TimedOut("the authorization server did not answer", where=url) from None
    except httpx.HTTPError:
        raise Unreachable("the authorization server cannot be reached", where=url) from None


def _token(
    spoken: WebApplicationClient | DeviceClient, answer: httpx.Response, before: str | None = None
) -> Token:
    """The token of an answer. ``before``: the refresh token that stays when no new one comes."""
    try:
        told = cast(dict[str, Any], spoken.parse_request_body_response(answer.text))
    except OAuth2Error as error:
        raise _failed(error, answer.status_code) from None
    expires_in = told.get("expires_in")
    at_s = time.time() + float(expires_in) if expires_in is not None else None
    return Token(str(told["access_token"]), told.get("refresh_token") or before, at_s)


def refresh(server: Server, token: str, client: httpx.Client) -> Token:
    """A new access token for a refresh token. Raises AuthenticationFailed, Unreachable, TimedOut."""
    spoken = WebApplicationClient(server.client_id)
    body = spoken.prepare_refresh_body(refresh_token=token, client_id=server.client_id)
    return _token(spoken, _post(client, server.token_url, body), before=token)


# --- authorization code ---


class _Callback(http.server.HTTPServer):
    """Waits on the loopback address for the one redirect that carries the code."""

    def __init__(self, port: int) -> None:
        self.arrived: str | None = None
        super().__init__(("127.0.0.1", port), _Redirect)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{CALLBACK}"

    def wait(self, timeout_s: float) -> str:
        """The target of the redirect. Raises TimedOut."""
        end = time.monotonic() + timeout_s
        while self.arrived is None:
            self.timeout = end - time.monotonic()
            if self.timeout <= 0:
                raise TimedOut("nobody finished the login in the browser", where=self.url)
            self.handle_request()
        return self.arrived


class _Redirect(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = cast(_Callback, self.server)
        is_ours = self.path.split("?")[0] == CALLBACK
        if is_ours and server.arrived is None:
            server.arrived = self.path
        self.send_response(200 if is_ours else 404)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"You may close this window." if is_ours else b"Not here.")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the target holds the code."""


def authorization_code(
    server: Server, client: httpx.Client, open_browser: Callable[[str], object], timeout_s: float = 300.0
) -> Token:
    """Log in through the browser. ``open_browser`` is given the address to show to the operator.

    Raises AuthenticationFailed when the server or the operator refuses or the answer is not ours.
    """
    spoken = WebApplicationClient(server.client_id)
    verifier = spoken.create_code_verifier(64)
    state = secrets.token_urlsafe(24)
    with _Callback(server.redirect_port) as callback:
        open_browser(
            spoken.prepare_request_uri(
                server.authorize_url,
                redirect_uri=callback.url,
                scope=list(server.scope) or None,
                state=state,
                code_challenge=spoken.create_code_challenge(verifier, "S256"),
                code_challenge_method="S256",
            )
        )
        target = callback.wait(timeout_s)
    try:
        # A loopback redirect is plain HTTP by design (RFC 8252, 7.3); the parser wants to see https.
        told = spoken.parse_request_uri_response(f"https://127.0.0.1{target}", state=state)
    except OAuth2Error as error:
        raise _failed(error, 400) from None
    body = spoken.prepare_request_body(
        code=told["code"], redirect_uri=callback.url, code_verifier=verifier, include_client_id=True
    )
    return _token(spoken, _post(client, server.token_url, body))


# --- device code ---


def device_code(
    server: Server,
    client: httpx.Client,
    show: Callable[[str, str], object],
    sleep: Callable[[float], object] = time.sleep,
) -> Token:
    """Log in on another device. ``show`` is given the code and the address to enter it at.

    Raises AuthenticationFailed when the operator refuses or the code expires.
    """
    spoken = DeviceClient(server.client_id)
    asked = httpx.QueryParams({"client_id": server.client_id, "scope": " ".join(server.scope)})
    answer = _post(client, server.device_url, str(asked))
    told = _device_answer(answer, server.device_url)
    show(str(told["user_code"]), str(told.get("verification_uri_complete") or told["verification_uri"]))
    wait_s = float(told.get("interval") or POLL_S)
    end = time.monotonic() + float(told.get("expires_in") or 900)
    body = spoken.prepare_request_body(device_code=told["device_code"], include_client_id=True)
    while time.monotonic() < end:
        sleep(wait_s)
        answer = _post(client, server.token_url, body)
        try:
            return _token(spoken, answer)
        except AuthenticationFailed as refused:
            if refused.code == "slow_down":
                wait_s += POLL_S
            elif refused.code != "authorization_pending":
                raise
    raise TimedOut("nobody entered the code in time", where=server.device_url)


def _device_answer(answer: httpx.Response, url: str) -> dict[str, Any]:
    try:
        told = answer.json() if answer.is_success else None
    except ValueError:
        told = None
    if not isinstance(told, dict) or not {"device_code", "user_code", "verification_uri"} <= told.keys():
        raise ConfigurationError(
            "the address gives no device code",
            expected="device_code, user_code and verification_uri (RFC 8628, 3.2)",
            seen=f"status {answer.status_code}",
            where=url,
        )
    return told
