"""Features that a provider claims and no scenario can ask for: told, so that no claim is taken for checked.

A model that takes images, one that reasons, one for embeddings may be missing in the catalog file, or no
protocol of the file has the feature. Pure; nothing is wrong with such a file.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from harness import fixtures
from harness.scenarios import SCENARIOS
from harness.services import playing
from providers.schema import Provider
from providers.services import SERVICES


def unasked(provider: Provider) -> tuple[str, ...]:
    """The features claimed as offered, in a shape that we speak, which no planned scenario needs."""
    asked = {need for _, scenario, _ in fixtures.plan(provider) for need in scenario.needs}
    asked |= {story.service for _, story, _ in playing.plan(provider)}
    return tuple(
        name for name, claim in provider.claims.items() if claim.offered and name not in asked | provider.own
    )


def warnings(provider: Provider) -> tuple[str, ...]:
    """A line for each of them."""
    return tuple(
        f"{provider.id}: {name} is claimed, and no model and endpoint of the file can be asked for it"
        for name in unasked(provider)
    )


def lacking(provider: Provider, protocol: str) -> tuple[str, ...]:
    """The features offered that are not to be had over ``protocol``: no endpoint of it has them, or it has
    no words for them. Those in a shape of the provider's own are claimed of the whole provider."""
    words = {
        need
        for scenario in SCENARIOS.values()
        for need in scenario.needs
        if any(fnmatchcase(protocol, glob) for glob in scenario.protocols)
    }
    words |= {name for name, spoken in SERVICES.items() if provider.shapes.get(name, protocol) in spoken}
    had = {
        name
        for declared in provider.endpoints
        if declared.protocol == protocol
        for name, offered in provider.offered_at(declared).items()
        if offered and name in words | provider.own
    }
    return tuple(name for name, offered in provider.offered.items() if offered and name not in had)
