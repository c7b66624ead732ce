"""What a gateway makes of both its sides; judged of gateways only.

The answer at the front is compared, aspect by aspect, with the ``reference``: what our own adapters make of
the upstream's bytes. The request at the back is judged as the vendor would, and by what the front asked.
"""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from harness.checks import registry
from harness.checks.registry import ALL, ANSWERED, REFUSED, TOOL_CALLS, require, unjudgeable
from harness.checks.verdicts import counted, sound
from harness.subjects.carried import (
    added_settings,
    added_words,
    lost_settings,
    lost_tools,
    lost_words,
    members,
)
from harness.subjects.gateway_observation import GatewayObservation
from providers.errors import (
    ContextOverflow,
    InvalidRequest,
    NotFound,
    Overloaded,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RemoteError,
    RemoteProtocolError,
    RequestTooLarge,
    ServerError,
    TimedOut,
    TransportError,
)
from providers.events import Turn
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint

check = partial(registry.check, blames="subject", client=True)
_GATEWAYS = "docs/gateways.md"
_HTTP = "RFC 9110, section 15"
_CUT = ("truncated.half", "truncated.last_frame", "truncated.mid_frame", "disconnect.midstream")
_TOLD = ("error.in_middle", "error.server_in_middle", "error.first_frame")
_SAME = ("cut.every_byte", "cut.utf8", "cut.coalesced", "lines.crlf", "comment.between", "blank.lines")
_STATUS = ("status.400", "status.401", "status.403", "status.404", "status.429", "status.500", "status.503")
_WORDED = ("error.context_overflow", "error.quota", "error.rate_limit")
_SHOWN = 80
_REASON = 300

_KIN: tuple[tuple[type[ProviderError], ...], ...] = (
    (InvalidRequest, RequestTooLarge, ContextOverflow),
    (RateLimited, QuotaExhausted),
    (Overloaded, ServerError),
)
"""Errors that some front protocol has one word for; see ``_DISTINCT``."""
_DISTINCT = (ContextOverflow, NotFound, RateLimited)


def _answered(seen: GatewayObservation) -> Turn:
    """The reference; skips where there is no answer to compare."""
    _understood(seen)
    if seen.reference_error is not None:
        unjudgeable("the upstream's answer is not one that can be read")
    if seen.error is not None:
        unjudgeable("the front told an error instead")
    return seen.reference


@check("gateway.answers", capability="text", scenarios=ANSWERED, source=_GATEWAYS)
def answers(seen: GatewayObservation) -> None:
    """A whole answer of the upstream MUST reach the front as a whole answer of the front's protocol."""
    _understood(seen)
    if seen.reference_error is not None:
        unjudgeable("the upstream's answer is not one that can be read")
    observed = seen.error or ("no completion signal" if not seen.turn.complete else seen.turn)
    require(seen.error is None and seen.turn.complete, expected="a whole answer", observed=observed)


@check("gateway.speaks", capability="text", scenarios=ANSWERED, source=_GATEWAYS)
def speaks(seen: GatewayObservation) -> None:
    """An answer at the front SHOULD have nothing that the front's protocol does not know."""
    _answered(seen)
    require(not seen.turn.drift, expected="nothing unknown", observed=seen.turn.drift)


@check("gateway.asks", capability="requests", scenarios=ALL, source=_GATEWAYS)
def asks(seen: GatewayObservation) -> None:
    """A call at the front MUST become a request at the back, or be refused as one that cannot be made."""
    if not seen.requests and isinstance(seen.error, InvalidRequest):
        unjudgeable(f"the gateway refuses this call by itself: {seen.error}"[:_REASON])
    require(seen.requests > 0, expected="a request", observed=seen.error or "none")


@check("gateway.lawful_request", capability="requests", scenarios=ANSWERED, source=_GATEWAYS)
def lawful_request(seen: GatewayObservation) -> None:
    """A request at the back MUST be one that the back's protocol allows."""
    if not seen.requests:
        unjudgeable("nothing was asked at the back")
    require(not seen.violations, expected="no violation", observed=seen.violations[:3])


