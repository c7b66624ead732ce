"""Configuration text to values: JSON, JSON with ``//`` comments, JSON5, TOML and YAML.

Every fault is a DialectFault of category ``parse_error`` that tells file, line and column and never
shows the text, which may hold a secret. What the values mean is the dialects' business.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import json5
import yaml

from providers.dialects.resolved import File
from providers.errors import DialectFault


def fault(path: str, what: str, line: int = 0, column: int = 0) -> DialectFault:
    """The fault of a text that is not what it should be. ``line`` and ``column`` count from 1."""
    place = f"{path} line {line} column {column}" if line else path
    return DialectFault("parse_error", f"{path} cannot be read", scope="file", seen=what, where=place)


def text(path: str, content: bytes) -> str:
    """``content`` as UTF-8. Raises DialectFault with the byte offset in words."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise fault(path, f"no UTF-8 at byte {error.start}") from None


def strict_json(path: str, content: bytes, *, mark_allowed: bool = False) -> Any:
    """RFC 8259 JSON. ``mark_allowed``: a leading byte order mark is tolerated."""
    source = text(path, content)
    source = source.removeprefix("\ufeff") if mark_allowed else source
    try:
        return json.loads(source)
    except json.JSONDecodeError as error:
        raise fault(path, error.msg, error.lineno, error.colno) from None
    except RecursionError:
        raise fault(path, "nested too deeply") from None


# A string, a line comment, or a comma that closes nothing but a bracket; the first alternative wins, so
# comment marks and commas inside strings stay.
_STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*')
_STRING_OR_COMMA = re.compile(r'"(?:\\.|[^"\\])*"|,(?=\s*[}\]])')


def commented_json(path: str, content: bytes, *, mark_allowed: bool = False) -> Any:
    """JSON that may hold ``//`` comments and trailing commas; block comments are a fault."""
    source = text(path, content)
    for pattern in (_STRING_OR_COMMENT, _STRING_OR_COMMA):
        source = pattern.sub(lambda m: m[0] if m[0][0] == '"' else " " * len(m[0]), source)
    return strict_json(path, source.encode(), mark_allowed=mark_allowed)


_JSON5_PLACE = re.compile(r":(\d+) (.*?) at column (\d+)", re.DOTALL)


def json5_text(path: str, content: bytes) -> Any:
    """JSON5 (json5.org, 1.0)."""
    source = text(path, content)
    try:
        return json.loads(source)  # most files are plain JSON, which is read a hundred times faster
    except (ValueError, RecursionError):
        pass
    try:
        return json5.loads(source)
    except ValueError as error:
        place = _JSON5_PLACE.search(str(error))
        if place is None:
            raise fault(path, "an empty text" if not content.strip() else "no JSON5") from None
        raise fault(path, place[2], int(place[1]), int(place[3])) from None
    except RecursionError:
        raise fault(path, "nested too deeply") from None


_TOML_PLACE = re.compile(r"^(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)


def toml(path: str, content: bytes) -> dict[str, Any]:
    """TOML 1.0."""
    source = text(path, content)
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.match(str(error))
        if place is None:
            raise fault(path, "no TOML") from None
        lines = source.split("\n")
        line, column = place[2] or len(lines), place[3] or len(lines[-1]) + 1
        # The parser quotes keys and values in its message; a key may be quoted by a careless operator.
        raise fault(path, re.sub(r"'[^']*'|\"[^\"]*\"", "…", place[1]), int(line), int(column)) from None


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a mapping names each key once: the second instance of one name is a mistake."""


def _mapping(loader: _UniqueKeys, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen:
            raise yaml.constructor.ConstructorError(None, None, "a name given twice", key.start_mark)
        seen.add(key.value)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def yaml_text(path: str, content: bytes) -> Any:
    """YAML 1.1, plain data only, no key twice. An empty text is None."""
    try:
        # A subclass of SafeLoader, which is what makes this load safe.
        return yaml.load(text(path, content), Loader=_UniqueKeys)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise fault(path, error.problem or "no YAML", line, column) from None
    except (yaml.YAMLError, RecursionError):
        raise fault(path, "no YAML") from None


def read(
    files: Mapping[str, File], path: str, parse: Callable[[str, bytes], Any]
) -> Mapping[str, Any] | None:
    """The object in the file, None where there is no file. Raises DialectFault."""
    found = files.get(path)
    if found is None:
        return None
    value = parse(path, found.content)
    if not isinstance(value, Mapping):
        raise DialectFault(
            "schema_error",
            f"{path} cannot be used",
            scope="file",
            expected="an object",
            seen=type(value).__name__,
            where=path,
        )
    return value


Shapes: TypeAlias = Mapping[str, type]


def shaped(path: str, document: Mapping[str, Any], shapes: Shapes) -> Mapping[str, Any]:
    """``document``, in which what is at each dotted place of ``shapes`` is absent, null or of that type.

    ``*`` is any key or index, a type is dict, list or str. Raises DialectFault (schema_error) with the place.
    """
    for pattern, wanted in shapes.items():
        for place, value in _places(document, pattern.split("."), ""):
            if value is not None and not isinstance(value, wanted):
                raise DialectFault(
                    "schema_error",
                    f"{path} holds a value of a wrong type",
                    scope="file",
                    path=place,
                    expected=_TYPE_NAMES[wanted],
                    seen=type(value).__name__,
                )
    return document


_TYPE_NAMES: Mapping[type, str] = {dict: "an object", list: "a list", str: "a text"}


def _places(value: Any, steps: list[str], place: str) -> Iterator[tuple[str, Any]]:
    if not steps:
        yield place, value
    elif isinstance(value, list) and steps[0] == "*":
        for index, item in enumerate(value):
            yield from _places(item, steps[1:], f"{place}.{index}")
    elif isinstance(value, Mapping):
        for key in value if steps[0] == "*" else [steps[0]]:
            if key in value:
                yield from _places(value[key], steps[1:], f"{place}.{key}" if place else str(key))


def readable_by_others(files: Mapping[str, File], path: str) -> bool:
    """Whether somebody but the owner may read the file."""
    found = files.get(path)
    return found is not None and found.mode is not None and bool(found.mode & 0o077)
