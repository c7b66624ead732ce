"""Tests that the exchanges on disk are those the catalog describes, readable, and without secrets."""

from __future__ import annotations

import pytest

from harness import build
from harness.exchange import FIXTURES, load, walk
from harness.redaction import find_secrets
from harness.scenarios import SCENARIOS
from harness.services.scenarios import SERVICE_SCENARIOS
from providers import schema
from providers.protocols import PROTOCOLS

PLACES = tuple(walk(FIXTURES))
PROVIDERS = sorted({provider for provider, _, _ in PLACES})


@pytest.mark.parametrize("provider", [each.id for each in schema.all()])
def test_the_documented_exchanges_are_current(provider: str) -> None:
    """``wirecheck fixtures build --check`` would change nothing."""
    assert build.build(schema.all(), (provider,), FIXTURES, write=False) == build.Built([])


def test_no_exchange_is_an_orphan() -> None:
    """Every folder is named after a provider, a protocol and a scenario that exist."""
    catalog = {provider.id for provider in schema.all()}
    for provider, protocol, scenario in PLACES:
        assert provider in catalog
        assert protocol in PROTOCOLS
        assert scenario in SCENARIOS or scenario in SERVICE_SCENARIOS


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_exchange_loads_and_holds_no_secret(provider: str) -> None:
    """Heads and bodies can be read, and nothing in them has the shape of a key."""
    for place in PLACES:
        if place[0] == provider:
            for exchange in load(FIXTURES, *place):
                said = exchange.content + exchange.request.content
                head = repr((exchange.request.url, exchange.request.headers, exchange.headers))
                assert find_secrets(said.decode("utf-8", "replace") + head) == (), exchange.id


def test_folders_without_a_first_turn_are_not_overlooked() -> None:
    """Every head on disk belongs to a scenario whose first turn is there."""
    found = {path.parent for path in FIXTURES.glob("*/*/*/*.exchange.toml")}
    assert found == {FIXTURES / provider / protocol / scenario for provider, protocol, scenario in PLACES}
