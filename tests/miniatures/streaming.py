"""Providers that stream badly, and clients that add a sound stream up badly."""

from __future__ import annotations

import re

from msgspec.structs import replace

from harness.observation import Observation
from providers.call import Text
from tests.miniatures.bench import CHAT, EVENT_STREAM, GEMINI, MESSAGES, answered, breaks, spoken, told

_WHO = '"id":"c1","object":"chat.completion.chunk","created":1,"model":"miniature-1"'


def chunk(delta: str, finish: str = "null", who: str = _WHO, index: int = 0) -> bytes:
    """A chat completion chunk with one choice."""
    choice = f'{{"index":{index},"delta":{delta},"finish_reason":{finish}}}'
    return f'data: {{{who},"choices":[{choice}]}}\n\n'.encode()


FIRST = chunk('{"role":"assistant","content":""}')
WORDS = chunk('{"content":"Hello"}')
LAST = chunk("{}", '"stop"')
DONE = b"data: [DONE]\n\n"


def event(data: str) -> bytes:
    """An event of the Messages API."""
    kind = data.split('"')[3]
    return f"event: {kind}\ndata: {data}\n\n".encode()


MESSAGE_START = event(
    '{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m",'
    '"content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}}'
)
MESSAGE_END = event(
    '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}'
) + event('{"type":"message_stop"}')


def block(index: int, text: str, *, stop: bool = True) -> bytes:
    """A text block of the Messages API."""
    begun = event(
        f'{{"type":"content_block_start","index":{index},"content_block":{{"type":"text","text":""}}}}'
    )
    said = event(
        f'{{"type":"content_block_delta","index":{index},"delta":{{"type":"text_delta","text":"{text}"}}}}'
    )
    return begun + said + (event(f'{{"type":"content_block_stop","index":{index}}}') if stop else b"")


@breaks("http.stream_content_type")
def streams_as_text() -> Observation:
    """A provider whose event stream calls itself plain text."""
    return answered(FIRST + WORDS + LAST + DONE, headers=(("content-type", "text/plain"),))


@breaks("http.stream_content_type")
def answers_without_media_type() -> Observation:
    """A provider that sends no media type with a whole answer."""
    return replace(spoken("text"), exchange=replace(spoken("text").exchange, headers=()))


@breaks("stream.frame_grammar")
def prefixes_nothing() -> Observation:
    """A provider that writes JSON lines into an event stream."""
    return answered(FIRST + b'{"choices":[]}\n\n' + LAST + DONE)


@breaks("stream.frame_grammar")
def writes_latin_1() -> Observation:
    """A provider that writes its words in Latin-1."""
    return answered(FIRST + "data: é\n\n".encode("latin-1") + LAST + DONE)


@breaks("stream.order")
def speaks_after_the_finish() -> Observation:
    """A provider that goes on talking after the finish reason."""
    return answered(FIRST + WORDS + LAST + WORDS + DONE)


@breaks("stream.order")
def never_closes_a_block() -> Observation:
    """A provider that ends the message while a content block is open."""
    return answered(MESSAGE_START + block(0, "Hello", stop=False) + MESSAGE_END, protocol=MESSAGES)


@breaks("stream.order")
def says_done_to_gemini() -> Observation:
    """A provider that ends a Gemini stream with [DONE]."""
    plain = spoken("text_stream", GEMINI)
    return answered(plain.exchange.content + DONE, protocol=GEMINI)


@breaks("stream.order")
def mixes_in_plain_words() -> Observation:
    """A provider that writes a frame which is no JSON."""
    return answered(FIRST + b"data: hold on\n\n" + LAST + DONE)


@breaks("stream.first_event")
def begins_with_a_block() -> Observation:
    """A provider that begins with a content block instead of message_start."""
    return answered(block(0, "Hello") + MESSAGE_END, protocol=MESSAGES)


@breaks("stream.first_event")
def never_names_its_role() -> Observation:
    """A provider whose first delta has no role."""
    return answered(WORDS + LAST + DONE)


@breaks("stream.terminal")
def hangs_up() -> Observation:
    """A provider that hangs up after its words."""
    return answered(FIRST + WORDS)


@breaks("stream.order")
def gives_no_finish_reason() -> Observation:
    """A provider that ends with [DONE] and no finish reason."""
    return answered(FIRST + WORDS + DONE)


@breaks("stream.terminal")
def never_stops_the_message() -> Observation:
    """A provider that closes its blocks and leaves the end of the message out."""
    return answered(MESSAGE_START + block(0, "Hello"), protocol=MESSAGES)


@breaks("stream.done_sentinel")
def leaves_done_out() -> Observation:
    """A provider that ends chat completions without [DONE]."""
    return answered(FIRST + WORDS + LAST)


