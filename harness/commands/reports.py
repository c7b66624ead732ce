"""``wirecheck report``, ``merge``, ``gate``, ``scan``: arguments and printing only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness import offline
from harness.errors import UnusableInput
from harness.redaction import find_secrets
from reports import gate as gates
from reports import results

app = typer.Typer()
_Results = Annotated[Path, typer.Argument(help="A result file (JSON Lines).")]


@app.command("report")
def report(
    run: _Results,
    out: Annotated[Path, typer.Option(help="Where the pages go.")] = Path("build/matrix"),
) -> None:
    """Write the matrix of a result file."""
    print(offline.pages(run, out))


@app.command("merge")
def merge(
    shards: Annotated[list[Path], typer.Argument(help="Result files of one run's parts.")],
    out: Annotated[Path, typer.Option("--out", help="The merged result file.")],
) -> None:
    """Put the results of a run that was split together again."""
    print(results.write(out, results.merge(results.read(shard) for shard in shards)))


@app.command("gate")
def gate(
    run: _Results,
    against: Annotated[Path | None, typer.Option(help="The baseline: an older result file.")] = None,
    expected: Annotated[Path | None, typer.Option(help="The file of expected failures (TOML).")] = None,
) -> None:
    """Decide: exit 0 without a regression, 1 with one, 2 when the input cannot be used."""
    known = gates.expectations(_text(expected), str(expected)) if expected else ()
    decision = gates.decide(results.read(run), results.read(against) if against else None, known)
    for reason in decision.reasons:
        print(reason)
    print("passed" if decision.exit_code == 0 else "not passed")
    raise typer.Exit(decision.exit_code)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise UnusableInput("the file cannot be read", seen=str(fault), where=str(path)) from None


@app.command("scan")
def scan(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders at any depth.")],
) -> None:
    """Look for keys, accounts and e-mail addresses, by the rules of recording; exit 1 when one is found."""
    found = 0
    for file in _files(paths):
        for secret in find_secrets(file.read_bytes().decode("utf-8", "replace")):
            found += 1
            print(f"{file}: {secret}")
    print(f"{found} secrets found")
    raise typer.Exit(1 if found else 0)


def _files(paths: list[Path]) -> list[Path]:
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise UnusableInput("the path does not exist", seen=", ".join(missing))
    inside = [file for path in paths for file in (path.rglob("*") if path.is_dir() else (path,))]
    return sorted(file for file in inside if file.is_file() and not file.is_symlink())
