"""A hook of MkDocs: puts the matrices into the site, page for page as they were made, and a link back.

Results and the JUnit file stay out: they are large, and no page needs them. In place of a matrix that was not
made there is a page that says how, so that the links to it hold. Follows on_files and ``File.generated`` of
MkDocs 1.6, https://www.mkdocs.org/dev-guide/plugins/#events, read 2026-11-21.
"""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

BUILT = Path(__file__).parent.parent / "build"
MATRICES = {  # by folder of the site: the folder below build/, and the command that makes it
    "matrix": ("matrix", "make matrix"),
    "client-matrix": ("clients", "wirecheck clients"),
}
FACTS = '<p class="facts">'
LEFT_OUT = {".jsonl", ".md", ".xml"}
ABSENT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Not made yet</title>
<style>
body {{ font: 1rem sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem; }}
body {{ background: Canvas; color: CanvasText; }}
a {{ color: LinkText; }}
</style>
<main>
<h1>Not made yet</h1>
<p>This matrix has not been made yet: <code>{command}</code> makes it, <code>make site</code> puts it here.
<p><a href="../index.html">Documentation</a>
</main>
</html>
"""


def linked(page: str) -> str:
    """A matrix's first page with a link to the documentation before its facts."""
    return page.replace(FACTS, f'{FACTS}<a href="../index.html">Documentation</a>. ', 1)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The files of the site, with the matrices among them."""
    for folder, (built, command) in MATRICES.items():
        found = sorted((BUILT / built).rglob("*"))
        for path in found:
            if path.is_file() and path.suffix not in LEFT_OUT:
                name = f"{folder}/{path.relative_to(BUILT / built).as_posix()}"
                if name == f"{folder}/index.html":
                    files.append(File.generated(config, name, content=linked(path.read_text("utf-8"))))
                else:
                    files.append(File.generated(config, name, abs_src_path=str(path)))
        index = f"{folder}/index.html"
        if files.get_file_from_path(index) is None:
            files.append(File.generated(config, index, content=ABSENT.format(command=command)))
    return files
