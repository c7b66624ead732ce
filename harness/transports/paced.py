"""Asks a provider at the pace and within the budget that its ledger keeps.

A refusal that waiting cures (429, 503, 529) is waited out as long as its Retry-After says, for every process
of the run, and asked again; one that names an empty account is not. What is answered in the end is what the
caller sees. No request of the subject's is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx

from harness.ledger import Ledger
from providers.errors import Overloaded, RateLimited, remote_error_class
from providers.wire import retry_after_s

_CURED_BY_WAITING = (RateLimited, Overloaded)
_REFUSAL_BYTES = 64 * 1024


class _Leaving(httpx.SyncByteStream):
    """An answer's bytes; at its end the place in the ledger is given back."""

    def __init__(self, inner: httpx.SyncByteStream, leave: Callable[[], None]) -> None:
        self._inner = inner
        self._leave = leave

    def __iter__(self) -> Iterator[bytes]:
        yield from self._inner

    def close(self) -> None:
        try:
            self._inner.close()
        finally:
            self._leave()


class Paced(httpx.BaseTransport):
    """A transport in front of ``inner`` for one provider. ``bound_usd(request)`` is the most it may cost."""

    def __init__(
        self,
        inner: httpx.BaseTransport,
        ledger: Ledger,
        provider: str,
        bound_usd: Callable[[httpx.Request], float],
    ) -> None:
        self._inner = inner
        self._ledger = ledger
        self._provider = provider
        self._bound_usd = bound_usd
        self._last: int | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask ``inner`` when it is this request's turn. Raises OutOfBudget, and nothing was sent."""
        pace = self._ledger.pace_of(self._provider)
        request.read()
        for attempt in range(1, pace.attempts + 1):
            number = self._ledger.enter(self._provider, self._bound_usd(request))
            self._last = number
            try:
                response = self._inner.handle_request(request)
                wait_s = self._again_s(attempt, response)
            except BaseException:
                self._ledger.leave(number)
                raise
            if wait_s is None:
                break
            response.close()
            self._ledger.leave(number, 0.0)
            self._ledger.hold(self._provider, wait_s)
        assert isinstance(response.stream, httpx.SyncByteStream)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_Leaving(response.stream, lambda: self._ledger.leave(number)),
            extensions=response.extensions,
        )

    def _again_s(self, attempt: int, response: httpx.Response) -> float | None:
        """Seconds to wait before asking again; None when this is the answer, with all its bytes."""
        if response.status_code not in (429, 503, 529):
            return None
        try:
            content = b"".join(response.stream)  # type: ignore[arg-type]
        finally:
            response.close()
        response.stream = httpx.ByteStream(content)
        text = content[:_REFUSAL_BYTES].decode("utf-8", "replace")
        if not issubclass(remote_error_class(response.status_code, text), _CURED_BY_WAITING):
            return None
        head = tuple((name, value) for name, value in response.headers.items())
        asked = retry_after_s(head, datetime.now(UTC))
        return self._ledger.pace_of(self._provider).again_s(attempt, asked)

    def settle(self, usd: float | None) -> None:
        """Tell what the last request cost; None keeps what was set aside for it."""
        if self._last is not None:
            self._ledger.leave(self._last, usd)

    def close(self) -> None:
        """Close what is asked."""
        self._inner.close()
