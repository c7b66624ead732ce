"""Gateways that get one thing wrong between their front and their back: each is a client of the provider."""

from __future__ import annotations

import base64

from msgspec.structs import replace

from harness.subjects.gateway_observation import GatewayObservation
from harness.subjects.gateways import BACK_KEY, FRONT_KEY
from providers import jsontext
from providers.call import Call, Text
from providers.events import Event, Finish, ReasoningDelta, TextDelta, ToolCallStart, UsageReport
from providers.wire import Headers, Request
from tests.miniatures.bench import breaks
from tests.miniatures.gatehouse import REVERSED, TRANSLATED, Bent, asked


def _lost(kind: type) -> Bent:
    """Loses every event of a kind."""
    return Bent(event=lambda event: None if isinstance(event, kind) else event)


def _garbles() -> Bent:
    return Bent(body=lambda body: b"<html>" + body)


@breaks("gateway.answers")
def garbles() -> GatewayObservation:
    """A client that gives something else in front than the front's protocol."""
    return asked(_garbles, TRANSLATED, "text")


def _adds_events() -> Bent:
    return Bent(body=lambda body: body + b'event: advert\ndata: {"type":"advert"}\n\n')


@breaks("gateway.speaks")
def adds_events() -> GatewayObservation:
    """A client that puts events of its own into the front's stream."""
    return asked(_adds_events, REVERSED, "text_stream")


def _asks_nobody() -> Bent:
    return Bent(asks=False)


@breaks("gateway.asks")
def asks_nobody() -> GatewayObservation:
    """A client that answers from its own memory."""
    return asked(_asks_nobody, TRANSLATED, "text")


def _without(*members: str) -> Bent:
    def less(back: Request, front: Request) -> Request:
        body = {name: value for name, value in back.json().items() if name not in members}
        return replace(back, content=jsontext.write(body))

    return Bent(request=less)


def _limitless() -> Bent:
    return _without("max_tokens")


@breaks("gateway.lawful_request", "gateway.settings_carried")
def asks_without_a_limit() -> GatewayObservation:
    """A client that leaves out a limit which the vendor wants."""
    return asked(_limitless, TRANSLATED, "text")


def _systemless() -> Bent:
    return _without("system")


@breaks("gateway.words_carried")
def forgets_instructions() -> GatewayObservation:
    """A client that does not carry the instructions on."""
    return asked(_systemless, TRANSLATED, "system")


def _blind() -> Bent:
    def blinded(call: Call) -> Call:
        message = call.messages[0]
        words = tuple(part for part in message.parts if isinstance(part, Text))
        return replace(call, messages=(replace(message, parts=words),))

    return Bent(call=blinded)


@breaks("gateway.words_carried")
def drops_pictures() -> GatewayObservation:
    """A client that carries words on and no pictures."""
    return asked(_blind, TRANSLATED, "vision")


def _toolless() -> Bent:
    return _without("tools")


@breaks("gateway.tools_carried")
def forgets_tools() -> GatewayObservation:
    """A client that does not carry the tools on."""
    return asked(_toolless, TRANSLATED, "tool_call")


def _unforced() -> Bent:
    return _without("tool_choice")


@breaks("gateway.settings_carried")
def lets_the_model_choose() -> GatewayObservation:
    """A client that leaves out that a tool must be called."""
    return asked(_unforced, TRANSLATED, "tool_choice_required")


def _with(**members: object) -> Bent:
    def more(back: Request, front: Request) -> Request:
        return replace(back, content=jsontext.write({**back.json(), **members}))

    return Bent(request=more)


def _instructs() -> Bent:
    return _with(system="Ads.")


@breaks("gateway.words_added")
def adds_instructions() -> GatewayObservation:
    """A client that gives an instruction of its own at the back."""
    return asked(_instructs, TRANSLATED, "text")


def _warms() -> Bent:
    return _with(temperature=0.3)