def _asked(seen: GatewayObservation) -> None:
    if not seen.requests:
        unjudgeable("nothing was asked at the back")
    _understood(seen)


def _understood(seen: GatewayObservation) -> None:
    """Skip where the gateway asked another address than the back's: it speaks another protocol there."""
    if any(where == "target" for _, _, _, where in seen.violations):
        unjudgeable("the back was asked in another protocol")


@check("gateway.words_carried", capability="requests", scenarios=ANSWERED, source=_GATEWAYS)
def words_carried(seen: GatewayObservation) -> None:
    """Instructions, messages, tool calls, their results and pictures MUST be carried on unchanged."""
    _asked(seen)
    lost = [word[:_SHOWN] for word in lost_words(seen.call, seen.endpoint, seen.sent)]
    require(not lost, expected="everything that was said", observed=f"without {lost}")


@check("gateway.tools_carried", capability="tools", scenarios=("tool_*",), source=_GATEWAYS)
def tools_carried(seen: GatewayObservation) -> None:
    """Tools MUST be carried on with their names, descriptions and parameters."""
    _asked(seen)
    if seen.call.tool_choice == "none":
        unjudgeable("tools that may not be called may be left out")
    lost = lost_tools(seen.call, seen.endpoint, seen.sent)
    require(not lost, expected="every tool and parameter", observed=f"without {lost}")


@check("gateway.settings_carried", capability="requests", scenarios=ANSWERED, source=_GATEWAYS)
def settings_carried(seen: GatewayObservation) -> None:
    """Limits, temperature, stop texts and tool choice MUST be carried on where both protocols have them."""
    _asked(seen)
    lost = lost_settings(seen.call, (seen.endpoint,), seen.sent, seen.front)
    require(not lost, expected="every setting", observed="; ".join(lost))


@check("gateway.words_added", capability="requests", scenarios=ANSWERED, source=_GATEWAYS)
def words_added(seen: GatewayObservation) -> None:
    """Words that nobody said at the front MUST NOT be sent at the back, nor its own words twice."""
    _asked(seen)
    added = [word[:_SHOWN] for word in added_words(seen.call, _sides(seen), seen.sent)]
    require(not added, expected="the call's words alone", observed=added)


@check("gateway.settings_added", capability="requests", scenarios=ANSWERED, source=_GATEWAYS)
def settings_added(seen: GatewayObservation) -> None:
    """Settings that nobody set at the front MUST NOT be sent at the back."""
    _asked(seen)
    added = added_settings(seen.call, _sides(seen), seen.sent)
    require(not added, expected="the call's settings alone", observed="; ".join(added))


def _sides(seen: GatewayObservation) -> tuple[Endpoint, ...]:
    """The back, its protocol without the vendor's own ways, and the front, which says the call in its own."""
    bare = replace(seen.endpoint, deviations=PROTOCOLS[seen.endpoint.protocol].deviations())
    return (seen.endpoint, bare, seen.front)


@check("gateway.asks_once", capability="requests", scenarios=ANSWERED, source=_GATEWAYS)
def asks_once(seen: GatewayObservation) -> None:
    """A call that is answered MUST be asked at the back once: each time is paid for."""
    require(seen.requests < 2, expected="one request", observed=f"{seen.requests} requests")


@check("gateway.unknown_fields", capability="requests", scenarios=("extras*",), source=_GATEWAYS)
def unknown_fields(seen: GatewayObservation) -> None:
    """A field that the gateway does not know MUST go on or be left out, as it declares."""
    _asked(seen)
    there = [name for name in seen.call.extra_body if name in members(seen.sent)]
    wanted = [*seen.call.extra_body] if seen.passes_unknown else []
    require(there == wanted, expected=f"of these fields: {wanted}", observed=there)


@check("gateway.text", capability="text", scenarios=ANSWERED, source=_GATEWAYS)
def text(seen: GatewayObservation) -> None:
    """The words of an answer MUST be those of the upstream."""
    wanted = _answered(seen).text
    require((seen.turn.text or "") == (wanted or ""), expected=repr(wanted), observed=seen.turn.text)


