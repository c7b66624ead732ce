"""Judging a JSON request field by field: what was found so far, and the checkers most fields need.

A checker is a small function of (judgement, value, where) that appends Violations; a vendor's fields,
roles and parts are tables of them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from harness.emulators.emulator import Violation
from providers.call import JSON
from providers.errors import MalformedFrame, shown
from providers.wire import Endpoint, Request, header

Object: TypeAlias = dict[str, Any]
Check: TypeAlias = Callable[["Judgement", JSON, str], None]

DEEPEST = 100  # levels of JSON that are read; Google's limit, and for want of one the others' too
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_TYPES: Mapping[type, str] = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}


def model_id(endpoint: Endpoint, told: JSON) -> str:
    """The id of the model that is called ``told`` at ``endpoint``."""
    ids = {name: id for id, name in endpoint.model_names.items()}
    return ids.get(told, told) if isinstance(told, str) else ""


class Judgement:
    """The violations found so far in one request. ``deviations`` are the endpoint's own."""

    def __init__(self, endpoint: Endpoint, deviations: Any) -> None:
        self.deviations = deviations
        self.found: list[Violation] = []
        self.sent: Object = {}
        self._endpoint = endpoint

    def refuse(self, rule: str, expected: str, seen: object, where: str) -> None:
        """Note a violation."""
        self.found.append(Violation(rule, expected, shown(seen), where))

    def is_a(self, value: JSON, kind: type, where: str) -> bool:
        """Whether ``value`` has the JSON type; refused when not."""
        if type(value) is kind:
            return True
        self.refuse("type", _TYPES[kind], value, where)
        return False

    def only(self, value: Object, known: Iterable[str], where: str) -> None:
        """Refuse the fields of ``value`` that are not ``known``."""
        known = set(known)
        for name in value:
            if name not in known:
                self.refuse("unknown_field", "a field of the reference", name, f"{where}/{name}")

    def needs(self, value: Object, names: Iterable[str], where: str) -> None:
        """Refuse ``value`` for each of ``names`` that is not there."""
        for name in names:
            if name not in value:
                self.refuse("required", f"the field {name}", "nothing", f"{where}/{name}")

    def request(
        self,
        request: Request,
        path: str,
        needed: Iterable[str],
        checks: Mapping[str, Check],
        *,
        strict: bool = True,
    ) -> tuple[Violation, ...]:
        """Judge the head, then the body by ``checks``. Fields that have none pass where the vendor is not
        ``strict``."""
        self._head(request, path)
        try:
            body = request.json()
        except MalformedFrame as fault:
            self.refuse("json", "a JSON body", fault.seen, "")
            return tuple(self.found)
        if self.is_a(body, dict, ""):
            self.sent = body
            self.needs(body, needed, "")
            for name, value in body.items():
                check = checks.get(name)
                if check is not None:
                    check(self, value, f"/{name}")
                elif strict:
                    self.refuse("unknown_field", "a field of the reference", name, f"/{name}")
        return tuple(self.found)

    def _head(self, request: Request, path: str) -> None:
        target = request.url.split("?")[0]
        if request.method != "POST":
            self.refuse("method", "POST", request.method, "method")
        if not (self._endpoint.path or target.endswith(path)):
            self.refuse("target", f"a path that ends in {path}", target, "target")
        media_type = (header(request.headers, "content-type") or "").split(";")[0].strip().lower()
        if media_type != "application/json":
            self.refuse("content_type", "application/json", media_type or "nothing", "content-type")


