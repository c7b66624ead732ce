"""The two sides of each service meet: our request is accepted, and what a desk speaks is read back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert
from msgspec.structs import replace

from harness.services import DESKS
from providers import jsontext
from providers.call import Call, Tool, user
from providers.errors import InvalidRequest, UnsupportedFeature
from providers.events import Usage
from providers.protocols import PROTOCOLS
from providers.services import SERVICES, operation
from providers.services.batches import (
    Batch,
    BatchList,
    CancelBatch,
    Cancelling,
    CreateBatch,
    Entry,
    GetBatch,
    ListBatches,
    Outcome,
    Outcomes,
    ReadBatch,
)
from providers.services.count_tokens import CountTokens, TokenCount
from providers.services.embeddings import EMBEDDINGS, Embed, Embeddings
from providers.services.files import (
    Deleted,
    DeleteFile,
    File,
    FileContent,
    FileList,
    GetFile,
    ListFiles,
    ReadFile,
    Upload,
)
from providers.services.models_list import ListModels, ModelList
from providers.services.vendors.xai import Added, AddEntries
from providers.wire import Endpoint, Request

CALL = Call(
    model="claude-haiku-4-5",
    messages=(user("Say hello."),),
    system="Be short.",
    tools=(Tool("get_time", "The time."),),
    max_output_tokens=64,
)
BATCH = Batch(id="batch0000001", status="ended", raw_status="ended", succeeded=1, failed=1)
FILE = File("file-1", "a.jsonl", 3)
ASKED: tuple[tuple[Any, Any], ...] = (
    (ListModels(limit=2), ModelList(("a-1", "b-2"))),
    (CountTokens(CALL), TokenCount(23)),
    (Upload(name="a.jsonl", content=b"{}\n", purpose="batch"), FILE),
    (ListFiles(limit=2), FileList((FILE,), "file-1")),
    (GetFile("file-1"), FILE),
    (ReadFile("file-1"), FileContent(b"{}\n", "application/octet-stream")),
    (DeleteFile("file-1"), Deleted("file-1")),
    (CreateBatch(file="file-1"), BATCH),
    (CreateBatch(file="file-1", model="m"), BATCH),
    (CreateBatch(entries=(Entry("a", CALL), Entry("b", CALL))), BATCH),
    (GetBatch("batch0000001"), BATCH),
    (ListBatches(limit=2), BatchList((BATCH,), "batch0000001")),
    (CancelBatch("batch0000001"), BATCH),
    (AddEntries("batch0000001", (Entry("a", CALL), Entry("b", CALL))), Added()),
)
CASES = [
    pytest.param(protocol, ask, answer, id=f"{protocol}-{type(ask).__name__}-{number}")
    for number, (ask, answer) in enumerate(ASKED)
    for protocol in DESKS
    if type(ask) in DESKS[protocol]
] + [
    pytest.param("bedrock", CreateBatch(file="s3://example/in.jsonl", model="m"), BATCH, id="bedrock-object")
]


# The protocol of a shape's calls.
SPOKEN: dict[str, str] = {
    "bedrock": "bedrock-converse",
    "gemini": "google-generative-ai",
    "mistral": "mistral-chat",
    "together": "openai-completions",
    "xai": "openai-completions",
}


def at(shape: str) -> Endpoint:
    protocol = SPOKEN.get(shape, shape)
    known = PROTOCOLS.get(protocol)
    return Endpoint(
        provider="vendor",
        protocol=protocol,
        base_url="https://vendor.example/v1",
        deviations=known.deviations() if known else None,
        shapes={} if shape == protocol else dict.fromkeys(SERVICES, shape),
        values={"batch_role": "arn:aws:iam::123456789012:role/batch"},
    )


def met(protocol: str, ask: Any, answer: Any) -> Any:
    """The answer after our request was judged and the desk's words were read."""
    endpoint = at(protocol)
    row, desk = operation(endpoint, ask), DESKS[protocol][type(ask)]
    assert desk.judge(row.build(ask, endpoint), endpoint) == ()
    said = desk.speak(ask, answer, endpoint)
    return row.read(said.status, said.headers, said.content)


