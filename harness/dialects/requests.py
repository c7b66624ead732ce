"""The operations of the vector format that send something: built by the protocols, recorded, not sent.

A request is built and authenticated as ours are, and read back as the recording server would see it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from harness.dialects.bench import MOCK, Bench, Outcome, warned
from providers.auth import authenticate
from providers.call import Call, Tool, user
from providers.declaration import Auth
from providers.dialects import (
    gomodel,
    mayros,
    mayros_models,
    pi,
    pi_models,
    zeroclaw,
    zeroclaw_families,
    zeroclaw_wire,
    zot,
)
from providers.errors import DialectFault
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Protocol, Request


def _sent(request: Request) -> dict[str, Any]:
    """A request as the recording server sees it."""
    body = request.json()
    messages = body.get("messages") if isinstance(body, Mapping) else None
    messages = messages if messages is not None else (body.get("input") or [])
    messages = [message for message in messages if isinstance(message, Mapping)]
    users = [message for message in messages if message.get("role") == "user"]
    return {
        "url": request.url,
        "path": urlsplit(request.url).path,
        "model": body.get("model"),
        "headers": dict(request.headers),
        "body": body,
        "roles": [message.get("role") for message in messages],
        "first_user": json.dumps(users[0].get("content"), ensure_ascii=False) if users else "",
    }


AUTH_OF = {  # how a key travels in a protocol, where no catalog file says so
    "anthropic-messages": Auth(scheme="header", name="x-api-key", source="protocol"),
    "google-generative-ai": Auth(scheme="header", name="x-goog-api-key", source="protocol"),
}
BEARER = Auth(source="protocol")


def _protocol(name: str) -> Protocol:
    """The protocol called ``name``. Raises DialectFault for one that is not spoken here."""
    found = PROTOCOLS.get(name)
    if found is None:
        raise DialectFault("unknown_api", f"{name} is not spoken here", expected=", ".join(PROTOCOLS))
    return found


def pi_run_prompt(bench: Bench) -> Outcome:
    """Send one prompt: select, resolve, build, authenticate, record."""
    bench.so_far = {"requests": [], "warnings": []}
    provider = bench.provider or None
    selected = pi.select(bench.rules, bench.given, provider, bench.model or bench.when.get("ref"))
    resolved = pi.resolve(bench.rules, bench.given, selected.provider, selected.model.id)
    key = resolved.require()
    if key is None:
        raise DialectFault(
            "missing_credential", f"no credential for {selected.provider}", provider=selected.provider
        )
    protocol = pi_models.APIS[str(selected.model.fields["api"])]
    headers = pi.headers(bench.rules, bench.given, selected.provider, selected.model.id)
    request = _protocol(protocol).build(
        Call(model=selected.model.id, messages=(user("Hello"),), stream=True),
        Endpoint(
            provider=selected.provider,
            protocol=protocol,
            base_url=str(selected.model.fields["baseUrl"]).rstrip("/"),
            headers=tuple(headers.items()),
        ),
    )
    if not any(name.lower() == "authorization" for name in headers):
        request = authenticate(request, AUTH_OF.get(protocol, BEARER), key)
    return {"requests": [_sent(request)], "warnings": warned(selected.warnings)}


def zot_run_prompt(bench: Bench) -> Outcome:
    """Send one prompt to a configured endpoint."""
    bench.so_far = {"requests": [], "warnings": []}
    provider = zot.canonical(bench.rules, bench.given, bench.provider)
    if not bench.model:
        raise DialectFault("missing_model", "no model is selected")
    base = zot.endpoint(bench.rules, bench.given, provider, bench.model)
    entry = zot.models(bench.rules, bench.given).find(provider, bench.model)
    key = zot.resolve(bench.rules, bench.given, provider, bench.model).require()
    api = str(entry.fields.get("api") or "openai") if entry else "openai"
    protocol = {"anthropic": "anthropic-messages", "openai-responses": "openai-responses"}.get(
        api, "openai-completions"
    )
    if base is None:
        raise DialectFault("missing_endpoint", f"{provider} has no configured endpoint", provider=provider)
    path = zot.request_url(base).removeprefix(base) if protocol == "openai-completions" else None
    request = _protocol(protocol).build(
        Call(model=bench.model, messages=(user("Hello"),), stream=True),
        Endpoint(provider=provider, protocol=protocol, base_url=base.rstrip("/"), path=path),
    )
    return {"requests": [_sent(authenticate(request, AUTH_OF.get(protocol, BEARER), key))], "warnings": []}


def build_request(bench: Bench) -> Outcome:
    """The request ZeroClaw would send; with ``delegate``, the one to that agent's profile."""
    config = zeroclaw.load_config(bench.rules, bench.given)
    delegate = bench.when.get("delegate")
    ref = zeroclaw.delegate_target(config, str(delegate)) if delegate else bench.provider
    found = zeroclaw.profile(bench.rules, config, ref)
    told = bench.when.get("messages") or [{"role": "user", "content": "Hello"}]
    tools = tuple(_tool(tool) for tool in bench.when.get("tools") or ())
    planned = zeroclaw_wire.plan(bench.rules, bench.given, config, found, told, tools, bench.model)
    family = found.family
    auth = AUTH_OF.get(zeroclaw_families.NATIVE.get(family, ""), BEARER)
    request = authenticate(planned.request, auth, planned.key)
    sent = {**_sent(request), "timeout_secs": planned.timeout_s}
    return {"request": sent, "warnings": warned(planned.warnings)}


