"""Checks of topic ``auth`` for the clouds: Azure, Bedrock, Vertex, and a gateway before an upstream.

What the clouds' chains yield is their libraries' business; these check which link is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.checks.registry import require
from harness.dialects.checks.registry import check, equal, only
from harness.dialects.checks.trial import Trial
from harness.dialects.checks.worlds import Source
from providers import schema
from providers.dialects import ambient

GATEWAY_FIELD = "cf-aig-authorization"
AZURE_FORMS = {  # what is configured, what is used
    "https://r.openai.azure.com": "https://r.openai.azure.com/openai/v1",
    "https://r.openai.azure.com/openai?api-version=1": "https://r.openai.azure.com/openai/v1",
    "https://r.cognitiveservices.azure.com/": "https://r.cognitiveservices.azure.com/openai/v1",
    "https://proxy.test/v9/": "https://proxy.test/v9",
}
DEPLOYMENTS = "m1=first, m2=, =third"


def _links(trial: Trial) -> list[Source]:
    return [source for source in trial.sources if source.kind == "ambient"]


def _aws(trial: Trial) -> bool:
    return any(source.name.startswith("AWS_") for source in _links(trial))


def _google(trial: Trial) -> bool:
    return any(source.name == ambient.ADC_FILE for source in _links(trial))


def _azure(trial: Trial) -> bool:
    endpoints = [each for id in trial.row.catalog for each in schema.get(id).endpoints]
    return any(each.base_url_form for each in endpoints)


# --- Azure ---


def _pi_azure(trial: Trial) -> None:
    for told, used in AZURE_FORMS.items():
        url = trial.ask("resolve_endpoint", {"env": {"AZURE_OPENAI_BASE_URL": told}}).get("url")
        equal(url, used, told)
    _deployments(trial)


def _deployments(trial: Trial) -> None:
    environ = {"AZURE_OPENAI_DEPLOYMENT_NAME_MAP": DEPLOYMENTS}
    for model, deployment in (("m1", "first"), ("m2", "m2"), ("m3", "m3")):
        found = trial.ask("map_deployment", {"env": environ}, model=model).get("deployment")
        equal(found, deployment, model)


def _gomodel_azure(trial: Trial) -> None:
    environ = {
        "AZURE_API_KEY": "canary-azure",
        "AZURE_BASE_URL": "https://r.test/openai/deployments/d",
        "AZURE_API_VERSION": "2024-10-21",
    }
    request = trial.ask("build_request", {"env": environ}, model="d")["request"]
    fields = {name.lower(): value for name, value in request["headers"].items()}
    require(fields.get("api-key") == "canary-azure", expected="the key in api-key", observed=sorted(fields))
    require("authorization" not in fields, expected="no Authorization", observed=sorted(fields))
    require(
        request["url"].endswith("?api-version=2024-10-21"), expected="api-version", observed=request["url"]
    )


AZURE: Mapping[str, Callable[[Trial], None]] = {
    "pi": _pi_azure,
    "pi@newest": _pi_azure,
    "zot@newest": _deployments,
    "gomodel": _gomodel_azure,
    "gomodel@newest": _gomodel_azure,
}


@check(
    "auth.azure",
    source="docs/dialects/pi.md (P73–P75), zot.md (Z57), gomodel.md (G10)",
    dialects=tuple(AZURE),
    when=_azure,
)
def azure(trial: Trial) -> None:
    """Azure's base URL forms, API version and deployment names MUST reach the request as documented."""
    AZURE[trial.dialect.name](trial)


# --- Bedrock and Vertex ---


@check("auth.bedrock", source="docs/dialects/index.md", when=_aws)
def bedrock(trial: Trial) -> None:
    """A link of the AWS chain MUST count only when it is whole, and never give a value of ours."""
    for link in _links(trial):
        whole = trial.world(link)
        for name in tuple(whole.environ):
            half = trial.world(link)
            del half.environ[name]
            resolved = trial.resolve(half).resolved
            require(resolved.name != link.name, expected="no credential", observed=resolved.name, at=name)
        resolved = trial.resolve(whole).resolved
        seen = (resolved.source, resolved.name, resolved.value)
        require(seen == ("ambient", link.name, None), expected=link.name, observed=seen)


@check("auth.vertex", source="docs/dialects/index.md", when=_google)
def vertex(trial: Trial) -> None:
    """Application default credentials MUST count only with their file and the variables they need."""
    link = next(source for source in _links(trial) if source.name == ambient.ADC_FILE)
    whole = trial.world(link)
    for name in sorted({*whole.environ} - {*trial.world().environ}):
        half = trial.world(link)
        del half.environ[name]
        resolved = trial.resolve(half).resolved
        require(not resolved.found, expected="no credential", observed=resolved.name, at=f"{name} unset")
    missing = trial.world(link)
    missing.documents.clear()
    missing.environ["GOOGLE_APPLICATION_CREDENTIALS"] = "/no/such/file.json"
    resolved = trial.resolve(missing).resolved
    require(not resolved.found, expected="no credential", observed=resolved.name, at="no such file")


# --- a gateway ---


@check(
    "auth.gateway_dual",
    source="docs/dialects/pi.md (P79)",
    dialects=("pi*", "zot*", "mayros*"),
    when=only("cloudflare-ai-gateway"),
)
def gateway_dual(trial: Trial) -> None:
    """The gateway's token MUST travel in the gateway's own field, and leave the upstream's fields free."""
    key = trial.canary(trial.sources[0])
    for request in trial.sent(key).requests:
        fields = {name.lower(): value for name, value in request.headers}
        require(
            fields.get(GATEWAY_FIELD) == f"Bearer {key}",
            expected=f"the token in {GATEWAY_FIELD}",
            observed=sorted(fields),
        )
        upstream = [name for name in ("authorization", "x-api-key") if key in fields.get(name, "")]
        require(not upstream, expected="no token in the upstream's fields", observed=upstream)
