"""A provider of the operator's own: any base URL with a protocol, and no file.

It is the catalog's ``custom`` provider, which knows how each protocol is authenticated, with the operator's
address, model and id. Its variable is the id in upper case, other characters as ``_``, with ``_API_KEY``:
``my-company`` reads ``MY_COMPANY_API_KEY``.
"""

from __future__ import annotations

import re

from providers import schema
from providers.errors import ConfigurationError
from providers.schema import Claim, Model, Provider

# What is asked of an endpoint nobody described, so that the checks show what holds.
ASKED = (
    "streaming",
    "tools",
    "parallel_tools",
    "tool_choice",
    "tool_choice_named",
    "structured_output",
    "stop_sequences",
    "usage",
)
_ID = re.compile(r"[a-z0-9][a-z0-9.-]*")


def variable(provider: str) -> str:
    """The variable that holds the key of a provider: ``my-company`` reads ``MY_COMPANY_API_KEY``."""
    return re.sub(r"[^A-Z0-9]", "_", provider.upper()) + "_API_KEY"


def provider(base_url: str, protocol: str, model: str, *, id: str = "custom") -> Provider:
    """The declaration of an endpoint that no catalog file describes.

    Raises ConfigurationError for a protocol that ``custom`` does not speak, an id that is no plain name and a
    URL without scheme.
    """
    template = schema.get("custom")
    if protocol not in template.protocols:
        raise ConfigurationError(
            "unknown protocol", expected=f"one of {', '.join(template.protocols)}", seen=protocol
        )
    if not _ID.fullmatch(id):
        raise ConfigurationError("an id is part of file names", expected="a-z, 0-9, dots, hyphens", seen=id)
    if not base_url.startswith(("http://", "https://")):
        raise ConfigurationError("the base URL has no scheme", expected="http:// or https://", seen=base_url)
    declared = template.declaration(protocol)
    source = declared.source
    auth = (declared.auth or template.auth).model_copy(update={"env": (variable(id),), "required": False})
    return template.model_copy(
        update={
            "id": id,
            "name": id,
            "docs": base_url,
            "aliases": (),
            "auth": auth,
            "values": {},
            "endpoints": (
                declared.model_copy(
                    update={"base_url": base_url.rstrip("/"), "models": ("*",), "auth": None}
                ),
            ),
            "claims": {feature: Claim(offered=True, source=source) for feature in ASKED},
            "models": (Model(id=model, source=source),),
            "systems": {},
        }
    )
