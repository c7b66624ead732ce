"""Tables of providers for anybody's Markdown: what is between the markers of a page. It reads no page.

A marker says which columns, of which providers, in whose words:

    columns=name,env,streaming   facts (``FACTS``) and capabilities (``JUDGED``), in this order
    form=zot | pi | gomodel      columns, headings and signs as that system's own page has them
    system=pi                    ids, variables and addresses as that client system has them (``pi@newest``)
    provider=groq,open*,!*-go    globs over ids
    sort=name                    a column of facts; the id by default
    source=results | claims      what a capability's cell is made from: what was found, or what is said

A cell made from results has the state that the matrix would give all endpoints of the provider together. It
is looked at from the day of the newest evidence, so that a table changes with its data only. The forms were
read off the providers' pages of zot, pi and GoModel on 2026-11-21.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from harness.checks import CHECKS
from harness.checks.registry import CAPABILITIES, selects
from harness.errors import UnusableMarker
from harness.evidence import described
from providers.dialects import DIALECTS, gomodel
from providers.dialects.tables import Row, rows
from providers.errors import shown
from providers.schema import Provider
from reports import escaping, matrix, results
from reports.baseline import Baseline
from reports.matrix import Cell, State
from reports.render import LEGEND, WORDS

SUBJECT = "wirecheck"
SOURCES = ("results", "claims")
_OPTIONS = ("columns", "form", "system", "provider", "sort", "source")


class Known(NamedTuple):
    """One provider: as the catalog has it, or as a client system does (``row``), which may join several."""

    id: str
    providers: tuple[Provider, ...]
    row: Row | None = None

    @property
    def first(self) -> Provider:
        """The entry that names it."""
        return self.providers[0]

    @property
    def env(self) -> tuple[str, ...]:
        """The variables of its key, in the order they are read."""
        return self.row.env if self.row else self.first.auth.env

    @property
    def needed(self) -> tuple[str, ...]:
        """The first variable of each further value without which it cannot be asked."""
        addresses = " ".join(endpoint.base_url for endpoint in self.first.endpoints)
        read = [
            value.env[0]
            for name, value in self.first.values.items()
            if value.env and value.default is None and f"{{{name}}}" in addresses
        ]
        return tuple(name for name in read if self.row is None or name in self.row.extra_env)

    @property
    def also(self) -> tuple[str, ...]:
        """The variables that are read beside the key's."""
        values = self.first.values.values()
        return self.row.extra_env if self.row else tuple(name for value in values for name in value.env)


class Fact(NamedTuple):
    """A column that the catalog fills: its heading and its cell, as Markdown. ``of_system``: only a client
    system has such a thing."""

    title: str
    cell: Callable[[Known], str]
    of_system: bool = False


class Judged(NamedTuple):
    """A column about a capability, at the endpoints whose protocols match ``protocols``."""

    title: str
    capability: str
    protocols: tuple[str, ...] = ("*",)


def code(text: str) -> str:
    """``text`` as code in a table's cell; as plain words where code cannot hold it."""
    safe = text.isprintable() and text == text.strip() and not {*"`|\\"} & {*text}
    return (f"`{text}`" if safe else escaping.markdown(text)) if text else ""


def _codes(names: Iterable[str], between: str = ", ") -> str:
    return between.join(code(name) for name in names) or "none"


def _key_and_values(known: Known) -> str:
    needed = [name for name in known.needed if name not in known.env]
    return _codes(known.env, " or ") + (f" (+ {_codes(needed)})" if needed else "")


def _gomodel_credential(known: Known) -> str:
    """What its type needs to be registered, and what else may be told."""
    kind = gomodel.TYPES.get(known.id, gomodel.PLAIN)
    prefix = gomodel.prefix(known.id)
    needed = [f"{prefix}_{field.upper()}" for field in kind.needs]
    foreign = [name for name in known.env if not name.startswith(prefix)]
    settings = [f"{prefix}_{field.upper()}" for field in ("api_key", "base_url", "api_version")]
    told = [name for name in (*known.env, *known.also) if name in settings and name not in needed]
    return _codes([*needed, *foreign], " + ") + (f" ({_codes(told)} optional)" if told else "")


