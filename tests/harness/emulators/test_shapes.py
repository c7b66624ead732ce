"""The shapes of what the emulators speak are those of real traffic, but for a list with reasons.

A shape is a JSON path: ``whole`` or the event's kind, then the keys, with ``[]`` for the items of a list.
Real are the recordings that are kept as they came (``http-raw``) and answered with 200, of the protocol's
every vendor; spoken is what the emulator says in every scenario, with the deviations of the vendor whose
protocol it is.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from harness.emulators import EMULATORS
from harness.observation import frames_of
from harness.scenarios import SCENARIOS
from harness.verify import as_exchange
from providers import jsontext, schema
from providers.call import Message
from providers.errors import MalformedFrame
from providers.events import Turn
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Frame

RECORDINGS = Path(__file__).parents[4] / "shared" / "recordings"
# JSON of a model's, a tool's or a vendor's own making.
FREE = {"args", "arguments", "input", "parameters", "schema", "metadata"}


# The vendor of a protocol whose defaults are those of most servers, where its own differ.
VENDORS = {"openai-completions": "openai"}


def endpoint_of(protocol: str) -> Endpoint:
    """An endpoint with the deviations of the protocol's own vendor."""
    if protocol in VENDORS:
        return schema.get(VENDORS[protocol]).endpoint(protocol)
    return Endpoint(
        provider="shapes",
        protocol=protocol,
        base_url="https://shapes.example",
        deviations=PROTOCOLS[protocol].deviations(),
    )


def value_of(frame: Frame) -> Any:
    """The JSON in a frame, out of its base64 where there is one; None for a frame that is no JSON."""
    try:
        value = jsontext.parse(frame.data)
        if frame.event == "chunk" and isinstance(value, dict):
            return jsontext.parse(base64.b64decode(value["bytes"]))
    except MalformedFrame:
        return None
    return value


def shapes_of(frames: tuple[Frame, ...], *, streamed: bool) -> Iterator[str]:
    """The paths of each frame, below its kind."""
    for frame in frames:
        value = value_of(frame)
        if isinstance(value, dict):
            kind = value.get("type") or value.get("event_type") or frame.event or "chunk"
            place = str(kind) if streamed else "whole"
            yield place
            yield from paths(value, place)