@breaks("gateway.settings_added")
def warms_up() -> GatewayObservation:
    """A client that sets a temperature of its own at the back."""
    return asked(_warms, TRANSLATED, "text")


@breaks("gateway.asks_once")
def asks_twice() -> GatewayObservation:
    """A client that asks twice for one answer."""
    seen = asked(_honest, TRANSLATED, "text")
    return replace(seen, requests=2)


def _strict() -> Bent:
    return _without("wirecheck_probe")


def _honest() -> Bent:
    return Bent()


@breaks("gateway.unknown_fields")
def drops_what_it_promised_to_pass() -> GatewayObservation:
    """A client that leaves out fields which it declares to pass on."""
    return asked(_strict, TRANSLATED, "extras")


@breaks("gateway.unknown_fields")
def passes_what_it_promised_to_drop() -> GatewayObservation:
    """A client that passes on fields which it declares to leave out."""
    return asked(_honest, TRANSLATED, "extras", passes_unknown=False)


def _mute() -> Bent:
    return _lost(TextDelta)


@breaks("gateway.text")
def loses_words() -> GatewayObservation:
    """A client that loses the words of the answer."""
    return asked(_mute, TRANSLATED, "text_stream")


def _thoughtless() -> Bent:
    return _lost(ReasoningDelta)


@breaks("gateway.reasoning")
def hides_reasoning() -> GatewayObservation:
    """A client that keeps the reasoning to itself."""
    return asked(_thoughtless, TRANSLATED, "reasoning_stream")


def _renames() -> Bent:
    def renamed(event: Event) -> Event:
        return replace(event, name=f"x_{event.name}") if isinstance(event, ToolCallStart) else event

    return Bent(event=renamed)


@breaks("gateway.tool_calls")
def renames_tools() -> GatewayObservation:
    """A client that calls tools by names of its own."""
    return asked(_renames, TRANSLATED, "tool_call_stream")


def _same_ids() -> Bent:
    def same(event: Event) -> Event:
        return replace(event, id="call_0") if isinstance(event, ToolCallStart) else event

    return Bent(event=same)


@breaks("gateway.tool_ids")
def repeats_ids() -> GatewayObservation:
    """A client that gives all calls one id."""
    return asked(_same_ids, TRANSLATED, "tool_call_parallel_stream")


def _always_stops() -> Bent:
    def stopped(event: Event) -> Event:
        return Finish("stop") if isinstance(event, Finish) else event

    return Bent(event=stopped)


@breaks("gateway.finish")
def always_stops() -> GatewayObservation:
    """A client that tells every end as an ordinary one."""
    return asked(_always_stops, TRANSLATED, "length_stop_stream")


def _counted(**changes: str | None) -> Bent:
    """Each count is that of another name, or none."""

    def counted(event: Event) -> Event:
        if not isinstance(event, UsageReport):
            return event
        usage = event.usage
        told = {name: getattr(usage, source) if source else None for name, source in changes.items()}
        return UsageReport(replace(usage, **told))

    return Bent(event=counted)


def _swaps() -> Bent:
    return _counted(input_tokens="output_tokens", output_tokens="input_tokens")


@breaks("gateway.usage")
def swaps_counts() -> GatewayObservation:
    """A client that tells input for output."""
    return asked(_swaps, TRANSLATED, "text_stream")


def _uncached() -> Bent:
    return _counted(cached_tokens=None)


@breaks("gateway.usage_cached")
def forgets_the_cache() -> GatewayObservation:
    """A client that does not tell what was read from the cache."""
    return asked(_uncached, TRANSLATED, "usage_cached_stream")


def _cuts() -> Bent:
    return Bent(cuts=True)


@breaks("gateway.delivery")
def decodes_each_chunk() -> GatewayObservation:
    """A client that reads each chunk of the back as a text of its own."""
    return asked(_cuts, TRANSLATED, "unicode_stream", "cut.utf8")


def _buffers() -> Bent:
    return Bent(buffers=True)