_GUIDES = "https://gomodel.enterpilot.io/docs/providers/"
_GUIDE_OF: Mapping[str, tuple[str, str]] = {  # GoModel's own pages, by its id of a provider; others have none
    "anthropic": ("Anthropic", "anthropic"),
    "azure": ("Azure OpenAI", "azure"),
    "bailian": ("Alibaba Cloud Model Studio", "bailian"),
    "bedrock": ("Amazon Bedrock", "bedrock"),
    "deepseek": ("DeepSeek", "deepseek"),
    "gemini": ("Google Gemini", "gemini"),
    "ollama": ("Ollama", "multiple-ollama"),
    "opencode_go": ("OpenCode Go", "opencode-go"),
    "oracle": ("Oracle GenAI", "oracle"),
    "vertex": ("Google Vertex AI", "vertex"),
    "vllm": ("vLLM", "vllm"),
    "xiaomi": ("Xiaomi MiMo", "xiaomi"),
}


def _gomodel_guide(known: Known) -> str:
    title, page = _GUIDE_OF.get(known.id, ("", ""))
    return f"[{title}]({_GUIDES}{page})" if page else "—"


def _base_url(known: Known) -> str:
    own = known.row.base_url if known.row else ""
    return code(own or known.first.endpoints[0].base_url)


FACTS: Mapping[str, Fact] = {
    "id": Fact("Id", lambda known: code(known.id)),
    "name": Fact("Provider", lambda known: escaping.markdown(known.first.name)),
    "kind": Fact("Kind", lambda known: known.first.kind),
    "env": Fact("Variables", lambda known: _codes(known.env)),
    "also": Fact("Also read", lambda known: _codes(known.also)),
    "credential": Fact("Credential", _key_and_values),
    "auth_key": Fact("Stored key", lambda known: code((known.row and known.row.auth_key) or ""), True),
    "login": Fact("Login", lambda known: escaping.markdown(known.row.login if known.row else ""), True),
    "base_url": Fact("Base URL", _base_url),
    "protocols": Fact(
        "Protocols", lambda known: _codes({name: "" for each in known.providers for name in each.protocols})
    ),
    "model": Fact(
        "Example model", lambda known: code(known.first.models[0].id) if known.first.models else ""
    ),
    "docs": Fact("Reference", lambda known: f"<{known.first.docs}>" if _link(known.first.docs) else ""),
}
JUDGED: Mapping[str, Judged] = {
    "chat": Judged("Chat", "text"),
    "responses": Judged("Responses", "text", ("*-responses",)),
    "embed": Judged("Embed", "embeddings"),
    **{name: Judged(each.title, name) for name, each in CAPABILITIES.items()},
}


def _link(text: str) -> bool:
    return text.startswith(("https://", "http://")) and text.isprintable() and not {*"<> |`\\"} & {*text}


class Form(NamedTuple):
    """How one system's page shows its providers: its columns with their headings, cells that differ, which
    providers stand in it, signs in place of words, and whether what is judged stands in the middle."""

    system: str
    columns: Mapping[str, str]
    cells: Mapping[str, Callable[[Known], str]] = {}
    shows: Callable[[Known], bool] = lambda known: True
    signs: Mapping[State, str] = {}
    centred: bool = False


_MADE = ("sigv4", "google")  # schemes whose credential is no key that could be stored


def _has_stored_key(known: Known) -> bool:
    stored = known.env and known.row and known.row.auth_key
    return bool(stored and known.first.auth.scheme not in _MADE)


PLAIN = Form("", dict.fromkeys(("id", "name", "kind", "protocols", "env"), ""))
FORMS: Mapping[str, Form] = {
    "zot": Form(
        "zot",
        {"name": "Provider", "env": "Environment variable", "auth_key": "Stored key"},
        {"env": lambda known: _codes(known.env, " or ")},
        _has_stored_key,
    ),
    "pi": Form(
        "pi",
        {"name": "Provider", "env": "Environment Variable", "auth_key": "`auth.json` key"},
        {"env": _key_and_values},
        _has_stored_key,
    ),
    "gomodel": Form(
        "gomodel",
        {
            "name": "Provider",
            "credential": "Credential",
            "model": "Example Model",
            "chat": "Chat",
            "responses": "`/responses`",
            "embed": "Embed",
            "files": "Files",
            "batches": "Batches",
            "passthrough": "Passthru",
            "docs": "Guide",
        },
        {"credential": _gomodel_credential, "docs": _gomodel_guide},
        signs={"passed": "✅", "not_offered": "❌"},
        centred=True,
    ),
}


