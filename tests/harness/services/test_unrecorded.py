"""What stands beside chat, asked of an emulator: judged by its desk, and answered as adapters read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from harness import emulated, fixtures
from harness.emulators import EMULATORS
from harness.exchange import FIXTURES
from harness.services import DESKS
from harness.services.playing import plan
from harness.services.scenarios import SERVICE_SCENARIOS, Asking, ServiceScenario
from harness.services.unrecorded import asked
from harness.shelf import EMULATOR, Answer, Shelf
from providers import auth, schema
from providers.errors import UnsupportedFeature
from providers.services import SERVICES, operation
from providers.services.batches import ReadBatch
from providers.services.embeddings import Embed, Embeddings
from providers.services.models_list import ModelList
from providers.services.passthrough import PassOn
from providers.wire import Request

HERE = f"http://127.0.0.1:1/@{EMULATOR}"
KEYED = (("authorization", "Bearer k"), ("content-type", "application/json"))


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    """The recordings, and emulators for what is not recorded."""
    return Shelf(schema.all, FIXTURES, emulate=True)


def claimed() -> Iterator[tuple[str, str, str, str]]:
    """Each service that a provider claims, by provider, protocol, scenario and model."""
    for provider in schema.all():
        for protocol, story, model in plan(provider):
            if protocol in EMULATORS and story.service != "passthrough":
                yield provider.id, protocol, story.name, model


def steps(story: ServiceScenario, asking: Asking) -> Iterator[tuple[Any, Any]]:
    """What is asked, and what a recording would answer."""
    for step in story.steps:
        ask, reply = step.ask(asking), step.reply(asking)
        yield ask, reply
        asking = replace(asking, answers=(*asking.answers, reply))


def sent(shelf: Shelf, url: str, method: str = "GET", body: Any = None, headers: Any = KEYED) -> Answer:
    content = b"" if body is None else json.dumps(body).encode()
    return shelf.answer(Request(method, f"{HERE}/{url}", headers, content))


@pytest.mark.parametrize(("provider_id", "protocol", "name", "model"), [*claimed()])
def test_every_claimed_service_is_emulated(
    shelf: Shelf, provider_id: str, protocol: str, name: str, model: str
) -> None:
    """A lawful request of a service gets an answer that our own adapter reads as what it asked for."""
    provider = schema.get(provider_id)
    endpoint = provider.endpoint(protocol, values=fixtures.placeholder_values(provider))
    for ask, reply in steps(SERVICE_SCENARIOS[name], Asking(model, endpoint)):
        row = operation(endpoint, ask)
        try:
            built = row.build(ask, endpoint)
        except UnsupportedFeature:
            return
        request = auth.authenticate(built, provider.auth_for(protocol), fixtures.CANARY)
        parts = urlsplit(request.url)
        rest = request.url.removeprefix(endpoint.base_url)
        if rest == request.url:
            rest = parts.path + (f"?{parts.query}" if parts.query else "")
        found = shelf.answer(replace(request, url=f"{HERE}/{provider_id}/{protocol}{rest}"))
        assert (found.miss, found.exchange.status // 100) == ("", 2), found.exchange.content
        if not isinstance(ask, ReadBatch):  # OpenAI's is a file, which may hold anything
            answer = row.read(found.exchange.status, found.exchange.headers, found.exchange.content)
            assert type(answer) is type(reply)


@pytest.mark.parametrize("shape", DESKS)
def test_every_desk_has_a_scenario_to_speak_from(shape: str) -> None:
    """Each type of ask that a desk takes is asked by a scenario of its service."""
    kinds = set()
    for story in SERVICE_SCENARIOS.values():
        if not story.protocols or shape in story.protocols:
            endpoint = emulated.plain_endpoint(shape if shape in EMULATORS else "openai-completions")
            endpoint = replace(endpoint, shapes=dict.fromkeys(() if shape in EMULATORS else SERVICES, shape))
            kinds |= {type(ask) for ask, _ in steps(story, Asking("m", endpoint))}
    assert {*DESKS[shape]} <= kinds - {PassOn}


def test_the_models_of_the_catalog_are_listed(shelf: Shelf) -> None:
    """A models list is that of the provider, and one of nobody in particular has some model."""
    found = sent(shelf, "groq/openai-completions/models")
    assert found.exchange.status == 200
    ids = [each["id"] for each in json.loads(found.exchange.content)["data"]]
    assert ids == [each.id for each in schema.get("groq").models]
    anybodys = json.loads(sent(shelf, "any/openai-completions/models").exchange.content)
    assert anybodys["data"]


@pytest.mark.parametrize(
    ("url", "method", "body", "words"),
    [
        ("groq/openai-completions/models?colour=red", "GET", None, "colour"),
        ("openai/openai-completions/embeddings", "POST", {"model": "m"}, "input"),
        ("openai/openai-completions/batches", "POST", {"input_file_id": "f"}, "endpoint"),
        ("anthropic/anthropic-messages/models", "GET", None, "anthropic-version"),
    ],
)
def test_an_unlawful_request_is_refused(shelf: Shelf, url: str, method: str, body: Any, words: str) -> None:
    """What a desk refuses is told in the vendor's error shape, as a bad request."""
    found = sent(shelf, url, method, body)
    assert found.exchange.status == 400
    assert words in found.exchange.content.decode()


