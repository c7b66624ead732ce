"""A hook of MkDocs: puts the matrix into the site, page for page as ``wirecheck matrix`` wrote it.

Results and the JUnit file stay out: they are large, and no page needs them. Without a matrix there is a page
that says how to make one, so that the links to it hold. Follows https://www.mkdocs.org/dev-guide/plugins/#events
(on_files) and ``File.generated`` of MkDocs 1.6, read 2026-11-21.
"""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

MATRIX = Path(__file__).parent.parent / "build" / "matrix"
INDEX = "matrix/index.html"
LEFT_OUT = {".jsonl", ".md", ".xml"}
ABSENT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>The matrix</title>
<p>No matrix has been made yet. <code>make site</code> makes it, and this page is then its place.
<p><a href="../index.html">Documentation</a></html>
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The files of the site, with the matrix among them."""
    found = [path for path in sorted(MATRIX.rglob("*")) if path.is_file() and path.suffix not in LEFT_OUT]
    for path in found:
        name = f"matrix/{path.relative_to(MATRIX).as_posix()}"
        files.append(File.generated(config, name, abs_src_path=str(path)))
    if files.get_file_from_path(INDEX) is None:
        files.append(File.generated(config, INDEX, content=ABSENT))
    return files
