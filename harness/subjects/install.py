"""Installs a client into a folder of its own, and tells how to start its driver.

    $WIRECHECK_HOME/subjects/<name>-<pins>      or ~/.cache/wirecheck/subjects/…

A folder is made beside its place and moved there when it is whole, so that one that was left half-finished is
never used, and is taken away by the next installation; other pins are another folder. One of which something
is missing is made again. Installing needs the network, and is never part of a run.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib import util
from pathlib import Path

import msgspec

from harness.errors import NotInstalled, SubjectError
from harness.subjects import inventory
from harness.subjects.kept import Kept
from harness.subjects.table import Subject

DRIVERS = Path(__file__).parent / "drivers"
_GUARD = DRIVERS / "guard"
_LIMIT_S = 900
_BESIDE = "wirecheck-drivers"
Told = Callable[[str], None]


class Start(msgspec.Struct, frozen=True):
    """How a subject is started."""

    command: tuple[str, ...]
    environ: Mapping[str, str] = {}


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of everything that is installed."""
    if environ.get("WIRECHECK_HOME"):
        return Path(environ["WIRECHECK_HOME"]) / "subjects"
    cache = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "wirecheck" / "subjects"


def folder(subject: Subject, environ: Mapping[str, str] = os.environ) -> Path:
    """Where a client with these pins is, or would be."""
    pins = "\n".join((subject.language, f"{sys.version_info[:2]}", *subject.packages))
    return home(environ) / f"{subject.name}-{hashlib.sha256(pins.encode()).hexdigest()[:12]}"


def fault(subject: Subject) -> str:
    """Why a client cannot be started; empty when it can."""
    if subject.language == "ours":
        return ""
    place = folder(subject)
    if not place.is_dir():
        return "it is not installed"
    lost = inventory.missing(subject, place)
    return f"it is broken: {lost} is missing" if lost else ""


def installed(subject: Subject) -> bool:
    """Whether it can be started."""
    return not fault(subject)


def install(subject: Subject, told: Told = lambda line: None, *, again: bool = False) -> Path:
    """Install a client, unless it is and nothing of it is missing; ``again`` installs it anyway.

    Raises SubjectError, with nothing half-made left behind."""
    place = folder(subject)
    wrong = fault(subject)
    if not wrong and (not again or subject.language == "ours"):
        told(f"{subject.name} {subject.version} is installed in {place}")
        return place
    if place.is_dir():
        told(f"{subject.name}: {wrong or 'it is installed'}; installing it again")
    place.parent.mkdir(parents=True, exist_ok=True)
    _sweep(place.parent)
    with _half_made(place) as making:
        _INSTALLERS[subject.language](subject, making, told)
        inventory.keep(subject, making)
        if again or not installed(subject):  # or another one was quicker
            shutil.rmtree(place, ignore_errors=True)
            making.rename(place)
    told(f"{subject.name} {subject.version} is installed in {place}")
    return place


