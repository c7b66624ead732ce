"""Reasoning: apart from the answer, counted, and sent back as the vendor wants it."""

from __future__ import annotations

from typing import Any

from harness.checks.registry import check, require, unjudgeable
from harness.observation import Observation
from providers.call import Reasoning
from providers.events import ReasoningDelta, TextDelta

_ANTHROPIC = "https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking"
_ALIKE = "observed: reasoning_content, reasoning, reasoning_details, thinking and <think> tags"
_ONE = ("reasoning", "reasoning_stream")
_SIGNED = ("anthropic-messages", "google-*", "bedrock-converse")


def _shown(seen: Observation) -> str:
    if not seen.turn.reasoning:
        unjudgeable("the provider does not show its reasoning")
    return seen.turn.reasoning or ""


@check("reason.content", capability="reasoning", scenarios=_ONE, blames="subject", source=_ALIKE)
def content(seen: Observation) -> None:
    """Reasoning MUST be apart from the answer, without tags."""
    shown = _shown(seen)
    said = seen.turn.text or ""
    require(shown not in said, expected="the answer alone", observed=said)
    require("<think>" not in said and "</think>" not in said, expected="no tags", observed=said)


@check(
    "reason.stream", capability="reasoning", scenarios=("reasoning_stream",), blames="subject", source=_ALIKE
)
def stream(seen: Observation) -> None:
    """Reasoning SHOULD arrive before the answer."""
    _shown(seen)
    thought, said = seen.positions(ReasoningDelta), seen.positions(TextDelta)
    words = [place for place in said if seen.events[place].text]  # type: ignore[union-attr]
    require(
        not words or (bool(thought) and thought[0] < words[0]),
        expected="reasoning, then words",
        observed=(thought[:1], words[:1]),
    )


@check("reason.answer", capability="reasoning", scenarios=_ONE, source=_ANTHROPIC)
def answer(seen: Observation) -> None:
    """A turn that reasoned MUST also answer."""
    require(bool(seen.turn.text), expected="words", observed=seen.error or seen.turn.parts)


@check(
    "reason.tokens",
    capability="reasoning",
    scenarios=_ONE,
    protocols=("*", "!cohere-chat", "!ollama-*", "!bedrock-converse"),  # which have no such count
    source="https://platform.openai.com/docs/guides/reasoning",
)
def tokens(seen: Observation) -> None:
    """Reasoning tokens SHOULD be counted."""
    usage = seen.turn.usage
    counted = usage.reasoning_tokens if usage else None
    require(counted is not None, expected="reasoning tokens", observed=counted)


@check("reason.asked", capability="reasoning", scenarios=_ONE, blames="subject", source=_ALIKE)
def asked(seen: Observation) -> None:
    """A call that wants reasoning SHOULD ask for it, in the endpoint's own way."""
    if getattr(seen.endpoint.deviations, "thinking", "") == "none":
        unjudgeable("the endpoint declares no field for it")
    names = _names(seen.sent.json())
    asked = [name for name in names for word in ("reasoning", "think", "effort") if word in name.lower()]
    require(bool(asked), expected="a reasoning field", observed=sorted(names))


def _names(value: Any) -> set[str]:
    """Every member name of a JSON value, at any depth."""
    if isinstance(value, dict):
        return {*value, *(name for member in value.values() for name in _names(member))}
    return {name for item in value for name in _names(item)} if isinstance(value, list) else set()


@check(
    "reason.signature",
    capability="reasoning",
    scenarios=("reasoning_roundtrip*",),
    protocols=_SIGNED,
    blames="subject",
    source=_ANTHROPIC,
)
def signature(seen: Observation) -> None:
    """A signature that came with reasoning or a call MUST be sent back to the byte."""
    mine = [p for m in seen.call.messages if m.provider == seen.provider for p in m.parts]
    signed = [each for part in mine if (each := getattr(part, "signature", None))]
    if not signed:
        unjudgeable("the provider signs nothing")
    missing = [each for each in signed if each.encode("utf-8", "surrogatepass") not in seen.sent.content]
    require(not missing, expected="every signature", observed=missing)


_RESPONSES = "https://platform.openai.com/docs/guides/reasoning"


@check(
    "reason.encrypted",
    capability="reasoning",
    scenarios=("reasoning_roundtrip*",),
    protocols=("*-responses",),
    blames="subject",
    source=_RESPONSES,
)
def encrypted(seen: Observation) -> None:
    """Encrypted reasoning MUST be sent back as it came, and asked for where the vendor keeps nothing."""
    said = [part for m in seen.call.messages for part in m.parts if isinstance(part, Reasoning)]
    signed = [part.signature for part in said if part.signature]
    if not signed or not getattr(seen.endpoint.deviations, "encrypted_reasoning", True):
        unjudgeable("the provider encrypts nothing")
    body = seen.sent.json()
    sent = [item.get("encrypted_content") for item in _items(body)]
    require(all(each in sent for each in signed), expected=str(signed), observed=sent)
    wanted = body.get("include") or []
    asked = body.get("store") is not False or "reasoning.encrypted_content" in wanted
    require(asked, expected="reasoning.encrypted_content", observed=wanted)


@check(
    "reason.item_pairing",
    capability="reasoning",
    scenarios=("reasoning_roundtrip*",),
    protocols=("*-responses",),
    blames="subject",
    source=_RESPONSES,
)
def item_pairing(seen: Observation) -> None:
    """A reasoning item that is sent back MUST stand right before the call it led to."""
    kinds = [str(item.get("type")) for item in _items(seen.sent.json())]
    if "reasoning" not in kinds:
        unjudgeable("no reasoning is sent back")
    after = [kinds[at + 1 : at + 2] for at, kind in enumerate(kinds) if kind == "reasoning"]
    led = all(each in (["function_call"], ["reasoning"]) for each in after)
    require(led, expected="reasoning, function_call", observed=kinds)


def _items(body: Any) -> list[dict[str, Any]]:
    items = body.get("input")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


@check(
    "reason.must_strip",
    capability="requests",
    scenarios=("history_reasoning*",),
    blames="subject",
    source=_ANTHROPIC,
)
def must_strip(seen: Observation) -> None:
    """Another vendor's signature MUST NOT be sent."""
    foreign = [
        part.signature
        for message in seen.call.messages
        for part in message.parts
        if isinstance(part, Reasoning) and part.signature and message.provider != seen.provider
    ]
    leaked = [each for each in foreign if each.encode("utf-8", "surrogatepass") in seen.sent.content]
    require(bool(foreign) and not leaked, expected="no foreign signature", observed=leaked)


@check(
    "reason.must_replay",
    capability="reasoning",
    scenarios=("reasoning_roundtrip*",),
    protocols=("openai-completions",),
    blames="subject",
    source=_ALIKE,
)
def must_replay(seen: Observation) -> None:
    """Reasoning MUST be sent back where the endpoint declares a field for it, and MUST NOT be elsewhere."""
    field = getattr(seen.endpoint.deviations, "replay_reasoning", "none")
    thought = [p.text for m in seen.call.messages for p in m.parts if isinstance(p, Reasoning) and p.text]
    if not thought:
        unjudgeable("the provider does not show its reasoning")
    sent = all(text.encode("utf-8", "surrogatepass") in seen.sent.content for text in thought)
    require(sent == (field != "none"), expected=f"replay in {field}", observed=f"sent: {sent}")
