"""Tests of foreign recordings: read as they are, redacted, and never told for more than they are."""

from __future__ import annotations

import base64
import gzip
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from harness import importers
from harness.cli import app
from harness.errors import RecordingError, UnusableInput
from harness.exchange import Exchange, load, scenarios_of
from harness.matching import differences
from providers import auth
from providers.auth import AWSKeys
from providers.declaration import Scheme
from providers.wire import Request

KEY = "canary-0a1b2c3d4e5f"
ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
SAID = {"id": "c1", "choices": [], "owner": "ada@analytical.org", "echo": KEY}
FIELDS = {"Content-Type": ["application/json"], "Set-Cookie": ["a=b"], "x-request-id": ["req_1"]}
DATE = {"Date": ["Sat, 21 Nov 2026 01:02:03 GMT"]}
URL = "https://api.groq.com/openai/v1/chat/completions"


def cassette(body: Any, **fields: list[str]) -> str:
    request = {
        "method": "POST",
        "uri": f"{URL}?key={KEY}",
        "headers": {"Authorization": [f"Bearer {KEY}"], "Content-Type": ["application/json"]},
        "body": json.dumps(ASKED),
    }
    response = {"status": {"code": 200}, "headers": {**FIELDS, **DATE, **fields}, "body": body}
    return yaml.safe_dump({"interactions": [{"request": request, "response": response}], "version": 1})


def archive() -> str:
    request = {
        "method": "POST",
        "url": URL,
        "headers": [{"name": ":path", "value": "/x"}, {"name": "authorization", "value": f"Bearer {KEY}"}],
        "postData": {"text": json.dumps(ASKED)},
    }
    content = {"text": base64.b64encode(json.dumps(SAID).encode()).decode(), "encoding": "base64"}
    fields = [{"name": name, "value": value[0]} for name, value in FIELDS.items()]
    response = {"status": 200, "headers": fields, "content": content}
    entry = {"startedDateTime": "2026-11-21T01:02:03.000Z", "request": request, "response": response}
    return json.dumps({"log": {"entries": [entry]}})


def recording(**other: Any) -> str:
    return json.dumps(
        {
            "source": {"repo": "someone/tests", "file": "a.yaml", "index": 0, "license": "MIT"},
            "fidelity": "http-raw",
            "request": {
                "method": "POST",
                "url": URL,
                "headers": {"authorization": f"Bearer {KEY}"},
                "body": ASKED,
            },
            "response": {"status": 200, "headers": {}, "body_text": json.dumps(SAID)},
            **other,
        }
    )


def imported(path: Path, **more: Any) -> tuple[Exchange, ...]:
    told = {"source": "https://host.example/recordings", "licence": "MIT", **more}
    found = importers.read(path)
    return importers.exchanges(found, provider="groq", protocol="openai-completions", scenario="x", **told)


@pytest.mark.parametrize(
    ("name", "text", "more"),
    [
        ("a.yaml", cassette({"string": json.dumps(SAID)}), {}),
        ("a.yaml", cassette({"string": json.dumps(SAID).encode()}), {}),
        (
            "a.yaml",
            cassette({"string": gzip.compress(json.dumps(SAID).encode())}, **{"Content-Encoding": ["gzip"]}),
            {},
        ),
        ("a.json", json.dumps(yaml.safe_load(cassette({"string": json.dumps(SAID)}))), {}),
        ("a.har", archive(), {}),
        ("a.json", recording(), {"read_on": date(2026, 11, 21), "source": "", "licence": ""}),
    ],
    ids=["cassette", "bytes", "gzip", "cassette in JSON", "archive", "recording"],
)
def test_a_recording_becomes_an_exchange(tmp_path: Path, name: str, text: str, more: dict[str, Any]) -> None:
    """Its bytes, date, source and licence come along, its credential and its owner do not."""
    (tmp_path / name).write_text(text)
    (exchange,) = imported(tmp_path / name, **more)
    assert (exchange.origin, exchange.date, exchange.licence) == ("imported", date(2026, 11, 21), "MIT")
    assert (exchange.status, exchange.model, exchange.turn) == (200, "m", 1)
    assert exchange.source.startswith("https://")
    said = json.loads(exchange.content)
    assert said == {**SAID, "owner": "[redacted]", "echo": "[redacted]"}
    assert json.loads(exchange.request.content) == ASKED
    assert dict(exchange.request.headers).popitem()[0].lower() in ("authorization", "content-type")
    assert KEY not in str(exchange)
    assert "a=b" not in str(exchange.headers)
    assert exchange.redactions == ("credential", "e-mail")


