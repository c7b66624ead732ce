"""Tests of comparing our adapters with recordings of real traffic."""

from __future__ import annotations

import base64
import json
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from harness.cli import app
from harness.errors import UnusableInput
from harness.exchange import Exchange
from harness.observation import hear
from harness.verify import READERS, as_exchange, in_our_words, verify
from providers.errors import ProviderError
from providers.events import Turn
from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Frame, Protocol

RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
recorded = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the shared recordings are not here")

# What is left between us and the summaries, each with its reason.
DISAGREEMENTS = {
    "74f613ef9581be51": "two answers joined in one body: the first one's end is the end",
    "fa8bfe9b04c6356e": "four answers joined in one body: the summary has the last one's text and call-less "
    "output, the first one's reasoning",
    "977ab53a8986e20c": "the summary overlooks the embedding's usageMetadata",
    "e0475299cd2d6613": "the summary overlooks the results' token counts",
    "136d062f19662fc3": "a response that waits has no reason why it ended",
    "b681a7eaeda083fd": "a response that runs has no reason why it ended",
}
UNRECORDED = {"azure-openai-responses", "google-gemini-cli", "openai-codex-responses"}
CHAT = set(PROTOCOLS) - UNRECORDED
SERVED = (
    "openai-embeddings",
    "google-vertex-predict",
    "cohere-embed",
    "bedrock-embeddings",
    "ollama-embeddings",
    "models-list",
    "anthropic-count-tokens",
    "google-count-tokens",
    "bedrock-count-tokens",
    "openai-responses-input-tokens",
)
# Below 99 %, by the reason: two recordings hold two answers in one body.
BELOW = {"openai-responses": 2, "watsonx-generation": 1}
AGREEING = sorted((CHAT | set(SERVED)) - BELOW.keys())

BODY = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}
EXPECTED = {
    "text": "hi",
    "tool_calls": [],
    "finish_reason": "stop",
    "usage": {"input": 1, "output": 2, "total": 3},
    "reasoning_text": None,
    "error": None,
}


def recording(**changes: Any) -> dict[str, Any]:
    """A recording that agrees, with ``changes`` to its keys."""
    sound = {
        "id": "r1",
        "provider": "someone",
        "api": "openai-completions",
        "streaming": False,
        "fidelity": "http-raw",
        "response": {
            "status": 200,
            "headers": {"content-type": "application/json"},
            "body_text": json.dumps(BODY),
        },
        "expected": EXPECTED,
    }
    return {**sound, **changes}