def test_a_service_without_credential_is_refused(shelf: Shelf) -> None:
    """A models list asks for a credential as chat does."""
    assert sent(shelf, "groq/openai-completions/models", headers=()).exchange.status == 401


def test_a_service_that_is_not_offered_has_no_path(shelf: Shelf) -> None:
    """Where the catalog says that a provider has no such service, the answer is 404."""
    for provider in schema.all():
        protocol = provider.protocols[0]
        offered = provider.offered_at(provider.declaration(protocol))
        if protocol == "openai-completions" and offered.get("files") is False:
            break
    found = sent(shelf, f"{provider.id}/{protocol}/files", headers=(("authorization", "k"), ("api-key", "k")))
    assert found.exchange.status == 404
    assert "does not offer files" in found.exchange.content.decode()


@pytest.mark.parametrize("url", ["nowhere", "models/", "chat/completions"])
def test_what_no_desk_takes_is_the_protocols(shelf: Shelf, url: str) -> None:
    """A GET of another path gets what the protocol's judge says of it."""
    found = sent(shelf, f"any/openai-completions/{url}")
    assert found.exchange.status == 400
    assert "POST" in found.exchange.content.decode()


@pytest.mark.parametrize(
    ("given", "count"), [("one", 1), (["one", "two"], 2), ([1, 2, 3], 1), ([[1, 2], [3]], 2)], ids=str
)
@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_each_text_gets_a_vector(shelf: Shelf, given: Any, count: int, encoding: str) -> None:
    """A text, several, and either in tokens have a vector each, of the length and encoding asked for."""
    body = {"model": "m", "input": given, "dimensions": 16, "encoding_format": encoding}
    found = sent(shelf, "any/openai-completions/embeddings", "POST", body)
    assert found.exchange.status == 200, found.exchange.content
    row = operation(emulated.plain_endpoint("openai-completions"), Embed(model="m", texts=("Hi",)))
    read = row.read(200, found.exchange.headers, found.exchange.content)
    assert isinstance(read, Embeddings)
    assert [len(vector) for vector in read.vectors] == [16] * count


@pytest.mark.parametrize("given", ["", ["a", ""], [""]], ids=str)
@pytest.mark.parametrize("protocol", ["openai-completions", "openai-responses"])
def test_nothing_is_not_embedded(shelf: Shelf, protocol: str, given: Any) -> None:
    """An empty text is refused in OpenAI's words, alone or among others."""
    found = sent(shelf, f"any/{protocol}/embeddings", "POST", {"model": "m", "input": given})
    assert found.exchange.status == 400
    error = json.loads(found.exchange.content)["error"]
    assert error["message"].startswith("'$.input' is invalid.")
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", None, None)


def upload(shelf: Shelf, protocol: str, purpose: str) -> Answer:
    """The answer to a file of nine bytes that is called notes.jsonl."""
    head = "--x\r\nContent-Disposition: form-data; "
    content = f'{head}name="purpose"\r\n\r\n{purpose}\r\n{head}name="file"; filename="notes.jsonl"\r\n\r\n'
    fields = (("authorization", "Bearer k"), ("content-type", "multipart/form-data; boundary=x"))
    body = content.encode() + b'{"a": 12}\r\n--x--\r\n'
    return shelf.answer(Request("POST", f"{HERE}/openai/{protocol}/files", fields, body))


@pytest.mark.parametrize("protocol", ["openai-completions", "openai-responses"])
def test_an_upload_is_told_as_it_was_sent(shelf: Shelf, protocol: str) -> None:
    """The answer to an upload has the purpose, the name and the size of what was sent."""
    told = json.loads(upload(shelf, protocol, "vision").exchange.content)
    assert (told["purpose"], told["filename"], told["bytes"]) == ("vision", "notes.jsonl", 9)


@pytest.mark.parametrize("protocol", ["openai-completions", "openai-responses"])
def test_a_purpose_that_openai_does_not_have_is_refused(shelf: Shelf, protocol: str) -> None:
    """A purpose of another name is refused in OpenAI's words."""
    found = upload(shelf, protocol, "banana").exchange
    assert found.status == 400
    listed = "['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals']"
    error = json.loads(found.content)["error"]
    assert error["message"] == f"'banana' is not one of {listed} - 'purpose'"
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", "purpose", None)


