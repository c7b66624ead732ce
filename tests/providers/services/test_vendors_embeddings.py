"""Embeddings in the shapes of MiniMax and Perplexity: asked as their references have it, refusals typed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.services import DESKS
from providers import schema
from providers.client import prepare_service
from providers.errors import (
    AuthenticationFailed,
    ContentFiltered,
    InvalidRequest,
    MalformedFrame,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RemoteError,
    ServerError,
    UnsupportedFeature,
)
from providers.events import Usage
from providers.services import SERVICES
from providers.services.embeddings import Embed, Embeddings
from providers.wire import Request

TEXTS = ("one", "two")
ANSWERS: dict[str, dict[str, Any]] = {
    "perplexity": {"object": "list", "data": [{"index": 0, "embedding": "AQ=="}], "model": "m"},
    "minimax": {"vectors": [[0.5]], "total_tokens": 3, "base_resp": {"status_code": 0, "status_msg": "ok"}},
}


def built(provider: str, ask: Embed, **options: Any) -> Request:
    return prepare_service(schema.get(provider), ask, key="k", **options).request


def heard(shape: str, body: Any, status: int = 200) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return SERVICES["embeddings"][shape][Embed].read(status, (), content)


def test_perplexity_is_asked_for_signed_bytes() -> None:
    """The path has a version, and the encoding is said however the caller leaves it out."""
    asked = built("perplexity", Embed(model="pplx-embed-v1-0.6b", texts=TEXTS, dimensions=256))
    assert (asked.method, asked.url) == ("POST", "https://api.perplexity.ai/v1/embeddings")
    assert asked.json() == {
        "model": "pplx-embed-v1-0.6b",
        "input": ["one", "two"],
        "dimensions": 256,
        "encoding_format": "base64_int8",
    }


@pytest.mark.parametrize(
    "options",
    [{"encoding": "float"}, {"extra_body": {"encoding_format": "base64_binary"}}, {"purpose": "query"}],
    ids=["floats", "bits", "a purpose"],
)
def test_what_perplexity_has_no_words_for_is_refused(options: Any) -> None:
    """Floats and a purpose are not to be had, and bits would be read as something else."""
    with pytest.raises(UnsupportedFeature):
        built("perplexity", Embed(model="pplx-embed-v1-0.6b", texts=TEXTS, **options))


def test_perplexitys_vectors_are_read_as_numbers() -> None:
    """Each byte is a signed number, and the vectors stand by their index."""
    packed = [base64.b64encode(bytes(vector)).decode() for vector in ([0, 1, 127], [128, 255, 5])]
    body = {
        "data": [{"index": 1, "embedding": packed[1]}, {"index": 0, "embedding": packed[0]}],
        "model": "m",
        "usage": {"prompt_tokens": 4, "total_tokens": 4, "cost": {"total_cost": 0.0, "currency": "USD"}},
    }
    answer = heard("perplexity", body)
    assert answer.vectors == ((0.0, 1.0, 127.0), (-128.0, -1.0, 5.0))
    assert answer.usage == Usage(input_tokens=4, sent={"input": 4})


@given(vectors=st.lists(st.lists(st.integers(-128, 127), min_size=3, max_size=3), min_size=1, max_size=3))
def test_any_bytes_survive_the_way(vectors: list[list[int]]) -> None:
    """What Perplexity's side speaks is read back, whatever the bytes."""
    ask = Embed(model="m", texts=("a text",) * len(vectors))
    meant = Embeddings(tuple(tuple(map(float, vector)) for vector in vectors), Usage(input_tokens=1))
    endpoint = schema.get("perplexity").endpoint()
    said = DESKS["perplexity"][Embed].speak(ask, meant, endpoint)
    assert heard("perplexity", said.content).vectors == meant.vectors


