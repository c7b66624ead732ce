"""What a desk answers to a request that nobody recorded: which desk is meant, and a reply for it to speak.

A desk is meant when its form takes the method and the path. The reply is that of a service's scenario, under
the id that the path names, with as many vectors as texts were sent, or the name and size of the file that
was. Nothing is kept: a file that was uploaded is not there afterwards. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec
from msgspec.structs import replace

from harness.emulators.emulator import Spoken, Violation, spoken
from harness.services import DESKS, Desk
from harness.services.embeddings import OTHERS
from harness.services.files import as_sent
from harness.services.scenarios import SERVICE_SCENARIOS, Asking
from providers import jsontext
from providers.call import JSON
from providers.errors import MalformedFrame, UnsupportedFeature
from providers.events import Usage
from providers.services import SERVICES
from providers.services.embeddings import Embed, Embeddings
from providers.services.files import Upload
from providers.services.models_list import ListModels, ModelList
from providers.wire import Endpoint, Request

_ELSEWHERE = {("method", "method"), ("target", "target"), ("model", "target")}  # rules and places of a head
_ID = re.compile(r"/(?:files|batches|batch/jobs)/(?!upload$)([^/:]+)")
_MODEL = re.compile("(.*?/models)/(.+)")
# Whose list's items are also told one by one: https://platform.openai.com/docs/api-reference/models/retrieve,
# https://platform.claude.com/docs/en/api/models/retrieve, https://ai.google.dev/api/models#method:-models.get,
# https://docs.mistral.ai/api/endpoint/models (read 2026-11-21).
_BY_ID = frozenset(
    {
        "openai-completions",
        "openai-responses",
        "openai-text-completions",
        "anthropic-messages",
        "google-generative-ai",
        "mistral-chat",
    }
)
_TEXTS = ("input", "texts", "requests", "instances")  # the fields that hold the texts to embed, one each
_SIZES = ("dimensions", "output_dimension", "outputDimensionality", "embeddingDimension")
_SIZE = 8
_LARGEST = 4096
_TOKENS = 9


class Asked(msgspec.Struct, frozen=True):
    """What a request asks for: the ``service``, the type of the ask, its desk and what the desk refuses.

    ``one``: the id of the one of a list that is asked for; "" for the list.
    """

    service: str
    kind: type
    desk: Desk
    found: tuple[Violation, ...]
    one: str = ""


def asked(request: Request, endpoint: Endpoint) -> Asked | None:
    """The service that ``request`` is a request of, lawful or not; None where it is none of any desk."""
    for place in _places(request, endpoint):
        for service, kind, desk in _desks(endpoint):
            found = desk.judge(place, endpoint)
            if not any((each.rule, each.where) in _ELSEWHERE for each in found):
                return Asked(service, kind, desk, found)
    return _one_model(request, endpoint)


def _one_model(request: Request, endpoint: Endpoint) -> Asked | None:
    """A model that is asked for by its id, behind the path of the list."""
    shape, parts = endpoint.shape("models_list"), urlsplit(request.url)
    named = _MODEL.fullmatch(parts.path)
    if named is None or shape not in _BY_ID:
        return None
    desk = DESKS[shape][ListModels]
    found = desk.judge(replace(request, url=urlunsplit(parts._replace(path=named[1]))), endpoint)
    if any((each.rule, each.where) in _ELSEWHERE for each in found):
        return None
    return Asked("models_list", ListModels, desk, found, unquote(named[2]))


def _places(request: Request, endpoint: Endpoint) -> Iterator[Request]:
    """The request as it is, then beside the base URL, where some vendors have a service."""
    yield request
    if request.url.startswith(endpoint.base_url):
        parts = urlsplit(endpoint.base_url)
        rest = request.url.removeprefix(endpoint.base_url)
        yield replace(request, url=f"{parts.scheme}://{parts.netloc}{rest}")


def speak(ask: Asked, request: Request, endpoint: Endpoint, models: Sequence[str], model: str) -> Spoken:
    """The answer to a lawful request; ``models`` are those there are, ``model`` is the one that it names."""
    said, reply = _told(ask, endpoint, model or next(iter(models), "unnamed"))
    if ask.one:
        return _first(ask.desk.speak(said, ModelList((ask.one,)), endpoint))
    if ask.kind is ListModels:
        reply = ModelList(tuple(models) or reply.ids)
    if ask.kind is Embed:
        said, reply = _embedded(request, said)
    if ask.kind is Upload:
        reply = as_sent(request, reply)
    named = _ID.search(urlsplit(request.url).path)
    if named and hasattr(reply, "id"):
        reply = replace(reply, id=unquote(named[1]))
    return ask.desk.speak(said, reply, endpoint)


def _first(listed: Spoken) -> Spoken:
    """The only one of a list, alone: the vendors tell it in the form that it has in the list."""
    items = (each for each in jsontext.parse(listed.content).values() if isinstance(each, list))
    return spoken(listed.status, listed.headers, [jsontext.write(next(items)[0])])


def _desks(endpoint: Endpoint) -> Iterator[tuple[str, type, Desk]]:
    for service, table in SERVICES.items():
        shape = endpoint.shape(service)
        offered = DESKS.get(shape, {})
        yield from ((service, kind, offered[kind]) for kind in table.get(shape, {}) if kind in offered)
    shape = endpoint.shape("embeddings")
    if shape in OTHERS:
        yield "embeddings", Embed, OTHERS[shape]


def _told(ask: Asked, endpoint: Endpoint, model: str) -> tuple[Any, Any]:
    """A scenario's ask of that type, and the reply to it. Raises UnsupportedFeature where there is none."""
    shape = endpoint.shape(ask.service)
    for story in SERVICE_SCENARIOS.values():
        if story.service != ask.service or (story.protocols and shape not in story.protocols):
            continue
        asking = Asking(model, endpoint)
        for step in story.steps:
            said, reply = step.ask(asking), step.reply(asking)
            if type(said) is ask.kind:
                return said, reply
            asking = replace(asking, answers=(*asking.answers, reply))
    raise UnsupportedFeature(endpoint.provider, f"{ask.service} ({ask.kind.__name__}) over {shape}")


def _embedded(request: Request, told: Embed) -> tuple[Embed, Embeddings]:
    """As many vectors as texts were sent, of the length that was asked for."""
    body = _body(request)
    sent = next((body[name] for name in _TEXTS if name in body), "")
    texts = tuple(each if isinstance(each, str) else "?" for each in (sent if _many(sent) else [sent]))
    size = next((found for found in _sizes(body) if type(found) is int), _SIZE)
    vector = tuple((place % 127 - 63) / 64 for place in range(min(size, _LARGEST)))
    encoding = "base64" if body.get("encoding_format") == "base64" else None
    ask = replace(told, texts=texts, encoding=encoding)
    return ask, Embeddings((vector,) * len(texts), Usage(input_tokens=_TOKENS))


def _many(sent: JSON) -> bool:
    """Whether these are several texts: a list of numbers is one, in tokens."""
    return isinstance(sent, list) and not all(type(each) is int for each in sent)


def _sizes(body: Mapping[str, Any]) -> Iterator[JSON]:
    """The lengths of vectors that a body names, at its top or in what stands inside it."""
    for name, value in body.items():
        if name in _SIZES:
            yield value
        inner = value if isinstance(value, list) else [value]
        for each in inner[:1]:
            if isinstance(each, dict):
                yield from _sizes(each)


def _body(request: Request) -> Mapping[str, Any]:
    try:
        body = request.json()
    except MalformedFrame:
        return {}
    return body if isinstance(body, dict) else {}
