"""Installs a client into a folder of its own, and tells how to start its driver.

    $WIRECHECK_HOME/subjects/<name>-<pins>      or ~/.cache/wirecheck/subjects/…

A folder is made beside its place and moved there when it is whole, so that one that was left half-finished is
never used; other pins are another folder. Installing needs the network, and is never part of a run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib import util
from pathlib import Path

import msgspec

from harness.errors import NotInstalled, SubjectError
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


def installed(subject: Subject) -> bool:
    """Whether it can be started."""
    return subject.language == "ours" or folder(subject).is_dir()


def install(subject: Subject, told: Told = lambda line: None) -> Path:
    """Install a client, unless it is. Raises SubjectError, with nothing left behind."""
    place = folder(subject)
    if installed(subject):
        told(f"{subject.name} {subject.version} is installed in {place}")
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    _sweep(place)
    making = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        _INSTALLERS[subject.language](subject, making, told)
        try:
            making.rename(place)
        except OSError:
            if not place.is_dir():  # another one was quicker
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    told(f"{subject.name} {subject.version} is installed in {place}")
    return place


def _sweep(place: Path) -> None:
    """Take away what an installation that was killed left behind an hour ago or more."""
    newest = max((each.stat().st_mtime for each in place.parent.iterdir()), default=0.0)
    for each in place.parent.glob(f".{place.name}.*"):
        if newest - each.stat().st_mtime > 3600:
            shutil.rmtree(each, ignore_errors=True)


def _python(subject: Subject, making: Path, told: Told) -> None:
    told(f"making an environment for {subject.name}")
    ours = util.find_spec("pip") is not None  # then it is quicker to use it than to install another
    _do((sys.executable, "-m", "venv", *(("--without-pip",) if ours else ()), str(making)), making)
    told(f"installing {' '.join(subject.packages)}")
    python = str(interpreter(making))
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
    try:
        done = subprocess.run(command, cwd=place, capture_output=True, timeout=_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise SubjectError("an installer did not end", seen=str(fault), where=command[0]) from None
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        raise SubjectError(
            "an installer failed",
            expected="exit code 0",
            seen=f"{done.returncode}: {said[-400:]}",
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


def interpreter(place: Path) -> Path:
    """Python in the environment of an installed client."""
    return place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def start_of(subject: Subject) -> Start:
    """How an installed client is started, behind the guard. Raises NotInstalled."""
    if subject.language == "ours":
        module = ("-m", "harness.subjects.drivers.wirecheck_driver")
        return Start((sys.executable, *module), {"PYTHONPATH": _paths(_GUARD, DRIVERS.parents[2])})
    place = folder(subject)
    if not place.is_dir():
        raise NotInstalled(
            f"{subject.name} is not installed",
            expected=f"a folder {place}",
            seen="none",
            next_step=f"wirecheck subject install {subject.name}",
        )
    driver = DRIVERS / subject.driver  # an absolute path stays one
    if subject.language == "python":
        return Start(
            (str(interpreter(place)), str(driver)),
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
