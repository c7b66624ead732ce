"""What ``wirecheck resolve``, ``models`` and ``dialect verify`` show, as data and as text.

Nothing is printed here and no value is shown: a credential is masked to its ends. The rules are in
``providers.dialects``; reading the state directory is ``providers.dialects.files``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from harness.dialects.vectors import Report
from harness.errors import UnusableInput
from harness.redaction import redacted_url
from providers import schema
from providers.dialects import DIALECTS, Dialect, files
from providers.dialects.resolved import Catalogue, Given, Resolved, Warned


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
    shared = environ.get("XDG_STATE_HOME") if chosen.rules.newest and chosen.system == "zot" else None
    return Path(shared) / "zot" if shared else home / chosen.state


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


def _limits(model: schema.Model) -> dict[str, Any]:
    return {
        "reasoning": model.reasoning,
        "contextWindow": model.context_window,
        "maxTokens": model.max_output_tokens,
        "input": list(model.input),
    }


def _flat_prices(model: schema.Model) -> dict[str, Any]:
    price = model.price
    told = (price.input, price.output, price.cache_read, price.cache_write) if price else (None,) * 4
    names = ("priceInput", "priceOutput", "priceCacheRead", "priceCacheWrite")
    return {**_limits(model), **dict(zip(names, told, strict=True))}


def _nested_prices(model: schema.Model) -> dict[str, Any]:
    price = model.price
    told = (price.input, price.output, price.cache_read or 0, price.cache_write or 0) if price else None
    names = ("input", "output", "cacheRead", "cacheWrite")
    return {**_limits(model), "cost": dict(zip(names, told, strict=True)) if told else None}


SHAPES: Mapping[str, Callable[[schema.Model], dict[str, Any]]] = {
    "zot": _flat_prices,
    "pi": _nested_prices,
    "mayros": _nested_prices,
}


def masked(value: str | None) -> str | None:
    """A credential's ends; nothing of a short one."""
    if value is None:
        return None
    if len(value) < 16:
        return "…"
    return f"{printable(value[:4])}…{printable(value[-2:])} ({len(value)} characters)"


