"""What was asked at a gateway's front, what it asked at its back, and what it made of the answer there."""

from __future__ import annotations

from harness.observation import Observation
from providers.errors import ProviderError
from providers.events import Turn
from providers.wire import Endpoint, Headers, Request


class GatewayObservation(Observation, frozen=True, kw_only=True):
    """A gateway at work.

    ``call`` was asked at the front, and ``turn``, ``events`` and ``error`` came there. ``exchange`` is what
    the upstream played, ``endpoint`` whose protocol it is, ``sent`` the request that came there, and
    ``violations`` what the vendor would refuse it for. ``reference`` and ``reference_error`` are what our own
    adapters make of the upstream's bytes. ``status``, ``headers`` are the front's answer's; ``requests``
    counts what the upstream was asked. ``flushed`` tells of a held stream, None when no words came of it;
    ``voices`` of concurrent ones: (what each was to hear, what it heard). Leaks are places where something
    stood that must not be there: the front's key or cookie at the back (``told_back``), the back's key
    (``told_front``) and the operator's own fields (``told_private``) at the front.
    """

    front: Endpoint
    reference: Turn
    reference_error: ProviderError | None = None
    status: int = 200
    headers: Headers = ()
    requests: int = 1
    asked: tuple[Request, ...] = ()
    passes_unknown: bool = True
    flushed: bool | None = None
    voices: tuple[tuple[str, str], ...] = ()
    told_back: tuple[str, ...] = ()
    told_front: tuple[str, ...] = ()
    told_private: tuple[str, ...] = ()