def kept(path: Path, value: Any) -> Path:
    """``value`` as a JSON file at ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def run(*arguments: str) -> tuple[int, str]:
    """The exit code of ``wirecheck verify`` and what it printed."""
    result = CliRunner().invoke(app, ["verify", *arguments])
    assert not isinstance(result.exception, Exception) or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout


def test_agreement_is_exit_code_0(tmp_path: Path) -> None:
    """A single file that agrees gives the published JSON object and exit code 0."""
    code, out = run(str(kept(tmp_path / "r1.json", recording())), "--json")
    assert code == 0
    assert json.loads(out) == {
        "total": 1,
        "agree": 1,
        "disagree": [],
        "skipped": [],
        "by": {"someone/openai-completions": {"total": 1, "agree": 1}},
    }


def test_disagreement_is_exit_code_1(tmp_path: Path) -> None:
    """A field that differs is told with both values, and the exit code is 1."""
    wrong = recording(expected={**EXPECTED, "text": "bye"})
    code, out = run(str(kept(tmp_path / "r1.json", wrong)), "--json")
    assert code == 1
    assert json.loads(out)["disagree"] == [{"id": "r1", "field": "text", "expected": "bye", "actual": "hi"}]


def test_the_text_names_field_values_and_file(tmp_path: Path) -> None:
    """Without --json each disagreement shows the field, both values and the file."""
    wrong = recording(expected={**EXPECTED, "text": "bye"})
    _, out = run(str(kept(tmp_path / "r1.json", wrong)))
    for told in ("text", "'bye'", "'hi'", "r1.json", "0 of    1 agree  someone/openai-completions"):
        assert told in out


@pytest.mark.parametrize("index", [True, False], ids=["with index.json", "without"])
def test_a_folder_is_read_at_any_depth(tmp_path: Path, index: bool) -> None:
    """Recordings are found below a folder, and index.json is none of them."""
    kept(tmp_path / "a" / "b" / "r1.json", recording())
    kept(tmp_path / "r2.json", recording(id="r2"))
    if index:
        kept(tmp_path / "index.json", [{"id": "r1"}])
    found = verify([tmp_path])
    assert (found.total, found.agree) == (2, 2)


def test_the_same_exchange_is_counted_where_it_is_found(tmp_path: Path) -> None:
    """Several paths add up, and each must hold a recording."""
    one, two = kept(tmp_path / "r1.json", recording()), kept(tmp_path / "r2.json", recording(id="r2"))
    assert verify([one, two]).total == 2
    with pytest.raises(UnusableInput):
        verify([one, tmp_path / "nothing"])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[1]",
        '{"api": "openai-completions"}',
        recording(response={"status": "200"}),
        recording(response={"status": 200, "headers": [["a", "b"]]}),
        recording(response={"status": 200, "body_text": 7}),
        recording(response={"status": 200, "body_b64": "%"}),
        recording(expected=7),
        recording(api=None),
        recording(request="POST"),
    ],
    ids=str,
)
def test_a_file_that_is_no_recording_is_unusable(tmp_path: Path, content: Any) -> None:
    """Named alone, a file that cannot be read as a recording is UnusableInput with its name."""
    with pytest.raises(UnusableInput) as caught:
        verify([kept(tmp_path / "odd.json", content)])
    assert "odd.json" in caught.value.where


@pytest.mark.parametrize("content", ["{", "", recording(response={"status": 200, "body_b64": "%"})], ids=str)
def test_a_broken_file_in_a_folder_is_left_out(tmp_path: Path, content: Any) -> None:
    """A broken file among others is counted, left out with a reason, and hides none of them."""
    kept(tmp_path / "r1.json", recording())
    kept(tmp_path / "odd.json", content)
    found = verify([tmp_path])
    assert (found.total, found.agree) == (2, 1)
    assert [identity for identity, _ in found.skipped] == ["odd"]


def test_foreign_json_is_no_exchange(tmp_path: Path) -> None:
    """A JSON object without a response is not counted."""
    kept(tmp_path / "r1.json", recording())
    kept(tmp_path / "package.json", {"name": "x"})
    assert verify([tmp_path]).total == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"api": "carrier-pigeon"}, "carrier-pigeon"), ({"expected": None}, "expects nothing")],
)
def test_what_is_left_out_has_a_reason(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    """An exchange of an unknown protocol, or without a summary, is counted and left out."""
    found = verify([kept(tmp_path / "r1.json", recording(**change))])
    assert found.total == 1
    assert reason in found.skipped[0][1]


def test_no_recording_at_all_is_unusable(tmp_path: Path) -> None:
    """An empty folder and an absent path are UnusableInput."""
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UnusableInput):
            verify([path])


def test_unsure_fields_are_not_compared(tmp_path: Path) -> None:
    """A field that the summary is unsure of cannot disagree."""
    unsure = {**EXPECTED, "text": "bye", "unsure_fields": ["text"]}
    assert verify([kept(tmp_path / "r1.json", recording(expected=unsure))]).agree == 1


def test_a_dump_of_sdk_objects_proves_no_absence(tmp_path: Path) -> None:
    """From a dump, an absent text and an empty one are the same; from raw bytes they are not."""
    body = json.loads(json.dumps(BODY))
    body["choices"][0]["message"]["content"] = None
    response = {**recording()["response"], "body_text": json.dumps(body)}
    silent = {**EXPECTED, "text": ""}
    dump = recording(response=response, expected=silent, fidelity="sdk-dump")
    assert verify([kept(tmp_path / "r1.json", dump)]).agree == 1
    assert verify([kept(tmp_path / "r1.json", {**dump, "fidelity": "http-raw"})]).agree == 0


def test_a_body_may_be_base64(tmp_path: Path) -> None:
    """A body kept as base64 is read as the bytes it stands for."""
    body = base64.b64encode(json.dumps(BODY).encode()).decode()
    response = {"status": 200, "headers": {"content-type": "application/json"}, "body_b64": body}
    assert verify([kept(tmp_path / "r1.json", recording(response=response))]).agree == 1


def test_an_html_page_is_an_error_and_no_crash(tmp_path: Path) -> None:
    """A login page with status 200 disagrees by its error, in our words."""
    response = {"status": 200, "headers": {"content-type": "text/html"}, "body_text": "<html>"}
    found = verify([kept(tmp_path / "r1.json", recording(response=response))])
    errors = [each.actual["kind"] for each in found.disagree if each.field == "error"]
    assert errors == ["RemoteProtocolError"]


SERVICES: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("openai-embeddings", {"data": [{"embedding": [1, 2]}]}, {"embeddings": {"count": 1, "dimensions": 2}}),
    ("models-list", {"data": [{"id": "a"}, {"id": "b"}]}, {"models": ["a", "b"]}),
    ("google-count-tokens", {"totalTokens": 12}, {"usage": {"input": 12, "output": None}}),
)


@pytest.mark.parametrize(("api", "body", "expected"), SERVICES, ids=[row[0] for row in SERVICES])
def test_what_stands_beside_chat_is_compared(
    api: str, body: dict[str, Any], expected: dict[str, Any], tmp_path: Path
) -> None:
    """Counts of vectors, ids of models and tokens of a call agree or disagree by their own fields."""
    response = {"status": 200, "headers": {}, "body_text": json.dumps(body)}
    wanted = {"text": None, "tool_calls": [], "usage": None, "error": None, **expected}
    same = recording(api=api, response=response, expected=wanted)
    assert verify([kept(tmp_path / "r1.json", same)]).agree == 1
    refused = {**response, "status": 404}
    other = recording(api=api, response=refused, expected=wanted)
    fields = {each.field for each in verify([kept(tmp_path / "r2.json", other)]).disagree}
    assert fields == {"error", *expected}


def test_one_word_of_ours_stands_for_two_of_theirs() -> None:
    """The old function call is a tool call, and a block reason is why the answer ended."""
    told = in_our_words(
        {"tool_calls": [], "function_call": {"name": "f", "arguments_raw": '{"a":1}'}, "finish_reason": "x"}
    )
    assert told["tool_calls"] == [{"name": "f", "arguments": {"a": 1}}]
    blocked = in_our_words({"finish_reason": None, "block_reason": "SAFETY"})
    assert blocked["finish_reason"] == "SAFETY"


@recorded
def test_we_agree_with_recorded_traffic() -> None:
    """At least 99 % of each protocol's recordings agree, and each that does not is explained."""
    found = verify([RECORDINGS])
    left_out = {identity for identity, _ in found.skipped}
    assert found.total == 720
    assert {each.id for each in found.disagree} == DISAGREEMENTS.keys()
    total: Counter[str] = Counter()
    agree: Counter[str] = Counter()
    for key, count in found.by.items():
        api = key.split("/")[1]
        total[api] += count.total
        agree[api] += count.agree
    read = {api: total[api] - len(_ids(api) & left_out) for api in (*AGREEING, *BELOW)}
    assert all(read.values())
    assert [api for api in AGREEING if agree[api] < 0.99 * read[api]] == []
    assert {api: read[api] - agree[api] for api in BELOW} == BELOW


