"""Where a documented fixture says its words are from."""

from __future__ import annotations

from harness import fixtures
from harness.emulators import EMULATORS
from harness.exchange import Exchange
from harness.scenarios import SCENARIOS
from providers import schema

PROTOCOL = "openai-completions"


def refused(provider: str, kind: str) -> Exchange:
    made = fixtures.build(schema.get(provider))
    return next(
        each for each in made if SCENARIOS[each.scenario].refuses == kind and each.protocol == PROTOCOL
    )


def test_unknown_words_are_the_protocols() -> None:
    """A refusal that no vendor's file words names the protocol's reference, and no page of the vendor."""
    silent = next(
        each.id
        for each in schema.all()
        if PROTOCOL in each.protocols
        and "bad_key" not in each.refusals
        and each.id not in ("openai", "custom")
    )
    source = refused(silent, "bad_key").source
    assert source == f"{EMULATORS[PROTOCOL].source} ({fixtures.UNWORDED})"


def test_known_words_name_their_own_source() -> None:
    """A refusal in the vendor's words names the page that has them."""
    worded = next(each for each in schema.all() if PROTOCOL in each.protocols and "bad_key" in each.refusals)
    told = worded.sources[worded.refusals["bad_key"].source]
    kept = refused(worded.id, "bad_key")
    assert (kept.source, kept.date) == (told.url, told.read)


def test_the_protocols_own_vendor_keeps_its_page() -> None:
    """The vendor that the protocol is of speaks its own words."""
    declared = schema.get("openai")
    page = declared.sources[declared.declaration(PROTOCOL).source].url
    kinds = {story.refuses for story in SCENARIOS.values() if story.refuses} - {*declared.refusals}
    told = {refused("openai", kind).source for kind in kinds & {*EMULATORS[PROTOCOL].refusals}}
    assert told <= {page}
    assert not any(fixtures.UNWORDED in each.source for each in fixtures.build(declared))
