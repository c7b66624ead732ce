"""Gateways: pairs, the plan, what a request carries, and the proxy of LiteLLM where it is installed."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from harness.commands import gateways
from harness.errors import SubjectError, UnusableInput
from harness.exchange import FIXTURES
from harness.scenarios import SCENARIOS
from harness.selection import Selection
from harness.server import Server, running
from harness.subjects import gateway_run, install
from harness.subjects.gateway_process import started
from harness.subjects.gateway_request import missing_settings, missing_words
from harness.subjects.gateway_run import Pair, Plan, Player, pairs_of
from harness.subjects.gateway_upstream import Upstream, streamed
from harness.subjects.gateways import BACK_KEY, GATEWAYS, Route
from providers import schema
from providers.protocols import PROTOCOLS
from providers.wire import Request
from reports import results
from tests.miniatures.gatehouse import CATALOG, CHAT, MESSAGES, Bent, Gatehouse, plan

PAIRS = (
    Pair(front=CHAT, base_path="/v1", provider="google", back="google-generative-ai"),
    Pair(front=CHAT, base_path="/v1", provider="mistral", back="mistral-chat"),
    Pair(front=MESSAGES, base_path="/v1", provider="cohere", back="cohere-chat"),
    Pair(front=MESSAGES, base_path="/v1", provider="anthropic", back=MESSAGES),
)
LITELLM = GATEWAYS["litellm-proxy"]
SOME = ("text*", "tool_call_stream", "usage_cached_stream", "length_stop", "error_429_rate_limit", "vision")


def small(pair: Pair) -> Plan:
    """A few scenarios of one pair, undamaged."""
    return replace(plan(pair), selection=Selection(scenarios=SOME), plain=True)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.id)
def test_an_honest_gateway_passes(pair: Pair) -> None:
    """A gateway that translates with our own adapters has nothing against it, whatever is behind it."""
    upstream = Upstream()
    with running(Server(upstream, forward=upstream.forward)) as behind:
        house = Gatehouse(Bent(), behind.url)
        with running(Server(house, forward=house.forward)) as front, httpx.Client(trust_env=False) as http:
            player = Player(small(pair), upstream, front.url, "mini", http, house.learn)
            found = [each for story in small(pair).stories() for each in player.play(story).found]
    red = [
        (each.scenario, each.check, each.reason)
        for each in found
        if each.verdict not in ("passed", "skipped")
    ]
    assert not red
    assert Counter(each.verdict for each in found)["passed"] > 40


def test_a_run_writes_a_result_file(tmp_path: Path) -> None:
    """A gateway is asked by its address, and the file names the pair where others name a protocol."""
    path = tmp_path / "gateway.jsonl"
    dead = replace(plan(PAIRS[0]), selection=Selection(scenarios=("text",)), plain=True)
    made = gateway_run.run(
        dead,
        lambda origin: contextlib.nullcontext("http://127.0.0.1:1"),
        title=results.Subject("gateway"),
        path=path,
    )
    assert results.read(path) == made
    assert {each.protocol for each in made.results} == {"openai-completions:google-generative-ai"}
    assert ("gateway.asks", "failed") in {(each.check, each.verdict) for each in made.results}


def test_a_pair_nobody_has_is_refused() -> None:
    """A front or back that no row has is an input that cannot be used, not an empty run."""
    with pytest.raises(UnusableInput):
        pairs_of({CHAT: "/v1"}, {MESSAGES: "anthropic"}, ("x-*",), ())


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--gateway", "http://127.0.0.1:4000"), True),
        (("--gateway=http://127.0.0.1:4000",), True),
        (("--subject", "litellm-proxy"), True),
        (("--subject=litellm-proxy",), True),
        (("--subject", "openai"), False),
        (("--provider", "groq"), False),
    ],
)
def test_a_gateway_is_known_by_its_arguments(arguments: tuple[str, ...], wanted: bool) -> None:
    """An address, or the name of a gateway where a client's could stand, asks for a gateway's run."""
    assert gateways.wants(arguments) is wanted


def test_a_gateway_without_an_upstream_is_refused() -> None:
    """A gateway that runs must have been told where its upstream is, and so must wirecheck."""
    with pytest.raises(UnusableInput, match="upstream"):
        gateways.run_gateway(gateway="http://127.0.0.1:1")


def test_a_gateway_that_ends_at_once_is_told_with_its_words() -> None:
    """One that does not come up is an error with the end of what it said, and leaves no process."""
    row = replace(
        LITELLM,
        subject=replace(LITELLM.subject, language="ours"),
        command=(sys.executable, "-c", "import sys; sys.exit('no such model')"),
    )
    with pytest.raises(SubjectError, match="no such model"), started(row, ()):
        raise AssertionError("it came up")


def test_a_gateway_of_the_table_is_configured_for_its_backs() -> None:
    """The proxy's configuration names each model, its address at the upstream and the back's key."""
    row = GATEWAYS["litellm-proxy"]
    back = row.back(MESSAGES)
    assert back is not None
    route = Route(
        name="one",
        provider="anthropic",
        protocol=MESSAGES,
        model="claude-1",
        origin="http://127.0.0.1:9",
        base_url="http://127.0.0.1:9/v1",
    )
    made = row.config([(route, back.filled(route))])
    assert made["model_list"] == [
        {
            "model_name": "one",
            "litellm_params": {
                "model": "anthropic/claude-1",
                "api_base": "http://127.0.0.1:9",
                "api_key": BACK_KEY,
            },
        }
    ]


def test_a_setting_is_found_in_any_spelling() -> None:
    """A limit under its older name is carried; one that is left out is named with its place."""
    endpoint = schema.get("openai").endpoint(CHAT, "gpt-4.1-nano")
    call = SCENARIOS["settings"].call(0, "gpt-4.1-nano")
    own = PROTOCOLS[CHAT].build(call, endpoint)
    older = replace(own, content=own.content.replace(b"max_completion_tokens", b"max_tokens"))
    without = replace(own, content=own.content.replace(b'"temperature"', b'"warmth"'))
    assert missing_settings(call, endpoint, endpoint, older) == ()
    assert missing_settings(call, endpoint, endpoint, without)[0].startswith("temperature: /temperature")


def test_a_picture_is_something_said() -> None:
    """A request without the picture's data lacks a word."""
    endpoint = schema.get("openai").endpoint(CHAT, "gpt-4.1-nano")
    call = SCENARIOS["vision"].call(0, "gpt-4.1-nano")
    own = PROTOCOLS[CHAT].build(call, endpoint)
    assert missing_words(call, own) == ()
    assert len(missing_words(call, replace(own, content=b'{"messages": []}'))) == 2


