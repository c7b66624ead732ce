"""A hook of MkDocs: puts the matrices into the site, page for page as they were made, and a link back; and
shows signs that need a font of their own as letters that every font has.

Result files stay out: they are large, and what they say is told by the others. Markdown is copied after the
site is built, because MkDocs would make pages of it. In place of a matrix that was not made there is a page
that says how, so that the links to it hold, and the clients' badges are those of the accepted matrix.
Follows on_files, on_page_content, on_post_build and ``File.generated`` of MkDocs 1.6,
https://www.mkdocs.org/dev-guide/plugins/#events, read 2026-11-21.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from harness.subjects import accepted

BUILT = Path(__file__).parent.parent / "build"
MATRICES = {  # by folder of the site: the folder below build/, and the command that makes it
    "matrix": ("matrix", "make matrix"),
    "client-matrix": ("clients", "wirecheck clients"),
}
FACTS = '<p class="facts">'
LEFT_OUT = {".jsonl"}
COPIED = {".md"}
SIGNS = {
    "✅": '<span class="sign yes" role="img" aria-label="yes">✓</span>',
    "❌": '<span class="sign no" role="img" aria-label="no">✗</span>',
}
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


def made(folder: str) -> Iterator[tuple[Path, str]]:
    """Each file of a matrix and its path in the site."""
    built = BUILT / MATRICES[folder][0]
    for path in sorted(built.rglob("*")):
        if path.is_file() and path.suffix not in LEFT_OUT and not path.name.startswith("."):
            yield path, f"{folder}/{path.relative_to(built).as_posix()}"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The files of the site, with the matrices among them."""
    for folder, (_, command) in MATRICES.items():
        index = f"{folder}/index.html"
        for path, name in made(folder):
            if name == index:
                files.append(File.generated(config, name, content=linked(path.read_text("utf-8"))))
            elif path.suffix not in COPIED:
                files.append(File.generated(config, name, abs_src_path=str(path)))
        if files.get_file_from_path(index) is None:
            files.append(File.generated(config, index, content=ABSENT.format(command=command)))
    for address, badge in accepted.badges():
        name = f"client-matrix/{address}"
        if files.get_file_from_path(name) is None:
            files.append(File.generated(config, name, content=badge))
    return files


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """A page's content, with the signs for yes and no in letters."""
    for sign, letter in SIGNS.items():
        html = html.replace(sign, letter)
    return html


def on_post_build(config: MkDocsConfig) -> None:
    """Put the Markdown of the matrices beside their pages, as it is."""
    for folder in MATRICES:
        for path, name in made(folder):
            if path.suffix in COPIED:
                target = Path(config.site_dir) / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
