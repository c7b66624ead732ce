"""A schema nested without end is judged all the same: no judge stumbles, and strict ones refuse it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from harness.emulators import EMULATORS
from harness.emulators.judging import DEEPEST
from providers.call import Call, Structured, Tool, user
from providers.errors import UnsupportedFeature
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint

LEVELS = 450  # of two each; JSON of a thousand is no JSON to us
PLAIN = {
    "type": "object",
    "properties": {"probe": {"type": "string", "description": "wirecheck_probe"}},
    "required": ["probe"],
    "additionalProperties": False,
}
ASKED = Call(model="claude-sonnet-4-5", messages=(user("hi"),), max_output_tokens=9, stream=True)
CALLS = {
    "tool": replace(ASKED, tools=(Tool("f", "F.", PLAIN),)),
    "strict tool": replace(ASKED, tools=(Tool("f", "F.", PLAIN, strict=True),)),
    "structured": replace(ASKED, structured=Structured("f", PLAIN, strict=True)),
}
OPENED = b'{"type":"object","required":["a"],"additionalProperties":false,"properties":{"a":'
# The protocols whose judges look into schemas, and the rule of one that is too deep.
REFUSED = {
    ("anthropic-messages", "strict tool"): "schema.depth",
    ("openai-completions", "strict tool"): "schema_depth",
    ("openai-completions", "structured"): "schema_depth",
    ("openai-responses", "strict tool"): "schema.depth",
    ("openai-responses", "structured"): "schema.depth",
}


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("protocol", sorted(EMULATORS))
def test_no_judge_stumbles_over_depth(protocol: str, kind: str) -> None:
    """A schema of many levels is judged, and refused where the judge looks into it."""
    endpoint = Endpoint(
        provider="acme",
        protocol=protocol,
        base_url="https://acme.test",
        deviations=PROTOCOLS[protocol].deviations(),
    )
    try:
        sent = PROTOCOLS[protocol].build(CALLS[kind], endpoint)
    except UnsupportedFeature as refusal:
        pytest.skip(str(refusal))
    start = sent.content.find(b"wirecheck_probe")
    opened, closed = sent.content.rfind(b"{", 0, start), sent.content.find(b"}", start) + 1
    held = OPENED * LEVELS + sent.content[opened:closed] + b"}}" * LEVELS
    deep = replace(sent, content=sent.content[:opened] + held + sent.content[closed:])
    found = EMULATORS[protocol].judge(deep, endpoint)
    rule = REFUSED.get((protocol, kind))
    if rule is not None:
        [told] = [each for each in found if each.rule == rule]
        assert (told.expected.split()[-2], told.seen) == (str(DEEPEST), "more")


def test_googles_own_schemas_are_bounded() -> None:
    """A schema in Google's subset of OpenAPI is read and judged, and refused where it is too deep."""
    endpoint = Endpoint(
        provider="acme",
        protocol="google-generative-ai",
        base_url="https://acme.test",
        deviations=PROTOCOLS["google-generative-ai"].deviations(),
    )
    sent = PROTOCOLS[endpoint.protocol].build(ASKED, endpoint)
    schema = b'{"type":"OBJECT","properties":{"a":' * 200 + b'{"type":"STRING"}' + b"}}" * 200
    tools = b'"tools":[{"functionDeclarations":[{"name":"f","description":"F.","parameters":%s}]}]' % schema
    deep = replace(sent, content=sent.content[:-1] + b"," + tools + b"}")
    [told] = EMULATORS[endpoint.protocol].judge(deep, endpoint)
    assert (told.rule.split("'")[0], told.seen) == (
        "Message too deep. Max recursion depth reached for key ",
        "more",
    )
