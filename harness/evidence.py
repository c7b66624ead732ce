"""What was found, as the record that reports are made of: results, exchanges, and the run's header.

No judging and no I/O but reading the fixtures that results point to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import groupby
from typing import Any, TypeVar

from harness import __version__
from harness.checks import CHECKS
from harness.checks.registry import CAPABILITIES
from harness.exchange import Exchange
from harness.judging import Judged
from harness.observation import Observation
from harness.redaction import redacted_headers, redacted_url
from harness.services.observation import Served
from harness.services.scenarios import named
from harness.subjects import wirecheck
from harness.unasked import lacking
from providers.errors import shown
from providers.events import Event, Turn
from providers.schema import Provider
from reports import results

_MOST_CHARACTERS = 16_384

Text = TypeVar("Text", str, str | None)

SUBJECT = results.Subject(wirecheck.NAME, __version__)


def result(seen: Observation | Served, check: str, judged: Judged) -> results.Result:
    """The result of one check."""
    exchange = seen.exchange
    return results.Result(
        subject=SUBJECT.name,
        provider=seen.provider,
        protocol=seen.protocol,
        scenario=seen.scenario,
        fault=seen.fault,
        check=check,
        verdict=judged.verdict,
        blame=judged.blame,
        reason=judged.reason,
        expected=judged.expected,
        observed=judged.observed,
        where=judged.where,
        origin="synthetic" if seen.fault else exchange.origin,
        date=seen_on(exchange),
        exchanges=(exchange.id,),
    )


def seen_on(exchange: Exchange) -> date:
    """The day of which an exchange tells: that of the last answer seen to be of its shape."""
    return max(exchange.date, exchange.confirmed) if exchange.confirmed else exchange.date


def unseen(
    provider: str, protocol: str, scenario: str, fault: str, check: str, judged: Judged
) -> results.Result:
    """The result of a check that had nothing to look at: skipped or errored."""
    return results.Result(
        subject=SUBJECT.name,
        provider=provider,
        protocol=protocol,
        scenario=scenario,
        fault=fault,
        check=check,
        verdict=judged.verdict,
        blame=judged.blame,
        reason=judged.reason,
    )


def exchange(recorded: Exchange, turn: Turn, events: Iterable[Event] = ()) -> results.Exchange:
    """One exchange as evidence, with what it was read as: its turn, and the ``events`` that made it."""
    told = told_events(events)
    return _exchange(recorded, summary(turn) | ({"events": told} if told else {}))


def told_events(events: Iterable[Event]) -> list[str]:
    """Events as lines for people; a run of pieces of one block is one line with their number."""
    lines = []
    for (kind, block), run in groupby(events, key=lambda event: (type(event), getattr(event, "block", 0))):
        pieces = list(run)
        name = str(kind.__struct_config__.tag)
        named = getattr(pieces[0], "name", None) or getattr(pieces[0], "reason", None)
        facts = [name, f"block {block}" if hasattr(pieces[0], "block") else "", named and str(named)]
        lines.append(
            " ".join(fact for fact in facts if fact) + (f" × {len(pieces)}" if len(pieces) > 1 else "")
        )
    return lines


def served(seen: Served) -> results.Exchange:
    """The last exchange of a service as evidence, with what all of them were read as."""
    told = [shown(answer) for answer in (*seen.answers, *((seen.error,) if seen.error else ()))]
    return _exchange(seen.exchange, {"answers": told})


def _exchange(recorded: Exchange, told: Mapping[str, Any]) -> results.Exchange:
    return results.Exchange(
        id=recorded.id,
        request=results.Request(
            recorded.request.method,
            redacted_url(recorded.request.url),
            redacted_headers(recorded.request.headers),
            results.body(recorded.request.content),
        ),
        response=results.Response(
            recorded.status, redacted_headers(recorded.headers), results.body(recorded.content)
        ),
        origin=recorded.origin,
        date=seen_on(recorded),
        source=recorded.source,
        turn=told,
    )


def summary(turn: Turn) -> dict[str, Any]:
    """A turn for people: only what was there, each text as long as a body may be."""
    usage = turn.usage
    facts: dict[str, Any] = {
        "text": _bounded(turn.text),
        "reasoning": _bounded(turn.reasoning),
        "tool_calls": [
            {"id": call.id, "name": call.name, "arguments": call.arguments} for call in turn.tool_calls
        ],
        "refusal": _bounded(turn.refusal),
        "finish": turn.finish,
        "finish_raw": turn.finish_raw,
        "usage": usage
        and {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cached_tokens": usage.cached_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
        },
        "model": turn.model,
        "complete": turn.complete,
        "drift": list(turn.drift),
        "error": str(turn.error) if turn.error else None,
    }
    return {name: value for name, value in facts.items() if value not in (None, [], "")}


def _bounded(text: Text) -> Text:
    """``text``, or its beginning and how long it was; None is none."""
    if text is None or len(text) <= _MOST_CHARACTERS:
        return text
    return f"{text[:_MOST_CHARACTERS]}… ({len(text)} characters)"


def header(providers: Iterable[Provider], selection: Mapping[str, tuple[str, ...]]) -> results.Header:
    """What ran, with the facts a reader needs; without its time, so that a run comes out the same twice."""
    groups = tuple(
        results.Group(
            title, tuple(results.Capability(each.id, each.title, each.features) for each in members)
        )
        for title, members in groupby(CAPABILITIES.values(), key=lambda capability: capability.group)
    )
    return results.Header(
        wirecheck=__version__,
        subjects=(SUBJECT,),
        selection=selection,
        providers=tuple(described(provider) for provider in providers),
        checks=tuple(
            results.Check(
                each.id, each.topic, each.capability, each.level, each.requirement, each.source, each.blames
            )
            for each in CHECKS.values()
        ),
        scenarios=tuple(results.Scenario(name, title) for name, title, _ in named()),
        groups=groups,
    )


def described(provider: Provider) -> results.Provider:
    """The facts of ``provider`` that a report shows."""
    lacks = {protocol: lacking(provider, protocol) for protocol in provider.protocols}
    sources = provider.sources
    return results.Provider(
        id=provider.id,
        name=provider.name,
        kind=provider.kind,
        docs=provider.docs,
        protocols=provider.protocols,
        claims={
            name: results.Claim(
                claim.offered, sources[claim.source].url, sources[claim.source].read, claim.own
            )
            for name, claim in provider.claims.items()
        },
        lacks={protocol: names for protocol, names in lacks.items() if names},
    )