def _tool(told: Mapping[str, Any]) -> Tool:
    inner = told.get("function", told)
    return Tool(str(inner["name"]), str(inner.get("description", "")), inner.get("parameters"))


def gomodel_build_request(bench: Bench) -> Outcome:
    """The request a GoModel instance would send upstream: route, key field and API version."""
    instance = gomodel.registry(bench.rules, bench.given).instances.get(bench.provider)
    if instance is None:
        raise DialectFault("missing_credential", f"{bench.provider} is not registered")
    model = bench.model or (instance.models[0] if instance.models else "any")
    path = gomodel.route(bench.given.environ, instance.type, model)
    protocol = "anthropic-messages" if path == "/messages" else "openai-completions"
    version = instance.settings.get("api_version")
    target = Endpoint(
        provider=instance.name,
        protocol=protocol,
        base_url=instance.base_url.rstrip("/"),
        path=f"{path}?api-version={version}" if version else path,
    )
    request = _protocol(protocol).build(Call(model=model, messages=(user("Hello"),)), target)
    auth = KEY_FIELDS.get(instance.type) or AUTH_OF.get(protocol, BEARER)
    return {"request": _sent(authenticate(request, auth, instance.api_key))}


KEY_FIELDS = {"azure": Auth(scheme="header", name="api-key", source="page")}  # G10


def run_with_rotation(bench: Bench) -> Outcome:
    """Requests with one key after the other, answered from ``responses``."""
    config = mayros_models.load_config(bench.given)
    keys = mayros.rotation_keys(bench.rules, config.environ, bench.provider)
    responses: Mapping[str, Mapping[str, Any]] = bench.raw.get("responses") or {}

    def attempt(key: str) -> mayros.Failed | None:
        endpoint = Endpoint(provider=bench.provider, protocol="openai-completions", base_url=MOCK)
        call = Call(model="any", messages=(user("Hello"),))
        request = authenticate(PROTOCOLS["openai-completions"].build(call, endpoint), BEARER, key)
        arrived = dict(request.headers)["Authorization"].removeprefix("Bearer ")
        answer = responses.get(arrived) or {"status": 500, "message": "no answer is given for this key"}
        if answer.get("ok"):
            return None
        return mayros.Failed(int(answer.get("status") or 0), str(answer.get("message") or ""))

    if not keys:
        raise DialectFault("missing_credential", f"no key for {bench.provider}", provider=bench.provider)
    rotation = mayros.rotate(bench.rules, keys, attempt)
    last, failed = rotation.attempts[-1], rotation.failed
    outcome: Outcome = {"attempts": list(rotation.attempts)}
    if failed is None:
        return {**outcome, "result": {"ok": True, "key": last}}
    told = {
        "category": _failed_category(bench.rules, failed),
        "from_key": last,
        "status": failed.status,
        "message": failed.message,
    }
    return {**outcome, "result": {"error": told}}


def _failed_category(rules: mayros.Rules, failed: mayros.Failed) -> str:
    if mayros.is_rate_limit(rules, failed):
        return "rate_limited"
    return "auth_failed" if failed.status in (401, 403) else "request_failed"
