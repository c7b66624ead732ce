"""Tests that nothing the catalog declares is without an exchange: every feature, protocol and endpoint."""

from __future__ import annotations

from collections import Counter

import pytest

from harness.exchange import FIXTURES, scenarios_of
from harness.services.scenarios import named
from providers import schema
from providers.schema import Provider

every_provider = pytest.mark.parametrize("provider", list(schema.all()), ids=lambda provider: provider.id)
PLACES = Counter((each.id, at.protocol, at.base_url) for each in schema.all() for at in each.endpoints)
NEEDS = {name: needs for name, _, needs in named()}


@every_provider
def test_every_declared_feature_has_a_fixture(provider: Provider) -> None:
    """What is offered in a shape that we speak is shown by an exchange over one of the protocols."""
    shown = {
        need
        for protocol in provider.protocols
        for scenario in scenarios_of(FIXTURES, provider.id, protocol)
        for need in NEEDS[scenario]
    }
    offered = {name for name, offered in provider.offered.items() if offered}
    assert offered - provider.own - shown == set()


@every_provider
def test_every_declared_endpoint_has_a_fixture(provider: Provider) -> None:
    """Each protocol has an exchange, and each endpoint a model of its own that can be asked; but for the
    rest of a base URL's models, behind an endpoint for some of them."""
    names = [
        *(model.id for model in provider.models),
        *(claim.model for claim in provider.claims.values() if claim.model),
    ]
    for declared in provider.endpoints:
        assert scenarios_of(FIXTURES, provider.id, declared.protocol), declared.protocol
        served = [
            name
            for name in names
            if declared.serves(name) and provider.declaration(declared.protocol, name) is declared
        ]
        place = (declared.protocol, declared.base_url)
        rest = declared.models == ("*",) and PLACES[provider.id, *place] > 1
        assert served or rest, f"{declared.protocol} at {declared.base_url}"
