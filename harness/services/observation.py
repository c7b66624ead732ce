"""What a subject was given, sent, and returned of a service: Served."""

from __future__ import annotations

from typing import Any

import msgspec

from harness.exchange import Exchange
from providers.errors import ProviderError
from providers.wire import Endpoint, Request


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """The asks of a service scenario, played to a subject in turn.

    ``answers`` are what it returned, as many as asks unless ``error`` ended it. ``sent`` are its requests,
    credentials redacted. ``expected`` are the answers from which documented exchanges were spoken, empty
    otherwise. ``exchange`` is the last one; ``violations`` are what the desks say of the requests.
    """

    provider: str
    protocol: str
    scenario: str
    endpoint: Endpoint
    asks: tuple[Any, ...]
    sent: tuple[Request, ...]
    answers: tuple[Any, ...]
    expected: tuple[Any, ...] = ()
    exchange: Exchange
    error: ProviderError | None = None
    violations: tuple[tuple[str, str, str, str], ...] = ()
    fault: str = ""
    refuses: str = ""
