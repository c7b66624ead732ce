"""Tests of a provider that no file describes: a base URL, a protocol and a model, asked on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest
from msgspec.structs import replace

from harness import fixtures
from harness.exchange import Exchange
from harness.scenarios import SCENARIOS
from harness.services import playing
from providers import custom
from providers.call import Call, user
from providers.client import prepare
from providers.errors import ConfigurationError
from providers.protocols import PROTOCOLS as EVERY
from reports import results

pytest_plugins = "pytester"

KEY = "canary-5e1f00d5-77aa"
MODEL = "company-llm-v2"
PROTOCOLS = ("openai-completions", "openai-responses", "anthropic-messages")


class Company:
    """A server on loopback that answers as the protocol's emulator does, and wants KEY."""

    def __init__(self, protocol: str, id: str = "custom") -> None:
        company = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers.get("content-length", 0)))
                url = company.base_url.removesuffix("/v1") + self.path
                service = company.services.get((self.command, url, content))
                self._say(service or company.answer(content, str(self.headers)))

            do_GET = do_POST

            def _say(self, exchange: Exchange) -> None:
                self.send_response(exchange.status)
                for name, value in exchange.headers:
                    if name.lower() not in ("content-length", "transfer-encoding", "date", "server"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(exchange.content)))
                self.end_headers()
                self.wfile.write(exchange.content)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self.server.server_port}/v1"
        declared = custom.provider(self.base_url, protocol, MODEL, id=id)
        exchanges = list(fixtures.build(declared, undeclared=True))
        refuses = {each.scenario: SCENARIOS[each.scenario].refuses for each in exchanges}
        self.refusals = {refuses[each.scenario]: each for each in exchanges if refuses[each.scenario]}
        self.answers = {each.request.content: each for each in exchanges if not refuses[each.scenario]}
        served = playing.build(declared, undeclared=True)
        self.services = {
            (each.request.method, each.request.url, each.request.content): each for each in served
        }
        self.asked = 0

    def answer(self, content: bytes, fields: str) -> Exchange:
        """What the company says to a request, by its content; a wrong key and a wrong model are refused."""
        self.asked += 1
        if KEY not in fields:
            return self.refusals["bad_key"]
        if msgspec.json.decode(content)["model"] != MODEL:
            return self.refusals["unknown_model"]
        return self.answers[content]


