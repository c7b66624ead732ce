"""Azure OpenAI as the client systems configure it: base URL and deployment names.

Source: pi's documentation of AZURE_OPENAI_BASE_URL, _RESOURCE_NAME and _DEPLOYMENT_NAME_MAP.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from providers.errors import DialectFault

HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com")


def normalized(url: str) -> str:
    """An Azure host whose path is empty or /openai is completed to /openai/v1 and loses its query;
    everything else only loses trailing slashes."""
    parts = urlsplit(url.strip())
    path = parts.path.rstrip("/")
    if (parts.hostname or "").endswith(HOSTS) and path in ("", "/openai"):
        return f"{parts.scheme}://{parts.netloc}/openai/v1"
    return url.strip().rstrip("/")


def base_url(environ: Mapping[str, str], provider: str) -> str:
    """AZURE_OPENAI_BASE_URL, else the one AZURE_OPENAI_RESOURCE_NAME gives. Raises DialectFault."""
    given = (environ.get("AZURE_OPENAI_BASE_URL") or "").strip()
    if given:
        return normalized(given)
    resource = (environ.get("AZURE_OPENAI_RESOURCE_NAME") or "").strip()
    if resource:
        return f"https://{resource}.openai.azure.com/openai/v1"
    raise DialectFault(
        "missing_endpoint",
        f"{provider} has no endpoint",
        provider=provider,
        expected="AZURE_OPENAI_BASE_URL or AZURE_OPENAI_RESOURCE_NAME",
        next_step="set AZURE_OPENAI_BASE_URL",
    )


def deployments(text: str) -> dict[str, str]:
    """``model=deployment`` pairs of a comma list; an item lacking either side is skipped."""
    pairs = (item.partition("=") for item in text.split(","))
    return {model.strip(): name.strip() for model, _, name in pairs if model.strip() and name.strip()}


def deployment(environ: Mapping[str, str], model: str) -> str:
    """The deployment of ``model``; an unmapped model is its own."""
    return deployments(environ.get("AZURE_OPENAI_DEPLOYMENT_NAME_MAP", "")).get(model, model)
