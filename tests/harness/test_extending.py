"""Another installed package adds rows to our tables; each test puts one on the path of a new program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reports import results

ROOT = Path(__file__).parents[2]

ENTRY_POINTS = """
[wirecheck.catalogs]
acme = acme_wirecheck.catalog

[wirecheck.protocols]
acme-chat = acme_wirecheck.protocol:PROTOCOL

[wirecheck.emulators]
acme-chat = acme_wirecheck.emulator:EMULATOR

[wirecheck.grammars]
acme-chat = acme_wirecheck.emulator:GRAMMAR

[wirecheck.checks]
acme = acme_wirecheck.checks

[wirecheck.dialects]
acme = acme_wirecheck.dialect:DIALECT

[wirecheck.subjects]
acme-sdk = acme_wirecheck.subject:SUBJECT
"""
MODULES = {
    "__init__": "",
    "protocol": """
from msgspec.structs import replace
from providers.protocols import openai_completions
PROTOCOL = replace(openai_completions.PROTOCOL, name="acme-chat")
""",
    "emulator": """
from msgspec.structs import replace
from harness.emulators import openai_completions
from harness.grammars import openai_completions as grammars
EMULATOR = replace(openai_completions.EMULATOR, name="acme-chat")
GRAMMAR = grammars.GRAMMAR
""",
    "checks": """
from harness.checks.registry import check, require
@check("acme.says_hello", capability="text", scenarios=("text",), protocols=("acme-*",), source="Acme's page")
def says_hello(seen):
    \"\"\"An answer MUST NOT be empty.\"\"\"
    require(bool(seen.turn.text), expected="a text", observed=seen.turn.text)
""",
    "exiting": """
from harness.checks.registry import check
for faults, name in (((), "plain"), (("cut.*",), "faulty")):
    @check(f"acme.{name}", capability="text", scenarios=("text_stream",), faults=faults, source="Acme's page")
    def exits(seen):
        \"\"\"An answer MUST NOT be empty.\"\"\"
        raise SystemExit("gone")
@check("acme.service", capability="text", scenarios=("models_list",), service=True, source="Acme's page")
def exits_too(served):
    \"\"\"A list MUST NOT be empty.\"\"\"
    raise SystemExit("gone")
""",
    "broken": "1 / 0",
    "early": """
from providers.protocols import PROTOCOLS
PROTOCOL = PROTOCOLS["openai-completions"]
""",
    "leaving": "raise SystemExit('gone')",
    "taken": """
from harness.checks.registry import check
@check("text.basic", capability="text", scenarios=("text",), source="Acme's page")
def again(seen):
    \"\"\"An answer MUST NOT be empty.\"\"\"
""",
    "subject": """
from pathlib import Path
from harness.subjects.table import Subject
DRIVER = str(Path(__file__).with_name("driver_of_acme.py"))
SUBJECT = Subject(name="acme-sdk", title="Acme", language="python", packages=("acme==1.0",), driver=DRIVER)
""",
    "dialect": """
from msgspec.structs import replace
from providers.dialects import pi, _OURS
DIALECT = replace(_OURS["pi"], system="acme")
""",
}
NO_CACHE = ("-p", "no:cacheprovider")
DECLARATION = """
id = "acme"
name = "Acme"
kind = "hosted"
docs = "https://docs.acme.example/api"
auth = { scheme = "bearer", env = ["ACME_API_KEY"], source = "docs" }
models = [{ id = "acme-small", source = "docs" }]
claims = { streaming = { offered = true, source = "docs" } }
sources = { docs = { url = "https://docs.acme.example/api", read = 2026-11-21 } }
systems = { acme = { id = "acme-ai", login = "key", source = "docs" } }

