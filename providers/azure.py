"""Azure's addresses and deployments, as a user writes them: a resource's root, a list of deployment names.

A catalog file names a row of FORMS (``base_url_form``) and a value that holds such a list (``model_map``);
the client systems' rules are in ``providers.dialects.azure``. Pure; it knows no request.

Source: https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle (the v1 API is below
``/openai/v1`` of a resource's host), read 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

Query: TypeAlias = tuple[tuple[str, str], ...]

HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
ROOTS = ("", "/openai")
_OPERATION = re.compile(r"/(?:responses|chat/completions|embeddings)$")
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(?:-preview)?")


def normalized(url: str, hosts: tuple[str, ...] = HOSTS) -> str:
    """A root of one of ``hosts`` is completed to /openai/v1 and loses its query; everything else only loses
    trailing slashes."""
    parts = urlsplit(url.strip())
    if (parts.hostname or "").endswith(hosts) and parts.path.rstrip("/") in ROOTS:
        return f"{parts.scheme}://{parts.netloc}/openai/v1"
    return url.strip().rstrip("/")


def located(url: str, declared: Query = ()) -> tuple[str, Query]:
    """The base URL of an address as the portal shows it or a user writes it, and the query of its requests.

    An operation's path goes, a root is completed. The address's own parameters go before those ``declared``.
    The v1 API takes no dated version, so one is left out there, whoever tells it.
    """
    told = url.strip().partition("#")[0]
    address, _, asked = told.partition("?")
    address = address.rstrip("/")
    if (urlsplit(address).hostname or "").endswith(HOSTS):
        address = _OPERATION.sub("", address)
    base = normalized(address)
    dropped = base.endswith("/openai/v1")
    query: dict[str, str] = {}
    for name, value in (*declared, *parse_qsl(asked, keep_blank_values=True)):
        if not (dropped and name == "api-version" and _DATED.fullmatch(value)):
            query[name] = value
    return base, tuple(query.items())


def deployments(text: str) -> dict[str, str]:
    """``model=deployment`` pairs of a comma list; an item lacking either side is skipped."""
    pairs = (item.partition("=") for item in text.split(","))
    return {model.strip(): name.strip() for model, _, name in pairs if model.strip() and name.strip()}


FORMS: Mapping[str, Callable[[str, Query], tuple[str, Query]]] = {"azure-openai": located}
