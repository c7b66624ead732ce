"""The shelf before it is needed: what there is to serve is known at once, what it says is loaded later.

To list the recordings takes a few milliseconds, to judge requests takes the catalog, the protocols and the
emulators. A server is ready before they are there; ``fetch`` loads them, and so does the first request.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from harness.errors import UnusableInput
from harness.exchange import places
from providers.wire import Request

if TYPE_CHECKING:
    from harness.shelf import Answer, Shelf


class LateShelf:
    """Stands for the ``Shelf`` of the same arguments, with the catalog of the folder ``start``."""

    def __init__(
        self,
        start: Path,
        root: Path,
        *,
        providers: tuple[str, ...] = (),
        fault: str = "",
        strict: bool = False,
        emulate: bool = False,
        grows: bool = False,
    ) -> None:
        self._root = root
        self._start = start
        self._providers = providers
        self._fault = fault
        self._strict = strict
        self._emulate = emulate
        self._grows = grows
        self.endpoints = tuple("/".join(place) for place in places(root, providers))
        if not self.endpoints and not grows:
            raise UnusableInput("there is nothing to serve", seen=", ".join(providers), where=str(root))
        self._lock = Lock()
        self._shelf: Shelf | None = None
        if fault:
            self._shelf = self._loaded()  # which says that there is no such fault

    @property
    def shelf(self) -> Shelf:
        """The shelf itself. Raises UnusableInput for a fault that nobody has."""
        with self._lock:
            if self._shelf is None:
                self._shelf = self._loaded()
            return self._shelf

    def _loaded(self) -> Shelf:
        configuration = import_module("harness.configuration")
        found: Shelf = import_module("harness.shelf").Shelf(
            lambda: configuration.read(self._start).catalog,
            self._root,
            providers=self._providers,
            fault=self._fault,
            strict=self._strict,
            emulate=self._emulate,
            grows=self._grows,
        )
        return found

    def fetch(self) -> None:
        """Load everything that the first request would."""
        self.shelf.fetch()

    def rewind(self) -> None:
        """Begin every story again."""
        if self._shelf is not None:
            self._shelf.rewind()

    def answer(self, request: Request) -> Answer:
        """The answer to ``request``, whose URL is absolute. Raises UnmatchedRequest for no address."""
        return self.shelf.answer(request)
