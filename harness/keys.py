"""Whose credential a live run sends: one that was given, the plain variables', or a client system's.

Without a dialect the provider's own variables are read, as ``providers.credentials`` does. With one, its
rules decide, in the operator's own state directory; a cloud's ambient chain is then looked up the plain way.
A token that is due is not refreshed here. No error shows a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from harness.dialects import homes
from providers import credentials
from providers.auth import Credential
from providers.dialects import Dialect
from providers.dialects.resolved import Resolved
from providers.errors import MissingCredential
from providers.schema import Provider


class Keys(msgspec.Struct, frozen=True):
    """Where credentials are found. ``given`` comes from the command line; no ``dialect`` is the plain way."""

    environ: Mapping[str, str]
    given: str | None = None
    dialect: Dialect | None = None
    home: Path = Path()

    def find(self, provider: Provider, protocol: str, model: str) -> Credential | None:
        """The credential for a call; None only where the server also answers without one.

        Raises MissingCredential, which names what was looked for in the order it was tried.
        """
        if self.given:
            return self.given
        if self.dialect is None:
            return credentials.find(provider, self.environ, protocol, model)
        return self._resolved(self.dialect, provider, protocol, model)

    def _resolved(self, dialect: Dialect, provider: Provider, protocol: str, model: str) -> Credential | None:
        name = next((id for id, row in dialect.providers().items() if provider.id in row.catalog), None)
        if name is None:
            raise MissingCredential(
                provider.id, (f"a provider of {dialect.name}, which has none of this id",)
            )
        world = homes.given(dialect, self.environ, self.home, {}, run_commands=True)
        found = homes.resolve_offline(dialect, world, name, model)
        if found.value:
            return found.value
        if found.source == "ambient":
            return credentials.find(provider, self.environ, protocol, model)
        if not provider.auth_for(protocol, model).required:
            return None
        raise MissingCredential(provider.id, _looked_for(dialect, found))


def _looked_for(dialect: Dialect, found: Resolved) -> tuple[str, ...]:
    """The sources of a dialect that had nothing, in its order, each with the reason."""
    places = [f"{lost.name} ({lost.why})" if lost.why else lost.name for lost in found.lost]
    fault = [found.fault.summary] if found.fault else []
    return tuple(places + fault) or (f"a credential of {dialect.name}",)