@contextlib.contextmanager
def _half_made(place: Path) -> Iterator[Path]:
    """A folder beside ``place``, locked while somebody works in it; it is gone afterwards, or was renamed."""
    making = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    held = os.open(making, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield making
    finally:
        os.close(held)
        shutil.rmtree(making, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Take away what installations that were killed have left behind: half-made folders that nobody holds."""
    for each in parent.glob(".*-*.*"):
        held = os.open(each, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(each, ignore_errors=True)
        except OSError:
            continue  # somebody works in it
        finally:
            os.close(held)


def _python(subject: Subject, making: Path, told: Told) -> None:
    told(f"making an environment for {subject.name}")
    ours = util.find_spec("pip") is not None  # then it is quicker to use it than to install another
    _do((sys.executable, "-m", "venv", *(("--without-pip",) if ours else ()), str(making)), making)
    told(f"installing {' '.join(subject.packages)}")
    python = str(inventory.interpreter(making))
    pip = (sys.executable, "-m", "pip", "--python", python) if ours else (python, "-m", "pip")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input", "--prefer-binary")
    _do((*pip, "install", *quiet, *subject.packages), making)


def _node(subject: Subject, making: Path, told: Told) -> None:
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise _missing(subject, "node and npm")
    told(f"installing {' '.join(subject.packages)}")
    (making / "package.json").write_text('{"private":true,"type":"module"}\n', "utf-8")
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", "--loglevel=error")
    _do(("npm", "install", *quiet, *subject.packages), making)


def _ours(subject: Subject, making: Path, told: Told) -> None:
    told("nothing is to be installed")


_INSTALLERS: Mapping[str, Callable[[Subject, Path, Told], None]] = {
    "python": _python,
    "node": _node,
    "ours": _ours,
}


def _do(command: tuple[str, ...], place: Path) -> None:
    """Run an installer, which ends with all it started when this process does."""
    with tempfile.TemporaryFile() as said:
        try:
            kept = Kept(
                command,
                os.environ,
                mark=secrets.token_hex(8),
                cwd=place,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        except OSError as refusal:
            raise SubjectError(
                "an installer cannot be started", seen=str(refusal), where=command[0]
            ) from None
        try:
            ended = kept.wait(_LIMIT_S)
        finally:
            kept.end()
        said.seek(0)
        words = said.read().decode("utf-8", "replace").strip()
    if not ended:
        raise SubjectError(
            "an installer did not end", expected=f"its end within {_LIMIT_S} s", seen=words[-400:]
        )
    if kept.child.returncode:
        raise SubjectError(
            "an installer failed",
            expected="exit code 0",
            seen=f"{kept.child.returncode}: {words[-400:]}",
            where=" ".join(command[-4:]),
            next_step="look whether the pinned version can be had, and whether there is a network",
        )


def _missing(subject: Subject, runtime: str) -> NotInstalled:
    return NotInstalled(
        f"{subject.name} needs {runtime}",
        expected=f"{runtime} on the PATH",
        seen="none",
        next_step=f"install {runtime}, then wirecheck subject install {subject.name}",
    )


def whole(subject: Subject) -> Path:
    """The folder of an installed client. Raises NotInstalled where something of it is missing."""
    wrong = fault(subject)
    if wrong:
        raise NotInstalled(
            f"{subject.name} cannot be started",
            expected=f"its installation in {folder(subject)}",
            seen=wrong,
            next_step=f"wirecheck subject install {subject.name}",
        )
    return folder(subject)


def start_of(subject: Subject) -> Start:
    """How an installed client is started, behind the guard. Raises NotInstalled."""
    if subject.language == "ours":
        module = ("-m", "harness.subjects.drivers.wirecheck_driver")
        return Start((sys.executable, *module), {"PYTHONPATH": _paths(_GUARD, DRIVERS.parents[2])})
    place = whole(subject)
    driver = DRIVERS / subject.driver  # an absolute path stays one
    if subject.language == "python":
        return Start(
            (str(inventory.interpreter(place)), str(driver)),
            {"PYTHONPATH": _paths(_GUARD, DRIVERS), **subject.environ},
        )
    node = shutil.which("node")
    if node is None:
        raise _missing(subject, "node")
    return Start((node, "--require", str(_GUARD / "guard.cjs"), str(_beside(place, driver))), subject.environ)


def guarded() -> Mapping[str, str]:
    """The variables that put the guard into any Python or Node program started with them."""
    return {"PYTHONPATH": str(_GUARD), "NODE_OPTIONS": f"--require {_GUARD / 'guard.cjs'}"}


def _paths(*places: Path) -> str:
    return os.pathsep.join(map(str, places))


def _beside(place: Path, driver: Path) -> Path:
    """The driver's file beside the client's modules, where alone node looks for them."""
    there = place / _BESIDE
    there.mkdir(exist_ok=True)
    shared = (path for path in DRIVERS.glob("*.mjs") if not path.stem.endswith("_node"))
    for source in (*shared, driver):
        content = source.read_bytes()
        target = there / source.name
        if not target.is_file() or target.read_bytes() != content:
            fresh = there / f".{source.name}.{os.getpid()}"
            fresh.write_bytes(content)
            fresh.replace(target)
    return there / driver.name
