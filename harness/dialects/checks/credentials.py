"""Checks of topic ``auth``: which credential is used, what that costs, and where it goes.

The clouds' own rules are in ``clouds``.
"""

from __future__ import annotations

import itertools
import json

import httpx

from harness.checks.registry import require
from harness.dialects.checks import worlds
from harness.dialects.checks.registry import check, equal, only
from harness.dialects.checks.trial import ELSEWHERE, REFRESHED, Trial
from harness.dialects.checks.worlds import Source, World, signed_by
from providers.dialects.files import Runner
from providers.dialects.resolved import Resolved, refresh_nothing
from providers.errors import MissingCredential, Redirected

PAGES = "docs/dialects/index.md"
RFC_REDIRECT = "https://www.rfc-editor.org/rfc/rfc9110#section-15.4"
GENERIC = ("API_KEY", "TOKEN", "GH_TOKEN", "GITHUB_TOKEN", "AUTH_TOKEN", "ACCESS_TOKEN", "SECRET")


def _keyed(trial: Trial) -> list[Source]:
    """The sources that hold a value of ours."""
    return [source for source in trial.sources if source.kind != "ambient"]


def _variables(trial: Trial) -> list[Source]:
    return [source for source in trial.sources if source.kind == "variable"]


def _travels(trial: Trial) -> bool:
    """Whether the credential travels as it is, so that it can be read from the request."""
    return trial.entry is not None and bool(_keyed(trial))


def _several_variables(trial: Trial) -> bool:
    return len(_variables(trial)) > 1


def _has_costly(trial: Trial) -> bool:
    return any(source.costly for source in trial.sources[1:])


def _wants_a_key(trial: Trial) -> bool:
    return trial.entry is not None and trial.entry.auth.required


def _wants_no_key(trial: Trial) -> bool:
    return trial.entry is not None and not trial.entry.auth.required


def _beside(trial: Trial) -> list[str]:
    """Variables of the provider that are no credential: an account's id, a host, a region."""
    known = {source.name for source in trial.sources}
    endings = ("_ID", "_HOST", "_URL", "_REGION", "_PROJECT", "_LOCATION", "_VERSION", "_MODELS", "_NAME")
    return [name for name in trial.row.extra_env if name not in known and name.endswith(endings)]


# --- who wins ---


@check("auth.precedence", source=PAGES)
def precedence(trial: Trial) -> None:
    """In each subset of its sources the first one set MUST win, and no other one's value is sent."""
    canaries = [trial.canary(source) for source in trial.sources]
    for size in range(len(trial.sources) + 1):
        for chosen in itertools.combinations(trial.sources, size):
            resolved = trial.resolve(trial.world(*chosen)).resolved
            names = [source.name for source in chosen]
            if not chosen:
                require(resolved.value is None, expected="no credential", observed=resolved.source)
                continue
            first = chosen[0]
            if first.kind == "ambient":
                seen = (resolved.source, resolved.name)
                require(seen == ("ambient", first.name), expected=first.name, observed=seen, at=names)
                continue
            winner = trial.canary(first)
            require(resolved.value == winner, expected=first.name, observed=resolved.name, at=names)
            if trial.entry is not None:
                sent = trial.sent(resolved.value)
                require(
                    sent.holds(winner), expected=f"the key of {first.name} sent", observed="none", at=names
                )
                others = [key for key in canaries if key != winner and sent.holds(key)]
                require(not others, expected="no other key sent", observed=len(others), at=names)


@check("auth.alias_order", source=PAGES, when=_several_variables)
def alias_order(trial: Trial) -> None:
    """Of several variables of one provider the first one declared MUST win."""
    found = _variables(trial)
    for index in range(len(found)):
        resolved = trial.resolve(trial.world(*found[index:])).resolved
        require(
            resolved.value == trial.canary(found[index]), expected=found[index].name, observed=resolved.name
        )


@check("auth.empty_unset", source=PAGES, when=lambda trial: bool(_variables(trial)))
def empty_unset(trial: Trial) -> None:
    """An empty variable or option MUST count as unset, never as a credential."""
    hides = trial.dialect.system in worlds.OVERRIDES
    for index, source in enumerate(trial.sources):
        if source.kind not in ("variable", "flag"):
            continue
        rest = _keyed(trial)[index + 1 : index + 2]
        world = trial.world(*rest)
        source.plant(world, "")
        expected = trial.canary(rest[0]) if rest and not (hides and index == 0) else None
        resolved = trial.resolve(world).resolved
        require(
            resolved.value == expected,
            expected=rest[0].name if expected else "no credential",
            observed=resolved.name,
            at=f"{source.name} empty",
        )