def printable(text: str) -> str:
    """``text`` with what a terminal would act upon written as escapes; names come from foreign files."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def resolved_plain(chosen: Dialect, resolved: Resolved) -> dict[str, Any]:
    """A resolution as JSON, the value masked."""
    fault = resolved.fault
    return {
        "dialect": chosen.name,
        "dated": chosen.dated,
        "provider": resolved.provider,
        "source": resolved.source,
        "name": resolved.name,
        "value": masked(resolved.value),
        "lost": [msgspec.to_builtins(lost) for lost in resolved.lost],
        "warnings": [msgspec.to_builtins(warning) for warning in resolved.warnings],
        "error": {"category": fault.category, "message": str(fault)} if fault else None,
    }


def resolved_text(chosen: Dialect, resolved: Resolved) -> str:
    """A resolution for people: the sources, the winner first marked, then warnings and the error."""
    lines = [f"{resolved.provider} as {chosen.name} ({chosen.page}, {chosen.dated})"]
    if resolved.found:
        value = masked(resolved.value) or "signed by a chain outside the client"
        lines.append(f"  used  {resolved.source:<12} {resolved.name}: {value}")
    lines.extend(f"  lost  {lost.source:<12} {lost.name}: {lost.why}" for lost in resolved.lost)
    lines.extend(_told(resolved.warnings))
    if resolved.fault is not None:
        lines.append(f"  error {resolved.fault.category}: {resolved.fault}")
    elif not resolved.found:
        lines.append("  no credential")
    return "\n".join(map(printable, lines))


def _told(warnings: tuple[Warned, ...]) -> list[str]:
    return [
        f"  warning {warned.category}: {warned.message}" + (f" ({warned.path})" if warned.path else "")
        for warned in warnings
    ]


def exit_code(resolved: Resolved) -> int:
    """0 for a credential, 1 for none, 2 where none was found because a file or value cannot be used."""
    if resolved.found:
        return 0
    faults = {resolved.fault.category} if resolved.fault else set()
    broken = {warning.category for warning in resolved.warnings} & {"store_unreadable", "parse_error"}
    return 2 if broken or faults - {"missing_credential"} else 1


SECRET_NAME = re.compile(r"key|token|secret|headers|passw|credential|authorization|cookie", re.IGNORECASE)
COUNT_NAME = re.compile(r"tokens", re.IGNORECASE)
FREE_FORM = ("compat", "provider_extra", "extra_headers", "headers", "chat_template_kwargs")
URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
USER_INFORMATION = re.compile(r"[^\s/@:]*:[^\s/@]+@")  # of an address without its scheme
SHOWN_PARAMETERS = ("api-version", "version", "region")
HIDDEN = "…"


def catalogue_plain(chosen: Dialect, catalogue: Catalogue) -> dict[str, Any]:
    """The merged catalogue as JSON, each field with its origin; fields that may be secret are masked."""
    return {
        "dialect": chosen.name,
        "models": [
            {
                "provider": model.provider,
                "id": model.id,
                "origin": model.origins.get("id", ""),
                "fields": {
                    name: {"value": _safe(name, value), "origin": model.origins.get(name, "")}
                    for name, value in model.fields.items()
                },
            }
            for model in catalogue.models
        ],
        "errors": [{"category": fault.category, "message": str(fault)} for fault in catalogue.faults],
        "warnings": [msgspec.to_builtins(warning) for warning in catalogue.warnings],
    }


def _safe(name: str, value: Any, *, hidden: bool = False) -> Any:
    """``value`` as it may be shown: what may be secret keeps its names and loses its values."""
    hidden = hidden or name in FREE_FORM
    if isinstance(value, int | float) and COUNT_NAME.search(name) and not hidden:
        return value
    hidden = hidden or bool(SECRET_NAME.search(name))
    if isinstance(value, Mapping):
        return {key: _safe(str(key), item, hidden=hidden) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_safe(name, item, hidden=hidden) for item in value]
    if hidden:
        return value if value is None or isinstance(value, bool) or value == "" else HIDDEN
    return _safe_text(value) if isinstance(value, str) else value


def _safe_text(text: str) -> str:
    """A URL without user information and secrets in its query; a command is hidden, other text stays."""
    if text.startswith("!"):
        return HIDDEN
    if "://" not in text:
        return HIDDEN if USER_INFORMATION.match(text) else text
    if not URL.fullmatch(text):
        return HIDDEN
    try:
        bare = urlsplit(redacted_url(text))
        query = "&".join(map(_safe_parameter, filter(None, urlsplit(text).query.split("&"))))
    except ValueError:
        return HIDDEN  # no URL that can be taken apart
    return urlunsplit(bare._replace(query=query, fragment=HIDDEN if bare.fragment else ""))


def _safe_parameter(part: str) -> str:
    name, equals, value = part.partition("=")
    if not equals:
        return HIDDEN
    return f"{name}={value if name.lower() in SHOWN_PARAMETERS else HIDDEN}"


def catalogue_text(chosen: Dialect, catalogue: Catalogue) -> str:
    """The merged catalogue for people: one line a model, one a field with its origin."""
    lines = []
    for model in catalogue.models:
        origin = model.origins.get("id", "")
        lines.append(f"{model.provider}/{model.id}" + (f"  [{origin}]" if origin else ""))
        for name, value in model.fields.items():
            lines.append(f"  {name} = {_safe(name, value)}  [{model.origins.get(name, '')}]")
    lines.extend(f"error {fault.category}: {fault}" for fault in catalogue.faults)
    lines.extend(_told(catalogue.warnings))
    return "\n".join(map(printable, lines)) or "no models"


def report_text(report: Report) -> str:
    """A run of vectors for people."""
    lines = [f"{report.passed} of {report.total} vectors hold"]
    for failure in report.failures:
        lines.append(f"{failure.id} ({failure.rule})")
        lines.append(f"  expected {failure.expected}")
        lines.append(f"  seen     {failure.actual}")
    return "\n".join(map(printable, lines))