@pytest.mark.parametrize(
    ("url", "content", "wanted"),
    [
        ("http://h/v1/chat/completions", b'{"stream": true}', True),
        ("http://h/v1/chat/completions", b'{"stream": false}', False),
        ("http://h/v1beta/models/m:streamGenerateContent", b"{}", True),
        ("http://h/v1/chat/completions", b"no JSON", False),
    ],
)
def test_a_request_tells_whether_it_streams(url: str, content: bytes, wanted: bool) -> None:
    """The body says it, or the path where that does."""
    assert streamed(Request("POST", url, (), content)) is wanted


@pytest.mark.skipif(
    not install.installed(LITELLM.subject),
    reason="litellm-proxy is not installed: wirecheck subject install litellm-proxy",
)
def test_the_proxy_of_litellm_is_asked_for_real() -> None:
    """LiteLLM's proxy carries words, counts and calls from Anthropic's protocol to OpenAI's."""
    pair = Pair(front=CHAT, base_path="/v1", provider="anthropic", back=MESSAGES)
    chosen = Selection(scenarios=("text*", "tool_call_stream"), checks=("!gateway.private_fields",))
    asked = Plan(
        catalog=CATALOG,
        exchanges=FIXTURES,
        pairs=(pair,),
        selection=chosen,
        named=lambda protocol, model: f"{protocol}--{model}",
        plain=True,
    )
    made = gateway_run.run(
        asked, lambda origin: started(LITELLM, asked.routes(origin)), title=results.Subject("litellm-proxy")
    )
    assert {each.verdict for each in made.results} == {"passed"}
    assert len(made.results) > 20