def test_google_embeds_one_content(shelf: Shelf) -> None:
    """A single content, asked for by a method of its own, has one vector of the length asked for."""
    url = "google/google-generative-ai/models/gemini-embedding-001:embedContent"
    key = (("x-goog-api-key", "k"), ("content-type", "application/json"))
    body = {
        "content": {"parts": [{"text": "Hi"}]},
        "taskType": "RETRIEVAL_QUERY",
        "outputDimensionality": 16,
    }
    found = sent(shelf, url, "POST", body, key)
    assert found.exchange.status == 200, found.exchange.content
    told = json.loads(found.exchange.content)
    assert [*told] == ["embedding"]
    assert len(told["embedding"]["values"]) == 16
    assert sent(shelf, url, "POST", {"content": "Hi"}, key).exchange.status == 400
    assert sent(shelf, url, "POST", body, (("content-type", "application/json"),)).exchange.status == 400


@pytest.mark.parametrize(
    ("query", "status"), [("?key=abc", 200), ("?key=", 400), ("?key=abc&colour=red", 400)]
)
def test_googles_key_may_stand_in_the_query(shelf: Shelf, query: str, status: int) -> None:
    """A key in the query is a credential as one in a field is; without one the request is refused."""
    found = sent(shelf, f"google/google-generative-ai/models{query}", headers=())
    assert found.exchange.status == status, found.exchange.content


def test_an_id_is_that_of_the_path(shelf: Shelf) -> None:
    """A file and a batch are told under the id they are asked by."""
    for path in ("files/file-7", "batches/batch-7"):
        told = json.loads(sent(shelf, f"any/openai-completions/{path}").exchange.content)
        assert told["id"] == path.partition("/")[2]


def test_a_call_is_none_of_a_desks() -> None:
    """A chat request belongs to no desk, lawful or not."""
    endpoint = emulated.plain_endpoint("openai-completions")
    for body in (b"{}", b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'):
        assert asked(Request("POST", f"{endpoint.base_url}/chat/completions", KEYED, body), endpoint) is None


def test_models_are_read_of_every_protocol(shelf: Shelf) -> None:
    """The list of each protocol that has one is read by its adapter, for nobody in particular."""
    story = SERVICE_SCENARIOS["models_list"]
    for protocol in DESKS:
        if protocol not in EMULATORS or not any(kind.__name__ == "ListModels" for kind in DESKS[protocol]):
            continue
        endpoint = emulated.plain_endpoint(protocol)
        ask = story.steps[0].ask(Asking("m", endpoint))
        built = operation(endpoint, ask).build(ask, endpoint)
        answer = emulated.answer(built, endpoint, None)
        read = operation(endpoint, ask).read(answer.status, answer.headers, answer.content)
        assert isinstance(read, ModelList)
        assert read.ids


@pytest.mark.parametrize(
    ("path", "fields", "told"),
    [
        ("openai/openai-completions/models/gpt-5", (), {"id": "gpt-5", "object": "model"}),
        ("mistral/mistral-chat/models/ministral-8b-latest", (), {"id": "ministral-8b-latest"}),
        ("deepseek/openai-completions/models/a%2Fb", (), {"id": "a/b"}),
        ("together/openai-completions/models/a/b", (), {"id": "a/b"}),
        (
            "anthropic/anthropic-messages/models/claude-sonnet-4-5",
            (("x-api-key", "k"), ("anthropic-version", "2023-06-01")),
            {"type": "model", "id": "claude-sonnet-4-5"},
        ),
        (
            "google/google-generative-ai/models/gemini-2.5-pro",
            (("x-goog-api-key", "k"),),
            {"name": "models/gemini-2.5-pro"},
        ),
    ],
)
def test_one_model_is_told_by_its_id(
    shelf: Shelf, path: str, fields: tuple[tuple[str, str], ...], told: dict[str, str]
) -> None:
    """A model behind the list's path is answered alone, in the form that it has in the list."""
    answer = sent(shelf, path, headers=fields or KEYED)
    assert answer.exchange.status == 200
    found = json.loads(answer.exchange.content)
    assert {name: found[name] for name in told} == told
    assert sent(shelf, path, method="DELETE", headers=fields or KEYED).exchange.status in (400, 404)


def test_a_list_without_single_models_has_none(shelf: Shelf) -> None:
    """A vendor that tells a model in another form than its list's is not made up."""
    answer = sent(shelf, "cohere/cohere-chat/models/command-a")
    assert answer.exchange.status == 400
