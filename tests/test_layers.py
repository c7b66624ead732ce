"""Tests of how the packages depend on each other: one direction, no cycles, no names of providers in code."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from providers import schema

ROOT = Path(__file__).parent.parent
PACKAGES = ("providers", "harness", "reports")
PAGES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "_fixtures" not in path.parts
}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in PAGES.items()}

# What a package may import of ours.
ALLOWED = {
    "providers": ("providers",),
    "harness": ("harness", "providers", "reports"),
    "reports": ("reports",),
}
# Ids that are ordinary words of the protocols, too; and pages whose subject is the client systems.
WORDS = {
    "custom",
    "google",
    "openai",
    "anthropic",
    "mistral",
    "azure",
    "oracle",
    "together",
    "synthetic",
    "meta",
}
NAMING = ("providers.dialects", "harness.dialect", "harness.commands")


# Pages that load others by name when they are wanted: what is heavy, and is not needed to begin.
LATE = (
    "harness.__main__",
    "harness.commands.serving",
    "harness.late_shelf",
    "harness.pytest_fixtures",
    "providers.auth",
)


def imports(name: str, tree: ast.AST) -> Iterator[str]:
    """The modules of ours that a page imports, wherever the import stands, and those it loads by name."""
    for node in ast.walk(tree):
        found: list[str] = []
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = _absolute(name, node)
            inner = [f"{start}.{alias.name}" for alias in node.names]
            found = [each if each in PAGES else start for each in inner]
        elif _loads(node):
            found = [text for text in _texts(node) if text in PAGES]
        yield from (module for module in found if module.split(".")[0] in PACKAGES)


def _absolute(name: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = name.split(".") if PAGES[name].name == "__init__.py" else name.split(".")[:-1]
    return ".".join([*package[: len(package) + 1 - node.level], *([node.module] if node.module else [])])


def _loads(node: ast.AST) -> bool:
    called = node.func if isinstance(node, ast.Call) else None
    return getattr(called, "id", getattr(called, "attr", "")) in ("import_module", "__import__")


def _texts(node: ast.AST) -> list[str]:
    return [
        each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and type(each.value) is str
    ]


def hidden(tree: ast.AST) -> list[int]:
    """The lines of imports inside functions."""
    return [
        inner.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]


def ordered(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """The pages in an order in which each needs only earlier ones. Raises CycleError."""
    graph = {name: {module for module in modules if module != name} for name, modules in needs.items()}
    return list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("name", PAGES)
def test_imports_go_one_way(name: str) -> None:
    """A page imports only from the packages that its own may know."""
    package = name.split(".")[0]
    assert {module.split(".")[0] for module in imports(name, TREES[name])} <= set(ALLOWED[package])


@pytest.mark.parametrize("name", PAGES)
def test_imports_stand_at_the_top(name: str) -> None:
    """No import hides inside a function."""
    assert hidden(TREES[name]) == []


def test_pages_that_load_others_late_are_known() -> None:
    """Only the pages listed load modules of ours by name."""
    loading = {name for name in PAGES if any(map(_loads, ast.walk(TREES[name])))}
    assert loading == set(LATE)


def test_no_cycles() -> None:
    """The pages can be put in an order in which each imports only earlier ones."""
    assert set(ordered({name: imports(name, TREES[name]) for name in PAGES})) >= set(PAGES)


@pytest.mark.parametrize(
    "text",
    [
        "from harness import server",
        "import harness.server",
        "from . import server",
        "from .server import serve",
        "if TYPE_CHECKING:\n    from harness.server import serve",
        "def f():\n    return import_module('harness.server')",
    ],
)
def test_a_cycle_is_found(text: str) -> None:
    """A page that server needs may not need server, however it says so."""
    assert list(imports("harness.errors", ast.parse(text))) == ["harness.server"]
    needs = {name: list(imports(name, TREES[name])) for name in PAGES}
    with pytest.raises(CycleError):
        ordered({**needs, "harness.errors": ["harness.server"]})


def test_a_hidden_import_is_found() -> None:
    """An import in a function is seen, also where it stands in a branch of one."""
    tree = ast.parse(
        "import os\nasync def f():\n    try:\n        import harness\n    except OSError:\n        ..."
    )
    assert hidden(tree) == [4]


@pytest.mark.parametrize("name", PAGES)
def test_no_condition_names_a_provider(name: str) -> None:
    """A provider that differs is described in its catalog file: no comparison holds its id."""
    if name.startswith(NAMING):
        pytest.skip("a client system's own rules name its providers")
    ids = {provider.id for provider in schema.all()} - WORDS
    named = [
        (inner.value, inner.lineno)
        for node in ast.walk(TREES[name])
        for test in _conditions(node)
        for inner in ast.walk(test)
        if isinstance(inner, ast.Constant) and inner.value in ids
    ]
    assert named == []


def _conditions(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield node.test
    elif isinstance(node, ast.Compare):
        yield node
    elif isinstance(node, ast.match_case):
        yield node.pattern
