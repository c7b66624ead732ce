"""What is wrong between the keys of a catalog file, and between files; ``schema`` judges each key by itself.

All is told of the tables as they were read, whatever their shape: a fault of one key hides no other.
"""

from __future__ import annotations

import string
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from providers import addresses, patterns
from providers.protocols import PROTOCOLS
from providers.services import SERVICES


def inside(table: Mapping[str, Any], latest: date) -> Iterator[str]:
    """What the keys of one file say against each other; ``latest``: the last day a source can be of."""
    yield from _dangling(table, table.get("sources"))
    yield from _unfilled(table)
    yield from _bad_values(table)
    yield from _misfits(table)
    yield from _misplaced(table)
    yield from _bad_forms(table)
    yield from _doubled(table)
    yield from _unshaped(table)
    yield from _unread(table, latest)


def _doubled(table: Mapping[str, Any]) -> Iterator[str]:
    """Every alias and model that the file names twice."""
    seen = [table.get("id")]
    for key, alias in _texts(table.get("aliases"), "aliases"):
        if alias in seen:
            yield f"{key}: {alias!r} is there already"
        seen.append(alias)
    models = table.get("models")
    ids: list[Any] = []
    for index, model in enumerate(models if isinstance(models, list) else ()):
        name = model.get("id") if isinstance(model, dict) else None
        if name is not None and name in ids:
            yield f"models.{index}.id: {name!r} is there already"
        ids.append(name)


def _unshaped(table: Mapping[str, Any]) -> Iterator[str]:
    """Every claim of a service in a shape that nothing here speaks."""
    claims = table.get("claims")
    for name, claim in claims.items() if isinstance(claims, dict) else ():
        shape = claim.get("shape") if isinstance(claim, dict) else None
        known = sorted(SERVICES.get(name, {}))
        if isinstance(shape, str) and shape and shape not in known:
            yield f"claims.{name}.shape: unknown shape {shape!r}; known: {', '.join(known) or 'none'}"
        elif shape and claim.get("own"):
            yield f"claims.{name}: expected shape or own, seen both"


def _unread(table: Mapping[str, Any], latest: date) -> Iterator[str]:
    """Every source that was read on a day to come."""
    sources = table.get("sources")
    for name, source in sources.items() if isinstance(sources, dict) else ():
        read = source.get("read") if isinstance(source, dict) else None
        if type(read) is date and read > latest:
            yield f"sources.{name}.read: expected a day that has been, seen {read}"


def _dangling(value: Any, sources: Any, where: str = "") -> Iterator[str]:
    """Every ``source`` in the file that ``[sources]`` does not hold, by its key."""
    known = sources if isinstance(sources, dict) else {}
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        key = f"{where}.{step}" if where else str(step)
        if step == "source" and isinstance(inner, str) and inner not in known:
            yield f"{key}: {inner!r} is not in [sources]"
        yield from _dangling(inner, known, key)


def _unfilled(table: Mapping[str, Any]) -> Iterator[str]:
    """Every placeholder of an endpoint that ``[values]`` does not hold, by its key."""
    values, endpoints = table.get("values"), table.get("endpoints")
    known = {*values} if isinstance(values, dict) else set()
    for index, endpoint in enumerate(endpoints if isinstance(endpoints, list) else ()):
        if not isinstance(endpoint, dict):
            continue
        templates = {name: endpoint.get(name) for name in ("base_url", "path")}
        for table_of in ("headers", "query"):
            fields = endpoint.get(table_of)
            if isinstance(fields, dict):
                templates |= {f"{table_of}.{name}": text for name, text in fields.items()}
        deviations = endpoint.get("deviations")
        if isinstance(deviations, dict):
            templates |= {f"deviations.{key}": each for key, each in _placeholders_in(deviations)}
        mapped = endpoint.get("model_map")
        if mapped is not None and mapped not in known:
            yield f"endpoints.{index}.model_map: {mapped!r} is not in [values]"
        for key, template in templates.items():
            allowed = known | {"model"} if key == "path" else known
            for name in sorted(placeholders(template) - allowed):
                yield f"endpoints.{index}.{key}: {{{name}}} is not in [values]"


def _bad_values(table: Mapping[str, Any]) -> Iterator[str]:
    """Every placeholder of a value's default that no value fills, and every deviation that no protocol of the
    file has, by its key."""
    values = table.get("values")
    values = values if isinstance(values, dict) else {}
    known = {name for struct in _spoken(table) for name in deviation_names(struct)}
    for name, value in values.items():
        if not isinstance(value, dict):
            continue
        for missing in sorted(placeholders(value.get("default")) - {*values}):
            yield f"values.{name}.default: {{{missing}}} is not in [values]"
        where = value.get("default_where")
        for missing in sorted({*where} - {*values} if isinstance(where, dict) else ()):
            yield f"values.{name}.default_where: {missing} is not in [values]"
        other = value.get("instead_of")
        if isinstance(other, str) and (other == name or other not in values):
            yield f"values.{name}.instead_of: {other!r} is no other of [values]"
        switched = value.get("deviations")
        for deviation in sorted({*switched} - known if isinstance(switched, dict) else ()):
            yield f"values.{name}.deviations: unknown deviation {deviation!r}"


