"""ZeroClaw's requests: a profile's endpoint, wire, body, headers, time and price.

Rules C2–C4, C27–C44 of docs/dialects/zeroclaw.md. Which key a profile has is in ``zeroclaw``; the body is
the protocol's own work. Nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from providers.call import Call, Message, Text, Tool
from providers.dialects.resolved import Given, Warned, walk
from providers.dialects.zeroclaw import Profile, Rules, key_sources, known, sources
from providers.dialects.zeroclaw_config import Config
from providers.dialects.zeroclaw_families import LOCAL, MORE_FAMILIES, NATIVE
from providers.errors import DialectFault
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Request

TIMEOUT_S = 120  # C42


def endpoint(rules: Rules, given: Given, config: Config, found: Profile) -> str:
    """The base URL of a profile (C2–C4). Raises DialectFault: missing_endpoint, key_prefix_mismatch."""
    uri = found.text("uri")
    if not uri:
        _refuse_foreign_key(rules, given, config, found)
    row = known(rules).get(found.family)
    default = LOCAL.get(found.family) or MORE_FAMILIES.get(found.family) or (row.base_url if row else "")
    if not uri and not default:
        raise DialectFault(
            "missing_endpoint",
            f"{found.ref} has no endpoint",
            provider=found.ref,
            path=f"providers.models.{found.ref}.uri",
            next_step="set uri",
        )
    return (uri or default).rstrip("/")


def _refuse_foreign_key(rules: Rules, given: Given, config: Config, found: Profile) -> None:
    """A key of another vendor in a typed slot is refused (C44)."""
    if found.family not in rules.key_prefixes.values() or found.compatible:
        return
    key = walk(found.ref, key_sources(rules, given, config, found)).value or ""
    vendor = next((name for start, name in rules.key_prefixes.items() if key.startswith(start)), None)
    if vendor is not None and vendor != found.family:
        raise DialectFault(
            "key_prefix_mismatch",
            f"the key of {found.ref} looks like one of {vendor}",
            provider=found.ref,
            path=f"providers.models.{found.ref}.api_key",
            next_step=f"use a profile of {vendor}, or set uri",
        )


def protocol(rules: Rules, config: Config, found: Profile) -> str:
    """The wire a profile speaks (C29–C34). Raises DialectFault for an unknown ``wire_api``."""
    wire = found.text("wire_api")
    if wire and wire not in ("responses", "chat_completions"):
        raise DialectFault(
            "invalid_value",
            "unknown wire_api",
            path=f"providers.models.{found.ref}.wire_api",
            expected="responses or chat_completions",
        )
    if wire == "responses" and (found.family in rules.responses or found.compatible):
        return "openai-responses"
    return "openai-completions" if found.compatible else NATIVE.get(found.family, "openai-completions")


PATHS = {
    "openai-completions": "/chat/completions",
    "openai-responses": "/responses",
    "anthropic-messages": "/v1/messages",
}


def request_url(rules: Rules, given: Given, config: Config, found: Profile) -> str:
    """The full URL of a request; a ``uri`` that already ends in the path is left as it is (C3, C31)."""
    base, path = endpoint(rules, given, config, found), PATHS.get(protocol(rules, config, found), "")
    return base if path and base.endswith(path) else base + path


class Planned(msgspec.Struct, frozen=True):
    """A request ready to be authenticated and sent, and how long it may take."""

    request: Request
    key: str | None
    timeout_s: int
    warnings: tuple[Warned, ...] = ()


def plan(
    rules: Rules,
    given: Given,
    config: Config,
    found: Profile,
    messages: Iterable[Mapping[str, Any]],
    tools: tuple[Tool, ...] = (),
    model: str | None = None,
) -> Planned:
    """The request of a profile, each of its fields on the wire (C27–C42)."""
    name = protocol(rules, config, found)
    url, path = request_url(rules, given, config, found), PATHS.get(name, "")
    warnings: list[Warned] = []
    spoken = PROTOCOLS.get(name)
    if spoken is None:
        raise DialectFault("unknown_api", f"{name} is not spoken here", expected=", ".join(PROTOCOLS))
    deviations: Any = spoken.deviations()
    if name == "openai-completions":
        deviations = msgspec.structs.replace(
            deviations,
            max_tokens_field="max_tokens",
            system_role="user" if found.fields.get("merge_system_into_user") is True else "system",
        )
    call = _call(rules, found, messages, tools, model, warnings)
    target = Endpoint(
        provider=found.ref,
        protocol=name,
        base_url=url.removesuffix(path),
        path=path or None,
        headers=tuple((str(k), str(v)) for k, v in (found.fields.get("extra_headers") or {}).items()),
        deviations=deviations,
    )
    credential = walk(found.ref, sources(rules, given, config, found)).value
    timeout = found.fields.get("timeout_secs", TIMEOUT_S)
    return Planned(spoken.build(call, target), credential, timeout, tuple(warnings))


def _call(
    rules: Rules,
    found: Profile,
    messages: Iterable[Mapping[str, Any]],
    tools: tuple[Tool, ...],
    model: str | None,
    warnings: list[Warned],
) -> Call:
    told = [(str(m["role"]), str(m["content"])) for m in messages]
    system = "\n\n".join(text for role, text in told if role == "system") or None
    native = found.fields.get("native_tools")
    as_text = native is False or (native is None and found.family in rules.text_tools)
    if tools and as_text:
        system = "\n\n".join(part for part in (system, _described(tools)) if part)
    if found.fields.get("merge_system_into_user") is True and system:
        told, system = _folded(told, system), None
    return Call(
        model=model or found.text("model"),
        messages=tuple(
            Message("assistant" if role == "assistant" else "user", (Text(text),))
            for role, text in told
            if role != "system"
        ),
        system=system,
        tools=() if as_text else tools,
        max_output_tokens=found.fields.get("max_tokens"),
        temperature=found.fields.get("temperature"),
        extra_body=_extra_body(found, warnings),
    )


def _folded(told: list[tuple[str, str]], system: str) -> list[tuple[str, str]]:
    """The system prompt before the first user message's text (C39)."""
    rest = [pair for pair in told if pair[0] != "system"]
    first = next((index for index, pair in enumerate(rest) if pair[0] == "user"), None)
    if first is None:
        return [("user", system), *rest]
    return [*rest[:first], ("user", f"{system}\n\n{rest[first][1]}"), *rest[first + 1 :]]


