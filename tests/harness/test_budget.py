"""Tests of the arithmetic of money."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness import budget
from harness.budget import ASSUMED, Amount
from providers import schema
from providers.declaration import Price
from providers.events import Usage

PRICE = Price(input=1.0, output=10.0, cache_read=0.1, cache_write=2.0)


def test_an_estimate_counts_input_and_the_longest_answer() -> None:
    """A quarter of a token a byte in, and as much out as the call allows."""
    assert budget.estimate(4_000_000, 100_000, PRICE) == Amount(1, 1.0 + 1.0)
    assert budget.estimate(0, None, PRICE).known_usd == pytest.approx(0.04096)


def test_an_unknown_price_is_told_and_counted() -> None:
    """Without a price the estimate says so, and the assumed one counts against the cap."""
    amount = budget.estimate(4000, 256, None) + budget.estimate(4000, 256, PRICE)
    assert (amount.calls, amount.unpriced) == (2, 1)
    assert amount.assumed_usd == pytest.approx((1000 * 15 + 256 * 75) / 1e6)
    assert "price of 1 unknown, counted as $0.0342 against the cap" in amount.told()


def test_the_assumed_price_is_above_the_catalogs() -> None:
    """No declared model is dearer than what an undeclared one is taken for."""
    known = [model.price for provider in schema.all() for model in provider.models if model.price]
    assert max(price.input for price in known) * 3 <= ASSUMED.input
    assert max(price.output for price in known) * 3 <= ASSUMED.output


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        (Usage(input_tokens=1000, output_tokens=100), (1000 + 1000) / 1e6),
        (Usage(input_tokens=1000, output_tokens=0, cached_tokens=900), (100 + 90) / 1e6),
        (
            Usage(input_tokens=1000, output_tokens=0, cached_tokens=400, cache_write_tokens=100),
            (500 + 40 + 200) / 1e6,
        ),
        (Usage(input_tokens=10, output_tokens=0, cached_tokens=99), 1e-6),
        (Usage(output_tokens=5), None),
        (None, None),
    ],
    ids=["plain", "read from a cache", "written to one", "more cached than sent", "half", "none"],
)
def test_spent_is_computed_from_reported_usage(usage: Usage | None, usd: float | None) -> None:
    """Each kind of token has its own price; too few counts are no cost."""
    assert budget.spent(usage, PRICE) == (usd if usd is None else pytest.approx(usd))


@pytest.mark.parametrize("count", [-1, -500_000_000, 10**12, float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", ["input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens"])
def test_an_incredible_count_is_no_cost(name: str, count: float) -> None:
    """What is negative, no number or beyond any model leaves what was set aside, and is no credit."""
    plain = Usage(input_tokens=1000, output_tokens=100)
    assert budget.spent(replace(plain, **{name: count}), PRICE) is None


@given(st.integers(0, 10**6), st.integers(0, 10**5))
def test_what_is_set_aside_covers_the_estimate(size_bytes: int, output_tokens: int) -> None:
    """The bound is never below the estimate."""
    for price in (PRICE, None):
        estimated = budget.estimate(size_bytes, output_tokens, price)
        assert budget.bound(size_bytes, output_tokens, price) >= estimated.usd


def test_the_cheapest_model_comes_first() -> None:
    """Models stand by price, those without one last, equal ones in the catalog's order."""
    groq = budget.cheapest_first(schema.get("groq"))
    assert groq.models[0].id == "llama-3.1-8b-instant"
    prices = [model.price for model in groq.models]
    known = [price.input + price.output for price in prices if price]
    assert known == sorted(known)
    assert prices[-1] is None


def test_ones_own_server_costs_nothing() -> None:
    """A local provider's model without a price is free; a hosted one's is unknown."""
    assert budget.price_of(schema.get("ollama"), "any") == budget.FREE
    assert budget.price_of(schema.get("groq"), "any") is None


@pytest.mark.parametrize(
    ("usd", "text"), [(0, "$0.0000"), (0.00001, "less than $0.0001"), (0.25, "$0.2500"), (12.345, "$12.35")]
)
def test_dollars_are_told(usd: float, text: str) -> None:
    """Small amounts keep four places and are never told as nothing."""
    assert budget.dollars(usd) == text
