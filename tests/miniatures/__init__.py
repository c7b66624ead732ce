"""Tiny misbehaving providers and misbehaving subjects: for each check, what turns it red.

One file a topic, beside the check's own. A miniature is a function that returns what was observed, and its
docstring says who in it does what wrong: a provider, a client, or a model. That one is to be blamed.
``bench`` has what miniatures are made from.

    @breaks("stream.terminal")
    def hangs_up() -> Observation:
        \"\"\"A provider that hangs up after its words.\"\"\"
        return answered(b'data: {"choices":[]}\\n\\n')
"""

from __future__ import annotations

from tests.miniatures import (
    broken,
    client,
    client_requests,
    delivery,
    errors,
    gateway,
    handoff,
    reasoning,
    refusals,
    requests,
    services,
    stops,
    streaming,
    text,
    tools,
    usage,
)
from tests.miniatures.bench import BREAKS, PASSES

TOPICS = (
    broken,
    client,
    client_requests,
    delivery,
    errors,
    gateway,
    handoff,
    reasoning,
    refusals,
    requests,
    services,
    stops,
    streaming,
    text,
    tools,
    usage,
)

__all__ = ["BREAKS", "PASSES", "TOPICS"]
