"""Value forms: what a text in a configuration file stands for (a command, a variable, itself).

Each dialect names the form it uses. No command is run here: ``run`` is passed in. An error names the
variable, never a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from providers.errors import DialectFault

_TEMPLATE = re.compile(r"\$\$|\$!|\$\{([^}]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class MissingVariable(LookupError):
    """A value refers to a variable that is not set."""


def command_of(value: str) -> str | None:
    """The shell text of ``!command``; None for any other value."""
    return value[1:] if value.startswith("!") else None


def bare_name(value: str, environ: Mapping[str, str]) -> str:
    """The variable called ``value`` if it is set and not empty, else ``value`` itself."""
    return environ.get(value) or value


def dollar(value: str, environ: Mapping[str, str]) -> str:
    """``value`` with $NAME and ${NAME} replaced; ``$$`` gives ``$``, ``$!`` gives ``!``.

    A ``${…}`` that holds no variable name stays. Raises MissingVariable for an unset or empty one.
    """

    def replaced(match: re.Match[str]) -> str:
        if match[0] in ("$$", "$!"):
            return match[0][1]
        name = match[1] if match[1] is not None else match[2]
        if not _NAME.match(name):
            return match[0]
        found = environ.get(name)
        if not found:
            raise MissingVariable(name)
        return found

    return _TEMPLATE.sub(replaced, value)


_UPPER = re.compile(r"(\$?)\$\{([A-Z_][A-Z0-9_]*)\}")


def upper_braces(value: str, environ: Mapping[str, str], path: str = "") -> str:
    """``value`` with ${NAME} replaced; ``$${NAME}`` gives ``${NAME}``, all else stays.

    Raises DialectFault (missing_env) naming the variable and ``path`` when it is unset or empty.
    """

    def replaced(match: re.Match[str]) -> str:
        if match[1]:
            return match[0][1:]
        found = environ.get(match[2])
        if not found:
            raise DialectFault(
                "missing_env",
                f"the variable {match[2]} is not set",
                name=match[2],
                path=path or None,
                next_step=f"set {match[2]}",
            )
        return found

    return _UPPER.sub(replaced, value)


_DEFAULTED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def defaulted(value: str, environ: Mapping[str, str]) -> str:
    """``value`` with ${NAME} and ${NAME:-default} replaced; an unset or empty variable without a
    default keeps its placeholder."""

    def replaced(match: re.Match[str]) -> str:
        return environ.get(match[1]) or (match[2] if match[2] is not None else match[0])

    return _DEFAULTED.sub(replaced, value)


def holds_placeholder(value: str) -> bool:
    """Whether a ``${NAME}`` was left unreplaced."""
    return _DEFAULTED.search(value) is not None


def everywhere(value: Any, change: Callable[[str, str], str], path: str = "") -> Any:
    """``value`` with ``change(text, path)`` applied to each string in it; ``path`` is dotted."""
    if isinstance(value, str):
        return change(value, path)
    if isinstance(value, Mapping):
        return {
            key: everywhere(item, change, f"{path}.{key}" if path else str(key))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [everywhere(item, change, f"{path}[{index}]") for index, item in enumerate(value)]
    return value
