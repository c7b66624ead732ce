"""What stands beside chat: embeddings, models list, token counting, files, batches, passthrough.

One file a service; this table lists them by the feature a provider claims, then by protocol, then by the
type of what is asked:

    ask = Embed(model="text-embedding-3-small", texts=("one", "two"))
    row = operation(endpoint, ask)
    request = row.build(ask, endpoint)                 # then auth signs it, and a transport sends it
    vectors = row.read(status, headers, content).vectors

``providers.client`` does all of it. A protocol without a row of a service does not have it. A vendor's own
shape of a service is a row beside the protocols', which the ``shape`` of a claim names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from providers import extensions
from providers.errors import UnsupportedFeature
from providers.services.batches import BATCHES
from providers.services.count_tokens import COUNT_TOKENS
from providers.services.embeddings import EMBEDDINGS
from providers.services.files import FILES
from providers.services.models_list import MODELS_LIST
from providers.services.operation import Operation, Operations
from providers.services.passthrough import PASSTHROUGH
from providers.services.vendors import shapes
from providers.wire import Endpoint

__all__ = ["SERVICES", "Operation", "feature", "model_of", "operation", "protocol_for"]

SERVICES: Mapping[str, Mapping[str, Operations]] = {
    "embeddings": {**EMBEDDINGS, **shapes("embeddings")},
    "models_list": {**MODELS_LIST, **shapes("models_list")},
    "count_tokens": COUNT_TOKENS,
    "files": {**FILES, **shapes("files")},
    "batches": {**BATCHES, **shapes("batches")},
    "passthrough": PASSTHROUGH,
}

_FEATURES: Mapping[type, str] = extensions.Table(
    lambda: {
        asked: name for name, table in SERVICES.items() for offered in table.values() for asked in offered
    }
)


def feature(ask: object) -> str:
    """The feature that an ask makes use of, a key of SERVICES. Raises TypeError for what is no ask."""
    if type(ask) not in _FEATURES:
        raise TypeError(f"expected one of {', '.join(sorted(kind.__name__ for kind in _FEATURES))}")
    return _FEATURES[type(ask)]


def model_of(ask: object) -> str:
    """The model that an ask is about; empty for one that names none."""
    model = getattr(getattr(ask, "call", ask), "model", "")
    return model if isinstance(model, str) else ""


def operation(endpoint: Endpoint, ask: object) -> Operation:
    """The row for ``ask`` at ``endpoint``. Raises UnsupportedFeature when its protocol has none."""
    name = feature(ask)
    shape = endpoint.shape(name)
    offered = SERVICES[name].get(shape, {})
    if type(ask) in offered:
        return offered[type(ask)]
    known = sorted(each for each, rows in SERVICES[name].items() if type(ask) in rows)
    raise UnsupportedFeature(
        endpoint.provider,
        f"{name} ({type(ask).__name__}) over {shape}",
        next_step=f"these have it: {', '.join(known)}",
    )


def protocol_for(name: str, protocols: Iterable[str], shape: str = "") -> str | None:
    """The first of ``protocols`` over which the service ``name`` is asked for, in ``shape`` where it has
    one of its own; None when there is none."""
    return next((protocol for protocol in protocols if (shape or protocol) in SERVICES[name]), None)
