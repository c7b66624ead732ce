"""Vendors with several addresses, plans or places: where a call goes, and in which field the key is."""

from __future__ import annotations

import pytest

from harness import fixtures
from harness.emulators import EMULATORS
from providers import credentials, schema
from providers.call import Call, user
from providers.client import Prepared, prepare
from providers.wire import header

KEY = "canary-of-the-addresses"
CHAT, RESPONSES, MESSAGES = "openai-completions", "openai-responses", "anthropic-messages"


def asked(provider: str, protocol: str, environ: dict[str, str]) -> Prepared:
    """A short streamed call to the first model there, with the credential and values of ``environ``."""
    entry = schema.get(provider)
    declared = entry.declaration(protocol)
    model = next(each.id for each in entry.models if declared.serves(each.id))
    key = credentials.find(entry, environ, protocol, model)
    call = Call(model=model, messages=(user("hi"),), stream=True)
    values = {**fixtures.placeholder_values(entry), **credentials.values(entry, environ)}
    return prepare(entry, call, key=key, protocol=protocol, values=values)


def proven(prepared: Prepared, url: str, protocol: str, extra: dict[str, str] | None = None) -> None:
    """The call goes to ``url``, the key is in the protocol's field alone, and the emulator takes it."""
    sent = prepared.request.headers
    assert prepared.request.url == url
    assert header(sent, "authorization") == (None if protocol == MESSAGES else f"Bearer {KEY}")
    assert header(sent, "x-api-key") == (KEY if protocol == MESSAGES else None)
    assert {name: header(sent, name) for name in extra or {}} == (extra or {})
    assert EMULATORS[prepared.endpoint.protocol].judge(prepared.request, prepared.endpoint) == ()


@pytest.mark.parametrize(
    ("provider", "variable", "protocol", "url"),
    [
        ("qwen-portal", "QWEN_OAUTH_TOKEN", CHAT, "https://portal.qwen.ai/v1/chat/completions"),
        (
            "oracle",
            "ORACLE_API_KEY",
            CHAT,
            "https://inference.generativeai.us-chicago-1.oci.oraclecloud.com/20231130/actions/v1/chat/completions",
        ),
        (
            "oracle",
            "ORACLE_API_KEY",
            RESPONSES,
            "https://inference.generativeai.us-chicago-1.oci.oraclecloud.com/20231130/actions/v1/responses",
        ),
        (
            "bailian",
            "BAILIAN_API_KEY",
            CHAT,
            "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions",
        ),
        (
            "volcengine",
            "VOLCANO_ENGINE_API_KEY",
            CHAT,
            "https://ark.cn-beijing.volces.com/api/v3/chat/completions",
        ),
        (
            "volcengine-plan",
            "VOLCANO_ENGINE_API_KEY",
            CHAT,
            "https://ark.cn-beijing.volces.com/api/coding/v3/chat/completions",
        ),
        (
            "byteplus",
            "BYTEPLUS_API_KEY",
            CHAT,
            "https://ark.ap-southeast.bytepluses.com/api/v3/chat/completions",
        ),
        (
            "byteplus-plan",
            "BYTEPLUS_API_KEY",
            CHAT,
            "https://ark.ap-southeast.bytepluses.com/api/coding/v3/chat/completions",
        ),
        ("synthetic", "SYNTHETIC_API_KEY", CHAT, "https://api.synthetic.new/openai/v1/chat/completions"),
        ("synthetic", "SYNTHETIC_API_KEY", MESSAGES, "https://api.synthetic.new/anthropic/v1/messages"),
        ("huggingface", "HF_TOKEN", CHAT, "https://router.huggingface.co/v1/chat/completions"),
        (
            "vercel-ai-gateway",
            "AI_GATEWAY_API_KEY",
            CHAT,
            "https://ai-gateway.vercel.sh/v1/chat/completions",
        ),
        ("vercel-ai-gateway", "AI_GATEWAY_API_KEY", MESSAGES, "https://ai-gateway.vercel.sh/v1/messages"),
        ("openrouter", "OPENROUTER_API_KEY", CHAT, "https://openrouter.ai/api/v1/chat/completions"),
        ("zai", "ZAI_API_KEY", CHAT, "https://api.z.ai/api/paas/v4/chat/completions"),
        ("zai", "ZAI_API_KEY", MESSAGES, "https://api.z.ai/api/anthropic/v1/messages"),
        (
            "zai-coding-cn",
            "ZAI_CODING_CN_API_KEY",
            CHAT,
            "https://open.bigmodel.cn/api/coding/paas/v4/chat/completions",
        ),
        ("xiaomi", "XIAOMI_API_KEY", CHAT, "https://api.xiaomimimo.com/v1/chat/completions"),
        ("xiaomi", "XIAOMI_API_KEY", MESSAGES, "https://api.xiaomimimo.com/anthropic/v1/messages"),
        *(
            (
                f"xiaomi-token-plan-{place}",
                f"XIAOMI_TOKEN_PLAN_{place.upper()}_API_KEY",
                protocol,
                f"https://token-plan-{place}.xiaomimimo.com/{path}",
            )
            for place in ("ams", "cn", "sgp")
            for protocol, path in ((CHAT, "v1/chat/completions"), (MESSAGES, "anthropic/v1/messages"))
        ),
        ("minimax", "MINIMAX_API_KEY", CHAT, "https://api.minimax.io/v1/chat/completions"),
        ("minimax", "MINIMAX_API_KEY", MESSAGES, "https://api.minimax.io/anthropic/v1/messages"),
        ("minimax-cn", "MINIMAX_CN_API_KEY", CHAT, "https://api.minimaxi.com/v1/chat/completions"),
        ("minimax-cn", "MINIMAX_CN_API_KEY", MESSAGES, "https://api.minimaxi.com/anthropic/v1/messages"),
        ("moonshotai", "MOONSHOT_API_KEY", CHAT, "https://api.moonshot.ai/v1/chat/completions"),
        ("moonshotai-cn", "MOONSHOT_API_KEY", CHAT, "https://api.moonshot.cn/v1/chat/completions"),
    ],
)
def test_a_plan_has_its_address(provider: str, variable: str, protocol: str, url: str) -> None:
    """With its variable alone each goes to its own address, over the protocol it is declared for."""
    proven(asked(provider, protocol, {variable: KEY}), url, protocol)