def _described(tools: tuple[Tool, ...]) -> str:
    """The tools as words of the system prompt, for models that refuse native tool calls (C40)."""
    lines = (f"- {tool.name}: {tool.description}" for tool in tools)
    return "\n".join(("Tools you may call:", *lines))


def _extra_body(found: Profile, warnings: list[Warned]) -> dict[str, Any]:
    """provider_extra, then chat_template_kwargs, then enable_thinking; the later wins (C35–C38)."""
    body: dict[str, Any] = {}
    extra, template = found.fields.get("provider_extra"), found.fields.get("chat_template_kwargs")
    for name, value in (("provider_extra", extra), ("chat_template_kwargs", template)):
        if value is not None and not isinstance(value, Mapping):
            warnings.append(Warned("invalid_value", "dropped: no table", provider=found.ref, name=name))
    if isinstance(extra, Mapping):
        body.update(extra)
    if isinstance(template, Mapping):
        body["chat_template_kwargs"] = dict(template)
    if found.fields.get("think") is not None:
        body["enable_thinking"] = found.fields["think"]
    return body


def price(found: Profile, model: str, input_tokens: int, output_tokens: int) -> float | None:
    """US dollars for a usage; None when a rate that is needed is unknown (C43)."""
    rates = found.fields.get("pricing") or {}
    split = {"input": rates.get(f"{model}.input"), "output": rates.get(f"{model}.output")}
    if split["input"] is None and split["output"] is None:
        split = dict.fromkeys(split, rates.get(model))
    total = 0.0
    for dimension, tokens in (("input", input_tokens), ("output", output_tokens)):
        rate = split[dimension]
        if rate is None and tokens:
            return None
        total += (rate or 0) * tokens / 1_000_000
    return total if any(rate is not None for rate in split.values()) else None
