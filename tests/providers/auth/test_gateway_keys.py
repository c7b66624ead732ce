"""A gateway's token and the key of the vendor behind it, on Cloudflare's three routes."""

from __future__ import annotations

import pytest

from harness.emulators import EMULATORS
from providers import credentials, schema
from providers.auth import Credential, Keys, authenticate
from providers.call import Call, user
from providers.client import prepare
from providers.declaration import Auth
from providers.errors import ConfigurationError, MissingCredential
from providers.wire import Request, header

GATEWAY = schema.get("cloudflare-ai-gateway")
VALUES = {"account_id": "acc", "gateway_id": "gw"}
TOKEN, UPSTREAM = "canary-of-cloudflare", "canary-of-the-vendor"
BASE = "https://gateway.ai.cloudflare.com/v1/acc/gw"
ROUTES = {
    "anthropic": ("claude-haiku-4-5", f"{BASE}/anthropic/v1/messages", "x-api-key", UPSTREAM),
    "openai": ("gpt-5.1", f"{BASE}/openai/responses", "authorization", f"Bearer {UPSTREAM}"),
    "compat": (
        "workers-ai/@cf/ibm-granite/granite-4.0-h-micro",
        f"{BASE}/compat/chat/completions",
        "authorization",
        f"Bearer {UPSTREAM}",
    ),
}
every_route = pytest.mark.parametrize("route", ROUTES)
KEY_FIELDS = ("authorization", "x-api-key", "cf-aig-authorization")
# The four ways to pay, and the gateway that asks for no token: (credential, token sent, vendor's key sent).
MODES: dict[str, tuple[Credential, bool, bool]] = {
    "workers ai": (TOKEN, True, False),
    "unified billing": (TOKEN, True, False),
    "stored key": (TOKEN, True, False),
    "inline key": (Keys(TOKEN, UPSTREAM), True, True),
    "open gateway": (Keys(None, UPSTREAM), False, True),
}


@every_route
@pytest.mark.parametrize("mode", MODES)
def test_each_key_is_in_its_own_field(route: str, mode: str) -> None:
    """The token is in cf-aig-authorization alone, the vendor's key where the vendor wants it, nothing else is
    sent, and the vendor's emulator takes the request."""
    model, url, field, expected = ROUTES[route]
    credential, with_token, with_upstream = MODES[mode]
    made = prepare(GATEWAY, Call(model=model, messages=(user("hi"),)), key=credential, values=VALUES)
    wanted = {
        "cf-aig-authorization": f"Bearer {TOKEN}" if with_token else None,
        field: expected if with_upstream else None,
    }
    assert made.request.url == url
    assert {name: header(made.request.headers, name) for name in KEY_FIELDS} == {
        **dict.fromkeys(KEY_FIELDS),
        **wanted,
    }
    assert EMULATORS[made.endpoint.protocol].judge(made.request, made.endpoint) == ()
    sent = {TOKEN: with_token, UPSTREAM: with_upstream}
    assert set(made.secrets) == {secret for secret, is_sent in sent.items() if is_sent}


@pytest.mark.parametrize(
    ("model", "route"),
    [
        ("claude-opus-4-6", "anthropic/v1/messages"),
        ("gpt-5-mini", "openai/responses"),
        ("o3", "openai/responses"),
        ("openai/gpt-5-mini", "compat/chat/completions"),
        ("anthropic/claude-opus-4-6", "compat/chat/completions"),
        ("workers-ai/@cf/openai/gpt-oss-120b", "compat/chat/completions"),
    ],
)
def test_the_model_decides_the_route(model: str, route: str) -> None:
    """A vendor's own id goes over its own route, an id with the vendor before it over the common one."""
    made = prepare(GATEWAY, Call(model=model, messages=(user("hi"),)), key=TOKEN, values=VALUES)
    assert made.request.url == f"{BASE}/{route}"


@every_route
@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"CLOUDFLARE_API_KEY": TOKEN}, TOKEN),
        (
            {"CLOUDFLARE_API_KEY": TOKEN, "CLOUDFLARE_AI_GATEWAY_API_KEY": UPSTREAM},
            Keys(TOKEN, UPSTREAM),
        ),
        ({"CLOUDFLARE_AI_GATEWAY_API_KEY": UPSTREAM}, Keys(None, UPSTREAM)),
        ({"CLOUDFLARE_API_KEY": TOKEN, "OPENAI_API_KEY": "other", "ANTHROPIC_API_KEY": "other"}, TOKEN),
    ],
    ids=["token", "both", "vendor's key", "a vendor's own variable is not taken"],
)
def test_the_keys_have_variables_of_their_own(
    route: str, environ: dict[str, str], expected: Credential
) -> None:
    """The vendor's key is sent along only when it was given for the gateway."""
    assert credentials.find(GATEWAY, environ, model=ROUTES[route][0]) == expected


def test_nothing_set_names_the_token() -> None:
    """Without either the gateway's token is missing."""
    with pytest.raises(MissingCredential) as raised:
        credentials.find(GATEWAY, {})
    assert raised.value.looked_for == ("CLOUDFLARE_API_KEY",)


def test_two_keys_for_a_vendor_itself_are_refused() -> None:
    """Where nobody is behind a provider, a second key has no place, and is not shown."""
    with pytest.raises(ConfigurationError) as raised:
        authenticate(Request("POST", BASE, (), b""), Auth(source="docs"), Keys(TOKEN, UPSTREAM))
    assert TOKEN not in str(raised.value)
    assert TOKEN not in repr(Keys(TOKEN, UPSTREAM))


@every_route
def test_a_session_stays_where_its_cache_is(route: str) -> None:
    """The session is told on the routes whose protocol carries it in a field of its own."""
    call = Call(model=ROUTES[route][0], messages=(user("hi"),), session="thread-7")
    sent = prepare(GATEWAY, call, key=TOKEN, values=VALUES).request
    assert header(sent.headers, "x-session-affinity") == (None if route == "openai" else "thread-7")


def test_workers_ai_keeps_a_session_together() -> None:
    """Workers AI is told the session in x-session-affinity, and the body does not repeat it."""
    call = Call(model="@cf/openai/gpt-oss-120b", messages=(user("hi"),), session="thread-7")
    made = prepare(schema.get("cloudflare-workers-ai"), call, key=TOKEN, values={"account_id": "acc"})
    assert made.request.url == "https://api.cloudflare.com/client/v4/accounts/acc/ai/v1/chat/completions"
    assert header(made.request.headers, "x-session-affinity") == "thread-7"
    assert header(made.request.headers, "authorization") == f"Bearer {TOKEN}"
    assert b"thread-7" not in made.request.content
    assert EMULATORS[made.endpoint.protocol].judge(made.request, made.endpoint) == ()
