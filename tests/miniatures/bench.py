"""What miniatures are made from: a provider that offers everything, its lawful answers, and bad ones.

``spoken`` is a lawful answer, from the protocol's emulator; ``answered`` is what our client makes of bytes
written by hand; ``msgspec.structs.replace`` turns either into what a bad client would have made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache

from msgspec import structs
from msgspec.structs import replace

from harness import fixtures
from harness.checks import CHECKS
from harness.checks.registry import Check
from harness.emulators import EMULATORS
from harness.exchange import Ending, Exchange
from harness.observation import Heard, Observation
from harness.scenarios import SCENARIOS
from harness.services import playing
from harness.services.observation import Served
from harness.stage import Case, Stage, judged_request, observe
from harness.subjects.observation import ASPECTS, ClientObservation
from providers import jsontext
from providers.errors import ProviderError
from providers.events import Event, Turn, assemble
from providers.features import FEATURES
from providers.protocols import PROTOCOLS
from providers.schema import Catalog, Provider
from providers.wire import Headers
from tests.miniatures import gatehouse

Miniature = Callable[[], Observation | Served]
CHAT = "openai-completions"
MESSAGES = "anthropic-messages"
GEMINI = "google-generative-ai"
MODEL = "miniature-1"
EMBEDDING_MODEL = "cohere.embed-miniature"
# Of a protocol's endpoint: what its server cannot do without, its login, and the base of a versioned path.
OWN: Mapping[str, Mapping[str, object]] = {
    "bedrock-converse": {"deviations": {"strict_tools": ["*"]}},
    "cohere-chat-v1": {"base_url": "https://miniature.example"},
    "openai-completions": {"deviations": {"documents": "file_or_url"}},
    "openai-codex-responses": {"auth": {"scheme": "chatgpt", "source": "docs"}},
    "watsonx-generation": {"deviations": {"project_id": "miniature"}},
}
SPENT = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
EVENT_STREAM = (("content-type", "text/event-stream"),)
JSON = (("content-type", "application/json"),)

BREAKS: dict[str, list[Miniature]] = {}
PASSES: dict[str, list[Miniature]] = {}


def breaks(*checks: str) -> Callable[[Miniature], Miniature]:
    """The function below is a miniature that turns each of ``checks`` red."""
    return lambda miniature: _listed(BREAKS, checks, miniature)


def passes(*checks: str) -> Callable[[Miniature], Miniature]:
    """The function below passes ``checks``: for those that no answer of an emulator lets be judged."""
    return lambda miniature: _listed(PASSES, checks, miniature)


def _listed(table: dict[str, list[Miniature]], checks: tuple[str, ...], miniature: Miniature) -> Miniature:
    for check in checks:
        table.setdefault(check, []).append(miniature)
    return miniature


@cache
def provider(protocol: str = CHAT) -> Provider:
    """A provider of one protocol that claims every feature and has one model, which can do all."""
    return Provider.model_validate(
        {
            "id": f"miniature-{protocol}",
            "name": "Miniature",
            "kind": "custom",
            "docs": "https://miniature.example/docs",
            "auth": {"env": ("MINIATURE_API_KEY",), "source": "docs"},
            "endpoints": (
                {"protocol": protocol, "base_url": "https://miniature.example/v1", "source": "docs"}
                | OWN.get(protocol, {}),
            ),
            "claims": {name: {"offered": True, "source": "docs"} for name in FEATURES}
            | {"embeddings": {"offered": True, "model": EMBEDDING_MODEL, "source": "docs"}},
            "models": (
                {"id": MODEL, "input": ("text", "image", "pdf"), "reasoning": True, "source": "docs"},
            ),
            "sources": {"docs": {"url": "https://miniature.example/docs", "read": date(2026, 11, 21)}},
        }
    )


class Bench(Stage):
    """A Stage whose fixtures are made in memory: each miniature provider, answered by its emulator."""

    def __init__(self) -> None:
        self.providers = tuple(provider(protocol) for protocol in PROTOCOLS if protocol in EMULATORS)
        self._made: dict[tuple[str, str, str], tuple[Exchange, ...]] = {}
        for each in self.providers:
            for exchange in (*fixtures.build(each), *playing.build(each)):
                key = (exchange.provider, exchange.protocol, exchange.scenario)
                self._made[key] = (*self._made.get(key, ()), exchange)
        super().__init__(Catalog(self.providers))
        self._observed = cache(self._observe)
        self._played = cache(self._play)
        self._served = cache(self._serve)

    def _exchanges(self, provider: str, protocol: str, scenario: str) -> tuple[Exchange, ...]:
        """What the emulator said."""
        return self._made[provider, protocol, scenario]

    def _scenarios(self, provider: str, protocol: str) -> tuple[str, ...]:
        """Those that the provider has answers for."""
        return tuple(name for one, spoken, name in self._made if (one, spoken) == (provider, protocol))


@cache
def bench() -> Bench:
    """The one Bench of a test run."""
    return Bench()


@cache
def _cases() -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {}
    for each in bench().providers:
        for case in bench().cases(each):
            found.setdefault(case.check, []).append(case)
    return found


def lawful(check: str) -> Iterator[Observation | Served]:
    """Every observation of a lawful provider, with the faults the check asks for, that ``check`` judges."""
    for case in _cases().get(check, []):
        yield bench().observation(case)
    if CHECKS[check].topic == "gateway":
        yield from gatehouse.lawful(check)
    elif CHECKS[check].client:
        yield from _as_a_client(CHECKS[check])


def _as_a_client(check: Check) -> Iterator[ClientObservation]:
    """What a client would have returned that shows everything and reads the answers as we do."""
    peer = provider(CHAT)
    for scenario in bench().scenarios(peer.id, CHAT):
        if check.covers(CHAT, scenario):
            yield shown(spoken(scenario))


def shown(seen: Observation, **changes: object) -> ClientObservation:
    """What a client was given, sent and returned that shows everything and made of it what we do."""
    given = {**structs.asdict(seen), "reference": seen.turn, "reference_error": seen.error}
    return ClientObservation(**{**given, "exposed": frozenset(ASPECTS), **changes})  # type: ignore[arg-type]


@cache
def spoken(scenario: str, protocol: str = CHAT, fault: str = "") -> Observation:
    """A lawful answer to the last call of ``scenario``, spoken by the emulator, changed by ``fault``."""
    case = Case(provider(protocol).id, protocol, scenario, fault, check="")
    seen = bench().observation(case)
    assert isinstance(seen, Observation)
    return seen


def served(scenario: str, protocol: str = CHAT) -> Served:
    """A service's lawful answers to the asks of ``scenario``, spoken by its desk."""
    seen = bench().observation(Case(provider(protocol).id, protocol, scenario, "", check=""))
    assert isinstance(seen, Served)
    return seen


