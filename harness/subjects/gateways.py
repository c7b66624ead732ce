"""The gateways that can be started here, pinned: one row each, beside the clients' ``SUBJECTS``. Data only.

A gateway has two sides: at its front it is a server, at its back a client. ``FRONTS`` says as whose client
wirecheck asks at the front, ``Gateway.backs`` whose exchanges are played at the back. A row's configuration
is written as JSON, with the address of the upstream and one model name for each model of the fixtures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from harness.subjects.table import Subject
from providers import extensions

FRONT_KEY = "sk-wirecheck-canary-front-key"
BACK_KEY = "wirecheck-canary-back-key"
BACK_KEY_ID = "AKIAWIRECHECKCANARY0"  # the public half of it, where a vendor has two

FRONTS: Mapping[str, str] = {
    "openai-completions": "openai",
    "openai-responses": "openai",
    "anthropic-messages": "anthropic",
    "google-generative-ai": "google",
    "mistral-chat": "mistral",
    "cohere-chat": "cohere",
    "ollama-chat": "ollama",
}
"""Whose reference a front follows, by protocol: a provider of the catalog."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A model as a gateway is to know it: ``name`` at its front; ``model`` of ``provider`` at its back, whose
    base URL at the upstream is ``base_url``, and ``origin`` that without a path."""

    name: str
    provider: str
    protocol: str
    model: str
    origin: str
    base_url: str


class Back(msgspec.Struct, frozen=True, kw_only=True):
    """One protocol at the back. ``settings`` are what the gateway's configuration has for a model there;
    ``{model}``, ``{origin}``, ``{base_url}``, ``{key}`` and ``{key_id}`` are filled in. ``fronts`` are globs
    of those from which the gateway comes here."""

    provider: str
    protocol: str
    settings: Mapping[str, str]
    fronts: tuple[str, ...] = ("*",)

    def filled(self, route: Route) -> dict[str, str]:
        """The settings of one route."""
        values = {
            "model": route.model,
            "origin": route.origin,
            "base_url": route.base_url,
            "key": BACK_KEY,
            "key_id": BACK_KEY_ID,
        }
        return {name: value.format_map(values) for name, value in self.settings.items()}


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway. ``subject`` is how it is installed; ``command`` how it is started in its environment, where
    ``{config}``, ``{port}`` and ``{python}`` are filled in; ``ready`` the path that answers once it serves;
    ``fronts`` the base path of each protocol at its front. ``passes_unknown``: it declares that a request's
    unknown fields go on to the vendor."""

    subject: Subject
    command: tuple[str, ...]
    config: Callable[[Iterable[tuple[Route, Mapping[str, str]]]], Mapping[str, Any]]
    ready: str
    fronts: Mapping[str, str]
    backs: tuple[Back, ...]
    passes_unknown: bool = True

    @property
    def name(self) -> str:
        """Its name, that of its row."""
        return self.subject.name

    def back(self, protocol: str) -> Back | None:
        """The row of a protocol at the back, None when it has none."""
        return next((back for back in self.backs if back.protocol == protocol), None)


def _litellm(models: Iterable[tuple[Route, Mapping[str, str]]]) -> Mapping[str, Any]:
    """The proxy's ``config.yaml``: nothing is tried again, cached, counted or told to anyone."""
    return {
        "model_list": [
            {"model_name": route.name, "litellm_params": dict(settings)} for route, settings in models
        ],
        "litellm_settings": {
            "telemetry": False,
            "num_retries": 0,
            "request_timeout": 20,
            "use_chat_completions_url_for_anthropic_messages": True,  # or it asks OpenAI at /responses
        },
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {"master_key": FRONT_KEY},
    }


_OURS: Mapping[str, Gateway] = {
    gateway.name: gateway
    for gateway in (
        Gateway(
            subject=Subject(
                name="litellm-proxy",
                title="LiteLLM proxy",
                language="python",
                packages=("litellm[proxy]==1.106.2",),
                protocols=("openai-completions", "openai-responses", "anthropic-messages"),
                environ={
                    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
                    "LITELLM_LOCAL_POLICY_TEMPLATES": "True",
                    "LITELLM_TELEMETRY": "False",
                    "DISABLE_ADMIN_UI": "True",
                    "NO_DOCS": "True",
                },
                home="https://docs.litellm.ai/docs/proxy/quick_start",
                notes="Without a database; it is told not to send telemetry and to read its own price list.",
            ),
            command=(
                "{python}",
                "-c",
                "import litellm; litellm.run_server()",  # a moved environment's scripts do not run
                "--config",
                "{config}",
                "--host",
                "127.0.0.1",
                "--port",
                "{port}",
            ),
            config=_litellm,
            ready="/health/readiness",
            fronts={
                "openai-completions": "/v1",
                "openai-responses": "/v1",
                "anthropic-messages": "/v1",
            },
            backs=(
                Back(
                    provider="anthropic",
                    protocol="anthropic-messages",
                    settings={"model": "anthropic/{model}", "api_base": "{origin}", "api_key": "{key}"},
                ),
                Back(
                    provider="openai",
                    protocol="openai-completions",
                    settings={"model": "openai/{model}", "api_base": "{base_url}", "api_key": "{key}"},
                    fronts=("!openai-responses",),
                ),
                Back(
                    provider="openai",
                    protocol="openai-responses",
                    settings={"model": "openai/{model}", "api_base": "{base_url}", "api_key": "{key}"},
                    fronts=("openai-responses",),
                ),
                Back(
                    provider="google",
                    protocol="google-generative-ai",
                    settings={"model": "gemini/{model}", "api_base": "{base_url}", "api_key": "{key}"},
                ),
                Back(
                    provider="amazon-bedrock",
                    protocol="bedrock-converse",
                    settings={
                        "model": "bedrock/converse/{model}",
                        "aws_bedrock_runtime_endpoint": "{base_url}",
                        "aws_access_key_id": "{key_id}",
                        "aws_secret_access_key": "{key}",
                        "aws_region_name": "us-east-1",
                    },
                ),
                Back(
                    provider="mistral",
                    protocol="mistral-chat",
                    settings={"model": "mistral/{model}", "api_base": "{base_url}", "api_key": "{key}"},
                ),
                Back(
                    provider="cohere",
                    protocol="cohere-chat",
                    settings={
                        "model": "cohere_chat/{model}",
                        "api_base": "{base_url}/v2/chat",
                        "api_key": "{key}",
                    },
                ),
            ),
        ),
    )
}
GATEWAYS: Mapping[str, Gateway] = extensions.table("gateways", Gateway, _OURS)
