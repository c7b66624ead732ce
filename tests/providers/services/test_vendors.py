"""Services in vendors' own shapes: chosen by the claim, asked in the vendor's words, read as meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.services import DESKS
from harness.services.vendors import VENDORS as SIDES
from providers import schema
from providers.client import prepare_service
from providers.errors import AuthenticationFailed, InvalidDeclaration, MalformedFrame, UnsupportedFeature
from providers.protocols import PROTOCOLS
from providers.services import SERVICES
from providers.services.files import ListFiles
from providers.services.models_list import ListModels, ModelList
from providers.services.vendors import VENDORS


def test_each_shape_is_claimed_by_somebody() -> None:
    """No shape is there for nothing, none has a protocol's name, and each has both sides."""
    claimed = {shape for provider in schema.all() for shape in provider.shapes.values()}
    assert claimed - {*PROTOCOLS} == {*VENDORS} == {*SIDES}
    assert not {*VENDORS} & {*PROTOCOLS}


# What nothing here speaks. One that is asked for leaves the list; one that comes is a decision.
UNSPOKEN = {("mistral", "batches"), ("together", "batches"), ("together", "files"), ("xai", "batches")}


def test_what_is_claimed_in_a_shape_nobody_speaks_is_known() -> None:
    """No catalog file says ``own`` of a feature that is not listed here."""
    assert {(provider.id, name) for provider in schema.all() for name in provider.own} <= UNSPOKEN


def test_a_claims_shape_is_asked_instead_of_the_protocols() -> None:
    """GitHub's models are listed beside the address of inference, as an array."""
    asked = prepare_service(schema.get("github-models"), ListModels(), key="k")
    assert (asked.request.method, asked.request.url) == ("GET", "https://models.github.ai/catalog/models")
    body = b'[{"id": "openai/gpt-4.1", "name": "OpenAI GPT-4.1"}, {"id": "a/b"}]'
    assert asked.operation.read(200, (), body) == ModelList(("openai/gpt-4.1", "a/b"))


def test_githubs_side_refuses_another_address() -> None:
    """The list is not to be had below the address of inference."""
    asked = prepare_service(schema.get("github-models"), ListModels(), key="k")
    endpoint = schema.get("github-models").endpoint()
    desk = DESKS["github-models"][ListModels]
    assert desk.judge(asked.request, endpoint) == ()
    plain = SERVICES["models_list"]["openai-completions"][ListModels].build(ListModels(), endpoint)
    assert [each.rule for each in desk.judge(plain, endpoint)] == ["target"]


def test_atlas_clouds_list_stands_in_an_envelope() -> None:
    """The envelope's code tells a refusal, whatever the status is."""
    asked = prepare_service(schema.get("atlascloud"), ListModels(), key="k")
    assert (asked.request.method, asked.request.url) == ("GET", "https://api.atlascloud.ai/v1/models")
    read = asked.operation.read
    assert read(200, (), b'{"code": 200, "msg": "ok", "data": [{"id": "a/b"}]}') == ModelList(("a/b",))
    refused = b'{"code": 401, "msg": "unauthorized", "request_id": "r", "data": null}'
    for status in (200, 401):
        with pytest.raises(AuthenticationFailed, match="unauthorized"):
            read(status, (), refused)
    for body in (b"[]", b'{"data": []}', b'{"code": 200, "data": {}}', b'{"code": 200, "data": [{}]}'):
        with pytest.raises(MalformedFrame):
            read(200, (), body)


def test_a_shape_without_the_operation_is_refused() -> None:
    """An ask that the shape has no words for tells who has some, before any network use."""
    provider = schema.get("openai")
    claim = provider.claims["embeddings"].model_copy(update={"shape": "cohere-chat"})
    other = provider.model_copy(update={"claims": {**provider.claims, "files": claim}})
    with pytest.raises(UnsupportedFeature, match="over cohere-chat"):
        prepare_service(other, ListFiles(), key="k", protocol="openai-completions")


@pytest.mark.parametrize(
    ("claim", "fault"),
    [
        (
            'files = { offered = true, shape = "nobody", source = "docs" }',
            "claims.files.shape: unknown shape",
        ),
        ('vision = { offered = true, shape = "openai-completions", source = "docs" }', "known: none"),
        (
            'files = { offered = true, shape = "openai-completions", own = true, source = "docs" }',
            "claims.files: expected shape or own, seen both",
        ),
    ],
    ids=["of nobody", "of no service", "and of its own"],
)
def test_an_unknown_shape_is_the_files_fault(tmp_path: Path, claim: str, fault: str) -> None:
    """A shape that no table has, or that stands beside ``own``, is told with its key."""
    path = tmp_path / "acme.toml"
    path.write_text(
        'id = "acme"\nname = "Acme"\nkind = "hosted"\ndocs = "https://acme.example"\n'
        '[sources.docs]\nurl = "https://acme.example"\nread = 2026-11-21\n'
        '[auth]\nenv = ["ACME_KEY"]\nsource = "docs"\n'
        '[[endpoints]]\nprotocol = "openai-completions"\nbase_url = "https://acme.example"\nsource = "docs"\n'
        f"[claims]\n{claim}\n"
    )
    with pytest.raises(InvalidDeclaration) as raised:
        schema.load_file(path)
    assert fault in str(raised.value)
