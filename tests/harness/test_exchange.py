"""Tests of exchanges on disk: what is written is read again, and what is broken is told."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.errors import ExchangeCorrupt, ExchangeNotFound, RecordingError, UnusableInput
from harness.exchange import Exchange, folder, load, save, save_scenario, scenarios_of, walk
from providers.wire import Request
from reports.errors import UnwritableReport

SOUND = Exchange(
    provider="p",
    protocol="q",
    scenario="s",
    request=Request("POST", "https://p.example/v1", (("Accept", "*/*"),), b'{"a":1}'),
    status=200,
    headers=(("Content-Type", "application/json"), ("X", "1"), ("X", "2")),
    content=b"\xff\x00body\r\n",
    boundaries=(3, 8),
    delays_ms=(0, 12),
    origin="documented",
    date=date(2026, 11, 21),
    source="https://p.example/docs",
    model="m",
)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
pairs = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    """Exchanges with any bytes, cut at any places."""
    content = draw(st.binary(max_size=40))
    ends = sorted(draw(st.sets(st.integers(1, len(content)), max_size=4))) if content else []
    boundaries = tuple(dict.fromkeys((*ends, len(content)))) if content else ()
    delays = draw(st.lists(st.integers(0, 10**6), min_size=len(boundaries), max_size=len(boundaries)))
    return replace(
        SOUND,
        request=Request("POST", draw(texts), draw(pairs), draw(st.binary(max_size=20))),
        status=draw(st.integers(100, 599)),
        headers=draw(pairs),
        content=content,
        boundaries=boundaries,
        delays_ms=tuple(delays),
        origin=draw(st.sampled_from(("recorded", "imported", "documented", "synthetic"))),
        source=draw(texts),
        model=draw(texts),
        licence=draw(texts),
        redactions=tuple(draw(st.lists(texts, max_size=2))),
    )


@given(exchange=exchanges())
def test_what_is_written_is_read_again(exchange: Exchange) -> None:
    """Reading a saved exchange gives it back, byte for byte."""
    with TemporaryDirectory() as root:
        save(Path(root), exchange)
        assert load(Path(root), "p", "q", "s") == (exchange,)


@given(exchange=exchanges())
def test_chunks_add_up_to_the_content(exchange: Exchange) -> None:
    """The chunks are the content, cut."""
    assert b"".join(exchange.chunks) == exchange.content


def test_turns_are_read_in_order(tmp_path: Path) -> None:
    """The tenth turn comes after the second."""
    for turn in (10, 2, 1):
        save(tmp_path, replace(SOUND, turn=turn))
    assert [each.turn for each in load(tmp_path, "p", "q", "s")] == [1, 2, 10]
    assert list(walk(tmp_path)) == [("p", "q", "s")]
    assert scenarios_of(tmp_path, "p", "q") == ("s",)


def test_an_absent_exchange_says_how_to_make_it(tmp_path: Path) -> None:
    """ExchangeNotFound names the place and the next step."""
    with pytest.raises(ExchangeNotFound) as caught:
        load(tmp_path, "p", "q", "s")
    assert caught.value.where == "p/q/s"
    assert caught.value.next_step


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/etc", "a\\b", "a\0b"])
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    """A provider, protocol or scenario that would lead elsewhere is refused, to read and to write."""
    for change in ({"provider": name}, {"protocol": name}, {"scenario": name}):
        with pytest.raises(UnusableInput):
            save(tmp_path, replace(SOUND, **change))
    with pytest.raises(UnusableInput):
        folder(tmp_path, "p", "q", name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("body", ["1.request.body", "1.response.body"])
def test_a_missing_body_file_is_named(tmp_path: Path, body: str) -> None:
    """An exchange without one of its bodies is corrupt, and the file is named."""
    (save(tmp_path, SOUND) / body).unlink()
    with pytest.raises(ExchangeCorrupt) as caught:
        load(tmp_path, "p", "q", "s")
    assert caught.value.expected == body
    assert caught.value.where == "p/q/s/1.exchange.toml"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('origin = "documented"', 'origin = "guessed"'),
        ('origin = "documented"', ""),
        ("date = 2026-11-21", 'date = "2026-11-21"'),
        ("status = 200", 'status = "200"'),
        ("status = 200", "status = 99"),
        ("status = 200", "status = true"),
        ("[request]", "[requested]"),
        ("[request]", "[request"),
        ("        8,", "        9,"),
        ("        3,", "        8,"),
        ("        3,", '        "3",'),
        ("        3,", "        -3,"),
        ("        12,", ""),
        ('"Accept"', '"Accept", "x"'),
        ('method = "POST"', "method = 7"),
        ('model = "m"', "model = 7"),
        ('url = "https://p.example/v1"', "url = []"),
        ('source = "https://p.example/docs"', "source = 1"),
        ("        12,", '        "x",'),
    ],
)
def test_a_broken_head_is_corrupt(tmp_path: Path, old: str, new: str) -> None:
    """Broken TOML, an absent or wrongly typed value and boundaries that do not fit are told with the file."""
    path = save(tmp_path, SOUND) / "1.exchange.toml"
    head = path.read_text()
    assert old in head
    path.write_text(head.replace(old, new, 1))
    with pytest.raises(ExchangeCorrupt) as caught:
        load(tmp_path, "p", "q", "s")
    assert caught.value.where == "p/q/s/1.exchange.toml"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"x = 1"])
def test_a_file_that_is_no_head_is_corrupt(tmp_path: Path, content: bytes) -> None:
    """Bytes that are no UTF-8, nothing at all and another TOML file are corrupt."""
    path = save(tmp_path, SOUND) / "1.exchange.toml"
    path.write_bytes(content)
    with pytest.raises(ExchangeCorrupt):
        load(tmp_path, "p", "q", "s")


def test_a_stray_name_is_corrupt(tmp_path: Path) -> None:
    """A head that is not named after its turn is told."""
    place = save(tmp_path, SOUND)
    (place / "one.exchange.toml").write_text("")
    with pytest.raises(ExchangeCorrupt):
        load(tmp_path, "p", "q", "s")


def test_a_failed_save_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a file cannot take its place, the old exchange can still be read and nothing is left over."""
    place = save(tmp_path, SOUND)
    before = sorted(place.iterdir())

    def refuse(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(UnwritableReport):
        save(tmp_path, replace(SOUND, content=b"new", boundaries=(3,), delays_ms=(0,)))
    assert sorted(place.iterdir()) == before
    assert load(tmp_path, "p", "q", "s") == (SOUND,)


def test_a_scenario_is_replaced_whole(tmp_path: Path) -> None:
    """A shorter story leaves no turn of the longer one, and nothing beside it is taken for a fixture."""
    save_scenario(tmp_path, (SOUND, replace(SOUND, turn=2)))
    newer = replace(SOUND, origin="recorded", content=b"newer", boundaries=(5,), delays_ms=(7,))
    assert save_scenario(tmp_path, (newer,)) == folder(tmp_path, "p", "q", "s")
    assert load(tmp_path, "p", "q", "s") == (newer,)
    assert [*walk(tmp_path)] == [("p", "q", "s")]


def test_a_recording_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is told as ours, and the old exchange stays; the next recording clears what was left."""
    save_scenario(tmp_path, (SOUND,))
    real = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.name == "1.exchange.toml":
            raise OSError(28, "No space left on device")
        return real(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(RecordingError, match="No space left"):
            save_scenario(tmp_path, (replace(SOUND, origin="recorded"),))
    assert load(tmp_path, "p", "q", "s") == (SOUND,)
    save_scenario(tmp_path, (replace(SOUND, origin="recorded"),))
    assert [path.name for path in (tmp_path / ".recording").iterdir()] == ["lock"]


_KILLED = """
import os, signal, sys
from itertools import count
from pathlib import Path
from msgspec.structs import replace
from harness.exchange import load, save_scenario

root = Path(sys.argv[1])
old = load(root, "p", "q", "s")
new = tuple(replace(each, content=b"new", boundaries=(3,), delays_ms=(0,)) for each in (*old, *old))
new = tuple(replace(each, turn=turn) for turn, each in enumerate(new, 1))


def killed_at(moment):
    lines = 0

    def each_line(frame, event, argument):
        nonlocal lines
        lines += event == "line"
        if lines == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return each_line

    def ours(frame, event, argument):
        writes = frame.f_code.co_filename.endswith(("exchange.py", "files.py", "shutil.py"))
        return each_line if writes else None

    sys.settrace(ours)
    save_scenario(root, new)
    os._exit(0)


seen = []
for moment in count(1):
    child = os.fork() or killed_at(moment)
    if os.waitpid(child, 0)[1] == 0:
        break
    there = load(root, "p", "q", "s")
    assert there in (old, new), moment
    seen.append(there == new)
    save_scenario(root, old)
    assert [path.name for path in (root / ".recording").iterdir()] == ["lock"]
print(len(seen), sum(seen))
"""


def test_a_killed_recorder_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    """Killed at each line of what it does, it leaves a whole story, and nothing in the next one's way."""
    save_scenario(tmp_path, (SOUND, replace(SOUND, turn=2)))
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    moments, new = map(int, done.stdout.split())
    assert moments > 100
    assert 0 < new < moments


_FULL = """
import resource, sys
from pathlib import Path
from msgspec.structs import replace
from harness.errors import RecordingError
from harness.exchange import load, save_scenario

root = Path(sys.argv[1])
(old,) = load(root, "p", "q", "s")
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    save_scenario(root, (replace(old, content=bytes(5000), boundaries=(5000,), delays_ms=(0,)),))
except RecordingError as told:
    print(told)
"""


def test_a_file_that_the_system_does_not_take_leaves_the_old_one(tmp_path: Path) -> None:
    """The system's own limit, met in the middle of a file, is told with the fixture's name."""
    save_scenario(tmp_path, (SOUND,))
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "the recording cannot be written; the old one is as it was" in done.stdout
    assert "seen: File too large; where: p/q/s" in done.stdout
    assert load(tmp_path, "p", "q", "s") == (SOUND,)


_MANY = """
import sys
from pathlib import Path
from msgspec.structs import replace
from harness.exchange import load, save_scenario
root, letter = Path(sys.argv[1]), sys.argv[2].encode()
old, *_ = load(root, "p", "q", "s")
new = replace(old, content=letter * 1000, boundaries=(1000,), delays_ms=(0,))
for _ in range(40):
    save_scenario(root, (new, replace(new, turn=2)))
"""


def test_two_recorders_take_turns(tmp_path: Path) -> None:
    """Both write the same scenario at once; what is there in the end is one of them, whole."""
    save_scenario(tmp_path, (SOUND,))
    commands = [[sys.executable, "-c", _MANY, str(tmp_path), letter] for letter in "ab"]
    running = [subprocess.Popen(command) for command in commands]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    first, second = load(tmp_path, "p", "q", "s")
    assert first.content == second.content
    assert first.content in (b"a" * 1000, b"b" * 1000)


@pytest.mark.parametrize("linked", [".recording", ".recording/lock"])
def test_the_recorders_folder_is_no_link(tmp_path: Path, linked: str) -> None:
    """A link in its place is refused: what it leads to is neither emptied nor cut."""
    precious = tmp_path / "precious"
    (precious / "kept").mkdir(parents=True)
    (tmp_path / "notes").write_text("kept")
    root = tmp_path / "fixtures"
    (root / linked).parent.mkdir(parents=True)
    (root / linked).symlink_to(precious if linked == ".recording" else tmp_path / "notes")
    with pytest.raises(ExchangeCorrupt, match="link"):
        save_scenario(root, (SOUND,))
    assert (precious / "kept").is_dir()
    assert (tmp_path / "notes").read_text() == "kept"


def test_a_confirmed_exchange_is_read_again(tmp_path: Path) -> None:
    """The day on which its shape was last seen is kept beside the day on which it was recorded."""
    confirmed = replace(SOUND, origin="recorded", confirmed=date(2026, 11, 20))
    save_scenario(tmp_path, (confirmed,))
    assert load(tmp_path, "p", "q", "s") == (confirmed,)


def test_a_link_is_no_fixture(tmp_path: Path) -> None:
    """Neither a reader nor a writer follows a link out of the folder of fixtures."""
    save_scenario(tmp_path / "elsewhere", (SOUND,))
    (tmp_path / "fixtures/p/q").mkdir(parents=True)
    (tmp_path / "fixtures/p/q/s").symlink_to(tmp_path / "elsewhere/p/q/s")
    with pytest.raises(ExchangeCorrupt, match="link"):
        load(tmp_path / "fixtures", "p", "q", "s")
    with pytest.raises(ExchangeCorrupt, match="link"):
        save_scenario(tmp_path / "fixtures", (SOUND,))
    assert load(tmp_path / "elsewhere", "p", "q", "s") == (SOUND,)


@pytest.mark.parametrize("field", ["date", "confirmed"])
def test_an_answer_from_the_future_is_refused(tmp_path: Path, field: str) -> None:
    """What would never grow old is corrupt; a documented date is its source's own affair."""
    coming = replace(SOUND, **{field: date(9999, 1, 1)})
    save(tmp_path, coming)
    assert load(tmp_path, SOUND.provider, SOUND.protocol, SOUND.scenario) == (coming,)
    save(tmp_path, replace(coming, origin="recorded"))
    with pytest.raises(ExchangeCorrupt, match="in the future"):
        load(tmp_path, SOUND.provider, SOUND.protocol, SOUND.scenario)