@check(
    "auth.derived_name",
    source="docs/dialects/zot.md (Z7, Z8)",
    dialects=("zot*",),
    when=only(worlds.CUSTOM.id),
)
def derived_name(trial: Trial) -> None:
    """A custom provider MUST read the variable derived from its id, and no other one."""
    world = World(
        environ={"MY_COMPANY_API_KEY": "canary-derived", "MYCOMPANY_API_KEY": "canary-other"},
        documents={"models.json": {"providers": {trial.row.id: {"baseUrl": "https://mine.test/v1"}}}},
    )
    resolved = trial.resolve(world).resolved
    require(resolved.value == "canary-derived", expected="MY_COMPANY_API_KEY", observed=resolved.name)


@check("auth.no_generic", source=PAGES)
def no_generic(trial: Trial) -> None:
    """A variable that belongs to nobody in particular MUST NOT be taken for the provider's key."""
    world = trial.world()
    own = {source.name for source in trial.sources}
    world.environ.update({name: f"canary-{name}" for name in GENERIC if name not in own})
    resolved = trial.resolve(world).resolved
    require(resolved.value is None, expected="no credential", observed=resolved.name)


@check("auth.not_a_credential", source=PAGES, when=lambda trial: bool(_beside(trial)))
def not_a_credential(trial: Trial) -> None:
    """An account's id, a host or a region MUST NOT be taken for a credential."""
    world = trial.world()
    world.environ.update({name: f"canary-{name}" for name in _beside(trial)})
    resolved = trial.resolve(world).resolved
    require(resolved.value is None, expected="no credential", observed=resolved.name)


@check("auth.multi_instance", source="docs/dialects/gomodel.md (G3–G5)", dialects=("gomodel*",))
def multi_instance(trial: Trial) -> None:
    """A suffixed instance MUST keep its own values, and give none to the unsuffixed one."""
    start = trial.row.id.upper().replace("-", "_")
    values = {"_BASE_URL": "https://{}.test", "_API_KEY": "canary-{}", "_PROJECT": "{}", "_LOCATION": "{}"}
    environ = {
        f"{start}{middle}{name}": text.format(who)
        for middle, who in (("", "main"), ("_EAST", "east"))
        for name, text in values.items()
    }
    found = trial.ask("resolve_providers", {"env": environ})["providers"]
    for name, who in ((trial.row.id, "main"), (f"{trial.row.id}-east", "east")):
        have = found.get(name, {})
        own = (have.get("base_url"), have.get("api_key"))
        require(own == (f"https://{who}.test", f"canary-{who}"), expected=who, observed=own, at=name)


# --- what it costs ---


@check("auth.no_side_effect", source=PAGES, when=_has_costly)
def no_side_effect(trial: Trial) -> None:
    """A source that loses MUST NOT be evaluated: no command is run and no token refreshed for it."""
    for index, winner in enumerate(trial.sources):
        world = trial.world(winner)
        for loser in trial.sources[index + 1 :]:
            (loser.costly or loser.plant)(world, trial.canary(loser))
        seen = trial.resolve(world)
        cost = (len(seen.commands), len(seen.refreshes))
        require(cost == (0, 0), expected="no command and no refresh", observed=cost, at=winner.name)


def _formed(trial: Trial) -> World | None:
    """A world whose stored key is written in a form that stands for ``canary-formed``."""
    world = trial.world()
    world.environ["TEAM_SECRET"] = "canary-formed"
    newest = trial.dialect.rules.newest
    forms = {
        "pi": "$TEAM_SECRET" if newest else "TEAM_SECRET",
        "mayros": "${TEAM_SECRET}",
        "gomodel": "${TEAM_SECRET}",
    }
    form = forms.get(trial.dialect.system)
    place = next((s for s in trial.sources if s.kind == "configured"), None)
    if form is None or place is None:
        return None
    place.plant(world, form)
    return world