class Wanted(NamedTuple):
    """What a marker asks for."""

    form: Form
    columns: tuple[str, ...]
    system: str
    globs: tuple[str, ...]
    sort: str
    source: str


def wanted(options: str) -> Wanted:
    """What the options of a marker ask for. Raises UnusableMarker with everything that is wrong."""
    faults: list[str] = []
    told: dict[str, str] = {}
    for word in options.split():
        name, equals, value = word.partition("=")
        if not equals or not value or name not in _OPTIONS:
            known = ", ".join(f"{each}=…" for each in _OPTIONS)
            faults.append(f"unknown option {shown(word)}; expected one of {known}")
        elif name in told:
            faults.append(f"option {name} is told twice")
        else:
            told[name] = value
    faults += _unknown("form", told, FORMS)
    faults += _unknown("system", told, DIALECTS)
    faults += _unknown("sort", told, FACTS)
    faults += _unknown("source", told, SOURCES)
    form = FORMS.get(told.get("form", ""), PLAIN)
    columns = tuple(told["columns"].split(",")) if "columns" in told else tuple(form.columns)
    system = told.get("system", form.system)
    faults += _column_faults(columns, told.get("sort", "id"), system)
    if faults:
        raise UnusableMarker(tuple(faults))
    globs = tuple(told["provider"].split(",")) if "provider" in told else ()
    return Wanted(form, columns, system, globs, told.get("sort", "id"), told.get("source", "results"))


def _unknown(name: str, told: Mapping[str, str], known: Iterable[str]) -> list[str]:
    if name not in told or told[name] in known:
        return []
    return [f"unknown {name} {shown(told[name])}; known: {', '.join(known)}"]


def _column_faults(columns: Sequence[str], sort: str, system: str) -> list[str]:
    known = {**FACTS, **JUDGED}
    faults = [
        f"unknown column {shown(name)}; known: {', '.join(known)}"
        for name in dict.fromkeys(columns)
        if name not in known
    ]
    faults += [
        f"column {shown(name)} stands twice" for name in dict.fromkeys(columns) if columns.count(name) > 1
    ]
    if not system:
        faults += [
            f"column {name} is a client system's; name one with system=…"
            for name in dict.fromkeys((*columns, sort))
            if name in FACTS and FACTS[name].of_system
        ]
    return faults


def _nothing(asked: Wanted, matching: int) -> str:
    """Why a table would have no row."""
    system = f" of {asked.system}" if asked.system else ""
    globs = f" {shown(','.join(asked.globs))}" if asked.globs else ""
    if not matching:
        return f"no provider{system} matches{globs}"
    those = f"{matching} providers{system}{globs and f' that match{globs}'}"
    return f"this form shows none of the {those}; leave form out"


