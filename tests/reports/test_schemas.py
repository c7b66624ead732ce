"""The published JSON Schemas."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator, ValidationError

from reports import results, schemas
from tests.reports.samples import exchange, result, run


@pytest.mark.parametrize("name", sorted(schemas.documents()))
def test_shipped_schema_is_that_of_the_structs(name: str) -> None:
    """The file beside the package says what the structs say; ``python -m reports.schemas`` writes it."""
    shipped = (Path(schemas.__file__).parent / name).read_bytes()
    assert msgspec.json.decode(shipped) == msgspec.json.decode(schemas.documents()[name])


def test_schema_tells_the_kinds_of_a_line() -> None:
    """A line of a result file is one of four kinds, told by ``kind``."""
    schema = msgspec.json.decode(schemas.documents()["results.schema.json"])
    assert set(schema["discriminator"]["mapping"]) == {"header", "exchange", "result", "footer"}


def test_every_line_of_a_file_is_valid() -> None:
    """What we write is what the schema describes, and what we would refuse it refuses."""
    schema = Draft202012Validator(msgspec.json.decode(schemas.documents()["results.schema.json"]))
    found = [result("stream.order", "failed", blame="provider", duration_ms=1.5), result("tool.named")]
    for line in results.lines(
        run(*found, exchanges=(exchange(),), selection={"shard": ("1/2",)})
    ).splitlines():
        schema.validate(msgspec.json.decode(line))
        with pytest.raises(ValidationError):
            schema.validate({**msgspec.json.decode(line), "more": 1})
    with pytest.raises(ValidationError):
        schema.validate({**msgspec.json.decode(results.json_line(found[0])), "verdict": "broken"})
