"""The page that shows how to add a provider."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic

from providers import schema

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-provider.md"


def example() -> str:
    (found,) = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return str(found)


def keys(value: Any) -> Iterator[str]:
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys(inner)
    if isinstance(value, dict):
        yield from value


def declared() -> set[str]:
    models = [item for item in vars(schema).values() if isinstance(item, type)]
    return {name for model in models if issubclass(model, pydantic.BaseModel) for name in model.model_fields}


def test_the_example_is_a_lawful_file(tmp_path: Path) -> None:
    """The page's example loads as it stands."""
    path = tmp_path / "acme.toml"
    path.write_text(example(), "utf-8")
    assert schema.load_file(path).endpoint(model="acme-small").base_url == "https://eu.acme.example/openai/v1"


def test_the_example_has_every_key() -> None:
    """No key of the schema is missing from the page's example."""
    assert declared() - set(keys(tomllib.loads(example()))) == set()