@pytest.mark.parametrize(
    ("purpose", "kind"), [(None, "db"), ("document", "db"), ("query", "query")], ids=["none", "kept", "asked"]
)
def test_minimax_is_told_what_the_vectors_are_for(purpose: Any, kind: str) -> None:
    """A type is always said: texts are kept unless they ask."""
    asked = built("minimax", Embed(model="embo-01", texts=TEXTS, purpose=purpose))
    assert (asked.method, asked.url) == ("POST", "https://api.minimax.io/v1/embeddings")
    assert asked.json() == {"model": "embo-01", "texts": ["one", "two"], "type": kind}


def test_minimaxs_group_goes_into_the_query() -> None:
    """The group that a user set is told as the vendor writes it; chat goes without it."""
    provider = schema.get("minimax")
    assert provider.values["group_id"].env == ("MINIMAX_GROUP_ID",)
    asked = built("minimax", Embed(model="embo-01", texts=TEXTS), values={"group_id": "17 a&b"})
    assert asked.url == "https://api.minimax.io/v1/embeddings?GroupId=17+a%26b"
    assert DESKS["minimax"][Embed].judge(asked, provider.endpoint()) == ()
    assert provider.endpoint(values={"group_id": "17"}).url("/chat/completions").endswith("/chat/completions")


def test_minimax_embeds_at_one_endpoint_only() -> None:
    """The Anthropic endpoint has no embeddings, and the vendor has no lengths of vectors to choose from."""
    provider = schema.get("minimax")
    offered = [provider.offered_at(declared).get("embeddings") for declared in provider.endpoints]
    assert offered == [True, False]
    with pytest.raises(UnsupportedFeature, match="dimensions"):
        built("minimax", Embed(model="embo-01", texts=TEXTS, dimensions=256))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1000, ServerError),
        (1002, RateLimited),
        (1004, AuthenticationFailed),
        (1008, QuotaExhausted),
        (1026, ContentFiltered),
        (2013, InvalidRequest),
        (2049, AuthenticationFailed),
        (9999, ServerError),
    ],
)
def test_minimax_refuses_with_a_status_of_200(code: int, kind: type[RemoteError]) -> None:
    """The code of ``base_resp`` tells the kind of the refusal, which keeps the vendor's words."""
    body = {"vectors": None, "total_tokens": 0, "base_resp": {"status_code": code, "status_msg": "no"}}
    with pytest.raises(RemoteError) as raised:
        heard("minimax", body)
    error = raised.value
    assert (type(error), error.message, error.status, error.code) == (kind, "no", 200, code)


def test_minimaxs_vectors_are_read_in_their_order() -> None:
    """The vectors stand as they are, with the tokens counted."""
    body = {**ANSWERS["minimax"], "vectors": [[0.5, 1], [-1, 0]]}
    assert heard("minimax", body) == Embeddings(
        ((0.5, 1.0), (-1.0, 0.0)), Usage(input_tokens=3, sent={"input": 3})
    )


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("perplexity", {"data": [{"index": 0, "embedding": [1, 2]}]}),
        ("perplexity", {"data": [{"index": 0, "embedding": "A"}]}),
        ("perplexity", {"data": [{"index": 0, "embedding": "Ω"}]}),
        ("perplexity", {"data": [{"index": 1, "embedding": "AQ=="}]}),
        ("minimax", {"vectors": [[0.5]]}),
        ("minimax", {"base_resp": {"status_code": "0"}}),
        ("minimax", {"base_resp": {"status_code": 0}, "vectors": [["a"]]}),
        ("minimax", []),
    ],
)
def test_another_shape_is_malformed(shape: str, body: Any) -> None:
    """A lawful JSON body of another shape is told with its place."""
    with pytest.raises(MalformedFrame):
        heard(shape, body)


@pytest.mark.parametrize("shape", ANSWERS)
@given(content=st.binary(max_size=60), status=st.sampled_from([200, 400, 401, 429, 500]))
def test_garbage_raises_no_other_error(shape: str, content: bytes, status: int) -> None:
    """Whatever bytes come, the error is one of ours."""
    with pytest.raises(ProviderError):
        heard(shape, content, status)
    assert heard(shape, ANSWERS[shape]).dimensions == 1
