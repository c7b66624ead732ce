"""What the vendor's side of a service is made of: Desk, and the judging of a request's head.

A desk judges the request of one operation as the vendor would and speaks a typed answer as bytes. It is
written from the vendor's reference, apart from the row of ``providers.services`` it is used to test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import msgspec

from harness.emulators.emulator import Spoken, Violation, spoken
from harness.emulators.judging import Check, Judgement
from providers import jsontext
from providers.call import JSON
from providers.errors import MalformedFrame
from providers.wire import Endpoint, Request, header

JSON_HEAD = (("content-type", "application/json"),)
Judge: TypeAlias = Callable[[Request, Endpoint], tuple[Violation, ...]]


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """The vendor's side of one operation.

    ``judge(request, endpoint)`` lists what the vendor would refuse; empty means accepted.
    ``speak(ask, answer, endpoint)`` is the answer as the vendor would send it.
    """

    judge: Judge
    speak: Callable[[Any, Any, Endpoint], Spoken]


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What a request looks like: ``path`` is a pattern of what its path ends with, ``parameters`` are those
    of its query, ``headers`` the fields it must have, with a pattern of their values, ``needed`` and
    ``fields`` those of a JSON body, None for a body that is judged elsewhere or is not there."""

    method: str
    path: str
    parameters: tuple[str, ...] = ()
    headers: Mapping[str, str] = {}
    needed: tuple[str, ...] = ()
    fields: Mapping[str, Check] | None = None

    def judge(self, request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
        """Everything in which ``request`` is not of this form."""
        judged = Judgement(endpoint, None)
        self._head(judged, request, endpoint)
        if self.fields is None:
            if self.method in ("GET", "DELETE") and request.content:
                judged.refuse("content", "no body", request.content, "")
            return tuple(judged.found)
        try:
            body = request.json()
        except MalformedFrame as fault:
            judged.refuse("json", "a JSON body", fault.seen, "")
            return tuple(judged.found)
        if judged.is_a(body, dict, ""):
            judged.sent = body
            judged.needs(body, self.needed, "")
            judged.only(body, self.fields, "")
            for name in (name for name in body if name in self.fields):
                self.fields[name](judged, body[name], f"/{name}")
        return tuple(judged.found)

    def _head(self, judged: Judgement, request: Request, endpoint: Endpoint) -> None:
        address = urlsplit(request.url)
        if request.method != self.method:
            judged.refuse("method", self.method, request.method, "method")
        if not re.search(f"{self.path}$", address.path):
            judged.refuse("target", f"a path that ends in {self.path}", address.path, "target")
        for name, _ in parse_qsl(address.query, keep_blank_values=True):
            if name not in self.parameters and name not in dict(endpoint.query):
                judged.refuse("unknown_parameter", " or ".join(self.parameters) or "none", name, "target")
        wanted = {**({"content-type": "application/json"} if self.fields is not None else {}), **self.headers}
        for name, pattern in wanted.items():
            value = header(request.headers, name) or ""
            if not re.match(pattern, value):
                judged.refuse("header", f"{name}: {pattern}", value or "nothing", name)


def said(body: JSON, status: int = 200) -> Spoken:
    """A JSON answer in one chunk."""
    return spoken(status, JSON_HEAD, [jsontext.write(body)])


def speaking(words: Callable[[Any, Any], JSON]) -> Callable[[Any, Any, Endpoint], Spoken]:
    """A ``speak`` from what makes the body of an ask and an answer."""
    return lambda ask, answer, endpoint: said(words(ask, answer))


def many(inner: Check, *, least: int = 1, most: int = 0) -> Check:
    """An array of values that ``inner`` takes; ``most`` 0 is any number."""

    def check(judged: Judgement, value: JSON, where: str) -> None:
        if not judged.is_a(value, list, where):
            return
        if len(value) < least or (most and len(value) > most):
            judged.refuse("limit", f"{least} to {most or 'any number of'} items", len(value), where)
        for number, item in enumerate(value):
            inner(judged, item, f"{where}/{number}")

    return check


def shape(needed: tuple[str, ...], fields: Mapping[str, Check]) -> Check:
    """An object with these fields and no other."""

    def check(judged: Judgement, value: JSON, where: str) -> None:
        if not judged.is_a(value, dict, where):
            return
        judged.needs(value, needed, where)
        judged.only(value, fields, where)
        for name in (name for name in value if name in fields):
            fields[name](judged, value[name], f"{where}/{name}")

    return check
