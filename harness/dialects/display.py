"""What ``wirecheck resolve``, ``models`` and ``dialect verify`` show, as data and as text.

Nothing is printed here and no secret is shown: a credential is masked to its ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from harness.dialects.vectors import Report
from harness.redaction import redacted_url
from providers.dialects import Dialect
from providers.dialects.resolved import Catalogue, Resolved, Warned

SECRET_NAME = re.compile(r"key|token|secret|headers|passw|credential|authorization|cookie", re.IGNORECASE)
COUNT_NAME = re.compile(r"tokens", re.IGNORECASE)
FREE_FORM = ("compat", "provider_extra", "extra_headers", "headers", "chat_template_kwargs")
URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
USER_INFORMATION = re.compile(r"[^\s/@:]*:[^\s/@]+@")  # of an address without its scheme
SHOWN_PARAMETERS = ("api-version", "version", "region")
HIDDEN = "…"


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
