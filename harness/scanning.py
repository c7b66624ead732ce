"""Looks through files for what must not be published: ``wirecheck scan``. Changes nothing.

Every file is searched by the rules of ``harness.redaction``: as UTF-8, as UTF-16 where it looks like that,
and unpacked where it is gzip. The head of an exchange is also held to the rules of recording, field by field.
A link, another kind of archive and a file that cannot be read are told, for nobody looked into them.
"""

from __future__ import annotations

import codecs
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from harness.errors import ExchangeCorrupt, UnusableInput
from harness.exchange import HEAD_SUFFIX, read_head
from harness.keeping import unredacted
from harness.redaction import find_secrets

_MOST_BYTES = 256 * 1024 * 1024
_GZIP = b"\x1f\x8b"
_PACKED = {
    b"PK\x03\x04": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
    b"7z\xbc\xaf\x27\x1c": "7z",
}
_LOOKED_AT = 256  # bytes by which UTF-16 without a mark is known


class Scanned(msgspec.Struct, frozen=True):
    """What is in a file, shortened beyond use. ``unread`` says why nobody looked; empty when it was read."""

    file: Path
    secrets: tuple[str, ...] = ()
    unread: str = ""


def scan(paths: Sequence[Path]) -> Iterator[Scanned]:
    """Every file below ``paths`` that holds something or could not be read, by name.

    Raises UnusableInput for a path that does not exist.
    """
    missing = [str(path) for path in paths if not os.path.lexists(path)]
    if missing:
        raise UnusableInput("the path does not exist", seen=", ".join(missing))
    for file, why in sorted(each for path in paths for each in _below(path)):
        found = Scanned(file, unread=why) if why else _scanned(file)
        if found.secrets or found.unread:
            yield found


def _below(path: Path) -> Iterator[tuple[Path, str]]:
    """The files of a folder at any depth, and why one cannot be read; a link is not followed."""
    if path.is_symlink():
        yield path, "it is a link"
    elif path.is_dir():
        try:
            inside = list(path.iterdir())
        except OSError as refusal:
            yield path, refusal.strerror or str(refusal)
            return
        for each in inside:
            yield from _below(each)
    else:
        yield path, "" if path.is_file() else "it is no ordinary file"


def _scanned(file: Path) -> Scanned:
    try:
        raw = file.read_bytes()
        plain = _unpacked(raw)
    except (OSError, zlib.error, UnusableInput) as refusal:
        return Scanned(file, unread=str(refusal))
    secrets = [each for text in _texts(plain) for each in find_secrets(text)]
    if file.name.endswith(HEAD_SUFFIX):
        try:
            secrets += unredacted(read_head(plain, file))
        except ExchangeCorrupt as fault:
            return Scanned(file, tuple(secrets), str(fault))
    return Scanned(file, tuple(dict.fromkeys(secrets)))


def _unpacked(raw: bytes) -> bytes:
    """The bytes of a file, or of what gzip packed, one member after the other."""
    kind = next((name for magic, name in _PACKED.items() if raw.startswith(magic)), "")
    if kind:
        raise UnusableInput(f"it is packed by {kind}")
    out = bytearray()
    if not raw.startswith(_GZIP):
        return raw
    while raw.startswith(_GZIP):
        undo = zlib.decompressobj(zlib.MAX_WBITS | 16)
        out += undo.decompress(raw, _MOST_BYTES - len(out))
        if not undo.eof:
            raise UnusableInput("what gzip packed is cut off, or too large")
        raw = undo.unused_data
    return bytes(out + raw)


def _texts(raw: bytes) -> Iterator[str]:
    yield raw.decode("utf-8", "replace")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield raw.decode("utf-16", "replace")
        return
    head = raw[:_LOOKED_AT]
    for start, coding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(head) > 1 and not any(head[start::2]):
            yield raw.decode(coding, "replace")
