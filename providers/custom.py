"""A provider of the operator's own: any base URL with a protocol, and no file.

It is the catalog's ``custom`` provider with the operator's address, model and id. A protocol that it has not
is authenticated as by the catalog's first provider that speaks it with a plain key, else by a bearer token.
Its variable is the id in upper case, other characters as ``_``, with ``_API_KEY``:
``my-company`` reads ``MY_COMPANY_API_KEY``.
"""

from __future__ import annotations

import re

from providers import addresses, endings, schema
from providers.declaration import Auth, Claim, EndpointDeclaration, Model
from providers.errors import ConfigurationError
from providers.protocols import PROTOCOLS
from providers.schema import Provider
from providers.sendable import place

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
_PLAIN = ("bearer", "header", "query")  # schemes that put a key as it is


def variable(provider: str) -> str:
    """The variable that holds the key of a provider: ``my-company`` reads ``MY_COMPANY_API_KEY``."""
    return re.sub(r"[^A-Z0-9]", "_", provider.upper()) + "_API_KEY"


def provider(base_url: str, protocol: str, model: str, *, id: str = "custom") -> Provider:
    """The declaration of an endpoint that no catalog file describes.

    Its model is taken to take every input and to reason, so that all of it can be asked. Raises
    ConfigurationError for a protocol that we do not speak, an id that is no plain name and an address that is
    not an http(s) URL, holds more than that or ends in the protocol's own path.
    """
    template = schema.get("custom")
    if protocol not in PROTOCOLS:
        raise ConfigurationError(
            "unknown protocol", expected=f"one of {', '.join(sorted(PROTOCOLS))}", seen=protocol
        )
    if not _ID.fullmatch(id):
        raise ConfigurationError("an id is part of file names", expected="a-z, 0-9, dots, hyphens", seen=id)
    fault = addresses.fault_of(base_url)
    if fault or "{" in base_url:
        raise ConfigurationError(
            "the base URL cannot be used",
            expected="scheme http:// or https://, a host and a path, nothing else; the key in its variable",
            seen=fault or "a placeholder",
            where=place(base_url),
        )
    endings.verify(base_url, protocol)
    source = template.declaration().source
    declared = EndpointDeclaration(protocol=protocol, base_url=base_url, source=source)
    auth = _auth(protocol, template).model_copy(
        update={"env": (variable(id),), "shared": (), "required": False, "source": source, "upstream": None}
    )
    return template.model_copy(
        update={
            "id": id,
            "name": id,
            "docs": base_url,
            "aliases": (),
            "auth": auth,
            "values": {},
            "endpoints": (declared,),
            "claims": {feature: Claim(offered=True, source=source) for feature in ASKED},
            "models": (Model(id=model, input=("text", "image", "pdf"), reasoning=True, source=source),),
            "systems": {},
        }
    )


def _auth(protocol: str, template: Provider) -> Auth:
    """How an endpoint of ``protocol`` takes a plain key."""
    speakers = (each for each in (template, *schema.all()) if protocol in each.protocols)
    found = (each.auth_for(protocol) for each in speakers)
    return next((auth for auth in found if auth.scheme in _PLAIN), template.auth)
