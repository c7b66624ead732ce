"""What Anthropic's services have in common: version and beta fields, and pages by id."""

from __future__ import annotations

from providers.call import JSON
from providers.protocols.anthropic_messages.deviations import known
from providers.services.operation import fields, maybe
from providers.wire import Endpoint, Headers

FILES_BETA = "files-api-2025-04-14"


def headers(endpoint: Endpoint, *ours: tuple[str, str], beta: str = "") -> Headers:
    """``anthropic-version``, the endpoint's betas with ``beta``, and ``ours``."""
    deviations = known(endpoint.deviations)
    betas = ",".join(dict.fromkeys(name for name in (*deviations.betas, beta) if name))
    told = (("anthropic-beta", betas),) if betas else ()
    return fields(endpoint, *ours, ("anthropic-version", deviations.version), *told)


def next_page(body: JSON) -> str | None:
    """What to ask the next page after; None on the last one."""
    return maybe(body, "last_id", str) if maybe(body, "has_more", bool) else None
