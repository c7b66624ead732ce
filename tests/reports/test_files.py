"""Tests of writing files and folders whole or not at all."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports import files
from reports.errors import UnwritableReport

ROOT = Path(__file__).parent.parent.parent
PUBLISHER = """
import itertools, sys
from pathlib import Path
from reports import files
for turn in itertools.count():
    what = b"%d" % turn * 2000
    files.publish(Path(sys.argv[1]), ((f"{n % 7}/{n}.html", what) for n in range(40)))
    print(turn, flush=True)
"""


def _said(folder: Path) -> dict[str, str]:
    """What a folder holds, without the list of what was published."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".published"
    }


def test_a_killed_process_leaves_the_pages_of_one_run(tmp_path: Path) -> None:
    """Killed at whatever moment, the folder holds all pages of one publication, and what else was there."""
    place = tmp_path / "out"
    place.mkdir()
    (place / "results.jsonl").write_text("kept")
    caught = set()
    for round_number in range(16):
        publisher = subprocess.Popen(
            [sys.executable, "-c", PUBLISHER, str(place)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
        )
        assert publisher.stdout
        with publisher.stdout:
            publisher.stdout.readline()
            time.sleep(round_number * 0.0013)
            publisher.kill()
            publisher.wait()
        said = _said(place)
        assert said.pop("results.jsonl") == "kept"
        assert (len(said), len(set(said.values()))) == (40, 1)
        caught.add(len(list(tmp_path.glob(".out.*"))))
    assert len(caught) > 1, "no process was killed while it published"


def test_a_reader_always_finds_the_folder(tmp_path: Path) -> None:
    """While it is exchanged again and again, a reader finds the first page at every look."""
    place = tmp_path / "out"
    files.publish(place, [("index.html", b"")])
    publisher = subprocess.Popen(
        [sys.executable, "-c", PUBLISHER.replace("{n % 7}/{n}", "index"), str(place)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    assert publisher.stdout
    with publisher.stdout:
        publisher.stdout.readline()
        looks = [(place / "index.html").exists() for _ in range(2000)]
        publisher.kill()
        publisher.wait()
    assert all(looks)


def test_pages_of_an_earlier_run_go_and_other_files_stay(tmp_path: Path) -> None:
    """What only the publication before put there is gone; what no publication put there is kept."""
    place = tmp_path / "out"
    files.publish(place, [("index.html", b"1"), ("providers/gone.html", b"1")])
    (place / "notes" / "of mine").mkdir(parents=True)
    (place / "notes" / "of mine" / "a.txt").write_text("kept")
    (place / "notes" / "link").symlink_to("of mine")
    place.chmod(0o750)
    with (place / "results.jsonl").open("w") as open_file:
        assert files.publish(place, [("index.html", b"2"), ("b.html", b"2")]) == [
            place / "index.html",
            place / "b.html",
        ]
        open_file.write("written on")
    assert _said(place) == {
        "index.html": "2",
        "b.html": "2",
        "notes/of mine/a.txt": "kept",
        "results.jsonl": "written on",
    }
    assert (place / "notes" / "link").readlink() == Path("of mine")
    assert place.stat().st_mode & 0o777 == 0o750
    assert list(tmp_path.iterdir()) == [place]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    """When making the pages fails, the old ones are all there and nothing is left beside them."""

    def failing() -> Iterator[tuple[str, bytes]]:
        yield "index.html", b"new"
        raise KeyError("the third page")

    files.publish(tmp_path / "out", [("index.html", b"old")])
    with pytest.raises(KeyError):
        files.publish(tmp_path / "out", failing())
    assert _said(tmp_path) == {"out/index.html": "old"}


def test_a_file_is_no_place_for_pages(tmp_path: Path) -> None:
    """A file where the folder should be is refused, and stays."""
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UnwritableReport, match="cannot be written"):
        files.publish(tmp_path / "out", [("index.html", b"")])
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("refused", ["beside", "moved", "stood on"])
def test_a_folder_that_cannot_be_moved_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    """Where no folder can be made beside, or names cannot be exchanged, files are put there one by one."""
    place = tmp_path / "out"
    files.publish(place, [("index.html", b"1"), ("old.html", b"1")])
    inode = place.stat().st_ino

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "no")

    if refused == "beside":
        monkeypatch.setattr("reports.files.tempfile.mkdtemp", refuse)
    elif refused == "moved":
        monkeypatch.setattr("reports.files._exchanged", refuse)
    else:
        monkeypatch.chdir(place)
    files.publish(place, [("index.html", b"2"), ("a/b.html", b"2")])
    assert _said(place) == {"index.html": "2", "a/b.html": "2"}
    assert place.stat().st_ino == inode
    assert list(tmp_path.iterdir()) == [place]


def test_two_renames_do_where_names_cannot_be_exchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system without an exchange of names gets the new folder in two steps."""
    monkeypatch.setattr("reports.files._exchanged", lambda *_: False)
    place = tmp_path / "out"
    for said in (b"1", b"2"):
        files.publish(place, [("index.html", said)])
    assert _said(tmp_path) == {"out/index.html": "2"}


def test_a_name_that_leads_out_is_not_put_away(tmp_path: Path) -> None:
    """A list of what was published that was tampered with removes nothing outside the folder."""
    place = tmp_path / "out"
    (tmp_path / "mine").write_text("mine")
    files.publish(place, [("index.html", b"1")])
    (place / ".published").write_text(f"../mine\n{tmp_path}/mine\n")
    files.publish(place, [("index.html", b"2")])
    assert (tmp_path / "mine").read_text() == "mine"
