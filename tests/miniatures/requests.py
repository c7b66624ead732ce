"""Clients that send other requests than they should."""

from __future__ import annotations

from msgspec.structs import replace

from harness.observation import Observation
from providers.wire import Headers
from tests.miniatures.bench import CHAT, GEMINI, breaks, sending, spoken, without


def with_headers(seen: Observation, headers: Headers) -> Observation:
    """What a client would have sent with these header fields."""
    return replace(seen, sent=replace(seen.sent, headers=headers))


@breaks("wire.body_matched")
def asks_something_else() -> Observation:
    """A client that asks something else than it was told to."""
    return sending(spoken("text"), b"three words", b"two words")


@breaks("wire.golden")
def spaces_its_json() -> Observation:
    """A client that writes the same body in other bytes."""
    return sending(spoken("text"), b'{"model":', b'{ "model":')


@breaks("wire.schema")
def misspells_fields() -> Observation:
    """A client that misspells a field of the reference."""
    return sending(spoken("text"), b'"messages":', b'"message":')


@breaks("wire.path_method")
def doubles_the_version() -> Observation:
    """A client that joins a base URL and a path which both have the version."""
    seen = spoken("text")
    return replace(seen, sent=replace(seen.sent, url=seen.sent.url.replace("/v1/", "/v1/v1/")))


@breaks("wire.path_method")
def gets() -> Observation:
    """A client that asks with GET."""
    seen = spoken("text", GEMINI)
    return replace(seen, sent=replace(seen.sent, method="GET"))


@breaks("wire.required_headers")
def tells_no_media_type() -> Observation:
    """A client that sends no media type."""
    return with_headers(spoken("text"), ())


@breaks("wire.no_phantom_params")
def stores_answers() -> Observation:
    """A client that has answers stored though nobody asked for it."""
    return sending(spoken("text"), b'{"model":', b'{"store":true,"model":')


@breaks("wire.settings_reach")
def drops_settings() -> Observation:
    """A client that drops the temperature."""
    return without(spoken("settings"), "temperature")


@breaks("wire.temperature_omitted")
def has_a_default() -> Observation:
    """A client that sends a temperature of its own."""
    return sending(spoken("text"), b'{"model":', b'{"temperature":1,"model":')


@breaks("wire.max_tokens_param")
def sends_both_names() -> Observation:
    """A client that sends the limit under both names."""
    return sending(spoken("text"), b'{"model":', b'{"max_output_tokens":256,"model":')


@breaks("wire.extra_body")
def drops_what_it_does_not_know() -> Observation:
    """A client that drops body fields it does not know."""
    return without(spoken("extras"), "wirecheck_probe")


@breaks("wire.extra_headers")
def drops_headers() -> Observation:
    """A client that drops header fields it does not know."""
    seen = spoken("extras")
    return with_headers(seen, tuple(pair for pair in seen.sent.headers if "probe" not in pair[0].lower()))


@breaks("auth.header")
def sends_the_key_elsewhere() -> Observation:
    """A client that sends the key in another field than the endpoint declares."""
    seen = spoken("text", CHAT)
    moved = (
        ("X-Key" if name.lower() == "authorization" else name, value) for name, value in seen.sent.headers
    )
    return with_headers(seen, tuple(moved))


@breaks("wire.stream_asked")
def forgets_to_stream() -> Observation:
    """A client that asks for a whole answer in place of a stream."""
    return without(spoken("text_stream"), "stream")
