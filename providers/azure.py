"""Azure's addresses and deployments, as a user writes them: a resource's root, a list of deployment names.

A catalog file names a row of FORMS (``base_url_form``) and a value that holds such a list (``model_map``);
the client systems' rules, which skip what is no pair (pi's rule P75), are in ``providers.dialects.azure``.
Pure; it knows no request.

Sources, read 2026-11-21: https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle
(the v1 API is below ``/openai/v1`` of a resource's host) and
https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference (a deployment wants a dated version;
2024-10-21 is the latest generally available one; Responses have no path below a deployment).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

from providers.errors import ConfigurationError, shown

Query: TypeAlias = tuple[tuple[str, str], ...]

HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
ROOTS = ("", "/openai")
GENERALLY_AVAILABLE = "2024-10-21"  # the latest dated version that is no preview
_OPERATION = re.compile(r"/(?:responses|chat/completions|embeddings)$")
_DEPLOYMENT = re.compile(r"/openai/deployments/[^/]+$")
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(?:-preview)?", re.IGNORECASE)


def normalized(url: str, hosts: tuple[str, ...] = HOSTS) -> str:
    """A root of one of ``hosts`` is completed to /openai/v1 and loses its query; everything else only loses
    trailing slashes."""
    parts = urlsplit(url.strip())
    if (parts.hostname or "").endswith(hosts) and parts.path.rstrip("/") in ROOTS:
        return f"{parts.scheme}://{parts.netloc}/openai/v1"
    return url.strip().rstrip("/")


def located(url: str, declared: Query = (), operation: str = "") -> tuple[str, Query]:
    """The base URL of an address as the portal shows it or a user writes it, and the query of its requests.

    An operation's path goes, a root is completed. The address's own parameters go before those ``declared``.
    The v1 API takes no dated version, so one is left out there, whoever tells it. A deployment takes no
    other, so ``v1`` is left out there, and the latest generally available one stands in where none is told.

    Raises ConfigurationError where a deployment of Azure is asked for what it has not: Responses (the path is
    ``operation``), or another version.
    """
    told = url.strip().partition("#")[0]
    address, _, asked = told.partition("?")
    address = address.rstrip("/")
    if _is_azures(address):
        address = _OPERATION.sub("", address)
    base = normalized(address)
    query: dict[str, str] = {}
    for name, value in (*declared, *parse_qsl(asked, keep_blank_values=True)):
        if name != "api-version":
            query[name] = value
        elif version := _version(base, value.strip()):
            query[name] = version
    if _DEPLOYMENT.search(base):
        query.setdefault("api-version", GENERALLY_AVAILABLE)
        if _is_azures(base):
            _verify_deployment(base, query["api-version"], operation)
    return base, tuple(query.items())


def _is_azures(address: str) -> bool:
    return (urlsplit(address).hostname or "").endswith(HOSTS)


def _version(base: str, told: str) -> str:
    """The version as ``base`` takes it; empty for one that is left out there."""
    dated = _DATED.fullmatch(told) is not None
    left_out = (base.endswith("/openai/v1") and dated) or (_DEPLOYMENT.search(base) and told.lower() == "v1")
    return "" if left_out else told.lower() if dated else told


def _verify_deployment(base: str, version: str, operation: str) -> None:
    """Raise ConfigurationError for what the deployment at ``base`` has not."""
    if operation == "/responses":
        root, _, name = base.rpartition("/deployments/")
        raise ConfigurationError(
            "Azure has no Responses below a deployment",
            expected="the resource's root, or /openai/v1 of it",
            seen=shown(base),
            where="the base URL",
            next_step=f"set it to {shown(root)}/v1 and ask for the model {shown(name)}",
        )
    if not _DATED.fullmatch(version):
        raise ConfigurationError(
            "a deployment of Azure takes a dated API version",
            expected=f"a date such as {GENERALLY_AVAILABLE}, with or without -preview behind it",
            seen=version,
            where="the API version",
            next_step=f"set it to {GENERALLY_AVAILABLE}, or the base URL to /openai/v1 of the resource",
        )


def deployments(text: str) -> dict[str, str]:
    """``model=deployment`` pairs of a comma list; an item lacking either side is skipped."""
    pairs = (item.partition("=") for item in text.split(","))
    return {model.strip(): name.strip() for model, _, name in pairs if model.strip() and name.strip()}


def mapped(text: str, where: str) -> dict[str, str]:
    """The pairs, where nothing may be skipped but what is empty. Raises ConfigurationError, which tells of
    ``where`` the list stands, for an item that lacks either side, and for a model with two names."""
    found: dict[str, str] = {}
    for item in filter(None, map(str.strip, text.split(","))):
        pair = deployments(item)
        if not pair:
            raise _unmapped("an item of the list is no pair", item, where)
        if any(found.get(model, name) != name for model, name in pair.items()):
            raise _unmapped("a model of the list has two names", item, where)
        found |= pair
    return found


def _unmapped(summary: str, item: str, where: str) -> ConfigurationError:
    return ConfigurationError(
        summary,
        expected="model=deployment pairs with commas between them, each model once",
        seen=item,
        where=where,
        next_step="write it as gpt-5-mini=my-deployment; a model whose deployment has its name needs none",
    )


FORMS: Mapping[str, Callable[[str, Query, str], tuple[str, Query]]] = {"azure-openai": located}