def paths(value: Any, place: str) -> Iterator[str]:
    """The path of every key below ``place``; free JSON is left alone."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{place}.{key}"
            if key not in FREE:
                yield from paths(inner, f"{place}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from paths(item, f"{place}[]")


@cache
def real(protocol: str) -> frozenset[str]:
    """The shapes of the recordings of a protocol; empty where there is none kept as it came."""
    found: set[str] = set()
    for listed in json.loads((RECORDINGS / "index.json").read_text("utf-8")):
        if (listed["api"], listed["fidelity"], listed["status"]) != (protocol, "http-raw", 200):
            continue
        recording = json.loads((RECORDINGS / listed["file"]).read_text("utf-8"))
        streamed = bool(recording["streaming"])
        frames = frames_of(as_exchange(recording), endpoint_of(protocol), streamed=streamed)
        found.update(shapes_of(frames, streamed=streamed))
    return frozenset(found)


def spoken(protocol: str) -> set[str]:
    """The shapes of what the emulator says in all scenarios that the protocol takes part in."""
    found: set[str] = set()
    endpoint = endpoint_of(protocol)
    for scenario in SCENARIOS.values():
        if not any(fnmatchcase(protocol, glob) for glob in scenario.protocols):
            continue
        answers: tuple[Message, ...] = ()
        for number, step in enumerate(scenario.steps):
            if not isinstance(step.reply, Turn):
                continue
            call = scenario.call(number, "shape-1", answers)
            reply = replace(step.reply, model=call.model)
            answers += (reply.message(provider="shapes", protocol=protocol, model=call.model),)
            said = EMULATORS[protocol].speak(reply, call, endpoint)
            row = PROTOCOLS[protocol]
            framing = row.framing(call.stream, endpoint.deviations)
            frames = (*framing.feed(said.content), *framing.finish())
            found.update(shapes_of(frames, streamed=call.stream))
    return found


GUARDRAIL = "only with a guardrail"
HOSTED = "of a tool that the provider runs itself, which no scenario asks for"
GATEWAY = "of a gateway or another vendor, which has deviations of its own"
SOMETIMES = "the vendor sends it to some accounts or models only; our emulator leaves it out"
UNASKED = "answers a request field that no scenario sends"
REPEATED = "repeats another count under another name"
FAMILY = "another model family's body; the emulator speaks Claude's"
FEW = "documented; the few recordings kept as they came have no such turn or count"
OLD = "the schema before May 2026, the only one recorded as it came; a deviation of the emulator speaks it"
NEW = "the schema since May 2026, of which no recording is kept as it came"

# By protocol: paths with all below them (``*`` is any text) that are real and not spoken, and why.
UNSPOKEN: dict[str, dict[str, str]] = {
    "anthropic-messages": {
        "content_block_delta.delta.citation": UNASKED,
        "content_block_delta.delta.content": UNASKED,
        "content_block_start.content_block.caller": HOSTED,
        "content_block_start.content_block.citations": UNASKED,
        "content_block_start.content_block.content": HOSTED,
        "content_block_start.content_block.is_error": HOSTED,
        "content_block_start.content_block.server_name": HOSTED,
        "content_block_start.content_block.tool_use_id": HOSTED,
        "message_delta.context_management": UNASKED,
        "message_delta.delta.container": HOSTED,
        "message_*.stop_details": "null or a refusal's; null is left out, as older models do",
        "message_delta.usage.iterations": "counts of compaction and fallback",
        "message_delta.usage.server_tool_use": HOSTED,
    },
    "bedrock-converse": {
        "contentBlockDelta.delta.reasoningContent.redactedContent": "no scenario's reasoning is redacted",
        "*.trace": GUARDRAIL,
        "*.usage.serverToolUsage": HOSTED,
        "whole.usage.cache*TokenCount": REPEATED,
        "whole.usage.cacheWriteInputTokens": "no scenario writes a cache",
    },
    "bedrock-invoke": {
        "chunk": FAMILY,
        "whole.amazon-bedrock-*": GUARDRAIL,
        "whole.choices": FAMILY,
        "whole.completion": FAMILY,
        "whole.completions": FAMILY,
        "whole.created": FAMILY,
        "whole.generation": FAMILY,
        "whole.generation_token_count": FAMILY,
        "whole.inputTextTokenCount": FAMILY,
        "whole.object": FAMILY,
        "whole.output": FAMILY,
        "whole.prompt": FAMILY,
        "whole.prompt_token_count": FAMILY,
        "whole.results": FAMILY,
        "whole.stop": FAMILY,
        "whole.stopReason": FAMILY,
        "whole.system_fingerprint": FAMILY,
        "whole.usage.cache*TokenCount": FAMILY,
        "whole.usage.completion_tokens": FAMILY,
        "whole.usage.*Tokens": FAMILY,
        "whole.usage.prompt_tokens": FAMILY,
        "whole.usage.total_tokens": FAMILY,
    },
    "cohere-chat": {"tool-plan-delta": "a plan is words beside the calls; no scenario has one"},
    "google-generative-ai": {
        "chunk.candidates[].content.parts[].executableCode": HOSTED,
        "chunk.candidates[].content.parts[].functionCall.id": "a deviation, which models differ in",
        "chunk.candidates[].content.parts[].toolCall": HOSTED,
        "chunk.candidates[].content.parts[].toolResponse": HOSTED,
        "*.candidates[].groundingMetadata": HOSTED,
        "whole.candidates[].urlContextMetadata": HOSTED,
        "*.usageMetadata.candidatesTokensDetails": SOMETIMES,
        "*.usageMetadata.serviceTier": SOMETIMES,
        "*.usageMetadata.toolUsePromptToken*": HOSTED,
    },
    "google-interactions": {
        "content.*": OLD,
        "interaction.start": OLD,
        "interaction.complete": OLD,
    },
    "google-vertex": {"*.usageMetadata.candidatesTokensDetails": SOMETIMES},
    "mistral-chat": {"chunk.p": "padding of random length"},
    "openai-completions": {
        "chunk.choices[].content_filter_results": GATEWAY,
        "chunk.choices[].delta.channel": GATEWAY,
        "*.graph_data": GATEWAY,
        "*.image_data": GATEWAY,
        "*.llm_data": GATEWAY,
        "*.translation_data": GATEWAY,
        "*.web_search_data": GATEWAY,
        "chunk.choices[].delta.reasoning*": GATEWAY,
        "chunk.choices[].message": GATEWAY,
        "chunk.choices[].native_finish_reason": GATEWAY,
        "*.choices[].stop_reason": GATEWAY,
        "chunk.choices[].token_ids": GATEWAY,
        "*.choices[].trace_details": GATEWAY,
        "chunk.error": "an error inside a stream, which is a fault's to make",
        "error": "an error inside a stream, which is a fault's to make",
        "chunk.moderation": SOMETIMES,
        "chunk.obfuscation": "padding of random length",
        "*.prompt_filter_results": GATEWAY,
        "chunk.prompt_text": GATEWAY,
        "chunk.prompt_token_ids": GATEWAY,
        "chunk.provider": GATEWAY,
        "*.usage.completion_tokens_details.image_tokens": GATEWAY,
        "*.usage.*_time": GATEWAY,
        "*.usage.cost": GATEWAY,
        "*.usage.cost_details": GATEWAY,
        "*.usage.is_byok": GATEWAY,
        "*.usage.prompt_cache_*_tokens": GATEWAY,
        "*.usage.*_token_details": GATEWAY,
        "*.usage.prompt_tokens_details.cache_write_tokens": SOMETIMES,
        "*.usage.prompt_tokens_details.video_tokens": GATEWAY,
        "*.usage.server_tool_use_details": GATEWAY,
        "chunk.x_groq": GATEWAY,
        "whole.choices[].content_filter_results": GATEWAY,
        "whole.choices[].message.function_call": "the old form of tool calls, null since",
        "whole.prompt": GATEWAY,
    },
    "openai-responses": {
        "response.code_interpreter_call*": HOSTED,
        "response.mcp_*": HOSTED,
        "response.web_search_call*": HOSTED,
        "response.queued": "only of a response in the background",
        "response.reasoning_text.*": "of models whose reasoning is open",
        "*.content_filters": GATEWAY,
        "*.moderation.*": UNASKED,
        "*.billing": SOMETIMES,
        "*.output_text": GATEWAY,
        "*.reasoning.context": SOMETIMES,
        "*.reasoning.generate_summary": "the old name of summary",
        "*.reasoning.mode": SOMETIMES,
        "*.tool_usage": HOSTED,
        "*.usage.cost": GATEWAY,
        "*.usage.cost_details": GATEWAY,
        "*.usage.is_byok": GATEWAY,
        "*.usage.input_tokens_details.cache_write_tokens": SOMETIMES,
        "*.logprobs[]": UNASKED,
        "*.tools[]": "the request's tools come back; our emulator says there are none",
        "whole.text.format.*": "the request's schema comes back; our emulator says plain text",
        "whole.output[].content[].annotations[]": HOSTED,
        "*.phase": SOMETIMES,
        "*.namespace": SOMETIMES,
        "*.execution": HOSTED,
        "*.action": HOSTED,
        "*.code": HOSTED,
        "*.container_id": HOSTED,
        "*.outputs": HOSTED,
        "*.server_label": HOSTED,
        "*.item.tools": HOSTED,
        "*.output[].tools": HOSTED,
    },
    "cohere-chat-v1": {"*.meta.warnings": "of deprecated fields, which we do not send"},
    "openai-text-completions": {
        "*.choices[].stop_reason": GATEWAY,
        "chunk.value": GATEWAY,
        "whole.prompt": GATEWAY,
    },
    "watsonx-generation": {"*.system": SOMETIMES},
}
# The same for what is spoken and was not seen.
UNSEEN: dict[str, dict[str, str]] = {
    "anthropic-messages": {
        "whole.usage.cache_creation": FEW,
        "whole.usage.inference_geo": FEW,
        "whole.usage.output_tokens_details": FEW,
    },
    "bedrock-converse": {
        "metadata.usage.cacheReadInputTokens": FEW,
        "whole.output.message.content[].reasoningContent.reasoningText.signature": FEW,
        "whole.output.message.content[].toolUse": FEW,
    },
    "bedrock-invoke": {
        "content_block_delta.delta.signature": FEW,
        "content_block_delta.delta.thinking": FEW,
        "content_block_start.content_block.signature": FEW,
        "content_block_start.content_block.thinking": FEW,
        "message_delta.usage.*": "of newer models than those recorded",
        "message_start.message.usage.*": "of newer models than those recorded",
        "whole.content[].*": FEW,
        "whole.usage.cache_creation": "of newer models than those recorded",
        "whole.usage.inference_geo": "of newer models than those recorded",
        "whole.usage.output_tokens_details": "of newer models than those recorded",
        "whole.usage.service_tier": "of newer models than those recorded",
    },
    "cohere-chat": {
        "content-*.delta.message.content.thinking": FEW,
        "whole.message.content[].thinking": FEW,
        "whole.message.tool_calls": FEW,
    },
    "google-generative-ai": {
        "*.usageMetadata.cachedContentTokenCount": FEW,
        "whole.candidates[].content.parts[].*": "one whole answer is kept as it came, of words only",
    },
    "google-interactions": {
        "interaction.created": NEW,
        "interaction.completed": NEW,
        "step.*": NEW,
        "whole": NEW,
    },
    "google-vertex": {
        "chunk.candidates[].content.parts[].functionCall": FEW,
        "chunk.candidates[].content.parts[].thought*": FEW,
        "chunk.usageMetadata.*": FEW,
        "whole": "no whole answer is kept as it came",
    },
    "mistral-chat": {
        "chunk.choices[].delta.content[].*": FEW,
        "chunk.choices[].delta.tool_calls": FEW,
        "chunk.usage.completion_tokens_details": FEW,
        "chunk.usage.prompt_tokens_details": "in a whole answer; no stream that is kept has cached tokens",
        "whole.choices[].message.content[].*": FEW,
        "whole.choices[].message.tool_calls[].*": FEW,
        "whole.usage.completion_tokens_details": FEW,
    },
    "ollama-chat": {"*.message.thinking": FEW, "*.message.tool_calls": FEW},
    "openai-responses": {
        "response.incomplete": FEW,
        "whole.incomplete_details.reason": FEW,
    },
    "cohere-chat-v1": {"*.tool_calls": FEW, "tool-calls-generation": FEW},
    "ollama-generate": {"*.thinking": FEW},
    "openai-text-completions": {
        "chunk.usage.*": FEW,
        "whole.usage.*_details": FEW,
    },
}


def covers(glob: str, path: str) -> bool:
    """Whether ``glob`` names the path or one above it."""
    pattern = glob.replace("[", "[[]")
    return any(fnmatchcase(path, pattern + below) for below in ("", ".*", "[[]*"))


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the shared recordings are not here")
@pytest.mark.parametrize("protocol", sorted(EMULATORS))
def test_the_shapes_are_those_of_real_traffic(protocol: str) -> None:
    """Each difference from real traffic, either way, is listed with a reason, and each listed one exists."""
    theirs, ours = real(protocol), spoken(protocol)
    if not theirs:
        pytest.skip(f"no recording of {protocol} is kept as it came")
    for listed, found in ((UNSPOKEN, theirs - ours), (UNSEEN, ours - theirs)):
        globs = listed.get(protocol, {})
        assert sorted(path for path in found if not any(covers(glob, path) for glob in globs)) == []
        assert [glob for glob in globs if not any(covers(glob, path) for path in found)] == []


def test_a_glob_covers_what_is_below_it() -> None:
    """A listed path stands for its keys and items, and for no longer name."""
    assert covers("whole.a[].b", "whole.a[].b.c")
    assert covers("*.tools[]", "x.tools[]")
    assert covers("x.tools", "x.tools[].a")
    assert not covers("whole.a", "whole.ab")