def _ids(api: str) -> set[str]:
    return {each["id"] for each in _recordings() if each["api"] == api}


def _recordings() -> list[dict[str, Any]]:
    return [
        json.loads(path.read_text())
        for path in sorted(RECORDINGS.glob("*/*.json"))
        if path.name != "index.json"
    ]


@recorded
def test_no_delivery_raises_anything_but_our_errors() -> None:
    """Whole, byte by byte and cut short, every recording is heard through every streamed or whole adapter
    of its protocol without a foreign exception, and the delivery changes nothing."""
    heard = 0
    for each in _recordings():
        protocol = PROTOCOLS.get(each["api"])
        if protocol is None or each["api"] not in READERS:
            continue
        exchange = as_exchange(each)
        endpoint = Endpoint(
            provider="x", protocol=protocol.name, base_url="https://x", deviations=protocol.deviations()
        )
        content, streamed = exchange.content, bool(each["streaming"])
        whole = hear(exchange, endpoint, streamed=streamed)
        if len(content) < 4000:
            bytewise = [content[at : at + 1] for at in range(len(content))]
            assert hear(exchange, endpoint, streamed=streamed, chunks=bytewise).turn.parts == whole.turn.parts
        for part in (0.1, 0.5, 0.9):
            cut = hear(exchange, endpoint, streamed=streamed, chunks=[content[: int(len(content) * part)]])
            assert cut.error is None or isinstance(cut.error, ProviderError)
        assert hear(exchange, endpoint, streamed=not streamed).turn is not None
        heard += 1
    assert heard > 400


