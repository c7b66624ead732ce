"""Tests of how the packages depend on each other: one direction, no cycles, no names of providers in code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
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


def imports(name: str) -> Iterator[tuple[str, ast.stmt]]:
    """(module of ours, statement) for every import in a page."""
    for node in ast.walk(TREES[name]):
        found: list[str] = []
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [each if each in PAGES else node.module for each in inner]
        for module in found:
            if module.split(".")[0] in PACKAGES:
                assert isinstance(node, ast.stmt)
                yield module, node


@pytest.mark.parametrize("name", PAGES)
def test_imports_go_one_way(name: str) -> None:
    """A page imports only from the packages that its own may know."""
    package = name.split(".")[0]
    assert {module.split(".")[0] for module, _ in imports(name)} <= set(ALLOWED[package])


@pytest.mark.parametrize("name", PAGES)
def test_imports_stand_at_the_top(name: str) -> None:
    """No import hides inside a function."""
    hidden = [
        inner.lineno
        for node in ast.walk(TREES[name])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_no_cycles() -> None:
    """The pages can be put in an order in which each imports only earlier ones."""
    graph = {name: {module for module, _ in imports(name)} - {name} for name in PAGES}
    packages = {name for name, path in PAGES.items() if path.name == "__init__.py"}
    direct = {name: needs - (packages - {n for n in needs if n in packages}) for name, needs in graph.items()}
    assert len(list(TopologicalSorter(direct).static_order())) >= len(PAGES)


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