@pytest.mark.parametrize(
    ("provider", "environ", "url"),
    [
        (
            "zai",
            {"ZAI_API_KEY": KEY, "ZAI_BASE_URL": "https://api.z.ai/api/coding/paas/v4"},
            "https://api.z.ai/api/coding/paas/v4/chat/completions",
        ),
        (
            "bailian",
            {
                "DASHSCOPE_API_KEY": KEY,
                "BAILIAN_BASE_URL": "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
            },
            "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions",
        ),
        (
            "oracle",
            {"ORACLE_API_KEY": KEY, "OCI_REGION": "eu-frankfurt-1"},
            "https://inference.generativeai.eu-frankfurt-1.oci.oraclecloud.com/20231130/actions/v1/chat/completions",
        ),
    ],
    ids=["the coding plan", "another country", "another region"],
)
def test_another_place_is_named_by_a_variable(provider: str, environ: dict[str, str], url: str) -> None:
    """Where one key is good at several addresses, a variable says which."""
    proven(asked(provider, CHAT, environ), url, CHAT)


@pytest.mark.parametrize(
    ("provider", "variable", "host"),
    [
        ("google-gemini-cli", "GOOGLE_CLOUD_ACCESS_TOKEN", "cloudcode-pa.googleapis.com"),
        (
            "google-antigravity",
            "GOOGLE_ANTIGRAVITY_API_KEY",
            "daily-cloudcode-pa.sandbox.googleapis.com",
        ),
    ],
)
def test_code_assist_sees_a_client_it_knows(provider: str, variable: str, host: str) -> None:
    """Gemini CLI's and Antigravity's tokens are bearers, with the fields of the client that got them."""
    prepared = asked(provider, "google-gemini-cli", {variable: KEY})
    url = f"https://{host}/v1internal:streamGenerateContent?alt=sse"
    proven(prepared, url, "google-gemini-cli")
    metadata = header(prepared.request.headers, "client-metadata") or ""
    assert '"pluginType":"GEMINI"' in metadata
    assert header(prepared.request.headers, "x-goog-api-client")


@pytest.mark.parametrize("provider", ["google-gemini-cli", "google-antigravity"])
def test_what_is_not_public_is_marked_unknown(provider: str) -> None:
    """The file says what nobody published."""
    entry = schema.get(provider)
    assert any("nknown" in note for note in (*entry.notes, *entry.disagreements))
