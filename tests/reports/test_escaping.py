"""Making a peer's words harmless."""

from __future__ import annotations

import html
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import escaping

ANY_TEXT = st.text(st.characters(), max_size=30)
MARKUP_TEXT = st.text("\\`*_{}[]()#!<>&|~@:/w.-+=1 \n\rab", max_size=20)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("é 漢 🎉\n\tkept", "é 漢 🎉\n\tkept"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("bell\x07 null\x00 del\x7f", "bell␇ null␀ del␡"),
        ("csi\x9b31m", "csi\\u009b31m"),
        ("over\u202eride", "over\\u202eride"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("half \ud83c", "half \\ud83c"),
        ("not XML \ufffe", "not XML \\ufffe"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    """What a terminal, a browser or an XML parser would obey is shown instead."""
    assert escaping.visible(text) == shown


@given(ANY_TEXT)
def test_visible_text_is_lawful_xml_and_utf8(text: str) -> None:
    """Whatever came, what is shown can be written as UTF-8 and stands in an XML document."""
    shown = escaping.visible(text)
    assert "\x1b" not in shown
    assert ElementTree.fromstring(f"<a>{html.escape(shown)}</a>".encode()).text in (shown, None)
    assert escaping.visible(shown) == shown


@given(ANY_TEXT)
def test_line_is_one_line(text: str) -> None:
    """A line has no line break that any reader of lines knows."""
    assert len(escaping.line(text).splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::set-output name=a::b", ": :set-output name=a::b"),
        (" \t::error::x", "  : :error::x"),
        ("fine\n::stop-commands::x", "fine ⏎ ::stop-commands::x"),
        ("see ##[set-env name=PATH;]/tmp", "see ## [set-env name=PATH;]/tmp"),
        ("100%0A::error::x", "100%0A::error::x"),
        ("std::vector", "std::vector"),
    ],
)
def test_log(text: str, shown: str) -> None:
    """A log reader finds no command at the start of a line, nor the older form anywhere."""
    assert escaping.log(text) == shown


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("finish_reason", "finish\\_reason"),
        ("a|b", "a&#124;b"),
        ("`code`", "\\`code\\`"),
        ("<script>", "&#60;script&#62;"),
        ("&lt;", "&#38;lt;"),
        ("[x](javascript:alert)", "\\[x\\]\\(javascript:alert\\)"),
        ("https://evil.test", "https&#58;//evil.test"),
        ("www.evil.test", "&#119;&#119;&#119;&#46;evil.test"),
        ("a\nb", "a ⏎ b"),
        ("- item", "&#45; item"),
        ("1. item", "1\\. item"),
        ("0.1.0", "0.1.0"),
        ("{{ macro }}", "\\{\\{ macro \\}\\}"),
    ],
)
def test_markdown(text: str, written: str) -> None:
    """Every character that Markdown gives a meaning to is escaped where it has one."""
    assert escaping.markdown(text) == written


@given(MARKUP_TEXT)
def test_markdown_keeps_nothing_active(text: str) -> None:
    """Outside of escapes and references no active character is left, and reading them gives the text."""
    written = escaping.markdown(text)
    inert = re.sub(r"\\[\\`*_{}\[\]()#!.)]|&#\d+;", " ", written)
    assert not re.search(r"[\\`*_{}\[\]()#!<>&|~@\n]|://|(?i:www\.)", inert)
    assert html.unescape(re.sub(r"\\([\\`*_{}\[\]()#!.)])", r"\1", written)) == escaping.line(text).strip()


def test_each_address_of_several_sources_is_a_link() -> None:
    """Two addresses are two links; words beside them stay words."""
    told = escaping.sources("https://a.example/x https://b.example/#y RFC 9110, section <15>")
    assert (
        told == f"<https://a.example/x> <https://b.example/#y> {escaping.markdown('RFC 9110, section <15>')}"
    )


@given(MARKUP_TEXT)
def test_block_has_no_tag_and_no_fence(text: str) -> None:
    """Inside an HTML block of a Markdown page nothing is a tag, a reference or a code fence."""
    written = escaping.block(text)
    assert not re.search(r"[<>`~\"']", written)
    assert html.unescape(written) == escaping.visible(text)