def heads(base_urls: Iterable[str]) -> set[str]:
    """The placeholders that begin one of the addresses."""
    return {url.split("}")[0][1:] for url in base_urls if url[:1] == "{"}


def stand_in(provider: str, name: str, heads: Container[str]) -> str:
    """What stands for the value ``name`` in documented exchanges, where its file gives no example: a word, or
    an address for one of ``heads``."""
    return f"https://{provider}.example/v1" if name in heads else f"example-{name.replace('_', '-')}"


def _misfits(table: Mapping[str, Any]) -> Iterator[str]:
    """Every text for a value that its own ``pattern`` does not take, by its key; one with placeholders is
    judged when it is filled."""
    values = table.get("values")
    begin = heads(_base_urls(table))
    for name, value in values.items() if isinstance(values, dict) else ():
        pattern = value.get("pattern") if isinstance(value, dict) else None
        if not isinstance(pattern, str) or patterns.fault_of(pattern):
            continue
        example, default, where = (value.get(key) for key in ("example", "default", "default_where"))
        texts = {"default": default, "example": example}
        for other, defaults in where.items() if isinstance(where, dict) else ():
            for told, text in defaults.items() if isinstance(defaults, dict) else ():
                texts[f"default_where.{other}.{told}"] = text
        for key, text in texts.items():
            if isinstance(text, str) and not placeholders(text) and not patterns.matches(pattern, text):
                yield f"values.{name}.{key}: {text!r:.80} does not match its pattern {pattern!r}"
        word = stand_in(str(table.get("id")), name, begin)
        if example is None and default is None and not patterns.matches(pattern, word):
            yield f"values.{name}.example: give one that matches the pattern {pattern!r}; {word!r} does not"


def _misplaced(table: Mapping[str, Any]) -> Iterator[str]:
    """Every example, and every word in an example's place, that may not stand where an address needs it."""
    declared, endpoints = table.get("values"), table.get("endpoints")
    told = declared.items() if isinstance(declared, dict) else ()
    values = {name: value for name, value in told if isinstance(value, dict)}
    begin = heads(_base_urls(table))
    for index, endpoint in enumerate(endpoints if isinstance(endpoints, list) else ()):
        url, path = (
            endpoint.get(key) if isinstance(endpoint, dict) else None for key in ("base_url", "path")
        )
        stands = {**_places(values, url), **_places(values, path, "path")}
        for name, place in stands.items():
            text = values[name].get("example")
            text = stand_in(str(table.get("id")), name, begin) if text is None else text
            if isinstance(text, str) and not addresses.lawful(place, text):
                wanted = addresses.expected(place)
                yield f"values.{name}.example: {text!r:.80} cannot stand in endpoints.{index}: give {wanted}"


def _places(
    values: Mapping[str, Any], template: Any, inside: addresses.Place | None = None
) -> dict[str, addresses.Place]:
    """Where the values without a default stand in ``template`` and in the defaults that fill it."""
    found: dict[str, addresses.Place] = {}
    if not isinstance(template, str) or "?" in placeholders(template):
        return found
    for name, place in addresses.places(template, inside):
        default = values.get(name, {}).get("default")
        if default is not None:
            others = {other: value for other, value in values.items() if other != name}
            found |= _places(others, default, None if place == "address" else place)
        elif name in values:
            found[name] = place
    return found


def _base_urls(table: Mapping[str, Any]) -> Iterator[str]:
    endpoints = table.get("endpoints")
    for endpoint in endpoints if isinstance(endpoints, list) else ():
        url = endpoint.get("base_url") if isinstance(endpoint, dict) else None
        if isinstance(url, str):
            yield url


def _bad_forms(table: Mapping[str, Any]) -> Iterator[str]:
    """Every deviation of a form that an endpoint has not, and every placeholder of its headers that no value
    fills, by its key."""
    auth, values = table.get("auth"), table.get("values")
    forms = auth.get("forms") if isinstance(auth, dict) else None
    known = {*values} if isinstance(values, dict) else set()
    for index, form in enumerate(forms if isinstance(forms, list) else ()):
        told = form if isinstance(form, dict) else {}
        deviations, headers = told.get("deviations"), told.get("headers")
        if isinstance(deviations, dict):
            faults = (fault for struct in _spoken(table) for fault in deviation_faults(deviations, struct))
            for fault in dict.fromkeys(faults):
                yield f"auth.forms.{index}.deviations: {fault}"
        for name, text in headers.items() if isinstance(headers, dict) else ():
            for missing in sorted(placeholders(text) - known):
                yield f"auth.forms.{index}.headers.{name}: {{{missing}}} is not in [values]"


