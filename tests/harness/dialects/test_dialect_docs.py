"""The generated pages about the dialects are current."""

from pathlib import Path

from harness.dialects import pages


def test_the_pages_are_current() -> None:
    """docs/dialects is what the tables say; `wirecheck dialect docs` writes it."""
    assert pages.write(pages.FOLDER, check=True) == []


def test_a_stale_page_is_told_and_then_written(tmp_path: Path) -> None:
    """Checking writes nothing; writing makes the check pass."""
    assert len(pages.write(tmp_path, check=True)) == 7
    assert list(tmp_path.iterdir()) == []
    pages.write(tmp_path)
    assert pages.write(tmp_path, check=True) == []