def answering(seen: Served, number: int, answer: object) -> Served:
    """What was observed when the ask ``number`` is answered so, and nobody knows what was meant."""
    answers = (*seen.answers[:number], answer, *seen.answers[number + 1 :])
    return replace(seen, answers=answers, expected=())


def answered(
    content: bytes,
    *,
    scenario: str = "text_stream",
    protocol: str = CHAT,
    status: int = 200,
    headers: Headers | None = None,
    boundaries: tuple[int, ...] = (),
    ending: Ending = "whole",
    fault: str = "",
    baseline: Turn | None = None,
) -> Observation:
    """What our client makes of ``content`` as the answer to the first call of ``scenario``."""
    story = SCENARIOS[scenario]
    peer = provider(protocol)
    call = story.call(0, MODEL)
    endpoint = peer.endpoint(protocol, MODEL)
    exchange = Exchange(
        provider=peer.id,
        protocol=protocol,
        scenario=scenario,
        request=fixtures.authenticated(peer, endpoint, call),
        status=status,
        headers=headers if headers is not None else EVENT_STREAM if call.stream else JSON,
        content=content,
        boundaries=boundaries,
        ending=ending,
        origin="imported",
        date=date(2026, 11, 21),
        source="tests/miniatures",
        model=MODEL,
    )
    seen = observe(peer, story, 0, call, exchange, strict=False)
    return replace(seen, fault=fault, baseline=baseline)


def told(seen: Observation, **changes: object) -> Observation:
    """What a client would have returned whose turn differs so."""
    heard = seen.heard
    turn = replace(heard.turn, **changes)
    return replace(seen, heard=Heard(heard.frames, heard.events, turn, heard.error))


def failing(seen: Observation, error: ProviderError) -> Observation:
    """What a client would have returned that ended with ``error``."""
    heard = seen.heard
    turn = replace(heard.turn, error=error, complete=False)
    return replace(seen, heard=Heard(heard.frames, heard.events, turn, error))


def succeeding(seen: Observation) -> Observation:
    """What a client would have returned that takes what it heard for a whole answer."""
    heard = seen.heard
    turn = replace(heard.turn, error=None, complete=True, finish=heard.turn.finish or "stop")
    return replace(seen, heard=Heard(heard.frames, heard.events, turn, None))


def sending(seen: Observation, before: bytes, after: bytes) -> Observation:
    """What a client would have sent that says ``after`` for ``before``, judged again by the emulator."""
    content = seen.sent.content.replace(before, after)
    assert content != seen.sent.content, f"{before!r} is not in {content!r}"
    sent = replace(seen.sent, content=content)
    return replace(seen, sent=sent, violations=judged_request(seen.endpoint, sent, seen.call))


def without(seen: Observation, name: str) -> Observation:
    """What a client would have sent that leaves the body's field ``name`` out."""
    body = seen.sent.json()
    del body[name]
    return sending(seen, seen.sent.content, jsontext.write(body))


def hearing(seen: Observation, *events: Event) -> Observation:
    """What a client would have returned that gives these events."""
    return replace(seen, heard=Heard(seen.frames, events, assemble(events), None))


def chat(
    message: dict[str, object],
    *,
    scenario: str = "text",
    finish: str = "stop",
    id: str | None = "chatcmpl-1",
    model: str | None = MODEL,
    usage: dict[str, int] | None = SPENT,
) -> Observation:
    """What our client makes of a whole chat completion; what is None is not sent."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    body = {"id": id, "model": model, "choices": [choice], "usage": usage}
    sent = {name: value for name, value in body.items() if value is not None}
    return answered(jsontext.write(sent), scenario=scenario)


def calling(*calls: tuple[str, str], ids: tuple[str, ...] = ("call_1", "call_2")) -> dict[str, object]:
    """An assistant message that calls tools by (name, arguments)."""
    made = [
        {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for (name, arguments), id in zip(calls, ids, strict=False)
    ]
    return {"content": None, "tool_calls": made}