@breaks("stream.done_sentinel")
def says_done_to_messages() -> Observation:
    """A provider that ends a stream of the Messages API with [DONE]."""
    return answered(MESSAGE_START + block(0, "Hello") + MESSAGE_END + DONE, protocol=MESSAGES)


@breaks("stream.ids_stable")
def changes_its_id() -> Observation:
    """A provider that gives each chunk an id of its own."""
    other = chunk('{"content":"Hello"}', who=_WHO.replace("c1", "c2"))
    return answered(FIRST + other + LAST + DONE)


@breaks("stream.block_index")
def counts_from_one() -> Observation:
    """A provider that numbers content blocks from 1."""
    return answered(MESSAGE_START + block(1, "Hello") + MESSAGE_END, protocol=MESSAGES)


@breaks("stream.role_first")
def repeats_its_role() -> Observation:
    """A provider that says its role in every delta."""
    return answered(FIRST + chunk('{"role":"assistant","content":"Hello"}') + LAST + DONE)


@breaks("stream.call_named_once")
def repeats_the_name() -> Observation:
    """A provider that says a call's name in every delta."""
    call = '{"index":0,"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"@"}}'
    pieces = (chunk(f'{{"tool_calls":[{call.replace("@", piece)}]}}') for piece in "{}")
    return answered(FIRST + b"".join(pieces) + LAST + DONE, scenario="tool_call_stream")


@breaks("stream.accumulate")
def doubles_the_words() -> Observation:
    """A client that takes cumulative text for deltas, and says everything twice."""
    plain = spoken("text_stream", CHAT)
    return told(plain, parts=(Text((plain.turn.text or "") * 2),))


@breaks("stream.accumulate")
def drops_the_calls() -> Observation:
    """A client that loses tool calls when it streams."""
    return told(spoken("tool_call_stream"), parts=())


@breaks("stream.parity")
def forgets_the_usage() -> Observation:
    """A client that reads token counts from whole answers only."""
    return told(spoken("text_stream"), usage=None)


@breaks("stream.error_before_start")
def refuses_in_a_stream() -> Observation:
    """A provider that answers 429 with an event stream."""
    return answered(
        b'data: {"error":{"message":"slow down","type":"rate_limit"}}\n\n',
        scenario="error_429_rate_limit_stream",
        status=429,
        headers=EVENT_STREAM,
    )


def answering_with(seen: Observation, content: bytes) -> Observation:
    """What a provider would have answered instead of ``seen``."""
    return answered(content, scenario=seen.scenario, protocol=seen.protocol, headers=seen.exchange.headers)


@breaks("stream.sequence")
def numbers_no_events() -> Observation:
    """A provider that does not number the events of a response."""
    seen = spoken("text_stream", "openai-responses")
    return answering_with(seen, seen.exchange.content.replace(b'"sequence_number":', b'"number":'))


@breaks("stream.sequence")
def numbers_all_alike() -> Observation:
    """A provider that gives every event the same number."""
    seen = spoken("text_stream", "openai-responses")
    alike = re.sub(rb'"sequence_number":\d+', b'"sequence_number":1', seen.exchange.content)
    return answering_with(seen, alike)


@breaks("stream.aws_eventstream")
def sums_messages_wrongly() -> Observation:
    """A provider whose last message has another checksum."""
    seen = spoken("text_stream", "bedrock-converse")
    content = seen.exchange.content
    return answering_with(seen, content[:-1] + bytes([content[-1] ^ 1]))


@breaks("stream.aws_eventstream")
def sums_preludes_wrongly() -> Observation:
    """A provider whose first prelude has another checksum."""
    seen = spoken("text_stream", "bedrock-converse")
    content = seen.exchange.content
    return answering_with(seen, content[:11] + bytes([content[11] ^ 1]) + content[12:])


@breaks("stream.aws_eventstream")
def ends_inside_a_message() -> Observation:
    """A provider whose last message is shorter than it says."""
    seen = spoken("text_stream", "bedrock-converse")
    return answering_with(seen, seen.exchange.content[:-5])


@breaks("stream.ndjson")
def breaks_lines() -> Observation:
    """A provider that breaks a JSON object into two lines."""
    seen = spoken("text_stream", "ollama-chat")
    return answering_with(seen, seen.exchange.content.replace(b'"message":', b'"message":\n', 1))


@breaks("stream.ndjson")
def does_not_end_its_last_line() -> Observation:
    """A provider that does not end its last line."""
    seen = spoken("text_stream", "ollama-chat")
    return answering_with(seen, seen.exchange.content.rstrip())
