"""Keeping documented exchanges as the catalog says: damage is mended, what is surplus goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.build import build
from providers import schema
from providers.declaration import EndpointDeclaration
from providers.errors import ConflictingConfig
from providers.schema import Catalog

CATALOG = Catalog([schema.get("groq")])
PLACE = "groq/openai-completions/text_stream"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The exchanges of one provider, freshly built."""
    assert build(CATALOG, (), tmp_path, write=True).changes
    assert build(CATALOG, (), tmp_path, write=False).changes == []
    return tmp_path


def test_a_missing_body_is_written_again(root: Path) -> None:
    """A body that is gone is a difference, and building brings it back."""
    body = root / PLACE / "1.response.body"
    before = body.read_bytes()
    body.unlink()
    assert build(CATALOG, (), root, write=False).changes == [f"stale {PLACE}/1.response.body"]
    assert build(CATALOG, (), root, write=True).changes == [f"wrote {PLACE}/1.response.body"]
    assert body.read_bytes() == before


def test_a_body_that_does_not_fit_its_boundaries_is_written_again(root: Path) -> None:
    """A body that was cut is a difference, though the whole exchange cannot be loaded."""
    body = root / PLACE / "1.response.body"
    body.write_bytes(body.read_bytes()[:10])
    assert build(CATALOG, (), root, write=False).changes == [f"stale {PLACE}/1.response.body"]
    build(CATALOG, (), root, write=True)
    assert build(CATALOG, (), root, write=False).changes == []


def test_what_is_no_longer_planned_goes(root: Path) -> None:
    """A documented folder of an unknown scenario is removed, damaged or not, and so is a turn too many."""
    old = root / "groq/openai-completions/forgotten"
    old.mkdir()
    (old / "1.exchange.toml").write_bytes((root / PLACE / "1.exchange.toml").read_bytes())
    (root / PLACE / "9.response.body").write_bytes(b"")
    assert build(CATALOG, (), root, write=False).changes == [
        "surplus groq/openai-completions/forgotten/1.exchange.toml",
        f"surplus {PLACE}/9.response.body",
    ]
    build(CATALOG, (), root, write=True)
    assert not old.exists()
    assert build(CATALOG, (), root, write=False).changes == []


def test_a_folder_without_a_head_is_told(root: Path) -> None:
    """A folder that nothing says the origin of is told, and left alone."""
    stray = root / "groq/openai-completions/forgotten"
    stray.mkdir()
    (stray / "1.response.body").write_bytes(b"x")
    assert build(CATALOG, (), root, write=True).changes == [
        "stray groq/openai-completions/forgotten: no 1.exchange.toml says where it is from"
    ]
    assert (stray / "1.response.body").exists()


def test_what_was_recorded_stays(root: Path) -> None:
    """A recorded exchange is left alone, even a damaged one."""
    head = root / PLACE / "1.exchange.toml"
    head.write_text(head.read_text("utf-8").replace('"documented"', '"recorded"'), "utf-8")
    (root / PLACE / "1.response.body").unlink()
    assert build(CATALOG, (), root, write=True).changes == []


def test_a_provider_that_cannot_be_built_stops_no_other(tmp_path: Path) -> None:
    """What fails is told by its provider, and the others are built all the same."""
    groq = schema.get("groq")
    broken = groq.model_copy(update={"id": "a-broken", "endpoints": (_elsewhere(groq.endpoints[0]),)})
    built = build(Catalog([broken, groq]), (), tmp_path, write=True)
    assert [*built.faults] == ["a-broken"]
    assert isinstance(built.faults["a-broken"], ConflictingConfig)
    assert f"wrote {PLACE}/1.response.body" in built.changes


def _elsewhere(declared: EndpointDeclaration) -> EndpointDeclaration:
    """The endpoint at an address that needs a value which nobody declares."""
    return declared.model_copy(update={"base_url": "https://{planet}.example"})
