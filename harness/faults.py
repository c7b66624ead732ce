"""Exchange to faulty exchange, and what a correct client must make of it. Pure.

Each fault is a row of FAULTS. ``apply`` returns None where the fault makes no sense for the exchange. The
faulty exchange has origin ``synthetic`` and keeps the source and date of the one it was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from harness.exchange import Exchange
from providers.wire import Protocol

Verdict = Literal["same", "error", "retryable_error", "reported"]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A pure change of an exchange.

    ``verdict``: what a correct client reaches: the ``same`` turn as without the fault; a typed ``error``;
    a ``retryable_error``; or ``reported``, the same content with the oddity told as drift, finish or error.
    """

    name: str
    title: str
    verdict: Verdict
    apply: Callable[[Exchange, Protocol], Exchange | None]


FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in ()}