class Tables:
    """Makes the tables of a catalog. ``baseline`` gives what was found, when a table first asks for it."""

    def __init__(self, catalog: Iterable[Provider], baseline: Callable[[], Baseline]) -> None:
        self._catalog = {provider.id: provider for provider in catalog}
        self._read = baseline

    def __call__(self, options: str) -> str:
        """The table for a marker's options, as Markdown. Raises UnusableMarker."""
        asked = wanted(options)
        matching = [known for known in self._known(asked.system) if self._matches(known, asked.globs)]
        chosen = [known for known in matching if asked.form.shows(known)]
        if not chosen:
            raise UnusableMarker((_nothing(asked, len(matching)),))
        chosen.sort(key=lambda known: (FACTS[asked.sort].cell(known).strip("`").casefold(), known.id))
        judged = [JUDGED[name] for name in asked.columns if name in JUDGED]
        cells = {
            (known.id, each): self._cell(known, each, asked.source) for known in chosen for each in judged
        }
        lines = [
            _row(asked.form.columns.get(name) or _title(name) for name in asked.columns),
            _row(":-:" if asked.form.centred and name in JUDGED else "---" for name in asked.columns),
            *(_row(_content(asked, name, known, cells) for name in asked.columns) for known in chosen),
        ]
        if judged:
            lines += ["", _legend(asked, list(cells.values()))]
        return "\n".join(lines)

    def _known(self, system: str) -> list[Known]:
        if not system:
            return [Known(id, (provider,)) for id, provider in self._catalog.items()]
        dialect = DIALECTS[system]
        table = rows(self._catalog.values(), dialect.system, newest=dialect.profile == "newest")
        return [
            Known(id, tuple(self._catalog[each] for each in row.catalog), row) for id, row in table.items()
        ]

    def _matches(self, known: Known, globs: tuple[str, ...]) -> bool:
        refused = tuple(glob for glob in globs if glob.startswith("!"))
        ids = (known.id, *(each.id for each in known.providers))
        return any(selects(globs, id) for id in ids) and all(selects(refused, id) for id in ids)

    def _cell(self, known: Known, column: Judged, source: str) -> Cell:
        capability = CAPABILITIES[column.capability]
        as_told = results.Capability(capability.id, capability.title, capability.features)
        said = [
            matrix.claimed(as_told, described(each).claims_at(protocol))
            for each in known.providers
            for protocol in each.protocols
            if selects(column.protocols, protocol)
        ]
        claim = next((answer for answer in (True, False) if answer in said), None)
        if not said:
            return Cell("unknown")
        if source == "claims":
            words: Mapping[bool | None, State] = {True: "passed", False: "not_offered", None: "unknown"}
            return Cell(words[claim if capability.features else True])
        found = [
            result
            for each in known.providers
            for result in self._found.get((each.id, column.capability), ())
            if selects(column.protocols, result.protocol)
        ]
        return matrix.cell(found, claim, self._day, needs_claim=bool(capability.features))

    @cached_property
    def _baseline(self) -> Baseline:
        return self._read()

    @cached_property
    def _day(self) -> dt.date | None:
        return self._baseline.day

    @cached_property
    def _found(self) -> Mapping[tuple[str, str], list[results.Result]]:
        """What was found of our adapters, by provider and capability. A check that is gone says nothing."""
        found: dict[tuple[str, str], list[results.Result]] = {}
        for identity, entry in self._baseline.entries.items():
            subject, provider, protocol, scenario, fault, check = identity
            if subject == SUBJECT and check in CHECKS:
                found.setdefault((provider, CHECKS[check].capability), []).append(
                    results.Result(
                        subject=subject,
                        provider=provider,
                        protocol=protocol,
                        scenario=scenario,
                        fault=fault,
                        check=check,
                        verdict=entry.verdict,
                        origin=entry.origin,
                        date=entry.date,
                    )
                )
        return found


def _title(name: str) -> str:
    return FACTS[name].title if name in FACTS else JUDGED[name].title


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _content(asked: Wanted, name: str, known: Known, cells: Mapping[tuple[str, Judged], Cell]) -> str:
    if name in FACTS:
        return asked.form.cells.get(name, FACTS[name].cell)(known)
    cell = cells[known.id, JUDGED[name]]
    return _word(asked, cell.state)


CLAIMED: Mapping[State, str] = {"passed": "claimed", "not_offered": "– not offered", "unknown": "? unknown"}


def _word(asked: Wanted, state: State) -> str:
    words = CLAIMED if asked.source == "claims" else WORDS
    return asked.form.signs.get(state) or words[state]


def _legend(asked: Wanted, cells: Sequence[Cell]) -> str:
    """What the words mean, and what they rest on."""
    states = [state for state in matrix.STATES if any(cell.state == state for cell in cells)]
    if asked.source == "claims":
        meanings = {**LEGEND, "passed": "the provider says so"}
        rests = "Made from what the providers say of themselves; nothing here was tested."
    else:
        meanings = {**LEGEND}
        origins = [
            origin for origin in reversed(results.ORIGINS) if any(cell.origin == origin for cell in cells)
        ]
        days = [cell.oldest for cell in cells if cell.oldest is not None]
        rests = (
            f"Made from results; the weakest evidence is {origins[0]}, the oldest of {min(days)}."
            if origins and days
            else "Made from results; nothing of this was looked at."
        )
    told = "; ".join(f"{_word(asked, state)}: {meanings[state]}" for state in states)
    return f"{told}. {rests}"
