"""``wirecheck subject check``: whether a program keeps to the subject protocol, told by a few calls.

It does not judge the client: only that every command gets one lawful line, in time, that a call of a protocol
nobody speaks is refused, that stderr is no flood and shows no key, and that the program ends when it is told
to, with all it started.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import get_args

import msgspec
from msgspec.structs import replace

from harness.emulators import EMULATORS
from harness.errors import SubjectError
from harness.exchange import Exchange
from harness.fixtures import CANARY, LOGIN_CANARY
from harness.server import Server, running
from harness.subjects.process import Conduct, Process
from harness.subjects.protocol import Answer, Feature, Hints, Run, Unsupported, line_of
from harness.subjects.stand import Place, Stand
from providers.call import Call, Text, user
from providers.errors import UnsupportedFeature
from providers.events import Turn, Usage
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Request

_LIMIT_S = 20.0
_SAID = "Hello from the check."
_UNKNOWN = "no-such-protocol"
_CALLS = tuple(
    Call(model="test-model", messages=(user("Say hello."),), stream=stream) for stream in (False, True)
)
_CLAUDE = "anthropic.claude-haiku-4-5-20251001-v1:0"
_MODELS: Mapping[str, str] = {
    "anthropic-messages": "claude-haiku-4-5",
    "azure-openai-responses": "gpt-4.1-nano",
    "bedrock-converse": _CLAUDE,
    "bedrock-invoke": _CLAUDE,
    "cohere-chat": "command-r7b-12-2024",
    "cohere-chat-v1": "command-r7b-12-2024",
    "google-gemini-cli": "gemini-2.5-pro",
    "google-generative-ai": "gemini-2.5-flash-lite",
    "google-interactions": "gemini-2.5-flash-lite",
    "google-vertex": "gemini-2.5-flash-lite",
    "mistral-chat": "ministral-8b-latest",
    "openai-codex-responses": "gpt-4.1-nano",
    "openai-completions": "gpt-4.1-nano",
    "openai-responses": "gpt-4.1-nano",
}
"""A model of each vendor's: clients that know models by name speak otherwise to others, or not at all."""
_MOST_STDERR = 1024 * 1024
_STOP_S = 5.0  # libraries with threads of their own take more than a moment
_SETTLES_S = 0.1  # in which a second answer to one command comes, if one does


class Line(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    good: bool
    why: str = ""


def check(start: Callable[[], Process]) -> list[Line]:
    """What was looked at, in order; it ends at the first thing that makes the rest pointless."""
    try:
        process = start()
    except SubjectError as fault:
        return [Line("it starts", False, str(fault))]
    told = [Line("it starts", True)]
    try:
        for line in _asked(process):
            told.append(line)
    except SubjectError as fault:
        told.append(Line("it answers", False, str(fault)))
    finally:
        process.stop(_STOP_S)
    return [*told, *_behaved(process.conduct)]


def _behaved(seen: Conduct) -> Iterator[Line]:
    """What it did beside its answers."""
    if seen.stopped is not None:
        yield Line("it ends when it is told to stop", seen.stopped, "" if seen.stopped else "it runs on")
        why = f"{seen.left} outlived it, and were ended" if seen.left else ""
        yield Line("it leaves no process behind", not seen.left, why)
    why = f"{seen.stderr_bytes} bytes, expected at most {_MOST_STDERR}"
    modest = seen.stderr_bytes <= _MOST_STDERR
    yield Line("it does not flood stderr", modest, "" if modest else why)
    why = "the key it was given stands there" if seen.told_secret else ""
    yield Line("it writes no key to stderr", not seen.told_secret, why)


def _asked(process: Process) -> Iterator[Line]:
    introduced = process.hello()
    yield Line(f"hello: {introduced.name} {introduced.version}", bool(introduced.name))
    spoken = [name for name in introduced.protocols if name in PROTOCOLS]
    strange = sorted({*introduced.protocols} - {*PROTOCOLS})
    yield Line(f"protocols: {', '.join(spoken)}", bool(spoken), f"nobody knows {strange}" if strange else "")
    unknown = sorted({*introduced.features} - {*get_args(Feature)})
    if introduced.features:
        told = f"features: {', '.join(introduced.features)}"
        yield Line(told, True, f"nobody knows {unknown}, and nothing is judged by it" if unknown else "")
    run = Run(id="0", protocol=_UNKNOWN, base_url="http://127.0.0.1:9", key=CANARY, call=_CALLS[0])
    yield Line("a protocol nobody speaks is unsupported", isinstance(process.ask(run, _LIMIT_S), Unsupported))
    stand = Stand()
    with running(Server(stand)) as server:
        for protocol in spoken:
            calls = (replace(call, model=_MODELS.get(protocol, call.model)) for call in _CALLS)
            for call in (asked for asked in calls if _can_be_asked(protocol, asked)):
                yield _one(process, stand, server.url, protocol, call)
    more = process.unasked(_SETTLES_S)
    yield Line("it writes one line for each command", not more, f"it wrote {more!r}" if more else "")


def _endpoint(protocol: str) -> Endpoint:
    return Endpoint(
        provider="check",
        protocol=protocol,
        base_url="https://check.example/v1",
        deviations=PROTOCOLS[protocol].deviations(),
    )


def _can_be_asked(protocol: str, call: Call) -> bool:
    """Whether the protocol has such a call: one of them only streams."""
    try:
        PROTOCOLS[protocol].build(call, _endpoint(protocol))
    except UnsupportedFeature:
        return False
    return True


def _one(process: Process, stand: Stand, url: str, protocol: str, call: Call) -> Line:
    endpoint = _endpoint(protocol)
    place = stand.open(_exchange(endpoint, call), endpoint.base_url)
    what = f"{protocol}, {'streamed' if call.stream else 'whole'}"
    run = Run(
        id=place.number,
        protocol=protocol,
        base_url=url + place.path(),
        key=LOGIN_CANARY,  # in the form that the strictest scheme takes
        hints=Hints(project="example-project"),
        call=call,
        timeout_s=5,
    )
    reply = process.ask(run, _LIMIT_S)
    stand.close(place)
    if not isinstance(reply, Answer):
        return Line(what, True, f"answered with {type(reply).__name__}")
    return Line(what, *_wrong(reply, place))


def _wrong(reply: Answer, place: Place) -> tuple[bool, str]:
    if not place.count:
        return False, "no request came"
    if reply.error is not None:
        return False, f"expected an answer, seen {reply.error.type}: {reply.error.message[:200]}"
    said = reply.turn.text if reply.turn is not None else None
    if reply.turn is None and isinstance(reply.events, tuple):
        said = "".join(event.text for event in reply.events if event.type == "text")
    if said != _SAID:
        return False, f"expected the text {_SAID!r}, seen {said!r}"
    return (False, "the key stands in its answer") if CANARY.encode() in line_of(reply) else (True, "")


def _exchange(endpoint: Endpoint, call: Call) -> Exchange:
    turn = Turn(
        parts=(Text(_SAID),),
        model=call.model,
        finish="stop",
        complete=True,
        usage=Usage(input_tokens=9, output_tokens=5),
    )
    spoken = EMULATORS[endpoint.protocol].speak(turn, call, endpoint)
    return Exchange(
        provider="check",
        protocol=endpoint.protocol,
        scenario="text",
        request=Request("POST", endpoint.base_url, (), b""),
        status=spoken.status,
        headers=spoken.headers,
        content=spoken.content,
        boundaries=spoken.boundaries,
        origin="synthetic",
        date=date(2026, 11, 21),
        source="",
    )