@pytest.fixture(params=PROTOCOLS)
def company(request: pytest.FixtureRequest) -> Iterator[tuple[str, Company]]:
    """(protocol, a running server that speaks it)."""
    made = Company(request.param)
    thread = Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield request.param, made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def place(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty folder, where the plugin is loaded and no key is set."""
    for name in ("CUSTOM_API_KEY", "MY_COMPANY_API_KEY", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    pytester.makeini("[pytest]\naddopts = -p harness.plugin -p no:cacheprovider\n")
    return pytester


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_a_described_endpoint_passes_the_checks(
    place: pytest.Pytester, company: tuple[str, Company], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A base URL, a protocol and a model pass every check; the key is in no file."""
    protocol, server = company
    monkeypatch.setenv("MY_COMPANY_API_KEY", KEY)
    before = files(place.path)
    ran = place.runpytest_inprocess(
        f"--base-url={server.base_url}", f"--protocol={protocol}", f"--model={MODEL}",
        "--provider=my-company", "--results=out.jsonl", "-q",
    )  # fmt: skip
    run = results.read(place.path / "out.jsonl")
    red = [f"{each.id}: {each.reason}" for each in run.results if each.verdict in ("failed", "errored")]
    assert red == []
    assert ran.parseoutcomes()["passed"] > 200
    assert {each.provider for each in run.results} == {"my-company"}
    assert {"text_stream", "tool_call", "error_401_bad_key", "error_404_unknown_model", "vision"} <= {
        each.scenario for each in run.results
    }
    assert server.asked < len(run.results) / 4  # once a scenario, not once a check
    assert files(place.path) - before == {"out.jsonl"}
    assert KEY not in (place.path / "out.jsonl").read_text() + ran.stdout.str() + ran.stderr.str()


@pytest.mark.parametrize("company", PROTOCOLS[:1], indirect=True)
@pytest.mark.parametrize("workers", [(), ("-n1",)], ids=["here", "in a worker"])
def test_half_a_character_ends_no_run(
    place: pytest.Pytester,
    company: tuple[str, Company],
    monkeypatch: pytest.MonkeyPatch,
    workers: tuple[str, ...],
) -> None:
    """A server that tells half of a surrogate pair as its model is judged, and the results are written."""
    _, server = company
    monkeypatch.setenv("CUSTOM_API_KEY", KEY)
    odd = {
        key: replace(each, content=each.content.replace(b'"model":"', b'"model":"\\ud83d'), boundaries=())
        for key, each in server.answers.items()
    }
    monkeypatch.setattr(server, "answers", odd)
    place.runpytest_subprocess(
        f"--base-url={server.base_url}", "--protocol=openai-completions", f"--model={MODEL}",
        "--scenario=text*", "--results=out.jsonl", "-q", *workers,
    )  # fmt: skip
    run = results.read(place.path / "out.jsonl")
    assert run.complete
    found = {each.check: each for each in run.results if each.scenario == "text"}
    assert found["text.basic"].verdict == "passed"
    assert [each for each in run.results if each.verdict == "errored"] == []
    assert "\\ud83d" in (place.path / "out.jsonl").read_text()


def test_nobody_answers(place: pytest.Pytester) -> None:
    """A closed port is no pass: without an id the endpoint is ``custom``, and its key is optional."""
    ran = place.runpytest_inprocess(
        "--base-url=http://127.0.0.1:9/v1", "--protocol=openai-completions", f"--model={MODEL}",
        "--scenario=text", "--results=out.jsonl", "-q",
    )  # fmt: skip
    run = results.read(place.path / "out.jsonl")
    assert ran.ret == pytest.ExitCode.TESTS_FAILED
    assert {each.provider for each in run.results} == {"custom"}
    assert "passed" not in {each.verdict for each in run.results if each.check.startswith("text.")}


@pytest.mark.parametrize(
    ("id", "variable"),
    [
        ("custom", "CUSTOM_API_KEY"),
        ("my-company", "MY_COMPANY_API_KEY"),
        ("a.b-2", "A_B_2_API_KEY"),
    ],
)
def test_the_variable_is_derived(id: str, variable: str) -> None:
    """The id in upper case, other characters as a low line, with _API_KEY; other providers' are not read."""
    made = custom.provider("https://x.example/v1", "openai-completions", MODEL, id=id)
    assert custom.variable(id) == variable
    assert made.auth.env == (variable,)
    assert made.endpoint(model="any").base_url == "https://x.example/v1"


@pytest.mark.parametrize("protocol", sorted(EVERY))
def test_every_protocol_may_be_named(protocol: str) -> None:
    """Each protocol of ours is prepared for a described endpoint, with the operator's own plain key."""
    made = custom.provider("https://x.example/v1", protocol, MODEL)
    call = Call(model=MODEL, messages=(user("hi"),), stream=True)
    ready = prepare(made, call, key=KEY, undeclared=True)
    assert ready.request.url.startswith("https://x.example/v1")
    assert KEY in str(ready.request.headers) + ready.request.url
    assert made.auth.env == ("CUSTOM_API_KEY",)


def test_a_base_url_alone_is_refused(place: pytest.Pytester) -> None:
    """A base URL without what describes an endpoint is a usage error that names what is missing."""
    ran = place.runpytest_inprocess("--base-url=https://x.example/v1", f"--model={MODEL}")
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines("*--base-url needs --protocol to describe*")


@pytest.mark.parametrize("option", ["provider", "protocol"])
def test_several_names_for_one_endpoint_are_refused(place: pytest.Pytester, option: str) -> None:
    """A second name is not left out in silence: the usage error shows all of them."""
    told = {"provider": ["mine"], "protocol": ["openai-completions"]}
    told[option].append("anthropic-messages")
    ran = place.runpytest_inprocess(
        "--base-url=https://x.example/v1", f"--model={MODEL}",
        *(f"--{name}={each}" for name, names in told.items() for each in names),
    )  # fmt: skip
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines(f"*expected: one --{option}; seen: {', '.join(told[option])}")


@pytest.mark.parametrize("protocol", sorted(EVERY))
def test_the_path_of_an_operation_is_no_base_url(protocol: str) -> None:
    """The address that a call is sent to is refused as a base URL, and the next step tells the base URL."""
    base_url = "https://x.example/v1"
    ready = prepare(
        custom.provider(base_url, protocol, MODEL),
        Call(model=MODEL, messages=(user("hi"),), stream=True),
        key=KEY,
        undeclared=True,
    )
    copied = ready.request.url.partition("?")[0]
    for address in (copied, f"{copied}/"):
        with pytest.raises(ConfigurationError) as refused:
            custom.provider(address, protocol, "another")
        assert refused.value.next_step == f"set it to {base_url}"


def test_the_longer_path_is_left_out() -> None:
    """The path of another protocol that ends alike is not cut in half."""
    with pytest.raises(ConfigurationError, match=r"set it to https://x\.example/v1$"):
        custom.provider("https://x.example/v1/chat/completions", "openai-text-completions", MODEL)


@pytest.mark.parametrize("more", [(), ("--live",)], ids=["described", "a provider of the catalog"])
def test_a_copied_address_is_a_usage_error(place: pytest.Pytester, more: tuple[str, ...]) -> None:
    """Nothing is asked at an address with the path twice, whoever the provider is."""
    who = ("--provider=groq", *more) if more else ("--protocol=openai-completions", f"--model={MODEL}")
    ran = place.runpytest_inprocess("--base-url=http://127.0.0.1:9/v1/chat/completions", *who)
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines("*ends in the path of an operation*next: set it to http://127.0.0.1:9/v1")


@pytest.mark.parametrize("secret", ["https://me:pa55word@x.example/v1", "https://x.example/v1?key=pa55word"])
def test_a_credential_in_the_address_is_refused(secret: str) -> None:
    """User information and a query are refused, and the refusal does not repeat them."""
    with pytest.raises(ConfigurationError) as refused:
        custom.provider(secret, "openai-completions", MODEL)
    assert "pa55word" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ftp://x", "openai-completions", MODEL, "my-company"), "scheme"),
        (("https://x.example", "nope", MODEL, "my-company"), "unknown protocol"),
        (("https://x.example", "openai-completions", MODEL, "../up"), "id"),
    ],
    ids=["no scheme", "no protocol", "no id"],
)
def test_what_cannot_be_used_is_named(arguments: tuple[str, str, str, str], told: str) -> None:
    """A URL without scheme, an unknown protocol and an id that is no name are configuration errors."""
    base_url, protocol, model, id = arguments
    with pytest.raises(ConfigurationError, match=told):
        custom.provider(base_url, protocol, model, id=id)
