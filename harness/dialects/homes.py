"""What a client system sees on the operator's machine: variables, its state directory, our catalog's models.

The rules are in ``providers.dialects``; reading the state directory is ``providers.dialects.files``. What is
found is shown by ``display``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import UnusableInput
from providers import schema
from providers.declaration import Model
from providers.dialects import DIALECTS, Dialect, files
from providers.dialects.resolved import Given, Resolved, Warned

# The variable of a folder in which each program has its own for state.
SHARED_STATE = {"zot@newest": "XDG_STATE_HOME"}


def dialect(name: str) -> Dialect:
    """The dialect called ``name``. Raises UnusableInput."""
    found = DIALECTS.get(name)
    if found is None:
        raise UnusableInput(f"no dialect {name}", expected=", ".join(DIALECTS), seen=name)
    return found


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a file of ``NAME=value`` lines; quotes around a value are dropped.

    Raises UnusableInput, which tells the line and not what it holds.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UnusableInput(f"{path} cannot be read", expected="a text file of NAME=value lines") from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise UnusableInput(
                f"{path} holds a broken line", expected="NAME=value", where=f"{path} line {number}"
            )
        found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def state_of(chosen: Dialect, environ: Mapping[str, str], home: Path) -> Path:
    """The system's state directory: its own variable, else below ``home``."""
    told = environ.get(chosen.state_variable) if chosen.state_variable else None
    if told:
        return Path(told).expanduser()
    shared = environ.get(SHARED_STATE.get(chosen.name, ""))
    return Path(shared) / chosen.system if shared else home / chosen.state


def given(
    chosen: Dialect,
    environ: Mapping[str, str],
    home: Path,
    flags: Mapping[str, Any],
    *,
    run_commands: bool = False,
) -> Given:
    """What the dialect sees. Commands in values are run only when ``run_commands``."""
    folder = files.Folder(state_of(chosen, environ, home), home)
    told = Given(flags=flags, environ=environ, files=folder, now_s=time.time())
    return msgspec.structs.replace(told, run=files.Runner()) if run_commands else told


def resolve_offline(chosen: Dialect, world: Given, provider: str, model: str | None) -> Resolved:
    """A resolution that refreshes nothing; a token that is due is told of."""
    due: list[Warned] = []

    def note(id: str, entry: Mapping[str, Any]) -> str | None:
        due.append(Warned("token_due", "the stored token has expired; --refresh refreshes it", id))
        return None

    resolved = chosen.resolve(msgspec.structs.replace(world, refresh=note), provider, model)
    return msgspec.structs.replace(resolved, warnings=(*resolved.warnings, *due))


def with_builtin_models(chosen: Dialect, world: Given) -> Given:
    """``world`` with the models of our catalog as the system's built-in ones, in its own field names."""
    shape = SHAPES.get(chosen.system)
    if shape is None:
        return world
    found = tuple(
        {"provider": row.id, "id": model.id, "name": model.id, **_present(shape(model))}
        for row in chosen.providers().values()
        for id in row.catalog
        for model in schema.get(id).models
    )
    return msgspec.structs.replace(world, builtin_models=found)


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _limits(model: Model) -> dict[str, Any]:
    return {
        "reasoning": model.reasoning,
        "contextWindow": model.context_window,
        "maxTokens": model.max_output_tokens,
        "input": list(model.input),
    }


def _flat_prices(model: Model) -> dict[str, Any]:
    price = model.price
    told = (price.input, price.output, price.cache_read, price.cache_write) if price else (None,) * 4
    names = ("priceInput", "priceOutput", "priceCacheRead", "priceCacheWrite")
    return {**_limits(model), **dict(zip(names, told, strict=True))}


def _nested_prices(model: Model) -> dict[str, Any]:
    price = model.price
    told = (price.input, price.output, price.cache_read or 0, price.cache_write or 0) if price else None
    names = ("input", "output", "cacheRead", "cacheWrite")
    return {**_limits(model), "cost": dict(zip(names, told, strict=True)) if told else None}


SHAPES: Mapping[str, Callable[[Model], dict[str, Any]]] = {
    "zot": _flat_prices,
    "pi": _nested_prices,
    "mayros": _nested_prices,
}