[[endpoints]]
protocol = "acme-chat"
base_url = "https://api.acme.example/v1"
source = "docs"
"""


def installed(folder: Path, entry_points: str = ENTRY_POINTS) -> Path:
    """A folder that looks as if the package were installed in it."""
    package, metadata = folder / "acme_wirecheck", folder / "acme_wirecheck-1.0.dist-info"
    (package / "catalog").mkdir(parents=True)
    metadata.mkdir()
    for name, text in MODULES.items():
        (package / f"{name}.py").write_text(text, "utf-8")
    (package / "catalog" / "acme.toml").write_text(DECLARATION, "utf-8")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-wirecheck\nVersion: 1.0\n", "utf-8")
    (metadata / "entry_points.txt").write_text(entry_points, "utf-8")
    return folder


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in ``folder`` with what is installed there."""
    return subprocess.run(
        [sys.executable, "-B", *arguments],
        cwd=folder,
        env={"PYTHONPATH": f"{ROOT}:{folder}", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def wirecheck(folder: Path, command: str) -> str:
    """What a command prints; it must end well."""
    done = python(folder, "-m", "harness", *command.split())
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_a_package_adds_to_every_table(tmp_path: Path) -> None:
    """Its provider is listed, has exchanges over its protocol, and passes our checks and its own."""
    installed(tmp_path)
    listed = {each["id"]: each for each in json.loads(wirecheck(tmp_path, "providers --json"))}
    assert listed["acme"]["protocols"] == ["acme-chat"]
    assert "groq" in listed
    assert "acme-chat" in wirecheck(tmp_path, "list protocols")
    assert "wrote acme/acme-chat/text_stream" in wirecheck(
        tmp_path, "fixtures build --provider acme --fixtures exchanges"
    )
    wirecheck(tmp_path, "run --provider acme --exchanges exchanges --results out.jsonl -p no:cacheprovider")
    found = {(each.scenario, each.check): each for each in results.read(tmp_path / "out.jsonl").results}
    assert found["text", "acme.says_hello"].verdict == "passed"
    assert found["text_stream", "stream.frame_grammar"].verdict == "passed"
    assert {each.protocol for each in found.values()} == {"acme-chat"}
    told = python(tmp_path, "-c", "from providers.dialects import DIALECTS; print(DIALECTS['acme'].name)")
    assert told.stdout == "acme\n"
    assert "acme-ai" in wirecheck(tmp_path, "providers show acme")
    assert "acme-sdk" in wirecheck(tmp_path, "subject list")


@pytest.mark.parametrize("module", ["protocol", "emulator", "checks", "dialect"])
def test_imports_come_in_any_order(tmp_path: Path, module: str) -> None:
    """A package's module can be imported before anything of ours, and the tables are whole after it."""
    installed(tmp_path)
    program = (
        f"import acme_wirecheck.{module}; from harness.checks import CHECKS; from harness.emulators import "
        "EMULATORS; print('acme.says_hello' in CHECKS, 'acme-chat' in EMULATORS)"
    )
    done = python(tmp_path, "-c", program)
    assert done.stdout == "True True\n", done.stderr


UNUSABLE = {
    "no module": (
        "[wirecheck.protocols]\nacme-chat = acme_wirecheck.nowhere:PROTOCOL",
        "ModuleNotFoundError",
    ),
    "no object": ("[wirecheck.protocols]\nacme-chat = acme_wirecheck.protocol:NOTHING", "AttributeError"),
    "no reference": ("[wirecheck.protocols]\nacme-chat = !", "as module:object"),
    "another name": (
        "[wirecheck.protocols]\nother = acme_wirecheck.protocol:PROTOCOL",
        "a Protocol named other",
    ),
    "another type": (
        "[wirecheck.protocols]\nacme-chat = acme_wirecheck.emulator:EMULATOR",
        "a Protocol named acme-chat",
    ),
    "a name taken": ("[wirecheck.grammars]\nopenai-completions = acme_wirecheck.emulator:GRAMMAR", "has not"),
    "a fault": ("[wirecheck.protocols]\nacme-chat = acme_wirecheck.broken:PROTOCOL", "ZeroDivisionError"),
    "an exit": ("[wirecheck.protocols]\nacme-chat = acme_wirecheck.leaving:PROTOCOL", "SystemExit"),
    "a look into its table": (
        "[wirecheck.protocols]\nacme-chat = acme_wirecheck.early:PROTOCOL",
        "looks into",
    ),
    "a fault above": ("[wirecheck.catalogs]\nacme = acme_wirecheck.broken.catalog", "ZeroDivisionError"),
    "a check taken": ("[wirecheck.checks]\nacme = acme_wirecheck.taken", "text.basic"),
    "no check": ("[wirecheck.checks]\nacme = acme_wirecheck.protocol", "@check"),
    "no folder": ("[wirecheck.catalogs]\nacme = acme_wirecheck.protocol", "whose folder holds catalog files"),
    "no package": ("[wirecheck.catalogs]\nacme = acme_nowhere.catalog", "whose folder holds catalog files"),
    "no files": ("[wirecheck.catalogs]\nacme = acme_wirecheck", "which has none"),
    "a dialect": ("[wirecheck.dialects]\nacme = acme_wirecheck.broken:DIALECT", "ZeroDivisionError"),
    "a subject": (
        "[wirecheck.subjects]\nacme-sdk = acme_wirecheck.checks:says_hello",
        "a Subject named acme-sdk",
    ),
    "a gateway": ("[wirecheck.gateways]\nacme = acme_wirecheck.nowhere:GATEWAY", "ModuleNotFoundError"),
}


@pytest.mark.parametrize(("line", "told"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_used_is_named(tmp_path: Path, line: str, told: str) -> None:
    """A wrong entry point is named with its package, the rest is run, and the run is not green."""
    installed(tmp_path, line + "\n")
    ran = python(tmp_path, "-m", "harness", "run", "--provider", "groq", "--scenario", "text", *NO_CACHE)
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    named = [each for each in ran.stdout.splitlines() if each.startswith("PACKAGE acme-wirecheck ")]
    assert len(named) == 1
    assert told in named[0]
    assert " passed" in ran.stdout
    assert " failed" not in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr


def test_all_that_cannot_be_used_is_named_at_once(tmp_path: Path) -> None:
    """Each command names every broken entry point once, and does its work with those that are not."""
    wrong = """
[wirecheck.catalogs]
acme = acme_wirecheck.catalog
gone = acme_nowhere.catalog

[wirecheck.protocols]
acme-chat = acme_wirecheck.protocol:PROTOCOL
other = acme_wirecheck.broken:PROTOCOL

[wirecheck.dialects]
acme = acme_wirecheck.dialect:DIALECT

[wirecheck.subjects]
acme-sdk = acme_wirecheck.leaving:SUBJECT
"""
    installed(tmp_path, wrong)
    for command, code in (
        ("providers --json", 1),
        ("providers show acme", 0),  # the page of one that is whole
        ("fixtures build --provider acme --check", 1),
    ):
        done = python(tmp_path, "-m", "harness", *command.split())
        assert done.returncode == code
        assert "acme" in done.stdout or done.stdout == "0 files would change\n"  # it has no emulator
        told = [line.split(",")[0] for line in done.stderr.splitlines()]
        assert sorted(told) == [
            "wirecheck: acme-wirecheck adds 'acme-sdk' to wirecheck.subjects",
            "wirecheck: acme-wirecheck adds 'gone' to wirecheck.catalogs",
            "wirecheck: acme-wirecheck adds 'other' to wirecheck.protocols",
        ]


def test_two_packages_may_use_one_name_for_what_has_none(tmp_path: Path) -> None:
    """Checks and catalogs of two packages are both read; of two rows of one name the later one is a fault."""
    installed(tmp_path)
    second = tmp_path / "bcme_wirecheck-1.0.dist-info"
    second.mkdir()
    (second / "METADATA").write_text("Metadata-Version: 2.1\nName: bcme\nVersion: 1.0\n", "utf-8")
    (second / "entry_points.txt").write_text(
        "[wirecheck.checks]\nacme = acme_wirecheck.nowhere\n"
        "[wirecheck.protocols]\nacme-chat = acme_wirecheck.protocol:PROTOCOL\n",
        "utf-8",
    )
    done = python(tmp_path, "-m", "harness", "list")
    assert "acme.says_hello" in done.stdout
    told = [line.split(";")[0] for line in done.stderr.splitlines()]
    assert told == [
        "wirecheck: bcme adds 'acme' to wirecheck.checks, which cannot be used",
        "wirecheck: bcme adds 'acme-chat' to wirecheck.protocols, which cannot be used",
    ]


def test_a_check_that_exits_is_errored_alone(tmp_path: Path) -> None:
    """Of a call, a fault or a service: the run judges on, and writes the results of all."""
    installed(tmp_path, "[wirecheck.checks]\nacme = acme_wirecheck.exiting\n")
    told = python(
        tmp_path, "-m", "harness", "run", "--provider=groq", "--scenario=text_stream",
        "--scenario=models_list", "--check=acme.*", "--check=text.*", "--results=out.jsonl", *NO_CACHE,
    )  # fmt: skip
    assert told.returncode == 1, told.stdout[-2000:]
    found = results.read(tmp_path / "out.jsonl").results
    errored = {(each.check, each.blame, each.reason) for each in found if each.verdict == "errored"}
    assert errored == {
        (f"acme.{name}", "harness", f"acme.{name} broke down: SystemExit: gone")
        for name in ("plain", "faulty", "service")
    }
    assert {each.check for each in found} > {check for check, _, _ in errored}


def test_a_matrix_is_not_silently_red(tmp_path: Path) -> None:
    """What keeps a matrix from being green is named beside its summary: entry points and catalog files."""
    installed(tmp_path, "[wirecheck.protocols]\nother = acme_wirecheck.broken:PROTOCOL\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "broken.toml").write_text("id = 5\n", "utf-8")
    done = python(
        tmp_path, "-m", "harness", "matrix", "--provider", "yi", "--catalog", "more", "--out", "out"
    )
    assert done.returncode == 1
    assert "acme-wirecheck adds 'other'" in done.stderr
    assert "more/broken.toml" in done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[tool.wirecheck]\ncatalogs = []\n", "catalogs"),
        ("[tool.wirecheck]\ncatalog = 5\n", "catalog"),
        ("[tool.wirecheck]\ncatalog = ['nowhere']\n", "no such folder"),
        ("[tool.wirecheck\n", "TOML"),
        ("[tool]\nwirecheck = 5\n", "wirecheck"),
    ],
    ids=["unknown key", "wrong type", "no folder", "no TOML", "no table"],
)
def test_a_wrong_table_is_named(tmp_path: Path, text: str, told: str) -> None:
    """What pyproject.toml says wrongly ends a command with exit code 2 and names the key."""
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    done = python(tmp_path, "-m", "harness", "providers")
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_table_ends_a_run(tmp_path: Path) -> None:
    """pytest ends with a usage error, before anything is collected."""
    (tmp_path / "pyproject.toml").write_text("[tool.wirecheck]\ncatalog = ['nowhere']\n", "utf-8")
    ran = python(tmp_path, "-m", "harness", "run", "--provider", "groq", "-p", "no:cacheprovider")
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "no such folder" in ran.stderr