@check("gateway.reasoning", capability="reasoning", scenarios=("reasoning*",), source=_GATEWAYS)
def reasoning(seen: GatewayObservation) -> None:
    """What the model thought SHOULD be told where the front has a place for it."""
    wanted = _answered(seen).reasoning
    if not wanted:
        unjudgeable("the upstream told no reasoning")
    require(seen.turn.reasoning == wanted, expected=repr(wanted), observed=seen.turn.reasoning)


@check("gateway.tool_calls", capability="tools", scenarios=ANSWERED, source=_GATEWAYS)
def tool_calls(seen: GatewayObservation) -> None:
    """Tool calls MUST be those of the upstream: names, arguments and order."""
    wanted = [(call.name, call.arguments) for call in _answered(seen).tool_calls]
    got = [(call.name, call.arguments) for call in seen.turn.tool_calls]
    require(got == wanted, expected=str(wanted), observed=got)


@check("gateway.tool_ids", capability="tools", scenarios=TOOL_CALLS, source=_GATEWAYS)
def tool_ids(seen: GatewayObservation) -> None:
    """Each tool call MUST have an id of its own."""
    _answered(seen)
    ids = [call.id for call in seen.turn.tool_calls]
    require(all(ids) and len({*ids}) == len(ids), expected="ids, each another", observed=ids)


@check("gateway.finish", capability="stop", scenarios=ANSWERED, source=_GATEWAYS)
def finish(seen: GatewayObservation) -> None:
    """The reason why an answer ended MUST keep its meaning."""
    wanted = _answered(seen).finish
    require(
        seen.turn.finish == wanted, expected=str(wanted), observed=(seen.turn.finish, seen.turn.finish_raw)
    )


@check("gateway.usage", capability="usage", scenarios=ANSWERED, source=_GATEWAYS)
def usage(seen: GatewayObservation) -> None:
    """Token counts MUST be those of the upstream, in the front's own convention."""
    wanted, got = counted(_answered(seen)), seen.turn.usage
    told = got and (got.input_tokens, got.output_tokens)
    sent = (wanted.input_tokens, wanted.output_tokens)
    require(told == sent, expected=f"input and output of {sent}", observed=told)


@check("gateway.usage_cached", capability="caching", scenarios=("usage_cached*",), source=_GATEWAYS)
def usage_cached(seen: GatewayObservation) -> None:
    """Tokens read from a cache MUST be told as such, since they are paid otherwise."""
    wanted, got = _answered(seen).usage, seen.turn.usage
    if wanted is None or not wanted.cached_tokens:
        unjudgeable("none were told")
    assert wanted is not None
    told = got and got.cached_tokens
    require(told == wanted.cached_tokens, expected=str(wanted.cached_tokens), observed=told)


@check("gateway.delivery", capability="chunking", faults=_SAME, source=_GATEWAYS)
def delivery(seen: GatewayObservation) -> None:
    """However the upstream's bytes are cut, the answer at the front MUST be the same."""
    wanted = sound(seen)
    require(seen.error is None, expected="no error", observed=seen.error)
    said = [
        (turn.text or "", [(call.name, call.arguments) for call in turn.tool_calls], turn.finish)
        for turn in (wanted, seen.turn)
    ]
    require(said[0] == said[1], expected=str(said[0]), observed=said[1])


@check("gateway.flushes", capability="streaming", scenarios=("text_stream",), source=_GATEWAYS)
def flushes(seen: GatewayObservation) -> None:
    """What the upstream has sent MUST be passed on before it sends more."""
    if seen.flushed is None:
        unjudgeable("no words came at the front")
    require(bool(seen.flushed), expected="words at the front while the upstream waits", observed="none")


@check(
    "gateway.separates",
    capability="streaming",
    scenarios=("text_stream",),
    source=_GATEWAYS,
)
def separates(seen: GatewayObservation) -> None:
    """Streams at the same time MUST NOT mix: each hears its own words, all of them and no others."""
    if not seen.voices:
        unjudgeable("no streams were asked at the same time")
    wrong = [(wanted, heard) for wanted, heard in seen.voices if wanted != heard]
    require(not wrong, expected=wrong[0][0] if wrong else "", observed=wrong[0][1] if wrong else "")


