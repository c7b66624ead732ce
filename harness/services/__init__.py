"""The vendor's side of what stands beside chat: a desk for each row of ``providers.services``.

A desk judges one operation's request and speaks its answer; DESKS lists them by protocol or a vendor's own
shape, then by the type of what is asked. What is passed through has none: nobody knows what it should be.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.services import batches, count_tokens, embeddings, files, models_list
from harness.services.emulator import Desk
from harness.services.vendors import VENDORS
from providers.services import feature
from providers.services.count_tokens import CountTokens
from providers.services.embeddings import Embed
from providers.services.models_list import ListModels
from providers.wire import Endpoint

__all__ = ["DESKS", "Desk", "desk_of"]

_ONE: tuple[tuple[type, Mapping[str, Desk]], ...] = (
    (Embed, embeddings.DESKS),
    (ListModels, models_list.DESKS),
    (CountTokens, count_tokens.DESKS),
)
_MANY: tuple[Mapping[str, Mapping[type, Desk]], ...] = (files.DESKS, batches.DESKS)


def _all() -> Mapping[str, Mapping[type, Desk]]:
    found: dict[str, dict[type, Desk]] = {}
    for asked, desks in _ONE:
        for protocol, desk in desks.items():
            found.setdefault(protocol, {})[asked] = desk
    for table in (*_MANY, VENDORS):
        for protocol, offered in table.items():
            found.setdefault(protocol, {}).update(offered)
    return found


DESKS: Mapping[str, Mapping[type, Desk]] = _all()


def desk_of(endpoint: Endpoint, ask: object) -> Desk | None:
    """The vendor's side of ``ask`` at ``endpoint``; None for what is passed through."""
    return DESKS.get(endpoint.shape(feature(ask)), {}).get(type(ask))
