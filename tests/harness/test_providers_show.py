"""``wirecheck providers show``: one page about one provider."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness import evidence
from harness.cli import app
from providers import schema
from reports import results
from reports.results import Result, Run

RECORDED = dt.date(2026, 8, 13)
TODAY = dt.date(2026, 11, 21)


def found(
    check: str, scenario: str, date: dt.date, verdict: results.Verdict = "passed", **more: Any
) -> Result:
    return Result(
        subject=evidence.SUBJECT.name,
        provider="groq",
        protocol="openai-completions",
        scenario=scenario,
        check=check,
        verdict=verdict,
        origin="recorded",
        date=date,
        **more,
    )


def shown(name: str, path: Path) -> str:
    told = CliRunner().invoke(app, ["providers", "show", name, "--results", str(path)])
    assert told.exit_code == 0
    return told.stdout


def test_a_page_tells_how_to_log_in_and_what_is_odd(tmp_path: Path) -> None:
    """Variables, the client systems' ids, base URLs and quirks stand on the page; nothing is proven."""
    page = shown("groq", tmp_path / "none.jsonl")
    assert "Log in: GROQ_API_KEY as bearer" in page
    assert "openai-completions       https://api.groq.com/openai/v1" in page
    assert "parallel_tools: not for the gpt-oss models" in page
    assert "Proven: nothing here yet" in page
    assert page.index("Log in") < page.index("Protocols") < page.index("Proven") < page.index("Quirks")


def test_what_is_proven_has_its_age_and_its_fault(tmp_path: Path) -> None:
    """A pass shows its evidence's origin and age, a failure its reason; a skip does not speak for a pass."""
    header = evidence.header([schema.get("groq")], {})
    run = Run(
        header,
        (),
        (
            found("stream.terminal", "text_stream", RECORDED),
            found("stream.order", "text_stream", RECORDED, "skipped", reason="not this one"),
            found("stop.sequence", "stop_sequence", TODAY, "failed", blame="provider", reason="went on"),
        ),
    )
    page = shown("groq", results.write(tmp_path / "run.jsonl", run))
    streaming = next(line for line in page.splitlines() if line.startswith("    Streaming"))
    assert "stale, recorded 2026-08-13, 100 days old, 1 passed and 1 skipped" in streaming
    assert "not this one" not in streaming
    assert "failed, recorded 2026-11-21, 1 failed, claim without pass — went on" in page


def test_an_endpoint_with_its_own_key_says_so(tmp_path: Path) -> None:
    """A key that only one protocol takes is told with the protocol."""
    declared = next(
        (provider, endpoint)
        for provider in schema.all()
        for endpoint in provider.endpoints
        if endpoint.auth and endpoint.auth != provider.auth
    )
    provider, endpoint = declared
    assert f"  over {endpoint.protocol}: " in shown(provider.id, tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("amazon-bedrock", "Log in: the first whole one of AWS_BEARER_TOKEN_BEDROCK, AWS_ACCESS_KEY_ID"),
        ("anthropic", "  a credential that begins with sk-ant-oat: as bearer"),
        ("qwen-portal", "  qwen-oauth is a client's placeholder, and no key"),
        (
            "cloudflare-ai-gateway",
            "  over anthropic-messages: CLOUDFLARE_API_KEY as bearer cf-aig-authorization",
        ),
        ("cloudflare-workers-ai", "  account_id: CLOUDFLARE_ACCOUNT_ID, the account's id (required)"),
        ("google-vertex", "(required, but with a key alone)"),
        ("azure-openai-responses", "key of its auth file: azure-openai-responses"),
        ("github-copilot", "a newer release: COPILOT_GITHUB_TOKEN"),
        ("ollama", "(optional)"),
        ("groq", "131072 tokens of context; "),
    ],
)
def test_a_page_has_what_its_reader_must_know(name: str, told: str, tmp_path: Path) -> None:
    """How each kind of credential is found and sent, what is required, and the facts of the models."""
    page = shown(name, tmp_path / "none.jsonl")
    assert told in page
    for heading in ("Log in: ", "Protocols:", "Models:", "Proven", "Quirks:"):
        assert heading in page


def test_what_is_published_is_told_without_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no matrix was made, the results that come with wirecheck tell what is proven."""
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["providers", "show", "groq"])
    assert ", by published results:" in told.stdout
    text = next(line for line in told.stdout.splitlines() if line.startswith("    Text "))
    assert " 20" in text
    assert " passed" in text
