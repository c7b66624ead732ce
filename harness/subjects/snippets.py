"""The lines of a driver that call its client, for a report that its developers read. Pure.

A driver names a function for each protocol in its ``serve``, or calls one that makes it; the snippet is that
function. Drivers of the AI SDK give ``drive`` a model for each protocol; there it is the whole ``drive``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping

_MOST_LINES = 80


def of(language: str, source: str, protocol: str) -> str:
    """The function that a driver's source has for a protocol; empty where none is found."""
    find = _FINDERS.get(language)
    found = find(source, protocol) if find is not None else ""
    return found if found.count("\n") < _MOST_LINES else ""


def _python(source: str, protocol: str) -> str:
    tree = ast.parse(source)
    name = next(
        (
            made.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "serve"
            for argument in node.keywords
            if argument.arg == "protocols" and isinstance(argument.value, ast.Dict)
            for key, value in zip(argument.value.keys, argument.value.values, strict=True)
            for made in (value.func if isinstance(value, ast.Call) else value,)
            if isinstance(key, ast.Constant) and key.value == protocol and isinstance(made, ast.Name)
        ),
        "",
    )
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    return next((ast.get_source_segment(source, node) or "" for node in functions), "")


def _node(source: str, protocol: str) -> str:
    driven = re.search(r"^drive\(\{\n.*?^\}\);$", source, re.DOTALL | re.MULTILINE)
    if driven is not None:
        return driven[0] if f'"{protocol}"' in driven[0] else ""
    _, _, serving = source.rpartition("serve({")
    named = re.search(rf'"{re.escape(protocol)}": (\w+)[,(\s}}]|\[name, (\w+)\]', serving)
    if named is None:
        return ""
    name = re.escape(named[1] or named[2])
    head = rf"^(?:const {name} = |(?:async )?function\*? {name}\()[^\n]*"
    for form in (rf"{head}\{{\n.*?^\}}[;)]*$", rf"{head}?;$", rf"{head}\n.*?;$(?!\n[ \t}}])"):
        found = re.search(form, source, re.DOTALL | re.MULTILINE)
        if found is not None:
            return found[0]
    return ""


_FINDERS: Mapping[str, Callable[[str, str], str]] = {"python": _python, "node": _node}
