"""What a live run may cost, and what it did cost, in US dollars. Arithmetic only.

Before: a byte is taken for a quarter of a token in the estimate that is shown, and for a whole one where
money is set aside, because no tokenizer makes more tokens than there are bytes. The output counts as long as
the call allows. After: the counts that the answer reported, at the catalog's prices; counts that nobody can
have counted are none. A model whose price no
source tells is shown as unknown and counted against the cap at ``ASSUMED``, which is three times the
catalog's dearest; a server of one's own costs nothing.
"""

from __future__ import annotations

import msgspec

from providers.declaration import Model, Price
from providers.events import Usage
from providers.schema import Provider

ASSUMED = Price(input=15.0, output=75.0)
FREE = Price(input=0.0, output=0.0)
BYTES_PER_TOKEN = 4
UNSAID_OUTPUT_TOKENS = 4096
_MILLION = 1_000_000
_MOST_TOKENS = 20 * _MILLION  # twice the largest context window that any vendor offers


class Amount(msgspec.Struct, frozen=True):
    """Calls, and dollars for them: ``known_usd`` by the catalog, ``assumed_usd`` where it has no price."""

    calls: int = 0
    known_usd: float = 0.0
    assumed_usd: float = 0.0
    unpriced: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.calls + other.calls,
            self.known_usd + other.known_usd,
            self.assumed_usd + other.assumed_usd,
            self.unpriced + other.unpriced,
        )

    @property
    def usd(self) -> float:
        """What counts against the cap."""
        return self.known_usd + self.assumed_usd

    def told(self) -> str:
        """``34 calls, about $0.0012``; what is not known is said."""
        calls = f"{self.calls} call{'' if self.calls == 1 else 's'}"
        if not self.unpriced:
            return f"{calls}, {_about(self.known_usd)}"
        unknown = f"price of {self.unpriced} unknown, counted as {dollars(self.assumed_usd)} against the cap"
        if self.unpriced == self.calls:
            return f"{calls}, {unknown}"
        return f"{calls}, {_about(self.known_usd)}, {unknown}"


def _about(usd: float) -> str:
    told = dollars(usd)
    return told if told.startswith("less") else f"about {told}"


def dollars(usd: float) -> str:
    """``$0.0012``: four places, or two from a dollar on; never rounded down to nothing."""
    if 0 < usd < 0.0001:
        return "less than $0.0001"
    return f"${usd:.2f}" if usd >= 1 else f"${usd:.4f}"


def price_of(provider: Provider, model: str) -> Price | None:
    """What the model costs here; None when no source says."""
    found = next((each.price for each in provider.models if each.id == model), None)
    return found if found or provider.kind != "local" else FREE


def cheapest_first(provider: Provider) -> Provider:
    """The provider with its models by price, so that whoever takes the first able one takes the cheapest.

    Those without a price come last, and equal ones stay in the catalog's order.
    """
    return provider.model_copy(update={"models": tuple(sorted(provider.models, key=_dearness))})


def _dearness(model: Model) -> float:
    return model.price.input + model.price.output if model.price else float("inf")


def estimate(size_bytes: int, output_tokens: int | None, price: Price | None) -> Amount:
    """What one call will cost, about, when its answer is as long as it may be."""
    usd = _cost(size_bytes / BYTES_PER_TOKEN, _most(output_tokens), price or ASSUMED)
    return Amount(1, usd) if price else Amount(1, 0.0, usd, 1)


def bound(size_bytes: int, output_tokens: int | None, price: Price | None) -> float:
    """The most that one call can cost, in dollars: what is set aside before it is made."""
    return _cost(size_bytes, _most(output_tokens), price or ASSUMED)


def _most(output_tokens: int | None) -> int:
    return UNSAID_OUTPUT_TOKENS if output_tokens is None else output_tokens


def spent(usage: Usage | None, price: Price | None) -> float | None:
    """What an answer cost by the counts it reported, in dollars, at least 0.

    None when it reported too little, or a count below 0 or beyond any model.
    """
    if usage is None or usage.input_tokens is None or usage.output_tokens is None or not _credible(usage):
        return None
    rates = price or ASSUMED
    cached = min(usage.cached_tokens or 0, usage.input_tokens)
    written = min(usage.cache_write_tokens or 0, usage.input_tokens - cached)
    plain = usage.input_tokens - cached - written
    extra = cached * _or(rates.cache_read, rates.input) + written * _or(rates.cache_write, rates.input)
    return _cost(plain, usage.output_tokens, rates) + extra / _MILLION


def _credible(usage: Usage) -> bool:
    counts = (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.cache_write_tokens)
    return all(0 <= count <= _MOST_TOKENS for count in counts if count is not None)


def _or(rate: float | None, other: float) -> float:
    return other if rate is None else rate


def _cost(input_tokens: float, output_tokens: float, price: Price) -> float:
    return (input_tokens * price.input + output_tokens * price.output) / _MILLION