def _spoken(table: Mapping[str, Any]) -> list[type]:
    """The deviations of the protocols of the file's endpoints, those first that stand first."""
    endpoints = table.get("endpoints")
    listed = endpoints if isinstance(endpoints, list) else []
    names = [str(each.get("protocol")) for each in listed if isinstance(each, dict)]
    return [PROTOCOLS[name].deviations for name in names if name in PROTOCOLS]


@cache
def deviation_names(struct: type) -> frozenset[str]:
    """The names of the fields of ``struct``; looked up with every call, and slow to find."""
    return frozenset(field.encode_name for field in msgspec.structs.fields(struct))


def deviation_faults(table: Mapping[str, Any], struct: type) -> Iterator[str]:
    """Every key of ``table`` that ``struct`` has not, and every value it would not take."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    for name, value in table.items():
        if name not in fields:
            yield f"unknown deviation {name!r}; known: {', '.join(sorted(fields))}"
            continue
        try:
            msgspec.convert(value, fields[name].type)
        except msgspec.ValidationError as fault:
            yield f"{name}: {fault}"


def _placeholders_in(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(key, text) of the texts in ``table`` and in its tables that are placeholders."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", text) for inner, text in _placeholders_in(value))
        elif is_placeholder(value):
            yield key, value


def is_placeholder(value: Any) -> bool:
    """Whether a value is one placeholder and nothing else."""
    return isinstance(value, str) and value[:1] == "{" and value[1:-1].isidentifier() and value[-1] == "}"


def placeholders(template: Any) -> set[str]:
    """The names in braces; ``?`` for a text whose braces do not match, none for what is no text."""
    try:
        return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except (TypeError, ValueError):
        return {"?"} if isinstance(template, str) else set()


def _texts(listed: Any, key: str) -> Iterator[tuple[str, str]]:
    for index, text in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(text, str):
            yield f"{key}.{index}", text


def place(path: Path) -> str:
    """The file as it is named to people, with its folder."""
    return f"{path.absolute().parent.name}/{path.name}"


def _apart(path: Path, other: Path) -> str:
    """The file as it is named beside ``other``: in full where both folders have one name."""
    return place(path) if place(path) != place(other) else str(path.absolute())


class Owners(msgspec.Struct):
    """Which file has a name, holds a variable for a credential, and holds one for a value."""

    names: dict[str, Path]
    credentials: dict[str, Path]
    values: dict[str, Path]

    def add(self, path: Path, table: Mapping[str, Any]) -> None:
        """Take in a file without faults."""
        for _, name in _names_of(table):
            self.names.setdefault(name, path)
        for _, name in _credentials_of(table):
            self.credentials.setdefault(name, path)
        for _, name in _values_of(table):
            self.values.setdefault(name, path)


def taken(path: Path, table: Mapping[str, Any], owners: Owners, ids: Mapping[str, Path]) -> Iterator[str]:
    """What the file claims and another one owns, by its key."""
    for key, name in _names_of(table):
        owner = owners.names.get(name) or (ids.get(name) if key != "id" else None)
        if owner and owner != path:
            yield f"{key}: {name!r} is already an id or alias of {_apart(owner, path)}"
    shared = {name for _, auth in _auths(table) for _, name in _texts(auth.get("shared"), "")}
    held = {**owners.values, **owners.credentials}
    claims = [(claim, held) for claim in _credentials_of(table)]
    claims += [(claim, owners.credentials) for claim in _values_of(table)]
    for (key, name), of_others in claims:
        if name in of_others and name not in shared:
            reader = _apart(of_others[name], path)
            yield f"{key}: {name} is read by {reader} too; list it in auth.shared if that is meant"


def _names_of(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if isinstance(table.get("id"), str):
        yield "id", table["id"]
    yield from _texts(table.get("aliases"), "aliases")


def _auths(table: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every table that says how a request is authenticated, by its key."""
    endpoints = table.get("endpoints")
    listed = [("auth", table.get("auth"))]
    for index, endpoint in enumerate(endpoints if isinstance(endpoints, list) else ()):
        listed.append(
            (f"endpoints.{index}.auth", endpoint.get("auth") if isinstance(endpoint, dict) else None)
        )
    for key, auth in listed:
        if isinstance(auth, dict):
            yield key, auth
            if isinstance(auth.get("upstream"), dict):
                yield f"{key}.upstream", auth["upstream"]


def _credentials_of(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, auth in _auths(table):
        for _, name in _texts(auth.get("env"), ""):
            yield f"{key}.env", name


def _values_of(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    values = table.get("values")
    for name, value in values.items() if isinstance(values, dict) else ():
        for _, variable in _texts(value.get("env") if isinstance(value, dict) else None, ""):
            yield f"values.{name}.env", variable
