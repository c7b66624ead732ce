"""The disk behind the dialects: private from the first byte, whole or not at all, one writer at a time."""

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from providers.dialects import files, pi, zot
from providers.dialects.resolved import Command
from providers.errors import DialectFault


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_private_from_its_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The neighbour that takes the file's place is 0600 before anything is written, whatever the umask."""
    seen: list[int] = []
    real = os.fsync

    def watched(handle: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(handle).st_mode))
        real(handle)

    monkeypatch.setattr(os, "fsync", watched)
    old = os.umask(0)
    try:
        files.edit_json(tmp_path / "state" / "auth.json", lambda _: {"a": 1})
    finally:
        os.umask(old)
    assert seen == [0o600]
    assert _mode(tmp_path / "state" / "auth.json") == 0o600
    assert _mode(tmp_path / "state") == 0o700


def test_unknown_keys_stay(tmp_path: Path) -> None:
    """A change of one entry keeps what it does not know, at every depth."""
    path = tmp_path / "auth.json"
    path.write_text('{"mood": {"x": [1]}, "groq": {"type": "api_key", "key": "old", "note": "n"}}')
    files.edit_json(path, lambda document: pi.with_key(document, "groq", "new"))
    found = json.loads(path.read_text())
    assert found == {"mood": {"x": [1]}, "groq": {"note": "n", "type": "api_key", "key": "new"}}


def test_a_broken_file_is_left_as_it_is(tmp_path: Path) -> None:
    """Nothing is written over a file that cannot be read."""
    path = tmp_path / "auth.json"
    path.write_bytes(b'{"a": ')
    with pytest.raises(DialectFault):
        files.edit_json(path, lambda document: zot.with_key(document, "groq", "k"))
    assert path.read_bytes() == b'{"a": '


def test_a_failing_write_leaves_the_old_file_and_no_neighbour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the new file cannot take its place the old one stays and nothing else is left."""
    path = tmp_path / "auth.json"
    path.write_text("{}")

    def broken(source: Any, target: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="no space"):
        files.edit_json(path, lambda _: {"a": 1})
    assert path.read_text() == "{}"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["auth.json", "auth.json.lock"]


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    """Of many writers at once each one's entry is in the file."""
    path = tmp_path / "auth.json"

    def write(number: int) -> None:
        files.edit_json(path, lambda document: pi.with_key(document, f"p{number}", "k"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(json.loads(path.read_text())) == {f"p{number}" for number in range(12)}


def test_an_unchanged_file_is_not_written(tmp_path: Path) -> None:
    """A change that changes nothing leaves the very same file."""
    path = tmp_path / "auth.json"
    files.edit_json(path, lambda _: {"a": 1})
    before = path.stat().st_ino
    files.edit_json(path, lambda document: document)
    assert path.stat().st_ino == before


@pytest.mark.parametrize(
    ("text", "output"),
    [
        pytest.param("printf ' key \\n'", "key", id="trimmed"),
        pytest.param("exit 3", None, id="failing"),
        pytest.param("echo key; exit 3", None, id="failing after output"),
        pytest.param("true", None, id="silent"),
        pytest.param("echo key >&2", None, id="on standard error"),
        pytest.param("printf 'a\\nb'", "a\nb", id="several lines"),
    ],
)
def test_a_command_gives_its_trimmed_output(text: str, output: str | None) -> None:
    """Standard output counts, standard error and failures do not."""
    assert files.Runner()(Command((text,), {})) == output


def test_a_hanging_command_is_killed_with_its_children() -> None:
    """A command that does not end in time gives nothing, and is gone."""
    assert files.Runner()(Command(("sleep 30 & sleep 30",), {}, timeout_s=0.2)) is None


def test_a_missing_program_gives_nothing() -> None:
    """A program that is not there is no crash."""
    assert files.Runner()(Command(("no-such-program-here",), {}, shell=False)) is None


def test_a_cached_command_runs_once() -> None:
    """The same command is run once a process when its output is kept."""
    run = files.Runner()
    command = Command(("echo key",), {}, cached=True)
    assert [run(command), run(command), run.count] == ["key", "key", 1]


def test_a_folder_where_a_file_should_be_is_a_typed_fault(tmp_path: Path) -> None:
    """What cannot be read is told by name."""
    (tmp_path / "auth.json").mkdir()
    with pytest.raises(DialectFault, match=r"auth\.json cannot be read"):
        files.Folder(tmp_path, tmp_path)["auth.json"]
