"""What a live run will ask and what it may cost, before anything is sent. Pure.

The requests are built as they will be, with the answers that a scenario's script has; a service's asks, which
hang on what comes back, are taken for a small request each.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness import budget, fixtures
from harness.budget import Amount
from harness.scenarios import SCENARIOS, Scenario
from harness.services.scenarios import SERVICE_SCENARIOS
from providers.call import Message
from providers.callfields import for_call
from providers.errors import UnsupportedFeature
from providers.events import Turn
from providers.protocols import PROTOCOLS
from providers.schema import Provider

_SERVICE_BYTES = 1024


def forecast(
    provider: Provider,
    protocol: str,
    scenario: str,
    model: str,
    *,
    base_url: str | None = None,
    values: Mapping[str, str] | None = None,
    steps: int | None = None,
) -> Amount:
    """The calls of one scenario, or of its first ``steps``, and about what they cost.

    None where our own adapter would refuse them.
    """
    if scenario in SERVICE_SCENARIOS:
        return _service(provider, scenario, model)
    story = SCENARIOS[scenario]
    known = {**fixtures.placeholder_values(provider), **(values or {})}
    endpoint = provider.endpoint(protocol, model, base_url=base_url, values=known)
    price = budget.FREE if story.refuses else budget.price_of(provider, model)
    total = Amount()
    answers: tuple[Message, ...] = ()
    for number in range(len(story.steps[:steps])):
        call = story.call(number, model, answers)
        try:
            request = PROTOCOLS[protocol].build(call, for_call(endpoint, call))
        except UnsupportedFeature:
            return total
        total += budget.estimate(len(request.content), call.max_output_tokens, price)
        answers += _scripted(provider, protocol, model, story, number)
    return total


def _scripted(
    provider: Provider, protocol: str, model: str, story: Scenario, number: int
) -> tuple[Message, ...]:
    reply = story.steps[number].reply
    if not isinstance(reply, Turn):
        return ()
    return (reply.message(provider=provider.id, protocol=protocol, model=model),)


def _service(provider: Provider, scenario: str, model: str) -> Amount:
    story = SERVICE_SCENARIOS[scenario]
    price = budget.price_of(provider, model) if model else budget.FREE
    total = Amount()
    for _ in story.steps:
        total += budget.estimate(_SERVICE_BYTES, 0, price)
    return total