def test_a_folder_is_one_story(tmp_path: Path) -> None:
    """The files of a folder are turns in the order of their names; others are left alone."""
    for name in ("1.har", "2.har"):
        (tmp_path / name).write_text(archive())
    (tmp_path / "notes.txt").write_text("no recording")
    assert [each.turn for each in imported(tmp_path)] == [1, 2]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.txt", "", "format"),
        ("a.yaml", "[", "no YAML"),
        ("a.yaml", "a: 1", "no cassette"),
        ("a.yaml", "!!python/object:os.system {}", "no YAML"),
        ("a.har", "{}", "no HTTP archive"),
        ("a.json", "{}", "on the wire"),
        ("a.json", recording(fidelity="sdk-dump"), "on the wire"),
        ("a.json", recording(), "--date"),
        ("a.yaml", cassette({"string": "x"}, **{"Content-Encoding": ["br"]}), "coding"),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path: Path, name: str, text: str, told: str) -> None:
    """A file of no known form, or one that would be told for more than it is, is refused in words."""
    (tmp_path / name).write_text(text)
    with pytest.raises((UnusableInput, RecordingError), match=told):
        imported(tmp_path / name)


def test_the_command_writes_exchanges(tmp_path: Path) -> None:
    """``wirecheck import`` puts them where ``--out`` says, and nowhere else."""
    (tmp_path / "a.har").write_text(archive())
    result = CliRunner().invoke(
        app,
        ["import", str(tmp_path / "a.har"), "--provider=groq", "--protocol=openai-completions",
         "--scenario=text", "--source=https://host.example", "--licence=MIT", f"--out={tmp_path / 'out'}"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    (kept,) = load(tmp_path / "out", "groq", "openai-completions", "text")
    assert (kept.origin, kept.licence) == ("imported", "MIT")
    assert CliRunner().invoke(app, ["scan", str(tmp_path / "out")]).exit_code == 0


def test_each_file_is_a_scenario_unless_one_is_named(tmp_path: Path) -> None:
    """A folder's files keep their names, and one that cannot be used is left out with its reason."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "Tool-Call.har").write_text(archive())
    (folder / "tool_call.json").write_text(json.dumps(json.loads(recording())))
    (folder / "broken.har").write_text("{}")
    command = ["import", str(folder), "--provider=groq", "--protocol=openai-completions"]
    told = ["--source=https://host.example", "--licence=MIT", "--date=2026-11-21", f"--out={out}"]
    result = CliRunner().invoke(app, [*command, *told])
    assert result.exit_code == 1
    assert "broken.har" in result.output
    assert scenarios_of(out, "groq", "openai-completions") == ("tool_call", "tool_call_2")


def entry(**other: Any) -> dict[str, Any]:
    archived: dict[str, Any] = json.loads(archive())["log"]["entries"][0]
    return {**archived, **other}


SAID_OK = {"status": 200, "headers": [], "content": {"text": "{}"}}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.har", json.dumps({"log": {"entries": [entry(), entry(request=[])]}}), "a.har.*|entry 1"),
        ("a.har", json.dumps({"log": {"entries": [entry(startedDateTime=5)]}}), "entry 0"),
        ("a.har", json.dumps({"log": {"entries": [entry(response={**SAID_OK, "status": 0})]}}), "status"),
        (
            "a.har",
            json.dumps({"log": {"entries": [
                entry(response={**SAID_OK, "content": {"text": "%%%", "encoding": "base64"}})
            ]}}),
            "no base64",
        ),
        (
            "a.har",
            json.dumps({"log": {"entries": [
                entry(response={**SAID_OK, "headers": [{"name": "x", "value": "a\r\nb: c"}]})
            ]}}),
            "a field cannot have been sent",
        ),
        ("a.yaml", "[" * 5000, "no YAML"),
        ("index.json", "[1, 2]", "no recording"),
    ],
    ids=["request", "date", "status 0", "base64", "line break", "deep", "list"],
)  # fmt: skip
def test_one_unusable_file_is_named_and_the_others_go_on(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    """Whatever is in a file, it is left out with its name and place, and a sound one beside it is taken."""
    (tmp_path / name).write_text(text)
    (tmp_path / "sound.har").write_text(archive())
    given: dict[str, Any] = {"source": "https://host.example", "licence": "MIT"}
    made, refused = importers.stories(tmp_path, provider="groq", protocol="openai-completions", **given)
    assert [each[0].scenario for each in made] == ["sound"]
    (reason,) = refused
    assert reason.startswith(name)
    assert re.search(told, reason)


def test_only_listed_fields_of_a_request_are_kept(tmp_path: Path) -> None:
    """What a foreign client told of itself and its owner is nobody's business."""
    asked = entry()
    asked["request"]["headers"] += [{"name": "x-owner", "value": "acme"}, {"name": "accept", "value": "a/b"}]
    (tmp_path / "a.har").write_text(json.dumps({"log": {"entries": [asked]}}))
    (exchange,) = imported(tmp_path / "a.har")
    assert [name for name, _ in exchange.request.headers] == ["authorization", "accept"]


@pytest.mark.parametrize(
    ("provider", "more", "code", "told"),
    [
        ("openai", (), 1, "--any-host"),
        ("openai", ("--any-host",), 0, "openai/"),
        ("nobody-at-all", (), 2, "nobody-at-all"),
    ],
)
def test_a_recording_is_of_the_provider_that_is_named(
    tmp_path: Path, provider: str, more: tuple[str, ...], code: int, told: str
) -> None:
    """One that was asked of another's host needs a word, and a provider that nobody knows is refused."""
    (tmp_path / "a.har").write_text(archive())
    result = CliRunner().invoke(
        app,
        ["import", str(tmp_path / "a.har"), f"--provider={provider}", "--protocol=openai-completions",
         "--source=https://host.example", "--licence=MIT", f"--out={tmp_path / 'out'}", *more],
    )  # fmt: skip
    assert (result.exit_code or 0) == code or (code == 2 and result.exception is not None)
    assert told in result.output + str(result.exception)


def test_a_signature_and_an_account_are_nobodys(tmp_path: Path) -> None:
    """Of a request that AWS's scheme signed neither key, signature, token nor account is kept; its field
    still says how it was signed."""
    keys = AWSKeys(
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI-bPxRfiCYEXAMPLEKEY00",
        "FwoGZXIvYXdzEBYaDExampleToken",
        "us-east-1",
    )
    arn = "arn%3Aaws%3Abedrock%3Aus-east-1%3A210987654321%3Ainference-profile%2Fx"
    url = f"https://bedrock-runtime.us-east-1.amazonaws.com/model/{arn}/converse"
    asked = Request("POST", url, (("content-type", "application/json"),), b"{}")
    signed = auth.authenticate(asked, Scheme(name="bedrock", scheme="sigv4", source="x"), keys)
    body = json.dumps({"echo": "arn:aws:bedrock:us-east-1:210987654321:inference-profile/x"})
    query = (
        "?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261121%2Fus-east-1&X-Amz-Signature=5a4b3c2d1e0f5a4b3c2d"
    )
    interaction = {
        "request": {
            "method": "POST",
            "uri": signed.url + query,
            "headers": dict(signed.headers),
            "body": "{}",
        },
        "response": {"status": {"code": 200}, "headers": {**FIELDS, **DATE}, "body": {"string": body}},
    }
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({"interactions": [interaction], "version": 1}))
    (kept,) = importers.exchanges(
        importers.read(tmp_path / "a.yaml"),
        provider="amazon-bedrock", protocol="bedrock-converse", scenario="x", source="s", licence="MIT",
    )  # fmt: skip
    told = str(kept)
    signature = dict(signed.headers)["Authorization"].rpartition("Signature=")[2]
    for secret in ("210987654321", keys.access_key, keys.session_token, signature, "5a4b3c2d1e0f"):
        assert secret
        assert secret not in told
    fields = {name.lower(): value for name, value in kept.request.headers}
    assert fields["authorization"] == "AWS4-HMAC-SHA256 [redacted]"
    assert "account" in kept.redactions
    assert not list(differences(kept.request, signed_again(signed, query)))


def signed_again(signed: Request, query: str) -> Request:
    """The request as another account signs it."""
    headers = tuple((name, value.replace("AKIA", "AKIB")) for name, value in signed.headers)
    return Request(signed.method, signed.url.replace("2109", "3109") + query, headers, signed.content)


def test_real_recordings_are_read() -> None:
    """Every raw recording that is here becomes an exchange, or is refused in words."""
    folder = Path(__file__).parents[4] / "shared/recordings"
    if not folder.is_dir():
        pytest.skip("the shared recordings are not here")
    taken, refused = 0, 0
    for path in sorted(folder.glob("*/*.json"))[::7]:
        try:
            taken += len(imported(path, read_on=date(2026, 11, 21)))
        except (UnusableInput, RecordingError):
            refused += 1
    assert taken > 20
    assert refused < 80
