"""The published JSON Schemas."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from reports import schemas


@pytest.mark.parametrize("name", sorted(schemas.documents()))
def test_shipped_schema_is_that_of_the_structs(name: str) -> None:
    """The file beside the package says what the structs say; ``python -m reports.schemas`` writes it."""
    shipped = (Path(schemas.__file__).parent / name).read_bytes()
    assert msgspec.json.decode(shipped) == msgspec.json.decode(schemas.documents()[name])


def test_schema_tells_the_kinds_of_a_line() -> None:
    """A line of a result file is one of four kinds, told by ``kind``."""
    schema = msgspec.json.decode(schemas.documents()["results.schema.json"])
    assert set(schema["discriminator"]["mapping"]) == {"header", "exchange", "result", "footer"}
