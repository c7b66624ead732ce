"""Tiny misbehaving providers and misbehaving subjects: for each check, what turns it red.

One file a topic, beside the check's own. A miniature is a function that returns what was observed, and its
docstring says what the peer or the client in it does wrong. ``bench`` has what miniatures are made from.

    @breaks("stream.terminal")
    def hangs_up() -> Observation:
        \"\"\"A provider that hangs up after its words.\"\"\"
        return answered(b'data: {"choices":[]}\\n\\n')
"""

from __future__ import annotations

from tests.miniatures import broken, delivery, refusals, streaming
from tests.miniatures.bench import BREAKS, PASSES

TOPICS = (broken, delivery, refusals, streaming)

__all__ = ["BREAKS", "PASSES", "TOPICS"]