def _compared(turn: Turn) -> tuple[Turn, Any]:
    """A turn to be compared whole: its error by class and fields, for errors are equal only to themselves."""
    error = turn.error
    return replace(turn, error=None), error and (type(error), str(error), vars(error))


BYTEWISE_BELOW = 4096  # bytes; a body below is cut at every byte
SEEDED = 200  # places at which a body above is cut
HEARD = 20  # and at which one below is also heard to its turn, which the rest proves by its frames
EVERY = "WIRECHECK_EVERY_CUT" in os.environ  # hears a turn at every cut: a minute and a half of one core


def _seeded(identity: str, length: int, count: int) -> list[int]:
    dice = random.Random(identity)
    return [dice.randrange(length + 1) for _ in range(count)]


def _framed(row: Protocol, endpoint: Endpoint, exchange: Exchange, streamed: bool, cut: int) -> Any:
    """The frames of a body in two chunks, those of its end apart, and the error that ended them.

    An adapter is told nothing else of an answer, so the same frames give the same turn.
    """
    content, fed, last = exchange.content, list[Frame](), list[Frame]()
    listener = Listener(row, endpoint, streamed=streamed, status=exchange.status, headers=exchange.headers)
    try:
        for chunk in (content[:cut], content[cut:]):
            fed += listener.frames(chunk)
        last += listener.last_frames()
    except ProviderError as fault:
        return fed, last, type(fault), str(fault), vars(fault)
    return fed, last


@recorded
@pytest.mark.parametrize("protocol", sorted(CHAT))
def test_no_cut_between_chunks_changes_the_turn(protocol: str) -> None:
    """A recording in two chunks, wherever it is cut, gives the whole turn that it gives in one: at every byte
    of a small body, and at seeded places of a large one."""
    row = PROTOCOLS[protocol]
    endpoint = Endpoint(
        provider="x", protocol=protocol, base_url="https://x.example", deviations=row.deviations()
    )
    changed = []
    for each in (found for found in _recordings() if found["api"] == protocol):
        exchange, streamed = as_exchange(each), bool(each["streaming"])
        content, length = exchange.content, len(exchange.content)
        small = length < BYTEWISE_BELOW
        places = _seeded(each["id"], length, HEARD if small else SEEDED)
        whole = _compared(hear(exchange, endpoint, streamed=streamed).turn)
        changed += [
            (each["id"], cut)
            for cut in (range(length + 1) if small and EVERY else places)
            if _compared(
                hear(exchange, endpoint, streamed=streamed, chunks=(content[:cut], content[cut:])).turn
            )
            != whole
        ]
        frames = _framed(row, endpoint, exchange, streamed, length)
        changed += [
            (each["id"], cut)
            for cut in (range(length + 1) if small else ())
            if _framed(row, endpoint, exchange, streamed, cut) != frames
        ]
    assert changed == []
