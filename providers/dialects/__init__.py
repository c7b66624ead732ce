"""The client systems whose credential and configuration rules are reproduced, as one table.

A dialect is the rules of one system in one profile: ``pi`` as its page says, ``pi@newest`` as a newer
release does. Each is a set of pure functions of Given; none reads a file, a clock or the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from providers import extensions
from providers.dialects import gomodel, mayros, mayros_models, pi, zeroclaw, zot
from providers.dialects.resolved import Catalogue, Given, Merged, Resolved
from providers.dialects.tables import Row, SystemName


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One system's rules in one profile.

    ``dated``: when what it follows was current. ``resolve(given, provider, model)``,
    ``status(given, provider)``, ``models(given)`` and ``providers()`` mean the same for every system.
    ``state``: its state directory below the home directory.
    """

    system: SystemName
    profile: str
    dated: str
    page: str
    state: str
    state_variable: str
    rules: Any
    resolve: Callable[[Given, str, str | None], Resolved]
    status: Callable[[Given, str], dict[str, Any]]
    models: Callable[[Given], Catalogue]
    providers: Callable[[], Mapping[str, Row]]

    @property
    def name(self) -> str:
        """``pi``, or ``pi@newest``."""
        return self.system if self.profile == "default" else f"{self.system}@{self.profile}"


def _mayros_models(given: Given) -> Catalogue:
    return mayros_models.load(given, mayros_models.load_config(given))


def _zeroclaw_models(rules: zeroclaw.Rules, given: Given) -> Catalogue:
    """One entry a profile: the model it names."""
    config = zeroclaw.load_config(rules, given)
    found = []
    families = config.document.get("providers", {}).get("models", {})
    for family, aliases in families.items():
        for alias, fields in aliases.items():
            ref = f"{family}.{alias}"
            origins = {
                name: config.overridden.get(f"providers.models.{ref}.{name}", "config.toml")
                for name in fields
            }
            shown = {name: value for name, value in fields.items() if not _secret(rules, name)}
            found.append(Merged(ref, str(fields.get("model", "")), shown, origins))
    return Catalogue(tuple(found), warnings=config.warnings)


def _secret(rules: zeroclaw.Rules, field: str) -> bool:
    known = rules.fields.get(field)
    return known is not None and known.secret


def _gomodel_models(rules: gomodel.Rules, given: Given) -> Catalogue:
    """The configured models of the registered providers; live lists are not asked for here."""
    registry = gomodel.registry(rules, given)
    found = []
    for name, instance in registry.instances.items():
        told = instance.origins
        origins = {"id": told.get("models", ""), "owned_by": "type", "base_url": told.get("base_url", "")}
        fields = {"owned_by": instance.type, "base_url": instance.base_url}
        found += [Merged(name, id, fields, origins) for id in instance.models]
    return Catalogue(tuple(found), warnings=registry.warnings)


def _both(
    system: SystemName,
    module: Any,
    models: Callable[[Any, Given], Catalogue],
    dated: tuple[str, str],
    **told: str,
) -> tuple[Dialect, Dialect]:
    return (
        _one(system, "default", module, module.DEFAULT, models, dated[0], told),
        _one(system, "newest", module, module.NEWEST, models, dated[1], told),
    )


def _one(
    system: SystemName,
    profile: str,
    module: Any,
    rules: Any,
    models: Callable[[Any, Given], Catalogue],
    dated: str,
    told: Mapping[str, str],
) -> Dialect:
    return Dialect(
        system=system,
        profile=profile,
        dated=dated,
        page=told["page"],
        state=told["state"],
        state_variable=told["state_variable"],
        rules=rules,
        resolve=lambda given, provider, model: module.resolve(rules, given, provider, model),
        status=lambda given, provider: module.auth_status(rules, given, provider),
        models=lambda given: models(rules, given),
        providers=lambda: module.known(rules),
    )


_OURS: Mapping[str, Dialect] = {
    dialect.name: dialect
    for pair in (
        _both(
            "zot",
            zot,
            zot.models,
            ("2026-05", "2026-09"),
            page="zot, providers page",
            state=".local/state/zot",
            state_variable="ZOT_HOME",
        ),
        _both(
            "pi",
            pi,
            pi.models,
            ("release 0.74.0", "releases 0.87.1 and 1.5.2"),
            page="pi, docs/providers.md",
            state=".pi/agent",
            state_variable="PI_CODING_AGENT_DIR",
        ),
        _both(
            "mayros",
            mayros,
            lambda rules, given: _mayros_models(given),
            ("the page, read 2026-11-21", "commit a014ab47"),
            page="mayros, concepts/model-providers",
            state=".mayros",
            state_variable="MAYROS_STATE_DIR",
        ),
        _both(
            "zeroclaw",
            zeroclaw,
            _zeroclaw_models,
            ("the page, read 2026-11-21", "2026-08"),
            page="ZeroClaw, custom providers",
            state=".zeroclaw",
            state_variable="ZEROCLAW_CONFIG_DIR",
        ),
        _both(
            "gomodel",
            gomodel,
            _gomodel_models,
            ("2026-04", "the documentation, read 2026-11-21"),
            page="GoModel, providers overview",
            state=".",
            state_variable="",
        ),
    )
    for dialect in pair
}
DIALECTS: Mapping[str, Dialect] = extensions.table("dialects", Dialect, _OURS)
