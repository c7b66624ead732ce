"""The answer of an emulator to a request that nobody recorded: what the vendor would refuse, in its words, or
a small turn.

The turn is always the same sentence; what is judged is the request. One for what stands beside chat (the
models list, embeddings, token counts, files, batches) is judged and answered by its desk. An emulator knows
no account, so a credential is only asked for, never checked. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from msgspec.structs import replace

from harness import fixtures
from harness.emulators import EMULATORS
from harness.emulators.emulator import Spoken, Violation
from harness.services import unrecorded
from providers.call import Call, Text, user
from providers.errors import ConfigurationError, MalformedFrame, UnsupportedFeature
from providers.events import Turn, Usage
from providers.protocols import PROTOCOLS
from providers.schema import Provider
from providers.wire import Endpoint, Refused, Request

SAID = "This is an emulator speaking."
ANY = "any"  # stands for a provider without deviations
_TURN = Turn(
    parts=(Text(SAID),),
    finish="stop",
    usage=Usage(input_tokens=9, output_tokens=6),
    complete=True,
)
_IN_PATH = re.compile(r"/(?:models?|deployments)/([^/:]+(?::[0-9][^/:]*)?)[/:]")
_MODEL_FIELDS = ("model", "model_id", "modelId", "agent")


def endpoint_of(provider: Provider, protocol: str, model: str) -> Endpoint:
    """The documented endpoint for ``model``, or the first of the protocol where it serves none such."""
    values = fixtures.placeholder_values(provider)
    try:
        return provider.endpoint(protocol, model, values=values)
    except ConfigurationError:
        return provider.endpoint(protocol, values=values)


def plain_endpoint(protocol: str) -> Endpoint:
    """An endpoint of nobody in particular, which speaks the protocol as its reference has it."""
    base_url = f"https://{ANY}.example/v1"
    return Endpoint(
        provider=ANY, protocol=protocol, base_url=base_url, deviations=PROTOCOLS[protocol].deviations()
    )


def model_of(request: Request) -> str:
    """The model that a request names in its body or in its path; empty where it names none."""
    body = _body(request)
    named = next((body[name] for name in _MODEL_FIELDS if isinstance(body.get(name), str)), None)
    found = _IN_PATH.search(urlsplit(request.url).path)
    return named or (unquote(found[1]) if found else "")


def answer(request: Request, endpoint: Endpoint, provider: Provider | None) -> Spoken:
    """What the vendor behind ``endpoint`` would say; ``provider`` None asks for no credential."""
    emulator = EMULATORS[endpoint.protocol]
    call = _call(request, streams_unasked=emulator.streams_unasked)
    if provider is not None and not _has_credential(request, provider, endpoint.protocol):
        return emulator.refuse(_words("bad_key", endpoint), call, endpoint)
    if emulator.key_parameter:
        request = _without(request, emulator.key_parameter)
    found = emulator.judge(request, endpoint)
    beside = unrecorded.asked(request, endpoint) if found else None
    if beside is not None:
        return _served(beside, request, endpoint, provider)
    if found:
        return _refused(found[0], request, endpoint)
    try:
        return emulator.speak(_TURN, call, endpoint)
    except UnsupportedFeature as fault:
        words = _words("bad_request", endpoint)
        return emulator.refuse(Refused(400, str(fault), words.type, words.code), call, endpoint)


def _served(
    asked: unrecorded.Asked, request: Request, endpoint: Endpoint, provider: Provider | None
) -> Spoken:
    """What the desk of a service says; a provider that claims not to have the service has no such path."""
    if provider is not None and not _offers(provider, endpoint.protocol, asked.service):
        emulator, words = EMULATORS[endpoint.protocol], _words("bad_request", endpoint)
        told = Refused(404, f"{provider.id} does not offer {asked.service}", words.type, words.code)
        return emulator.refuse(told, _call(request, streams_unasked=False), endpoint)
    if asked.found:
        return _refused(asked.found[0], request, endpoint)
    models = [model.id for model in provider.models] if provider else []
    return unrecorded.speak(asked, request, endpoint, models, _sendable(model_of(request)))


def _offers(provider: Provider, protocol: str, service: str) -> bool:
    """Whether the provider has the service at its endpoint, or nobody says that it has not."""
    return provider.offered_at(provider.declaration(protocol)).get(service, True)


def _refused(violation: Violation, request: Request, endpoint: Endpoint) -> Spoken:
    """A bad request, in the vendor's words."""
    emulator = EMULATORS[endpoint.protocol]
    call = _call(request, streams_unasked=emulator.streams_unasked)
    told = emulator.told(violation, request, replace(_words("bad_request", endpoint), status=400))
    return emulator.refuse(replace(told, message=_sendable(told.message)), call, endpoint)


def _words(kind: str, endpoint: Endpoint) -> Refused:
    return endpoint.refusals.get(kind) or EMULATORS[endpoint.protocol].refusals[kind]


def _call(request: Request, *, streams_unasked: bool) -> Call:
    """As much of the call as an answer needs."""
    body = _body(request)
    method = urlsplit(request.url).path.rpartition("/")[2].lower()
    stream = bool(body.get("stream", streams_unasked)) or "stream" in method
    return Call(model=_sendable(model_of(request)) or "unnamed", messages=(user("?"),), stream=stream)


def _sendable(text: str) -> str:
    """The text without half characters, which JSON may hold and UTF-8 may not."""
    return text.encode("utf-8", "replace").decode()


def _body(request: Request) -> Mapping[str, Any]:
    try:
        body = request.json()
    except MalformedFrame:
        return {}
    return body if isinstance(body, dict) else {}


def _has_credential(request: Request, provider: Provider, protocol: str) -> bool:
    auth = provider.auth_for(protocol)
    if auth.scheme == "none" or not auth.required:
        return True
    query = [name for name, _ in parse_qsl(urlsplit(request.url).query)]
    keys = {EMULATORS[protocol].key_parameter, auth.name if auth.scheme == "query" else ""} - {""}
    own = [each for each in (auth, auth.upstream) if each is not None]
    fields = {"authorization", *(each.name.lower() for each in own)}
    wordless = {each.name.lower() for each in own if each.scheme != "bearer"}  # a key stands there alone
    sent = [(name.lower(), value.strip()) for name, value in request.headers if name.lower() in fields]
    words = ("bearer", "aws4-hmac-sha256") if auth.scheme == "sigv4" else ("bearer",)
    told = any(bool(value) if name in wordless else _told(value, words) for name, value in sent)
    return told or not keys.isdisjoint(query)


def _without(request: Request, parameter: str) -> Request:
    """The request without a parameter of its query, which is left as it is otherwise."""
    parts = urlsplit(request.url)
    kept = [each for each in parts.query.split("&") if each.partition("=")[0] != parameter]
    return replace(request, url=urlunsplit(parts._replace(query="&".join(kept))))


def _told(value: str, words: tuple[str, ...]) -> bool:
    """Whether a field has one of these words for its scheme, and a credential behind it."""
    word, _, credential = value.partition(" ")
    return word.lower() in words and bool(credential.strip())
