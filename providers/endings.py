"""A base URL that ends in the path of an operation, as it is copied from a vendor's example.

A protocol puts its path behind the base URL, so ``https://host/v1/chat/completions`` would be asked at
``…/chat/completions/chat/completions``. What the paths are is not written here: each protocol is asked by
building a call. Azure's addresses end so lawfully, and have rules of their own (``providers.azure``). Pure.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from functools import cache
from urllib.parse import urlsplit

from providers.call import Call, user
from providers.errors import ConfigurationError, ProviderError
from providers.protocols import PROTOCOLS
from providers.sendable import place
from providers.wire import Endpoint

_MODEL = "MODEL"
_ORIGIN = "https://example.com"


def verify(base_url: str, protocol: str) -> None:
    """Raise ConfigurationError for a base URL that ends in a path of ``protocol``, whole or streamed, of any
    model. The next step tells the address without it."""
    address = base_url.rstrip("/")
    path = address.partition("://")[2]  # which may be no URL at all: that is told elsewhere
    if not _ending(path, protocol):
        return
    ending = max((_ending(path, each) for each in PROTOCOLS), key=len)  # /completions, or /chat/completions
    raise ConfigurationError(
        "the base URL ends in the path of an operation",
        expected="the address up to where the protocol's path begins",
        seen=ending,
        where=place(base_url),
        next_step=f"set it to {address.removesuffix(ending)}",
    )


def _ending(path: str, protocol: str) -> str:
    found = (pattern.search(path) for pattern in _patterns(protocol))
    return max((match.group() for match in found if match), key=len, default="")


@cache
def _patterns(protocol: str) -> tuple[re.Pattern[str], ...]:
    """The paths of a protocol's calls as they stand at the end of an address."""
    return tuple(
        re.compile(re.escape(path).replace(_MODEL, "[^/]+") + r"\Z")
        for path in dict.fromkeys(_paths(protocol))
        if len(path) > 1
    )


def _paths(protocol: str) -> Iterator[str]:
    row = PROTOCOLS[protocol]
    endpoint = Endpoint(provider="", protocol=protocol, base_url=_ORIGIN, deviations=row.deviations())
    for stream in (False, True):
        with contextlib.suppress(ProviderError):  # a protocol may have streams only
            call = Call(model=_MODEL, messages=(user("Hello."),), stream=stream)
            yield urlsplit(row.build(call, endpoint).url).path
