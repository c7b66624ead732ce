"""Real streams, recorded by others: the grammars allow what providers send, but for what is odd in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from harness.checks import CHECKS
from harness.grammars import GRAMMARS
from harness.judging import judge
from harness.observation import Observation, hear
from harness.scenarios import SCENARIOS
from harness.verify import as_exchange
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint

RECORDINGS = Path(__file__).parents[4] / "shared" / "recordings"
LAWFUL = ("http.stream_content_type", "stream.frame_grammar", "stream.cut.recorded", "stream.first_event")
# Their recordings stand under another protocol's name, or there are none.
UNRECORDED = {"azure-openai-responses", "google-gemini-cli", "openai-codex-responses"}
# The grammar is that of one model family's bodies: others are left out, by what the model is called.
FAMILY = {"bedrock-invoke": "anthropic."}
# Written by hand in its source: a call without the message around it, counts before the stop.
HANDMADE = {"455abbd21a6a1c69"}
# What may break the other checks, and is broken in these recordings.
ODD = {
    "stream.order": {
        "deltas_differ_from_final",
        "done_sentinel_on_responses",
        "duplicate_message_start",
        "finish_reason_repeated",
        "no_finish_reason",
        "sequence_numbers_not_monotonic",
    },
    "stream.block_index": {"duplicate_message_start", "block_index_reused"},
    "stream.terminal": {"sequence_numbers_not_monotonic", "value_only_chunk"},
    "stream.accumulate": {"deltas_differ_from_final", "value_only_chunk"},
    "stream.done_sentinel": {"done_sentinel", "done_sentinel_on_responses", "no_done_sentinel"},
}


def recordings(protocol: str) -> list[dict[str, Any]]:
    """The recorded streams of a protocol."""
    index = json.loads((RECORDINGS / "index.json").read_text("utf-8"))
    listed = index if isinstance(index, list) else index["exchanges"]
    family = FAMILY.get(protocol, "")
    wanted = [
        each
        for each in listed
        if each["api"] == protocol and each["streaming"] and family in (each["model"] or "")
    ]
    return [
        json.loads((RECORDINGS / each["provider"] / f"{each['id']}.json").read_text("utf-8"))
        for each in wanted
    ]


def observed(recording: dict[str, Any]) -> Observation:
    """A recording as the answer to the scenario of a streamed text."""
    exchange = replace(as_exchange(recording), scenario="text_stream")
    protocol = PROTOCOLS[exchange.protocol]
    endpoint = Endpoint(
        provider=exchange.provider,
        protocol=protocol.name,
        base_url="https://recorded.invalid",
        deviations=protocol.deviations(),
    )
    return Observation(
        provider=exchange.provider,
        protocol=protocol.name,
        scenario="text_stream",
        call=SCENARIOS["text_stream"].call(0, "recorded"),
        endpoint=endpoint,
        exchange=exchange,
        sent=exchange.request,
        heard=hear(exchange, endpoint, streamed=True),
    )


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the shared recordings are not here")
@pytest.mark.parametrize("protocol", sorted(set(GRAMMARS) - UNRECORDED))
def test_real_streams_are_lawful(protocol: str) -> None:
    """Every recorded stream passes the provider's checks, but for those that its listed quirks break."""
    found = recordings(protocol)
    assert found
    for recording in (each for each in found if each["id"] not in HANDMADE):
        seen = observed(recording)
        quirks = set(recording.get("quirks") or ())
        checks = [*LAWFUL, *(check for check, odd in ODD.items() if not quirks & odd)]
        for check in checks:
            if CHECKS[check].applies(protocol, "text_stream"):
                judged = judge(CHECKS[check], seen)
                assert judged.verdict in ("passed", "skipped"), (recording["id"], check, judged.reason)
