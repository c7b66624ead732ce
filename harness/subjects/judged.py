"""Which checks judge a third party, and by which aspects of what it shows. One row a check.

A check is judged when the client exposes all the aspects of its row; otherwise it is not applicable there,
and no result is made of it. ``UNJUDGED`` are those that blame a client and read what no third party shows,
each with its reason. A check that blames a provider is judged when our own adapters are run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.checks import CHECKS
from harness.checks.client_requests import key_field
from harness.checks.registry import Check, selects
from harness.faults import FAULTS
from harness.redaction import REDACTED
from harness.subjects.observation import Aspect, ClientObservation
from providers import extensions

_REQUEST: tuple[Aspect, ...] = ("request",)
_OUTCOME: tuple[Aspect, ...] = ("outcome",)
_CALLS: tuple[Aspect, ...] = ("outcome", "tool_calls")
_KIND: tuple[Aspect, ...] = ("outcome", "error_kind")
_WORDS: tuple[Aspect, ...] = ("outcome", "error_words")
_FINISH: tuple[Aspect, ...] = ("outcome", "finish")
_MEANING: tuple[Aspect, ...] = ("outcome", "finish", "normalises")
_REPAIR: tuple[Aspect, ...] = ("request", "repairs")

JUDGED: Mapping[str, tuple[Aspect, ...]] = {
    "client.completes": (),
    "client.asked": _REQUEST,
    "client.retries": _REQUEST,
    "client.key_untold": _OUTCOME,
    "client.answer": _OUTCOME,
    "client.refused": _OUTCOME,
    "client.typed_error": _OUTCOME,
    "client.text": ("text",),
    "client.reasoning": ("reasoning",),
    "client.tool_calls": ("tool_calls",),
    "client.tool_ids": ("tool_calls", "tool_ids"),
    "client.finish": ("finish",),
    "client.usage": ("usage",),
    "client.model": ("model",),
    "client.id": ("id",),
    "client.refusal": ("refusal",),
    "client.error_code": ("outcome", "error_code"),
    "client.events": ("events", "text", "tool_calls"),
    "client.streams": ("events", "text"),
    # what it sent
    "client.asks_that_alone": _REQUEST,
    "client.key_place": _REQUEST,
    "client.query": _REQUEST,
    "client.settings_added": _REQUEST,
    "client.settings_carried": _REQUEST,
    "client.settings_spelt_out": _REQUEST,
    "client.tools_carried": _REQUEST,
    "client.words_added": _REQUEST,
    "client.words_carried": _REQUEST,
    "auth.header": _REQUEST,
    "text.multi_turn": _REQUEST,
    "text.system": _REQUEST,
    "tool.choice_subset": _REQUEST,
    "tool.result_error": _REQUEST,
    "tool.result_order": _REQUEST,
    "tool.result_string": _REQUEST,
    "tool.schema_empty": _REQUEST,
    "tool.schema_refs": _REQUEST,
    "tool.strict": _REQUEST,
    "reason.asked": _REQUEST,
    "reason.encrypted": _REQUEST,
    "reason.item_pairing": _REQUEST,
    "reason.signature": _REQUEST,
    "wire.extra_body": _REQUEST,
    "wire.extra_headers": _REQUEST,
    "wire.max_tokens_param": _REQUEST,
    "wire.no_phantom_params": _REQUEST,
    "wire.path_method": _REQUEST,
    "wire.required_headers": _REQUEST,
    "wire.schema": _REQUEST,
    "wire.settings_reach": _REQUEST,
    "wire.stream_asked": _REQUEST,
    "wire.temperature_omitted": _REQUEST,
    # what it promises to do with a history that is not in order
    "handoff.aborted": _REPAIR,
    "handoff.images": _REPAIR,
    "handoff.text": _REPAIR,
    "handoff.thinking": _REPAIR,
    "handoff.tools": _REPAIR,
    "reason.must_replay": _REPAIR,
    "reason.must_strip": _REPAIR,
    "tool.abort": _REPAIR,
    "tool.history_needs_tools": _REPAIR,
    "tool.id_roundtrip": _REPAIR,
    "tool.orphan_call": _REPAIR,
    "tool.orphan_result": _REPAIR,
    "tool.schema_banned": _REPAIR,
    # refusals
    "err.class": _KIND,
    "err.connect": _KIND,
    "err.empty_body": _WORDS,
    "err.html": _WORDS,
    "err.no_answer": _OUTCOME,
    "err.original_kept": _WORDS,
    "err.overflow": _KIND,
    "err.quota_vs_rate": _KIND,
    "err.redacted": _OUTCOME,
    "err.refused_class": _KIND,
    "err.request_id": ("outcome", "error_request_id"),
    "err.retryable": ("outcome", "error_retryable"),
    "err.text": _OUTCOME,
    "err.words": _KIND,
    # the same answer in another spelling
    "stream.blank_frame": _OUTCOME,
    "stream.comment_ignored": _OUTCOME,
    "stream.cut.coalesced": _OUTCOME,
    "stream.cut.crlf": _OUTCOME,
    "stream.cut.every_byte": _OUTCOME,
    "stream.cut.utf8": _OUTCOME,
    "stream.finish_without_done": _OUTCOME,
    "stream.large": _OUTCOME,
    "stream.lines": _OUTCOME,
    "stream.media_type": _OUTCOME,
    "stream.repeated_first": _OUTCOME,
    "stream.slow_first_token": _OUTCOME,
    "stream.unknown_event": _OUTCOME,
    # broken streams
    "stream.after_terminal": _OUTCOME,
    "stream.disconnect": _OUTCOME,
    "stream.done_only": _OUTCOME,
    "stream.empty_completion": ("outcome", "text"),
    "stream.error_first_frame": _OUTCOME,
    "stream.error_inband": _OUTCOME,
    "stream.foreign_media_type": _OUTCOME,
    "stream.malformed_frame": _OUTCOME,
    "stream.stall": _OUTCOME,
    "stream.truncated_is_error": _OUTCOME,
    "stream.truncated_tail": _OUTCOME,
    # what the answer says
    "reason.content": ("text", "reasoning"),
    "reason.stream": ("events", "text", "reasoning"),
    "stop.filter": _FINISH,
    "stop.malformed_call": _MEANING,
    "stop.pause": _FINISH,
    "stop.refusal": _FINISH,
    "stop.unknown": _FINISH,
    "tool.call_then_text": ("order", "text", "tool_calls"),
    "tool.control_chars": _CALLS,
    "tool.malformed_args": _CALLS,
    "tool.parallel_interleaved": _CALLS,
    "tool.parallel_same_name": _CALLS,
    "tool.server_side": (*_CALLS, "text", "finish"),
    "tool.stop_empty": _MEANING,
    "tool.stop_mismatch": (*_MEANING, "tool_calls"),
    "tool.stop_reason": (*_MEANING, "tool_calls"),
    "tool.text_then_call": ("order", "text", "tool_calls"),
    "tool.truncated_args": (*_CALLS, "finish"),
    "tool.unknown_name": _CALLS,
    "usage.cached_convention": ("usage", "usage_total"),
    "usage.missing_null": ("outcome", "usage"),
    "usage.reasoning_detail": ("usage", "usage_total"),
}
_UNJUDGED = {
    "gw.passthrough": "a service beside chat; the subject protocol asks calls",
    "stop.raw_kept": "a client that passes the vendor's word on has no other",
    "stop.once": "few clients tell the finish among their events; client.finish judges it",
    "stream.abort_immediate": "whether a connection was let go is not told by the journal",
    "stream.abort_mid": "whether a connection was let go is not told by the journal",
    "stream.accumulate": "client.text and client.tool_calls compare the same, without frames",
    "stream.cut.recorded": "it hears the bytes with our own adapters",
    "stream.n_choices": "a turn of the subject protocol is one choice",
    "stream.no_leak": "whether a connection was let go is not told by the journal",
    "stream.parity": "both forms are compared with the reference, by the client checks",
    "tool.fine_grained": "an option that the caller of a client sets",
    "tool.stream_args": "client.events compares the same",
    "usage.after_error": "few clients have a place for counts beside an error",
    "usage.cumulative": "client.usage compares with the last counts",
    "usage.stream_requested": "whether a stream counts is the caller's choice",
    "wire.body_matched": "the recorded request is our own adapters'",
    "wire.golden": "the recorded request is our own adapters'",
}


def _unjudged() -> Mapping[str, str]:
    gateways = (name for name, check in CHECKS.items() if check.topic == "gateway")
    return {**dict.fromkeys(gateways, "it judges a gateway"), **_UNJUDGED}


UNJUDGED: Mapping[str, str] = extensions.Table(_unjudged)
# What our own adapters forgive, and a client that follows the standard to the letter need not.
LENIENT: Mapping[tuple[str, str], str] = {
    ("stream.foreign_media_type", "media_type.text"): "RFC 9110, 8.3, lets a recipient look at the content",
    ("stream.lines", "lines.no_final_newline"): "the standard drops an event that no blank line ends",
}
# No vendor takes the history or schema of these as it is: what is sent is judged where it is repaired.
_BROKEN_BY_CALLER = ("history_*", "tool_schema_banned*")


def checks_of(protocol: str, scenario: str, fault: str) -> tuple[Check, ...]:
    """The checks that a case may be judged by, before it is known what the client exposes."""
    return tuple(
        check
        for check in CHECKS.values()
        if check.id in JUDGED and check.covers(protocol, scenario) and _asks(check, fault)
    )


def _asks(check: Check, fault: str) -> bool:
    if (check.id, fault) in LENIENT:
        return False
    if check.client and check.faults == ("*",):
        return True
    return selects(check.faults, fault) if fault and check.faults else not fault and not check.faults


def judged_by(check: Check, seen: ClientObservation) -> bool:
    """Whether a client that exposes so much can be judged by the check."""
    needed = JUDGED[check.id]
    if "request" in needed and check.id not in _ALWAYS and selects(_BROKEN_BY_CALLER, seen.scenario):
        needed = (*needed, "repairs")
    if check.id == "auth.header" and not _ordinary_key(seen):
        needed = (*needed, "vendors")
    return seen.exposed.issuperset(needed)


def _ordinary_key(seen: ClientObservation) -> bool:
    """Whether the endpoint takes its key where clients of the protocol send it."""
    ordinary = key_field(seen.protocol)
    return any(
        name.lower() == ordinary and REDACTED in value for name, value in seen.exchange.request.headers
    )


_ALWAYS = frozenset({"client.retries", "client.asks_that_alone", "client.key_place", "client.query"})


def faults_of(scenario: str) -> Iterable[str]:
    """The faults that are made for a scenario and that some check of a client asks for."""
    return (fault.name for fault in FAULTS.values() if scenario in fault.scenarios and fault.consumer is None)
