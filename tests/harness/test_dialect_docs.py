"""The generated pages about the dialects are current."""

from pathlib import Path

from harness import dialect_docs


def test_the_pages_are_current() -> None:
    """docs/dialects is what the tables say; `wirecheck dialect docs` writes it."""
    assert dialect_docs.write(dialect_docs.FOLDER, check=True) == []


def test_a_stale_page_is_told_and_then_written(tmp_path: Path) -> None:
    """Checking writes nothing; writing makes the check pass."""
    assert len(dialect_docs.write(tmp_path, check=True)) == 7
    assert list(tmp_path.iterdir()) == []
    dialect_docs.write(tmp_path)
    assert dialect_docs.write(tmp_path, check=True) == []
