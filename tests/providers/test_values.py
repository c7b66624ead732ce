"""Values of a provider: defaults made of other values, and switches; Bedrock's are the example."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from providers import catalog_faults, credentials, schema
from providers.auth import AWSKeys
from providers.errors import ConfigurationError, ConflictingConfig, InvalidDeclaration, MissingCredential

BEDROCK = schema.get("amazon-bedrock")
HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"


@pytest.mark.parametrize(
    ("environ", "base_url"),
    [
        ({}, "https://bedrock-runtime.us-east-1.amazonaws.com"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "https://bedrock-runtime.eu-west-1.amazonaws.com"),
        (
            {"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "x"},
            "https://bedrock-runtime.eu-west-3.amazonaws.com",
        ),
        (
            {"AWS_REGION": "eu-west-3", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "https://proxy.example/"},
            "https://proxy.example",
        ),
    ],
    ids=["nothing", "the second variable", "the first variable", "an address"],
)
def test_a_default_may_hold_another_value(environ: dict[str, str], base_url: str) -> None:
    """The address follows the region, unless it is given itself."""
    values = credentials.values(BEDROCK, environ)
    assert BEDROCK.endpoint("bedrock-converse", HAIKU, values=values).base_url == base_url


@pytest.mark.parametrize("slash", ["", "/"])
def test_an_address_with_the_path_of_an_operation_is_refused(slash: str) -> None:
    """An address that was copied with the path is told as such, and without it the address is taken."""
    custom, address = schema.get("custom"), "https://x.example/v1"
    values = credentials.values(custom, {"CUSTOM_BASE_URL": f"{address}/messages{slash}"})
    with pytest.raises(ConfigurationError, match="path of an operation") as refused:
        custom.endpoint("anthropic-messages", values=values)
    assert (refused.value.seen, refused.value.next_step) == ("/messages", f"set it to {address}")
    assert custom.endpoint("openai-responses", values=values).base_url == f"{address}/messages"


@pytest.mark.parametrize(("told", "points"), [("1", True), ("0", False), ("", False)])
def test_a_value_may_switch_deviations_on(told: str, points: bool) -> None:
    """A switch holds for the protocols that have its deviations, while its value is 1."""
    values = credentials.values(BEDROCK, {"AWS_BEDROCK_FORCE_CACHE": told})
    converse = BEDROCK.endpoint("bedrock-converse", HAIKU, values=values)
    invoke = BEDROCK.endpoint("bedrock-invoke", HAIKU, values=values)
    assert (converse.deviations.cache_points == ("*",)) is points
    assert not hasattr(invoke.deviations, "cache_points")


def test_bad_values_are_told_by_their_keys(tmp_path: Path) -> None:
    """A default with an unknown placeholder and a deviation that no endpoint has are faults of the file."""
    text = (schema.CATALOG / "amazon-bedrock.toml").read_text("utf-8")
    path = tmp_path / "amazon-bedrock.toml"
    path.write_text(text.replace("runtime.{region}", "runtime.{planet}").replace("cache_points =", "cash ="))
    with pytest.raises(InvalidDeclaration) as raised:
        schema.load_file(path)
    assert raised.value.faults == (
        "values.endpoint.default: {planet} is not in [values]",
        "values.force_cache.deviations: unknown deviation 'cash'",
    )


def test_a_clouds_credential_is_found_by_its_scheme() -> None:
    """Keys are found together, half a pair is refused, and the variables are named when nothing is found."""
    pair = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}
    assert credentials.find(BEDROCK, pair) == AWSKeys("a", "s")
    with pytest.raises(ConfigurationError, match="without AWS_SECRET_ACCESS_KEY"):
        credentials.find(BEDROCK, {"AWS_ACCESS_KEY_ID": "a"})
    with pytest.raises(MissingCredential) as raised:
        credentials.find(BEDROCK, {})
    assert raised.value.looked_for[0] == "AWS_BEARER_TOKEN_BEDROCK"


WATSONX = schema.get("watsonx")


@pytest.mark.parametrize(
    ("environ", "charged"),
    [
        ({"WATSONX_PROJECT_ID": "p"}, ("p", "")),
        ({"WATSONX_SPACE_ID": "s"}, ("", "s")),
        ({"WATSONX_DEPLOYMENT_SPACE_ID": "s", "WATSONX_PROJECT_ID": "p"}, ("p", "")),
    ],
    ids=["the value", "its stand-in", "both"],
)
def test_a_value_may_stand_in_for_another(environ: dict[str, str], charged: tuple[str, str]) -> None:
    """One of the two is enough, and one of them is told: the stand-in only where the other is absent."""
    deviations = WATSONX.endpoint(
        "watsonx-generation", values=credentials.values(WATSONX, environ)
    ).deviations
    assert (deviations.project_id, deviations.space_id) == charged


def test_without_the_value_and_its_stand_in_both_are_named() -> None:
    """The operator learns that either variable would do."""
    with pytest.raises(ConflictingConfig) as raised:
        WATSONX.endpoint("watsonx-generation")
    assert raised.value.expected.startswith("WATSONX_PROJECT_ID or WATSONX_SPACE_ID")


def test_a_stand_in_for_nothing_is_a_fault(tmp_path: Path) -> None:
    """What a value stands in for is another value of the file, also where a table holds its placeholder."""
    text = (schema.CATALOG / "watsonx.toml").read_text("utf-8")
    path = tmp_path / "watsonx.toml"
    path.write_text(
        text.replace('instead_of = "project"', 'instead_of = "planet"').replace(
            'project_id = "{project}"\nspace', 'body = { a = "{moon}" }\nspace', 1
        )
    )
    with pytest.raises(InvalidDeclaration) as raised:
        schema.load_file(path)
    assert raised.value.faults == (
        "endpoints.1.deviations.body.a: {moon} is not in [values]",
        "values.space.instead_of: 'planet' is no other of [values]",
    )


ACCOUNT = """[values.project]
env = ["WATSONX_PROJECT_ID"]
"""


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        (
            'pattern = "[0-9]+"',
            "values.project.example: give one that matches the pattern '[0-9]+'; 'example-project'",
        ),
        ('pattern = "[0-9]+"\nexample = "one"', "values.project.example: 'one' does not match its pattern"),
        ('pattern = "[0-9]+"\ndefault = "one"', "values.project.default: 'one' does not match its pattern"),
        (
            'pattern = "[0-9]+"\ndefault = "1"\ndefault_where = { region = { eu-de = "two" } }',
            "values.project.default_where.region.eu-de: 'two' does not match its pattern",
        ),
    ],
)
def test_a_text_that_its_pattern_refuses_is_a_fault(tmp_path: Path, keys: str, fault: str) -> None:
    """A default or example that could never be used, and a value for which no word stands, are told."""
    told = "".join(_faults(tmp_path, f"{ACCOUNT}{keys}\n"))
    assert told.startswith(fault)


@pytest.mark.parametrize(
    "keys",
    ['pattern = "[0-9]+"\nexample = "17"', 'pattern = "[a-z-]+"', 'pattern = "[0-9]+"\ndefault = "{region}"'],
)
def test_a_text_that_fits_its_pattern_is_lawful(tmp_path: Path, keys: str) -> None:
    """An example, or a pattern that any word matches, is enough; what has placeholders is judged filled."""
    assert _faults(tmp_path, f"{ACCOUNT}{keys}\n") == ()


LABEL = "a host label: letters, digits and hyphens"


@pytest.mark.parametrize(
    ("values", "faults"),
    [
        (
            {"zone": {"example": "a/b"}},
            [f"values.zone.example: 'a/b' cannot stand in endpoints.0: give {LABEL}"],
        ),
        ({"zone": {"example": "eu"}}, []),
        ({"zone": {}}, []),
        ({"zone": {"default": "eu", "example": "a/b"}}, []),
        (
            {"zone": {"default": "{inner}"}, "inner": {"example": "a/b"}},
            [f"values.inner.example: 'a/b' cannot stand in endpoints.0: give {LABEL}"],
        ),
        ({"zone": {"default": "{inner}"}, "inner": {"example": "eu"}}, []),
        ({"zone": {"default": "{inner}"}, "inner": {"default": "{zone}"}}, []),
        ({"zone": {"default": "{"}}, []),
    ],
)
def test_an_example_stands_where_its_value_does(values: dict[str, Any], faults: list[str]) -> None:
    """What no address may hold in that place is told when the file is read, and not when it is built from."""
    table = {"id": "acme", "values": values, "endpoints": [{"base_url": "https://{zone}.acme.example/v1"}]}
    told = catalog_faults.inside(table, date(2026, 11, 21))
    assert [fault for fault in told if ".example:" in fault] == faults


def _faults(folder: Path, project: str) -> tuple[str, ...]:
    """The faults of watsonx's file with ``project`` in place of the lines of that value."""
    text = (schema.CATALOG / "watsonx.toml").read_text("utf-8")
    assert ACCOUNT in text
    (folder / "watsonx.toml").write_text(text.replace(ACCOUNT, project, 1), "utf-8")
    faults = schema.load(folder).faults
    return tuple(fault for each in faults if isinstance(each, InvalidDeclaration) for fault in each.faults)