@check("gateway.truncated", capability="faults", faults=_CUT, source=_GATEWAYS)
def truncated(seen: GatewayObservation) -> None:
    """An answer whose end did not come MUST NOT be given as a whole one."""
    sound(seen)
    if seen.reference_error is None:
        unjudgeable("what is left is a whole answer")
    ended = seen.error is not None or not seen.turn.complete
    require(
        ended, expected="an error, or no completion signal", observed=f"a whole answer, {seen.turn.finish}"
    )


@check("gateway.error_told", capability="faults", faults=_TOLD, source=_GATEWAYS)
def error_told(seen: GatewayObservation) -> None:
    """An error inside a stream MUST be told as one in the front's own words, not by silence."""
    sound(seen)
    if not isinstance(seen.reference_error, RemoteError):
        unjudgeable("the upstream told no error")
    told = isinstance(seen.error, RemoteError)
    require(
        told,
        expected=f"an error like {type(seen.reference_error).__name__}",
        observed=seen.error or seen.turn,
    )


@check("gateway.refuses", capability="errors", scenarios=REFUSED, source=_HTTP)
def refuses(seen: GatewayObservation) -> None:
    """A refusal of the upstream MUST be told as one, in the front's own shape."""
    error = seen.error
    shaped = isinstance(error, RemoteError) and isinstance(error.body, dict) and bool(error.message)
    require(shaped, expected="a refusal in the front's shape", observed=error or seen.turn)


@check("gateway.refused_status", capability="errors", scenarios=REFUSED, source=_HTTP)
def refused_status(seen: GatewayObservation) -> None:
    """A refusal that came before any content MUST have a status that is no success, streamed or not."""
    require(seen.status >= 400, expected="a status of 400 or more", observed=seen.status)


@check("gateway.error_class", capability="errors", scenarios=REFUSED, source=_HTTP)
def error_class(seen: GatewayObservation) -> None:
    """A refusal MUST keep its class: credentials, model, rate, length of the context, or the server's."""
    _same_class(seen)


@check(
    "gateway.error_status",
    capability="errors",
    scenarios=("text", "text_stream"),
    faults=(*_STATUS, *_WORDED),
    source=_HTTP,
)
def error_status(seen: GatewayObservation) -> None:
    """A refusing status MUST keep its class, whatever its words."""
    _same_class(seen)


def _same_class(seen: GatewayObservation) -> None:
    wanted, got = seen.reference_error, seen.error
    if not isinstance(wanted, RemoteError):
        unjudgeable("the upstream refused nothing")
    if isinstance(got, TransportError | TimedOut | RemoteProtocolError):
        require(False, expected=type(wanted).__name__, observed=got)
    require(_kin(wanted, got), expected=_worded(wanted), observed=_worded(got))


def _kin(wanted: ProviderError | None, got: ProviderError | None) -> bool:
    if type(wanted) is type(got):
        return True
    if isinstance(wanted, _DISTINCT):
        return False
    return any(type(wanted) in group and type(got) in group for group in _KIN)


def _worded(error: ProviderError | None) -> str:
    status = f" {error.status}" if isinstance(error, RemoteError) else ""
    return f"{type(error).__name__}{status}" if error else "no error"


@check("gateway.front_key", capability="errors", scenarios=ALL, faults=("*",), source=_GATEWAYS)
def front_key(seen: GatewayObservation) -> None:
    """The key and the cookies of the front MUST NOT reach the back."""
    require(not seen.told_back, expected="nothing of the front's", observed=seen.told_back)


@check("gateway.back_key", capability="errors", scenarios=ALL, faults=("*",), source=_GATEWAYS)
def back_key(seen: GatewayObservation) -> None:
    """The key of the back MUST NOT reach the front: in no field, answer or error."""
    require(not seen.told_front, expected="no key", observed=seen.told_front)


@check("gateway.private_fields", capability="errors", scenarios=("text*", *REFUSED), source=_GATEWAYS)
def private_fields(seen: GatewayObservation) -> None:
    """Cookies and the operator's account at the vendor SHOULD NOT be told at the front."""
    require(not seen.told_private, expected="none of them", observed=seen.told_private)