@breaks("gateway.flushes")
def buffers() -> GatewayObservation:
    """A client that gives a stream in front when it is whole."""
    return asked(_buffers, TRANSLATED, "text_stream")


def _mixes() -> Bent:
    return Bent(mixes=True)


@breaks("gateway.separates")
def mixes_streams() -> GatewayObservation:
    """A client that keeps what it reads where another stream finds it."""
    return asked(_mixes, TRANSLATED, "text_stream")


def _ends_well() -> Bent:
    return Bent(ends_well=True)


@breaks("gateway.truncated")
def makes_a_clean_stop() -> GatewayObservation:
    """A client that ends well what did not."""
    return asked(_ends_well, TRANSLATED, "text_stream", "truncated.half")


@breaks("gateway.error_told")
def swallows_errors() -> GatewayObservation:
    """A client that makes an ordinary end of an error."""
    return asked(_ends_well, TRANSLATED, "text_stream", "error.in_middle")


def _shapeless() -> Bent:
    return Bent(body=lambda body: b"oops")


@breaks("gateway.refuses")
def refuses_in_no_shape() -> GatewayObservation:
    """A client that refuses in words of its own."""
    return asked(_shapeless, TRANSLATED, "error_401_bad_key")


def _breaks_down() -> Bent:
    return Bent(refusal=lambda kind: "server_error")


@breaks("gateway.error_class")
def tells_limits_as_breakdowns() -> GatewayObservation:
    """A client that makes a 500 of a 429."""
    return asked(_breaks_down, TRANSLATED, "error_429_rate_limit")


@breaks("gateway.error_status")
def tells_statuses_as_breakdowns() -> GatewayObservation:
    """A client that makes a 500 of any status."""
    return asked(_breaks_down, TRANSLATED, "text", "status.401")


def _refuses_late() -> Bent:
    return Bent(succeeds=True)


@breaks("gateway.refused_status")
def refuses_with_success() -> GatewayObservation:
    """A client that sends a refusal with status 200."""
    return asked(_refuses_late, TRANSLATED, "error_401_bad_key_stream")


def _forwards_key() -> Bent:
    def forwarded(back: Request, front: Request) -> Request:
        own = tuple(pair for pair in front.headers if FRONT_KEY in pair[1])
        return replace(back, headers=(*back.headers, *own))

    return Bent(request=forwarded)


@breaks("gateway.front_key")
def forwards_the_key() -> GatewayObservation:
    """A client that sends the front's key to the back."""
    return asked(_forwards_key, TRANSLATED, "text")


def _forwards_coded_key() -> Bent:
    coded = ("x-origin", base64.b64encode(FRONT_KEY.encode()).decode())
    return Bent(request=lambda back, front: replace(back, headers=(*back.headers, coded)))


@breaks("gateway.front_key")
def forwards_the_key_as_base64() -> GatewayObservation:
    """A client that sends the front's key to the back in base64."""
    return asked(_forwards_coded_key, TRANSLATED, "text")


def _tells_coded_key() -> Bent:
    coded = base64.b64encode(BACK_KEY.encode())
    return Bent(body=lambda body: body.replace(b"Hello", coded))


@breaks("gateway.back_key")
def tells_the_key_as_base64() -> GatewayObservation:
    """A client that tells the back's key in front in base64."""
    return asked(_tells_coded_key, TRANSLATED, "text")


def _tells_key() -> Bent:
    return Bent(body=lambda body: body.replace(b"Hello", BACK_KEY.encode()))


@breaks("gateway.back_key")
def tells_the_key() -> GatewayObservation:
    """A client that tells the back's key in front."""
    return asked(_tells_key, TRANSLATED, "text")


def _tells_fields() -> Bent:
    def told(head: Headers) -> Headers:
        return tuple(pair for pair in head if pair[0] == "set-cookie")

    return Bent(head=told)


@breaks("gateway.private_fields")
def tells_the_fields() -> GatewayObservation:
    """A client that tells the vendor's cookies in front."""
    return asked(_tells_fields, TRANSLATED, "text_stream")