@check("auth.format", source=PAGES, dialects=("pi*", "mayros*", "gomodel*"))
def format(trial: Trial) -> None:
    """A key written as a reference to a variable MUST stand for the variable's value."""
    world = _formed(trial)
    assert world is not None
    resolved = trial.resolve(world).resolved
    require(resolved.value == "canary-formed", expected="the variable's value", observed=resolved.source)


@check("auth.command", source="docs/dialects/pi.md (P19–P24)", dialects=("pi*",))
def command(trial: Trial) -> None:
    """A stored command MUST be run once a process, its output trimmed, and yield no key when it fails."""
    runner = Runner()

    def found(text: str) -> Resolved:
        world = trial.world()
        world.documents["auth.json"] = {trial.row.id: {"type": "api_key", "key": text}}
        return trial.dialect.resolve(world.given(runner, refresh_nothing), trial.row.id, None)

    for _ in range(2):
        printed = found("!printf '  canary-printed\\n\\n'")
        require(printed.value == "canary-printed", expected="the output, trimmed", observed=printed.source)
    require(runner.count == 1, expected="one run", observed=runner.count)
    failed = found("!echo canary; exit 3")
    require(failed.value is None, expected="no credential from a failed command", observed=failed.source)


def _stored(trial: Trial) -> bool:
    return any(source.kind == "stored" for source in trial.sources)


@check("auth.file_mode", source=PAGES, dialects=("zot*", "pi*"), when=_stored)
def file_mode(trial: Trial) -> None:
    """An auth file that others may read MUST be told of, and its key not shown with it."""
    source = next(source for source in trial.sources if source.kind == "stored")
    world = trial.world(source)
    world.modes["auth.json"] = 0o644
    warnings = trial.resolve(world).resolved.warnings
    told = [warning.category for warning in warnings]
    require("readable_by_others" in told, expected="a warning", observed=told)
    require(trial.canary(source) not in repr(warnings), expected="no key in it", observed="the key")


@check("auth.scoped_env", source="docs/dialects/pi.md (P31)", dialects=("pi@newest",), when=_stored)
def scoped_env(trial: Trial) -> None:
    """Values kept beside a stored key MUST be used for it before the environment's."""
    world = trial.world()
    world.environ["TEAM_SECRET"] = "canary-outer"
    entry = {"type": "api_key", "key": "$TEAM_SECRET", "env": {"TEAM_SECRET": "canary-scoped"}}
    world.documents["auth.json"] = {trial.row.id: entry}
    resolved = trial.resolve(world).resolved
    require(resolved.value == "canary-scoped", expected="the entry's own value", observed=resolved.source)


# --- tokens ---


def _zot_entry(trial: Trial) -> bool:
    return _stored(trial) and not signed_by(trial.row, "chatgpt")


@check("auth.oauth_vs_key", source="docs/dialects/zot.md (Z14)", dialects=("zot*",), when=_zot_entry)
def oauth_vs_key(trial: Trial) -> None:
    """Of a key and a token stored together the key MUST be used, and the token not refreshed."""
    source = next(source for source in trial.sources if source.kind == "stored")
    assert source.costly is not None
    world = trial.world(source)
    source.costly(world, "canary-token")
    seen = trial.resolve(world)
    cost = (seen.resolved.value, len(seen.refreshes))
    require(cost == (trial.canary(source), 0), expected="the key", observed=seen.resolved.source)


def _refreshable(trial: Trial) -> bool:
    return _refreshing(trial) is not None


def _refreshing(trial: Trial) -> World | None:
    """A world whose only credential is an expired token; None where the provider keeps none."""
    source = next((source for source in trial.sources if source.kind == "stored"), None)
    if source is None or source.costly is None:
        return None
    world = trial.world()
    source.costly(world, "canary-expired")
    return None if "!" in json.dumps(world.documents) else world


@check("auth.oauth_refresh", source=PAGES, when=_refreshable)
def oauth_refresh(trial: Trial) -> None:
    """An expired token MUST be refreshed once, and the new one used."""
    world = _refreshing(trial)
    assert world is not None
    seen = trial.resolve(world)
    found = (seen.resolved.value, len(seen.refreshes))
    require(found == (REFRESHED, 1), expected="one refresh, its token used", observed=found[1])


