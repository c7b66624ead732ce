"""The framings on recorded streams, which lie beside the repository where they are available."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from providers.framing.eventstream import EventStream
from providers.framing.ndjson import NDJSON
from providers.framing.sse import SSE
from providers.wire import Framing
from tests.deliveries import framed, in_chunks

RECORDINGS = Path(__file__).parents[4] / "shared" / "recordings"
BY_MEDIA_TYPE: dict[str, Callable[[], Framing]] = {
    "text/event-stream": SSE,
    "application/vnd.amazon.eventstream": EventStream,
    "application/x-ndjson": NDJSON,
}


def _streams() -> Iterator[tuple[str, Callable[[], Framing], bytes]]:
    for path in sorted(RECORDINGS.glob("*/*.json")):
        recorded = json.loads(path.read_bytes())
        answer = recorded["response"]
        headers = {name.lower(): value for name, value in dict(answer["headers"]).items()}
        make = BY_MEDIA_TYPE.get(str(headers.get("content-type", "")).split(";")[0])
        if make is not None and recorded["streaming"]:
            encoded = answer.get("body_b64")
            yield path.stem, make, base64.b64decode(encoded) if encoded else answer["body_text"].encode()


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the shared recordings are not beside the repository")
def test_recorded_streams_are_framed() -> None:
    """Every recorded stream has frames and no fault, and 16-byte chunks give the same."""
    count = 0
    for name, make, content in _streams():
        frames, fault = framed(make(), [content])
        assert frames, name
        assert fault is None, name
        assert framed(make(), in_chunks(content, 16)) == (frames, None), name
        count += 1
    assert count > 100
