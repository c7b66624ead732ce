"""Gateways: pairs, the plan, what a request carries, and the proxy of LiteLLM where it is installed."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
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
from harness.subjects import gateway_front, gateway_run, install
from harness.subjects.carried import lost_settings, lost_words
from harness.subjects.gateway_front import ask, client
from harness.subjects.gateway_process import listening, started
from harness.subjects.gateway_run import Pair, Plan, Player, pairs_of
from harness.subjects.gateway_upstream import Upstream, streamed
from harness.subjects.gateways import BACK_KEY, GATEWAYS, Route
from providers import schema
from providers.call import Call, user
from providers.client import Prepared, prepare
from providers.errors import TimedOut
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


def dead(
    path: Path, jobs: int = 1, resume: Path | None = None, pair: Pair = PAIRS[0]
) -> tuple[results.Run, list[str], int]:
    """A run of a gateway that answers nobody: what it made, the scenarios it played, how often it started."""
    played: list[str] = []
    starts: list[str] = []

    @contextlib.contextmanager
    def url(origin: str) -> Iterator[str]:
        starts.append(origin)
        yield "http://127.0.0.1:1"

    planned = replace(plan(pair), selection=Selection(scenarios=("text*", "usage*")), plain=True)
    made = gateway_run.run(
        planned,
        url,
        title=results.Subject("gateway"),
        jobs=jobs,
        path=path,
        resume=resume,
        told=lambda story, found: played.append(story.scenario),
    )
    return made, played, len({*starts})


def test_workers_have_a_gateway_each_and_find_the_same(tmp_path: Path) -> None:
    """Two gateways at a time, each with its own upstream, write the very bytes that one writes."""
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    assert dead(one)[2] == 1
    assert dead(two, jobs=2)[2] == 2
    assert one.read_bytes() == two.read_bytes()


def test_a_gateways_run_that_was_cut_off_is_taken_up(tmp_path: Path) -> None:
    """Whole stories of an unfinished file are kept; when all are there no gateway is started."""
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    every = dead(whole)[1]
    lines = whole.read_bytes().splitlines(keepends=True)
    cut.write_bytes(b"".join(lines[: len(lines) // 2]) + lines[-2][:40])
    assert 0 < len(dead(cut, resume=cut)[1]) < len(every)
    assert cut.read_bytes() == whole.read_bytes()
    assert dead(cut, resume=cut)[1:] == ([], 0)


def test_another_pairs_file_is_not_taken_up(tmp_path: Path) -> None:
    """A run of another front and back is refused, and the file stays as it is."""
    path = tmp_path / "whole.jsonl"
    dead(path)
    before = path.read_bytes()
    with pytest.raises(UnusableInput, match=r"others, as \w+/openai-completions:google-generative-ai/text"):
        dead(path, resume=path, pair=PAIRS[1])
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://192.0.2.1:4000", "on loopback alone"),
        ("https://gateway.example", "on loopback alone"),
        ("127.0.0.1:4000", "no gateway's address"),
        ("http://127.0.0.1:4000/v1", "no gateway's address"),
        ("http://127.0.0.1:70000", "no address"),
        ("http://127.0.0.1:1", "nobody listens"),
        ("http://[::1]:1/", "nobody listens"),
    ],
)
def test_an_address_that_is_no_gateways_is_refused(address: str, said: str) -> None:
    """Another host, a path, and a port where nobody listens are told before any work."""
    with pytest.raises(UnusableInput, match=said):
        listening(address)


def test_a_run_at_no_gateways_address_ends_with_2() -> None:
    """Nothing is asked, and stdout is empty."""
    command = ("run", "--gateway=http://127.0.0.1:1", "--upstream-port", "4999")
    done = subprocess.run((sys.executable, "-m", "harness", *command), capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")


def test_a_gateway_that_listens_is_taken() -> None:
    """An address of loopback where somebody listens is what is asked, without its last slash."""
    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
        assert listening(f"http://localhost:{port}/") == f"http://localhost:{port}"


def test_a_gateway_that_runs_is_asked_one_case_at_a_time() -> None:
    """It knows one upstream, so that several cases at a time are refused."""
    with pytest.raises(UnusableInput, match="one case at a time"):
        gateways.run_gateway(gateway="http://127.0.0.1:1", upstream_port=1, jobs=2)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_case_has_a_hard_limit(head: bytes) -> None:
    """A front that gives a byte now and then, in its head or its answer, is cut off."""
    with dripping(head, b".") as url, client() as http:
        begun = time.monotonic()
        answered = ask(http, asking(url), limit_s=0.3)
    assert isinstance(answered.heard.error, TimedOut)
    assert answered.heard.turn.error is answered.heard.error
    assert time.monotonic() - begun < 5


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A front that floods is given up at a number of bytes, not at the end of memory."""
    monkeypatch.setattr(gateway_front, "MOST_BYTES", 2**20)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
    with dripping(head, b": flood\n\n" * 2**14) as url, client() as http:
        answered = ask(http, asking(url))
    assert "no end" in str(answered.heard.error)


def asking(url: str) -> Prepared:
    """A call of chat completions at an address."""
    call = Call(model="gpt-4.1-nano", messages=(user("Hello."),), stream=True)
    return prepare(CATALOG.get("openai"), call, key="k", protocol=CHAT, base_url=f"{url}/v1", undeclared=True)


@contextlib.contextmanager
def dripping(head: bytes, drop: bytes) -> Iterator[str]:
    """A server that begins to answer and never comes to an end."""

    def drip(there: socket.socket) -> None:
        connection, _ = there.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(head)
            while True:
                connection.sendall(drop)
                time.sleep(0.01)

    with socket.create_server(("127.0.0.1", 0)) as there:
        worker = threading.Thread(target=drip, args=(there,))
        worker.start()
        yield f"http://127.0.0.1:{there.getsockname()[1]}"
        worker.join(10)
        assert not worker.is_alive()


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
    assert lost_settings(call, (endpoint,), older, endpoint) == ()
    assert lost_settings(call, (endpoint,), without, endpoint)[0].startswith("temperature: temperature")


def test_a_picture_is_something_said() -> None:
    """A request without the picture's data lacks a word."""
    endpoint = schema.get("openai").endpoint(CHAT, "gpt-4.1-nano")
    call = SCENARIOS["vision"].call(0, "gpt-4.1-nano")
    own = PROTOCOLS[CHAT].build(call, endpoint)
    assert lost_words(call, endpoint, own) == ()
    assert len(lost_words(call, endpoint, replace(own, content=b'{"messages": []}'))) == 2


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
