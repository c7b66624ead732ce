"""The documentation built as a site, for the tests that read it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from harness import docs_pages

ROOT = Path(__file__).parents[1]


def prepared(folder: Path) -> Path:
    """``folder``, with the sources of the site and its pages written anew."""
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    docs_pages.write(folder / "docs")
    return folder


def built(folder: Path, *options: str) -> Path:
    """The site that mkdocs makes of a prepared folder; it must be able to."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", *options],
        cwd=folder,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "site"