@check("auth.stale_shadow", source=PAGES, dialects=("pi*", "zot*"), when=_stored)
def stale_shadow(trial: Trial) -> None:
    """What ranks below a fresh login MUST NOT be used in its place."""
    index = next(i for i, source in enumerate(trial.sources) if source.kind == "stored")
    fresh, below = trial.sources[index], trial.sources[index + 1 :]
    resolved = trial.resolve(trial.world(*below, fresh)).resolved
    require(resolved.value == trial.canary(fresh), expected=fresh.name, observed=resolved.name)


# --- where it goes ---


@check("auth.header", source="the provider's catalog file", when=_travels)
def header(trial: Trial) -> None:
    """The key MUST arrive in the field and with the prefix that the provider asks for."""
    entry = trial.entry
    assert entry is not None
    source = _keyed(trial)[0]
    sent = trial.sent(trial.resolve(trial.world(source)).resolved.value)
    rules = entry.auth_for(None, entry.models[0].id if entry.models else None)
    named = rules.name if rules.scheme != "sigv4" else ""  # there it names the service that is signed for
    name, text = named or "Authorization", trial.canary(source)
    expected = text if rules.scheme == "header" else f"Bearer {text}"
    for request in sent.requests:
        if rules.scheme == "query":
            require(httpx.URL(request.url).params.get(name) == text, expected=name, observed="none")
            continue
        arrived = [value for field, value in request.headers if field.lower() == name.lower()]
        require(arrived == [expected], expected=f"{name} with the key", observed=len(arrived), at=name)
    require(bool(sent.requests), expected="a request", observed=sent.error)
    refused = [f"{v.rule} at {v.where}" for v in sent.violations]
    require(not refused, expected="a request the vendor takes", observed=refused)


@check("auth.keyless", source=PAGES, when=_wants_no_key)
def keyless(trial: Trial) -> None:
    """A server that wants no key MUST be called without one, also without a made-up one."""
    resolved = trial.resolve(trial.world()).resolved
    sent = trial.sent(resolved.value)
    require(bool(sent.requests) and sent.error is None, expected="an answer", observed=sent.error)
    names = {name.lower() for request in sent.requests for name, _ in request.headers}
    leaked = names & {"authorization", "x-api-key", "api-key", "x-goog-api-key"}
    require(not leaked, expected="no credential field", observed=sorted(leaked))


@check("auth.missing", source=PAGES, when=_wants_a_key)
def missing(trial: Trial) -> None:
    """Without any credential the call MUST fail with a typed error before the network is used."""
    resolved = trial.resolve(trial.world()).resolved
    require(resolved.value is None, expected="no credential", observed=resolved.name)
    fault = resolved.fault.category if resolved.fault else "missing_credential"
    equal(fault, "missing_credential")
    sent = trial.sent(resolved.value)
    require(not sent.requests, expected="no request", observed=len(sent.requests))
    require(isinstance(sent.error, MissingCredential), expected="MissingCredential", observed=sent.error)


@check("auth.no_cross_host", source=PAGES, when=_travels)
def no_cross_host(trial: Trial) -> None:
    """A provider's key MUST NOT be taken for another provider, nor sent to another host."""
    for other in trial.dialect.providers().values():
        if other.id == trial.row.id or worlds.shares_login(trial.dialect, trial.row, other):
            continue
        theirs = {source.name for source in worlds.sources(trial.dialect, other) if source.kind == "variable"}
        own = [source for source in _keyed(trial) if source.kind != "flag" and source.name not in theirs]
        taken = trial.resolve(trial.world(*own), worlds.asked(trial.dialect, other)).resolved
        canaries = [trial.canary(source) for source in own]
        require(
            taken.value not in canaries, expected=f"{trial.row.id} only", observed=other.id, at=taken.name
        )
    sent = trial.sent(trial.canary(_keyed(trial)[0]))
    require(len(sent.hosts) == 1, expected="one host", observed=sorted(sent.hosts))


@check("auth.redirect", source=RFC_REDIRECT, when=_travels)
def redirect(trial: Trial) -> None:
    """A redirect to another host MUST NOT take the key along: it is an error at once."""
    key = trial.canary(_keyed(trial)[0])
    sent = trial.sent(key, location=f"https://{ELSEWHERE}/v1")
    require(ELSEWHERE not in sent.hosts, expected="no request there", observed=sorted(sent.hosts))
    require(len(sent.requests) == 1, expected="one request", observed=len(sent.requests))
    require(type(sent.error) is Redirected, expected="Redirected", observed=sent.error)
    require(key not in str(sent.error), expected="no key in the error", observed="the key")