STATES = {
    "anthropic-messages": "ended",
    "bedrock": "Completed",
    "gemini": "BATCH_STATE_SUCCEEDED",
    "mistral": "SUCCESS",
    "together": "COMPLETED",
    "xai": "",
}
ONE_PAGE = ("mistral", "together")  # or none is told to follow


def in_words_of(protocol: str, ask: Any, answer: Any) -> Any:
    """What of an answer the vendor has words for."""
    if protocol in ("bedrock", "gemini") and isinstance(ask, DeleteFile | CancelBatch):
        return Deleted() if isinstance(ask, DeleteFile) else Cancelling()
    if protocol == "bedrock" and isinstance(ask, CreateBatch):
        return Batch(id=answer.id, status="running", raw_status="")
    if isinstance(answer, File):
        openai = protocol != "anthropic-messages"
        return replace(answer, purpose=None if not openai else answer.purpose)
    if isinstance(answer, Batch):
        output = "s3://example/out/" if protocol == "bedrock" else answer.output
        if protocol == "together":
            answer = replace(answer, succeeded=None, failed=None)
        return replace(answer, raw_status=STATES.get(protocol, "completed"), output=output)
    if isinstance(answer, FileList) and protocol in ONE_PAGE:
        return replace(answer, next=None)
    if isinstance(answer, BatchList):
        found = tuple(in_words_of(protocol, ask, each) for each in answer.batches)
        return BatchList(found, None if protocol in ONE_PAGE else answer.next)
    return answer


@pytest.mark.parametrize(("protocol", "ask", "answer"), CASES)
def test_the_two_sides_agree(protocol: str, ask: Any, answer: Any) -> None:
    """The desk accepts the request of each row and its answer is read as it was meant."""
    wanted = in_words_of(protocol, ask, answer)
    try:
        assert met(protocol, ask, wanted) == wanted
    except UnsupportedFeature:
        assert isinstance(ask, CreateBatch)  # entries to the one vendor, a file to the other


def test_a_desk_of_embeddings_goes_by_the_endpoints_deviations() -> None:
    """Who has other names for the fields accepts those, and refuses OpenAI's."""
    plain = at("openai-completions")
    named = {"embedding_dimensions": "output_dimension", "embedding_purpose": "input_type"}
    other = replace(plain, deviations=convert(named, PROTOCOLS["openai-completions"].deviations))
    ask = Embed(model="m", texts=("one",), dimensions=256)
    build, judge = operation(plain, ask).build, DESKS["openai-completions"][Embed].judge
    assert judge(build(replace(ask, purpose="document"), other), other) == ()
    assert [each.rule for each in judge(build(ask, plain), other)] == ["unknown_field"]


def test_every_row_has_its_desk() -> None:
    """No operation is without its other side, but those that pass anything on, or that none is asked for."""
    rows = {
        (protocol, kind)
        for name, table in SERVICES.items()
        if name != "passthrough"
        for protocol, offered in table.items()
        for kind in offered
    }
    rows -= {("bedrock", ReadBatch)}  # refused: its outcomes lie in S3
    assert rows == {(protocol, kind) for protocol, desks in DESKS.items() for kind in desks}


vectors = st.integers(1, 6).flatmap(
    lambda size: st.lists(
        st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=size, max_size=size),
        min_size=1,
        max_size=3,
    )
)


@pytest.mark.parametrize("protocol", EMBEDDINGS)
@given(found=vectors, tokens=st.integers(0, 9999), base64=st.booleans())
def test_vectors_are_read_as_they_were_spoken(
    protocol: str, found: list[list[float]], tokens: int, base64: bool
) -> None:
    """Any vectors survive the way through every protocol, in their order, plain or packed."""
    packed = base64 and "openai" in protocol
    ask = Embed(
        model="cohere.embed-v4:0",
        texts=("a text",) * len(found),
        encoding="base64" if packed else None,
    )
    answer = Embeddings(tuple(map(tuple, found)), Usage(input_tokens=tokens))
    heard = met(protocol, ask, answer)
    assert heard.vectors == answer.vectors
    assert heard.usage is None or heard.usage.input_tokens == tokens


