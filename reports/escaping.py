"""Making a peer's words harmless: what a provider answered is shown, and never takes part.

``log`` is for what a CI system's log reader may take for a command of its own (GitHub's runner:
``::set-output …`` at the start of a line, ``##[set-env …]`` anywhere; ``src/Runner.Common/ActionCommand.cs``
of actions/runner, read 2026-11-21). ``visible`` is for every output: control characters (terminal escapes
among them), bidirectional overrides and what XML 1.0 cannot hold become visible. HTML is then escaped by
Jinja. ``markdown`` is for inline Markdown, in CommonMark's and Python-Markdown's common ground: a backslash
where both know it, a character reference elsewhere.
"""

from __future__ import annotations

import html
import re

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff\ufff9-\uffff]"
)
_PICTURES = {0x7F: "␡"} | {code: chr(0x2400 + code) for code in range(0x20)}

_MARKDOWN = re.compile(r"[\\`*_{}\[\]()#!<>&|~@]|://|(?i:www\.)|^[-+=]|^\d+[.)](?=\s|$)")
_COMMAND = re.compile(r"##\[|^\s*::")
_BACKSLASHED = frozenset("\\`*_{}[]()#!")


def visible(text: str) -> str:
    """``text`` with nothing in it that a terminal, a browser or an XML parser obeys; ESC is shown as ␛.
    Tab and line feed stay."""
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_shown, text)


def _shown(match: re.Match[str]) -> str:
    code = ord(match.group())
    return _PICTURES.get(code) or f"\\u{code:04x}"


def json(text: str) -> str:
    """``text``, which is JSON, as the same JSON: what ``visible`` changes is written as an escape."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def line(text: str) -> str:
    """``text`` as one line: ``visible``, with line feeds as ⏎ and tabs as spaces."""
    if text.isascii() and text.isprintable():
        return text
    return visible(text.replace("\r\n", "\n")).replace("\n", " ⏎ ").replace("\t", " ")


def log(text: str) -> str:
    """``text`` as one line in which a CI system finds no command; its two openings are broken by a space."""
    return _COMMAND.sub(_broken, line(text))


def _broken(match: re.Match[str]) -> str:
    found = match.group()
    return f"{found[:-1]} {found[-1]}"


def markdown(text: str) -> str:
    """``text`` as inline Markdown that shows it literally, on one line, also inside a table cell."""
    return _MARKDOWN.sub(_literal, line(text).strip())


def sources(text: str) -> str:
    """A requirement's sources as inline Markdown: addresses become links, anything else stays words."""
    return " ".join(
        f"<{word}>" if word.startswith("https://") and ">" not in word else markdown(word)
        for word in line(text).split(" ")
    )


def block(text: str) -> str:
    """``text`` as the content of an HTML block inside Markdown, which some readers search for fences."""
    return html.escape(visible(text)).replace("`", "&#96;").replace("~", "&#126;")


def _literal(match: re.Match[str]) -> str:
    found = match.group()
    if found in _BACKSLASHED:
        return f"\\{found}"
    if found[0].isdigit():
        return f"{found[:-1]}\\{found[-1]}"
    if found == "://":
        return "&#58;//"
    return "".join(f"&#{ord(character)};" for character in found)
