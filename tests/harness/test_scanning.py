"""Tests that a scan finds what recording would not have kept, and tells what it did not look at."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from harness.cli import app
from harness.errors import UnusableInput
from harness.exchange import Exchange, save
from harness.scanning import scan
from providers.wire import Request

MAIL = "write to ada@analytical.org"
KEPT = Exchange(
    provider="groq",
    protocol="openai-completions",
    scenario="text",
    request=Request("POST", "https://host.example/v1", (("Authorization", "Bearer [redacted]"),), b"{}"),
    status=200,
    headers=(("content-type", "application/json"),),
    content=b"{}",
    boundaries=(2,),
    origin="recorded",
    date=date(2026, 11, 20),
    source="groq answering",
)


def told(root: Path) -> list[str]:
    return [secret for each in scan([root]) for secret in each.secrets]


def asked(*fields: tuple[str, str], url: str = KEPT.request.url) -> Exchange:
    return replace(KEPT, request=Request("POST", url, fields, b"{}"))


@pytest.mark.parametrize(
    ("exchange", "named"),
    [
        (asked(("Authorization", "Bearer short")), "field Authorization"),
        (asked(("Authorization", "short")), "field Authorization"),
        (asked(("api-key", "short")), "field api-key"),
        (asked(("x-goog-api-key", "short")), "field x-goog-api-key"),
        (asked(("Cookie", "a=b")), "field Cookie"),
        (asked(("OpenAI-Organization", "acme")), "field OpenAI-Organization"),
        (asked(url="https://host.example/v1?key=short"), "parameter key"),
        (asked(url="https://host.example/v1?X-Amz-Credential=short"), "parameter X-Amz-Credential"),
        (asked(url="https://me:word@host.example/v1"), "user information"),
        (replace(KEPT, headers=(("set-cookie", "a=b"),)), "field set-cookie"),
        (replace(KEPT, headers=(("x-internal", "h"),)), "not on the list"),
        (replace(asked(("x-internal", "h")), origin="imported"), "not on the list"),
    ],
)
def test_the_heads_of_an_exchange_are_held_to_the_rules_of_recording(
    tmp_path: Path, exchange: Exchange, named: str
) -> None:
    """A value of any shape is told where its field, its parameter or its place says what it is."""
    save(tmp_path, exchange)
    assert named in " ".join(told(tmp_path))


def test_what_recording_keeps_is_no_secret(tmp_path: Path) -> None:
    """An exchange with its credential replaced passes, and so do the other fields of a documented one."""
    save(tmp_path, KEPT)
    save(tmp_path, replace(KEPT, scenario="other", origin="documented", headers=(("vary", "x"),)))
    assert list(scan([tmp_path])) == []


@pytest.mark.parametrize(
    "raw",
    [
        gzip.compress(MAIL.encode()),
        gzip.compress(b"nothing") + gzip.compress(MAIL.encode()),
        MAIL.encode("utf-16"),
        MAIL.encode("utf-16-le"),
        MAIL.encode("utf-16-be"),
    ],
    ids=["gzip", "members", "utf-16", "utf-16-le", "utf-16-be"],
)
def test_a_file_is_searched_whatever_holds_its_text(tmp_path: Path, raw: bytes) -> None:
    """Packed text and text in two bytes a character are read."""
    (tmp_path / "a.bin").write_bytes(raw)
    assert len(told(tmp_path)) == 1


def test_what_nobody_looked_at_is_told(tmp_path: Path) -> None:
    """A link, an archive, a packed file that is cut off and a head that is none make the scan fail."""
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04")
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"x" * 100)[:-9])
    (tmp_path / "c.exchange.toml").write_text("x = 1")
    (tmp_path / "d").symlink_to(tmp_path / "a.zip")
    result = CliRunner().invoke(app, ["scan", str(tmp_path)])
    assert result.exit_code == 1
    assert result.output.count("not looked at:") == 4
    assert "0 secrets found, 4 files not looked at" in result.output


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A name that was misspelt is not a clean scan."""
    with pytest.raises(UnusableInput, match="does not exist"):
        list(scan([tmp_path / "x"]))
