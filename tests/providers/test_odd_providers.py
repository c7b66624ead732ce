"""Providers that are no plain endpoint: protocol by model, host by place, the client they want to see."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness import fixtures
from harness.emulators import EMULATORS
from providers import credentials, schema
from providers.auth import AccessToken
from providers.call import Call, Message, Text, Thinking, Tool, user
from providers.callfields import session
from providers.client import Prepared, prepare, prepare_service
from providers.dialects import DIALECTS
from providers.dialects.resolved import File, Given, Resolved
from providers.errors import (
    ConfigurationError,
    ConflictingConfig,
    InvalidDeclaration,
    MissingCredential,
    UnsupportedFeature,
)
from providers.services.models_list import ListModels
from providers.wire import header

KEY = "canary-of-the-odd-ones"
KEY_FIELDS = ("authorization", "x-api-key", "x-goog-api-key")


def made(
    provider: str,
    model: str,
    protocol: str | None = None,
    values: Mapping[str, str] | None = None,
    thread: str | None = "thread-7",
    key: str = KEY,
) -> Prepared:
    """A short streamed call, made ready with the key."""
    call = Call(model=model, messages=(user("hi"),), session=thread, stream=True)
    return prepare(schema.get(provider), call, key=key, protocol=protocol, values=values)


def keys(prepared: Prepared) -> dict[str, str]:
    """The fields that hold a credential."""
    found = {name: header(prepared.request.headers, name) for name in KEY_FIELDS}
    return {name: value for name, value in found.items() if value is not None}


def accepted(prepared: Prepared) -> bool:
    """Whether the vendor's emulator takes the request."""
    return EMULATORS[prepared.endpoint.protocol].judge(prepared.request, prepared.endpoint) == ()


ZEN, GO, GO_NEW = (
    "https://opencode.ai/zen/v1",
    "https://opencode.ai/zen/go/v1",
    "https://opencode.ai/inference/go",
)


@pytest.mark.parametrize(
    ("provider", "model", "url", "field"),
    [
        ("opencode", "claude-sonnet-4-5", f"{ZEN}/messages", "x-api-key"),
        ("opencode", "qwen3.7-max", f"{ZEN}/messages", "x-api-key"),
        ("opencode", "gpt-5-nano", f"{ZEN}/responses", "authorization"),
        ("opencode", "grok-code", f"{ZEN}/responses", "authorization"),
        ("opencode", "big-pickle", f"{ZEN}/chat/completions", "authorization"),
        (
            "opencode",
            "gemini-3-flash",
            f"{ZEN}/models/gemini-3-flash:streamGenerateContent?alt=sse",
            "x-goog-api-key",
        ),
        ("opencode-go", "qwen3.7-plus", f"{GO}/messages", "x-api-key"),
        ("opencode-go", "minimax-m2.7", f"{GO}/messages", "x-api-key"),
        ("opencode-go", "muse-spark-1.2-contributor", f"{GO_NEW}/openai/v1/responses", "authorization"),
        ("opencode-go", "glm-5.1", f"{GO}/chat/completions", "authorization"),
    ],
)
def test_opencode_speaks_by_model(provider: str, model: str, url: str, field: str) -> None:
    """The model decides protocol, path and the one field with the key; the emulator takes the request."""
    prepared = made(provider, model)
    assert prepared.request.url == url
    assert keys(prepared) == {field: f"Bearer {KEY}" if field == "authorization" else KEY}
    assert accepted(prepared)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        (provider.id, model.id)
        for provider in map(schema.get, ("opencode", "opencode-go"))
        for model in provider.models
    ],
)
def test_opencode_is_told_the_session(provider: str, model: str) -> None:
    """Every declared model's call carries the session in its field; a call without one is given a name."""
    assert header(made(provider, model).request.headers, "x-opencode-session") == "thread-7"
    assert header(made(provider, model, thread=None).request.headers, "x-opencode-session")