def objects(value: JSON) -> list[Object]:
    """The objects in ``value``, none when it is no array."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def is_picture(url: str) -> bool:
    """Whether ``url`` is another than a data URL, or one of an image in base64 of at least one byte."""
    if not url.startswith("data:"):
        return True
    head, _, data = url.partition(",")
    try:
        return _PICTURE.fullmatch(head) is not None and bool(base64.b64decode(data, validate=True))
    except ValueError:
        return False


_PICTURE = re.compile("data:image/[a-zA-Z0-9.+-]+(?:;[^;,]+)*;base64")


def anything(judged: Judgement, value: JSON, where: str) -> None:
    """Every value is taken."""


def typed(*kinds: type) -> Check:
    """A value of one of these JSON types."""

    def check(judged: Judgement, value: JSON, where: str) -> None:
        if type(value) not in kinds:
            judged.refuse("type", " or ".join(_TYPES[kind] for kind in kinds), value, where)

    return check


def number(low: float, high: float, *, integer: bool = False) -> Check:
    """A number in a range, both ends included."""

    def check(judged: Judgement, value: JSON, where: str) -> None:
        right = type(value) is int or (not integer and type(value) is float)
        if not right or not low <= value <= high:
            kind = "an integer" if integer else "a number"
            judged.refuse("range", f"{kind} from {low} to {high}", value, where)

    return check


def one_of(*words: str) -> Check:
    """One of these words."""

    def check(judged: Judgement, value: JSON, where: str) -> None:
        if value not in words:
            judged.refuse("value", " or ".join(words), value, where)

    return check


def model(judged: Judgement, value: JSON, where: str) -> None:
    """The id of a model."""
    if judged.is_a(value, str, where) and not value:
        judged.refuse("value", "a model id", value, where)


def texts(limit: int = 0) -> Check:
    """An array of strings, of at most ``limit`` (0: any number)."""

    def check(judged: Judgement, value: JSON, where: str) -> None:
        if not judged.is_a(value, list, where):
            return
        for at, item in enumerate(value):
            judged.is_a(item, str, f"{where}/{at}")
        if limit and len(value) > limit:
            judged.refuse("limit", f"at most {limit} strings", len(value), where)

    return check


def content_parts(
    judged: Judgement,
    value: JSON,
    kinds: tuple[str, ...],
    where: str,
    check: Callable[[str, Object, str], None],
) -> None:
    """A string, or an array of parts of these ``kinds``; ``check`` is given the kind and part, and where."""
    if isinstance(value, str):
        return
    if not isinstance(value, list):
        judged.refuse("type", "a string or an array", value, where)
        return
    if not value:
        judged.refuse("empty", "at least one part", "[]", where)
    for place, part in enumerate(value):
        at = f"{where}/{place}"
        if judged.is_a(part, dict, at):
            kind = part.get("type")
            if kind in kinds:
                check(kind, part, at)
            else:
                judged.refuse("part", " or ".join(kinds), kind, f"{at}/type")


def tools(judged: Judgement, value: JSON, where: str) -> None:
    """An array of functions, each with a name and a schema of its parameters."""
    if not judged.is_a(value, list, where):
        return
    if not value:
        judged.refuse("empty", "at least one tool", "[]", where)
    for at, tool in enumerate(value):
        _tool(judged, tool, f"{where}/{at}")


def _tool(judged: Judgement, value: JSON, where: str) -> None:
    if not judged.is_a(value, dict, where):
        return
    judged.only(value, ("type", "function"), where)
    judged.needs(value, ("type", "function"), where)
    one_of("function")(judged, value.get("type", "function"), f"{where}/type")
    function = value.get("function", {})
    where = f"{where}/function"
    if not judged.is_a(function, dict, where):
        return
    judged.only(function, ("name", "description", "parameters"), where)
    judged.needs(function, ("name",), where)
    name(judged, function.get("name", "x"), f"{where}/name")
    judged.is_a(function.get("description", ""), str, f"{where}/description")
    parameters = function.get("parameters", {"type": "object"})
    if judged.is_a(parameters, dict, f"{where}/parameters"):
        one_of("object")(judged, parameters.get("type"), f"{where}/parameters/type")


def name(judged: Judgement, value: JSON, where: str) -> None:
    """The name of a tool."""
    if judged.is_a(value, str, where) and not NAME.fullmatch(value):
        judged.refuse("name", NAME.pattern, value, where)
