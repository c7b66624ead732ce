"""Azure OpenAI as the client systems configure it: base URL and deployment names.

Source: pi's documentation of AZURE_OPENAI_BASE_URL, _RESOURCE_NAME and _DEPLOYMENT_NAME_MAP.
"""

from __future__ import annotations

from collections.abc import Mapping

from providers import azure
from providers.errors import DialectFault

HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com")


def normalized(url: str) -> str:
    """As Azure's own, for the hosts that the client systems know (P73)."""
    return azure.normalized(url, HOSTS)


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


def deployment(environ: Mapping[str, str], model: str) -> str:
    """The deployment of ``model``; an unmapped model is its own."""
    return azure.deployments(environ.get("AZURE_OPENAI_DEPLOYMENT_NAME_MAP", "")).get(model, model)