def test_a_conversation_keeps_its_made_up_session() -> None:
    """Later calls of a conversation get the same name; another beginning gets another one."""
    later = (user("hi"), Message("assistant", (Text("hello"),)), user("more"))
    first = Call(model="m", messages=(user("hi"),))
    assert session(Call(model="m", messages=later)) == session(first)
    assert session(Call(model="m", messages=(user("ho"),))) != session(first)
    assert session(Call(model="m", messages=(user("hi"),), system="s")) != session(first)


@pytest.mark.parametrize(
    ("location", "host"),
    [
        (None, "us-central1-aiplatform.googleapis.com"),
        ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
@pytest.mark.parametrize("protocol", ["google-vertex", "openai-completions"])
def test_vertex_has_a_host_for_each_kind_of_place(location: str | None, host: str, protocol: str) -> None:
    """A region stands before the host, global has none, and us and eu have hosts of their own."""
    place = {"location": location} if location else {}
    prepared = made("google-vertex", "gemini-2.5-flash", protocol, {"project": "p", **place}, thread=None)
    path = f"/v1/projects/p/locations/{location or 'us-central1'}/"
    assert prepared.request.url.startswith(f"https://{host}{path}")
    assert keys(prepared) == {"x-goog-api-key": KEY}


def test_vertex_takes_a_host_of_the_operators() -> None:
    """A host that is given wins over the one that follows from the place."""
    values = {"project": "p", "location": "global", "host": "vertex.acme.example"}
    url = made("google-vertex", "gemini-2.5-flash", None, values, thread=None).request.url
    assert url.startswith("https://vertex.acme.example/v1/projects/p/locations/global/")


def test_a_vertex_key_without_a_project_has_an_address_of_its_own() -> None:
    """A key alone is asked for in express mode; a token, or the other protocol, still needs a project."""
    call = Call(model="gemini-2.5-flash", messages=(user("hi"),))
    vertex = schema.get("google-vertex")
    prepared = prepare(vertex, call, key=KEY)
    assert prepared.request.url == (
        "https://aiplatform.googleapis.com/v1/publishers/google/models/gemini-2.5-flash:generateContent"
    )
    assert keys(prepared) == {"x-goog-api-key": KEY}
    placed = prepare(vertex, call, key=KEY, values={"project": "p"}).request.url
    assert "/projects/p/locations/us-central1/" in placed
    for key, protocol in ((AccessToken("t-1"), None), (KEY, "openai-completions")):
        with pytest.raises(ConflictingConfig, match="GOOGLE_CLOUD_PROJECT"):
            prepare(vertex, call, key=key, protocol=protocol)


@pytest.mark.parametrize(
    ("protocol", "path", "expected"),
    [
        ("openai-completions", "/chat/completions", {"authorization": f"Bearer {KEY}"}),
        ("openai-responses", "/responses", {"authorization": f"Bearer {KEY}"}),
        ("anthropic-messages", "/messages", {"x-api-key": KEY}),
    ],
)
def test_kimi_code_sees_a_client_it_knows(protocol: str, path: str, expected: dict[str, str]) -> None:
    """All three routes name the client, and nothing about the device."""
    prepared = made("kimi-coding", "kimi-for-coding", protocol)
    assert prepared.request.url == f"https://api.kimi.com/coding/v1{path}"
    assert keys(prepared) == expected
    sent = dict(prepared.request.headers)
    assert sent["User-Agent"] == "KimiCLI/1.41.0"
    assert sorted(name for name in sent if name.startswith("X-Msh-")) == ["X-Msh-Platform", "X-Msh-Version"]
    assert accepted(prepared)


def test_a_claude_subscription_travels_as_a_bearer() -> None:
    """The token is in Authorization alone, with both betas and the client's name; the caller's is added."""
    call = Call(
        model="claude-haiku-4-5", messages=(user("hi"),), extra_headers=(("anthropic-beta", "mine-2026"),)
    )
    prepared = prepare(schema.get("claude-pro-max"), call, key=KEY)
    assert prepared.request.url == "https://api.anthropic.com/v1/messages"
    assert keys(prepared) == {"authorization": f"Bearer {KEY}"}
    sent = prepared.request.headers
    assert header(sent, "anthropic-beta") == "claude-code-20250219,oauth-2025-04-20,mine-2026"
    assert (header(sent, "x-app"), header(sent, "user-agent")) == ("cli", "claude-cli/2.1.75")
    assert accepted(prepared)


def test_a_claude_subscription_is_not_taken_for_a_key() -> None:
    """The two kinds of credential have variables of their own: neither provider reads the other's."""
    subscription = {"ANTHROPIC_OAUTH_TOKEN": KEY}
    assert credentials.find(schema.get("claude-pro-max"), subscription) == KEY
    assert "ANTHROPIC_API_KEY" not in schema.get("claude-pro-max").auth.env


TOKEN, PLAIN = "sk-ant-oat01-canary", "sk-ant-api03-canary"


@pytest.mark.parametrize(
    ("provider", "variable"),
    [("anthropic", "ANTHROPIC_API_KEY"), ("claude-pro-max", "ANTHROPIC_OAUTH_TOKEN")],
)
@pytest.mark.parametrize("key", [TOKEN, PLAIN])
def test_anthropic_is_sent_what_the_variable_holds(provider: str, variable: str, key: str) -> None:
    """A subscription's token is a bearer with its betas, a plain key is x-api-key, in either variable."""
    entry = schema.get(provider)
    found = credentials.find(entry, {variable: key})
    prepared = prepare(entry, Call(model="claude-haiku-4-5", messages=(user("hi"),)), key=found)
    sent = prepared.request.headers
    subscribed = key == TOKEN
    assert keys(prepared) == ({"authorization": f"Bearer {key}"} if subscribed else {"x-api-key": key})
    assert header(sent, "anthropic-beta") == ("claude-code-20250219,oauth-2025-04-20" if subscribed else None)
    assert header(sent, "x-app") == ("cli" if subscribed else None)
    assert (header(sent, "user-agent") or "").startswith("claude-cli/") is subscribed
    assert accepted(prepared)


@pytest.mark.parametrize("provider", ["anthropic", "claude-pro-max"])
def test_a_subscription_lists_models_as_it_asks(provider: str) -> None:
    """Beside chat, too, the token's form decides the field, and the service's own beta is added."""
    asked = prepare_service(schema.get(provider), ListModels(), key=TOKEN, undeclared=True)
    assert header(asked.request.headers, "authorization") == f"Bearer {TOKEN}"
    assert header(asked.request.headers, "x-api-key") is None
    assert "oauth-2025-04-20" in (header(asked.request.headers, "anthropic-beta") or "")


@pytest.mark.parametrize(
    ("provider", "placeholder", "model"),
    [
        ("qwen-portal", "qwen-oauth", "coder-model"),
        ("minimax-portal", "minimax-oauth", "MiniMax-M2.5"),
    ],
)
def test_a_placeholder_is_no_key(provider: str, placeholder: str, model: str) -> None:
    """What a client writes in the key's place is passed over, and never sent."""
    entry = schema.get(provider)
    first, second = entry.auth.env
    assert credentials.find(entry, {first: placeholder, second: KEY}) == KEY
    with pytest.raises(MissingCredential) as raised:
        credentials.find(entry, {first: placeholder, second: placeholder})
    assert raised.value.looked_for == (first, second)
    with pytest.raises(MissingCredential):
        prepare(entry, Call(model=model, messages=(user("hi"),)), key=placeholder)


VERTEX = {"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "eu"}
PLACEHOLDERS = ["<authenticated>", " <your key> "]


@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
def test_a_key_in_brackets_gives_way_to_googles_chain(tmp_path: Path, placeholder: str) -> None:
    """Vertex is asked with the credential file where the key only stands for one, and a key stays one."""
    entry = schema.get("google-vertex")
    assert credentials.find(entry, {"GOOGLE_CLOUD_API_KEY": "<key"}) == "<key"
    with pytest.raises(MissingCredential):
        credentials.find(entry, {"GOOGLE_CLOUD_API_KEY": placeholder})
    with pytest.raises(MissingCredential):
        prepare(
            entry,
            Call(model="gemini-2.5-flash", messages=(user("hi"),)),
            key=placeholder,
            values={"project": "p"},
        )
    nowhere = {"GOOGLE_CLOUD_API_KEY": placeholder, "GOOGLE_APPLICATION_CREDENTIALS": f"{tmp_path}/none"}
    with pytest.raises(ConfigurationError, match="application default credentials"):
        credentials.find(entry, nowhere)


def _resolved(dialect: str, given: Given, provider: str) -> Resolved:
    return DIALECTS[dialect].resolve(given, provider, None)


@pytest.mark.parametrize("dialect", ["pi", "pi@newest"])
@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
def test_pi_asks_vertex_with_googles_chain_where_the_key_is_none(dialect: str, placeholder: str) -> None:
    """A key in angle brackets loses to application default credentials, and without them there is nothing."""
    adc = {"~/.config/gcloud/application_default_credentials.json": File(b"{}")}
    environ = {**VERTEX, "GOOGLE_CLOUD_API_KEY": placeholder}
    found = _resolved(dialect, Given(environ=environ, files=adc), "google-vertex")
    assert (found.source, found.value) == ("ambient", None)
    assert "a placeholder in angle brackets, and no key" in [each.why for each in found.lost]
    assert not _resolved(dialect, Given(environ=environ), "google-vertex").found
    flagged = Given(
        environ={**VERTEX, "GOOGLE_CLOUD_API_KEY": KEY}, flags={"api_key": placeholder}, files=adc
    )
    assert _resolved(dialect, flagged, "google-vertex").source == "ambient"
    plain = Given(environ={**environ, "GOOGLE_CLOUD_API_KEY": KEY}, files=adc)
    assert _resolved(dialect, plain, "google-vertex").value == KEY
    other = Given(environ={"GROQ_API_KEY": placeholder})
    assert _resolved(dialect, other, "groq").value == placeholder


def test_codex_is_told_who_asks() -> None:
    """The ChatGPT route sees the token, its beta and our own name, and sessions in two fields."""
    token = fixtures.canary(schema.get("openai-codex"))
    prepared = made("openai-codex", "gpt-5.5", key=token)
    sent = prepared.request.headers
    assert prepared.request.url == "https://chatgpt.com/backend-api/codex/responses"
    assert keys(prepared) == {"authorization": f"Bearer {token}"}
    assert header(sent, "chatgpt-account-id") == "test-account"
    assert header(sent, "openai-beta") == "responses=experimental"
    assert header(sent, "originator") == "wirecheck"
    assert header(sent, "session-id") == header(sent, "x-client-request-id") == "thread-7"


def test_codex_is_not_asked_for_what_it_lacks() -> None:
    """Stop sequences, which the route has not, are refused before anything is sent."""
    call = Call(model="gpt-5.5", messages=(user("hi"),), stop=("x",), stream=True)
    with pytest.raises(UnsupportedFeature):
        prepare(schema.get("openai-codex"), call, key=KEY)


@pytest.mark.parametrize(
    ("provider", "url"),
    [
        ("litellm", "http://localhost:4000/v1/chat/completions"),
        ("llamacpp", "http://localhost:8080/v1/chat/completions"),
        ("lmstudio", "http://localhost:1234/v1/chat/completions"),
        ("ollama", "http://localhost:11434/v1/chat/completions"),
        ("osaurus", "http://localhost:1337/v1/chat/completions"),
        ("sglang", "http://localhost:30000/v1/chat/completions"),
        ("tgi", "http://localhost:8080/v1/chat/completions"),
        ("vllm", "http://localhost:8000/v1/chat/completions"),
    ],
)
def test_a_local_server_takes_a_key_and_needs_none(provider: str, url: str) -> None:
    """Without a key none is sent, not even a made-up one; with one it is a bearer token."""
    entry = schema.get(provider)
    call = Call(model="any", messages=(user("hi"),))
    assert credentials.find(entry, {}) is None
    plain = prepare(entry, call)
    assert plain.request.url == url
    assert keys(plain) == {}
    assert keys(prepare(entry, call, key=KEY)) == {"authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ('call_headers = { x = "weather" }\nsource = "docs"', "unknown weather"),
        (
            'source = "docs"\n[values.a]\nmeaning = "a"\ndefault_where = { b = { c = "d" } }',
            "b is not in [values]",
        ),
        (
            'source = "docs"\n[[auth.forms]]\nprefix = "x-"\nsource = "docs"\ndeviations = { betas = [] }',
            "auth.forms.0.deviations: unknown deviation 'betas'",
        ),
        (
            'source = "docs"\n[[auth.forms]]\nprefix = "x-"\nsource = "docs"\nheaders = { x = "{a}" }',
            "auth.forms.0.headers.x: {a} is not in [values]",
        ),
        (
            'source = "docs"\n[[auth.forms]]\nprefix = ""\nscheme = "header"\nsource = "docs"',
            "auth.forms.0.scheme: scheme 'header' needs a name",
        ),
        (
            'source = "docs"\n[values.a]\nmeaning = "a"\nfrom_model = "no group"',
            "values.a.from_model: expected a regular expression with one group",
        ),
    ],
    ids=[
        "a field no call decides",
        "a value that is not there",
        "a form's deviation",
        "a form's header",
        "a form's scheme",
        "a value no model tells",
    ],
)
def test_a_faulty_declaration_is_named(tmp_path: Path, told: str, fault: str) -> None:
    """A field or a value that does not exist is the file's fault."""
    path = tmp_path / "acme.toml"
    path.write_text(
        'id = "acme"\nname = "Acme"\nkind = "hosted"\ndocs = "https://acme.example"\n'
        '[sources.docs]\nurl = "https://acme.example"\nread = 2026-11-21\n'
        '[auth]\nenv = ["ACME_KEY"]\nsource = "docs"\n'
        f'[[endpoints]]\nprotocol = "openai-completions"\nbase_url = "https://acme.example"\n{told}\n'
    )
    with pytest.raises(InvalidDeclaration) as raised:
        schema.load_file(path)
    assert fault in str(raised.value)


@pytest.mark.parametrize(
    ("provider", "protocol", "model", "wish"),
    [
        ("cohere", "openai-completions", "command-r7b-12-2024", {"tool_choice": "required"}),
        ("cohere", "openai-completions", "command-r7b-12-2024", {"tool_choice": "none"}),
        ("deepseek", "openai-completions", None, {"seed": 5}),
        ("zai", "openai-completions", None, {"seed": 5}),
        ("deepseek", "openai-completions", None, {"parallel_tool_calls": False}),
        ("ollama", "ollama-chat", None, {"parallel_tool_calls": False}),
        (
            "nscale",
            "openai-completions",
            "meta-llama/Llama-3.1-8B-Instruct",
            {"thinking": Thinking("high")},
        ),
        ("cloudflare-ai-gateway", "openai-completions", None, {"thinking": Thinking("high")}),
    ],
)
def test_a_wish_that_cannot_be_told_is_refused(
    provider: str, protocol: str, model: str | None, wish: Mapping[str, Any]
) -> None:
    """A setting that the provider has no field for is refused, not left out in silence."""
    vendor = schema.get(provider)
    model = model or next(m.id for m in vendor.models if vendor.declaration(protocol).serves(m.id))
    call = Call(model=model, messages=(user("hi"),), tools=(Tool("f"),), **wish)
    values = fixtures.placeholder_values(vendor)
    with pytest.raises(UnsupportedFeature):
        prepare(vendor, call, key=KEY, protocol=protocol, values=values)


def test_a_model_that_reasons_unasked_may_be_asked_to() -> None:
    """Without a field for it, the wish is met by a model that reasons by itself."""
    call = Call(model="Qwen/QwQ-32B", messages=(user("hi"),), thinking=Thinking("high"))
    body = prepare(schema.get("nscale"), call, key=KEY).request.json()
    assert sorted(body) == ["messages", "model"]