@pytest.mark.parametrize(
    "model", ["amazon.titan-embed-text-v2:0", "us.amazon.nova-2-multimodal-embeddings-v1:0"]
)
def test_bedrocks_own_models_embed_one_text(model: str) -> None:
    """Titan and Nova take one text and answer with one vector."""
    ask = Embed(model=model, texts=("a text",), dimensions=256)
    assert met("bedrock-converse", ask, Embeddings(((0.5, -1.0),))).vectors == ((0.5, -1.0),)


def outcomes(protocol: str) -> Outcomes:
    """One answer, one refusal."""
    refused = InvalidRequest("too long", status=400, type="invalid_request_error")
    return Outcomes((Outcome("a", {"id": "x"}), Outcome("b", error=refused)))


@pytest.mark.parametrize("protocol", ["openai-completions", "anthropic-messages", "gemini", "mistral"])
def test_outcomes_are_read_as_they_were_spoken(protocol: str) -> None:
    """An answer and a refusal of one batch are told apart, with the vendor's words."""
    ask = ReadBatch(replace(BATCH, output="file-2"))
    first, second = met(protocol, ask, outcomes(protocol)).outcomes
    assert (first.id, first.answer, first.error) == ("a", {"id": "x"}, None)
    assert (second.id, second.answer, type(second.error)) == ("b", None, InvalidRequest)


BROKEN: tuple[tuple[str, Any, dict[str, Any], str], ...] = (
    ("openai-completions", Embed(model="m", texts=("a",)), {"input": []}, "limit"),
    ("openai-completions", Embed(model="m", texts=("a",)), {"encoding_format": "hex"}, "value"),
    ("openai-completions", Embed(model="m", texts=("a",)), {"texts": ["a"]}, "unknown_field"),
    ("google-generative-ai", Embed(model="m", texts=("a",)), {"requests": [{"model": "m"}]}, "required"),
    ("cohere-chat", Embed(model="m", texts=("a",)), {"input_type": None}, "value"),
    ("cohere-chat", Embed(model="m", texts=("a",)), {"output_dimension": 7}, "value"),
    ("anthropic-messages", CountTokens(CALL), {"stream": True}, "unknown_field"),
    ("google-generative-ai", CountTokens(CALL), {"contents": []}, "type"),
    ("openai-completions", CreateBatch(file="f"), {"completion_window": "1h"}, "value"),
    ("anthropic-messages", CreateBatch(entries=(Entry("a b", CALL),)), {}, "custom_id"),
)


@pytest.mark.parametrize(("protocol", "ask", "change", "rule"), BROKEN)
def test_a_desk_refuses_what_its_vendor_refuses(
    protocol: str, ask: Any, change: dict[str, Any], rule: str
) -> None:
    """A request with one thing wrong is refused by that rule."""
    endpoint = at(protocol)
    request = operation(endpoint, ask).build(ask, endpoint)
    broken = replace(request, content=jsontext.write({**request.json(), **change}))
    assert rule in {each.rule for each in DESKS[protocol][type(ask)].judge(broken, endpoint)}


def test_a_desk_judges_head_and_parts() -> None:
    """A file list without its version field, and an upload without its purpose, are refused."""
    endpoint = at("anthropic-messages")
    ask = ListFiles()
    request = operation(endpoint, ask).build(ask, endpoint)
    found = DESKS["anthropic-messages"][ListFiles].judge(replace(request, headers=()), endpoint)
    assert {each.where for each in found} == {"anthropic-version", "anthropic-beta"}
    upload = Upload(name="a", content=b"b")
    sent = operation(endpoint, upload).build(upload, endpoint)
    judged = DESKS["openai-completions"][Upload].judge(sent, at("openai-completions"))
    assert [each.where for each in judged] == ["/purpose"]


@pytest.mark.parametrize(
    ("asked", "rules"), [("?version=2025-02-11", []), ("", ["version"]), ("?version=v1", ["version"])]
)
def test_watsonx_wants_a_version_that_is_a_date(asked: str, rules: list[str]) -> None:
    """The list of models is refused without the version that every target of the vendor's names."""
    url = f"https://vendor.example/ml/v1/foundation_model_specs{asked}"
    found = DESKS["watsonx-generation"][ListModels].judge(
        Request("GET", url, (), b""), at("watsonx-generation")
    )
    assert [violation.rule for violation in found] == rules
