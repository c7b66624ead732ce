"""Amazon Bedrock's Converse: what is sent, and what is made of the answers."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from providers import credentials, schema
from providers.call import (
    Call,
    Document,
    Effort,
    Image,
    Message,
    Named,
    Opaque,
    Reasoning,
    Structured,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    tool_results,
    user,
)
from providers.errors import (
    AuthenticationFailed,
    ContextOverflow,
    EventOrderError,
    FramingError,
    InvalidRequest,
    MalformedFrame,
    NotFound,
    Overloaded,
    ProviderError,
    RateLimited,
    RemoteError,
    ServerError,
    TruncatedStream,
    UnsupportedFeature,
)
from providers.events import Assembler, Drift, Event, Start, Turn
from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.protocols.bedrock_converse import PROTOCOL, Deviations, build, error, profiles
from providers.wire import Endpoint, Frame, Request, header
from tests import strategies
from tests.strategies import aws_message

HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
SONNET_3_7 = "anthropic.claude-3-7-sonnet-20250219-v1:0"
NOVA = "amazon.nova-lite-v1:0"
HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"
ENDPOINT = Endpoint(
    provider="amazon-bedrock", protocol="bedrock-converse", base_url=HOST, deviations=Deviations()
)
WEATHER = Tool("weather", "Tells it.", {"type": "object", "properties": {"city": {"type": "string"}}})
PIXEL = base64.b64encode(b"\x89PNG pixel").decode()
USED = ToolCall("weather", {"city": "Oslo"}, id="t1", arguments_raw='{"city":"Oslo"}')
_SERVICE = Session().get_service_model("bedrock-runtime")


def asked(*messages: Message, model: str = NOVA, **more: Any) -> Request:
    """The request of a call."""
    return build(Call(model=model, messages=messages or (user("Hi"),), **more), ENDPOINT)


def body(*messages: Message, model: str = NOVA, **more: Any) -> dict[str, Any]:
    """Its body."""
    value: dict[str, Any] = asked(*messages, model=model, **more).json()
    return value


def said(*parts: Any, **more: Any) -> Message:
    """An assistant message of this very endpoint."""
    return Message("assistant", parts, provider="amazon-bedrock", protocol="bedrock-converse", **more)


def accepted(sent: dict[str, Any], stream: bool = False) -> str:
    """What botocore's validator says of a body; empty when it is valid."""
    operation = _SERVICE.operation_model("ConverseStream" if stream else "Converse")
    report: str = ParamValidator().validate({**sent, "modelId": "m"}, operation.input_shape).generate_report()
    return report


# ---------------------------------------------------------------- requests


@pytest.mark.parametrize(
    ("parts", "more", "thinks"),
    [
        ((Reasoning("Hm.", "sig"), USED), {}, False),
        ((Reasoning("Hm.", "sig"), USED), {"model": HAIKU}, True),
        ((USED, Reasoning("Hm.", "sig")), {"model": HAIKU}, False),
    ],
    ids=["foreign", "own", "own behind"],
)
def test_a_turn_goes_on_as_it_began(parts: Any, more: Any, thinks: bool) -> None:
    """Claude is not asked to think by a budget in a turn that did not begin with reasoning."""
    result = tool_results(ToolResult("t1", "weather", (Text("rain"),)))
    history = user("x"), said(*parts, **more), result
    thinking = {"thinking": Thinking("medium"), "max_output_tokens": 9000}
    sent = body(*history, model=HAIKU, **thinking)
    assert ("additionalModelRequestFields" in sent) is thinks
    assert sum("reasoningContent" in block for block in sent["messages"][1]["content"]) == thinks
    assert "additionalModelRequestFields" in body(*history, user("y"), model=HAIKU, **thinking)


def test_the_least_has_nothing_unset() -> None:
    """A call that sets nothing sends its messages and nothing else."""
    request = asked()
    assert request.json() == {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
    assert request.url == f"{HOST}/model/amazon.nova-lite-v1%3A0/converse"
    assert request.headers == (("content-type", "application/json"), ("accept", "application/json"))


def test_a_stream_is_another_path() -> None:
    """Streaming is asked for in the path, and the body does not change."""
    request = asked(stream=True)
    assert request.url.endswith("/converse-stream")
    assert header(request.headers, "accept") == "application/vnd.amazon.eventstream"
    assert request.json() == body()


def test_settings_have_their_places() -> None:
    """Limit, sampling, stop texts, system prompt, user and extras are named as the reference names them."""
    sent = body(
        system="Be short.",
        max_output_tokens=64,
        temperature=0.5,
        top_p=0.9,
        stop=("END",),
        user="u-1",
        extra_body={"serviceTier": {"type": "flex"}},
    )
    assert sent["system"] == [{"text": "Be short."}]
    assert sent["inferenceConfig"] == {
        "maxTokens": 64,
        "temperature": 0.5,
        "topP": 0.9,
        "stopSequences": ["END"],
    }
    assert (sent["requestMetadata"], sent["serviceTier"]) == ({"user": "u-1"}, {"type": "flex"})
    assert accepted(sent) == ""


@pytest.mark.parametrize(
    ("region", "model", "expected"),
    [
        ("us-east-1", HAIKU, f"us.{HAIKU}"),
        ("us-gov-west-1", HAIKU, f"us-gov.{HAIKU}"),
        ("ca-central-1", HAIKU, f"us.{HAIKU}"),
        ("sa-east-1", HAIKU, f"global.{HAIKU}"),
        ("il-central-1", HAIKU, f"global.{HAIKU}"),
        ("cn-north-1", HAIKU, HAIKU),
        ("ca-central-1", SONNET_3_7, SONNET_3_7),
        ("us-gov-west-1", SONNET_3_7, f"us-gov.{SONNET_3_7}"),
        ("ap-northeast-1", "anthropic.claude-sonnet-5", "global.anthropic.claude-sonnet-5"),
        ("ap-northeast-1", "anthropic.claude-opus-5-5", "jp.anthropic.claude-opus-5-5"),
        ("eu-west-1", "anthropic.claude-opus-4-1-20250805-v1:0", "anthropic.claude-opus-4-1-20250805-v1:0"),
        ("eu-central-1", HAIKU, f"eu.{HAIKU}"),
        ("ap-northeast-1", HAIKU, f"jp.{HAIKU}"),
        ("ap-southeast-2", HAIKU, f"au.{HAIKU}"),
        ("ap-south-1", HAIKU, f"global.{HAIKU}"),
        ("ap-northeast-1", SONNET_3_7, f"apac.{SONNET_3_7}"),
        ("ap-southeast-2", SONNET_3_7, f"apac.{SONNET_3_7}"),
        (
            "ap-south-1",
            "anthropic.claude-sonnet-4-20250514-v1:0",
            "apac.anthropic.claude-sonnet-4-20250514-v1:0",
        ),
        ("mx-central-1", HAIKU, f"global.{HAIKU}"),
        ("us-east-1", "deepseek.r1-v1:0", "us.deepseek.r1-v1:0"),
        ("eu-west-1", "deepseek.r1-v1:0", "deepseek.r1-v1:0"),
        ("eu-central-1", "anthropic.claude-v2:1", "anthropic.claude-v2:1"),
        ("us-east-1", "anthropic.claude-instant-v1", "anthropic.claude-instant-v1"),
        ("us-east-1", "deepseek.v3.2", "deepseek.v3.2"),
        ("us-west-2", "meta.llama4-scout-17b-instruct-v1:0", "us.meta.llama4-scout-17b-instruct-v1:0"),
        ("us-east-1", "meta.llama3-3-70b-instruct-v1:0", "us.meta.llama3-3-70b-instruct-v1:0"),
        ("eu-west-1", "meta.llama3-3-70b-instruct-v1:0", "meta.llama3-3-70b-instruct-v1:0"),
        ("ap-south-1", "meta.llama3-3-70b-instruct-v1:0", "meta.llama3-3-70b-instruct-v1:0"),
        ("eu-west-1", "meta.llama3-1-8b-instruct-v1:0", "meta.llama3-1-8b-instruct-v1:0"),
        ("eu-west-1", "meta.llama3-2-3b-instruct-v1:0", "eu.meta.llama3-2-3b-instruct-v1:0"),
        ("eu-west-1", "meta.llama3-2-90b-instruct-v1:0", "meta.llama3-2-90b-instruct-v1:0"),
        ("eu-central-1", "meta.llama4-scout-17b-instruct-v1:0", "meta.llama4-scout-17b-instruct-v1:0"),
        ("us-gov-west-1", "meta.llama3-3-70b-instruct-v1:0", "meta.llama3-3-70b-instruct-v1:0"),
        ("us-east-1", "meta.llama3-70b-instruct-v1:0", "meta.llama3-70b-instruct-v1:0"),
        ("eu-west-3", "mistral.pixtral-large-2502-v1:0", "eu.mistral.pixtral-large-2502-v1:0"),
        ("us-east-1", "amazon.nova-premier-v1:0", "us.amazon.nova-premier-v1:0"),
        ("eu-west-1", "amazon.nova-premier-v1:0", "amazon.nova-premier-v1:0"),
        ("ap-northeast-1", "mistral.pixtral-large-2502-v1:0", "mistral.pixtral-large-2502-v1:0"),
        ("eu-west-1", "writer.palmyra-x5-v1:0", "writer.palmyra-x5-v1:0"),
        ("us-west-2", "writer.palmyra-x5-v1:0", "us.writer.palmyra-x5-v1:0"),
        ("us-west-2", "writer.palmyra-vision-7b", "writer.palmyra-vision-7b"),
        ("ap-northeast-1", "amazon.nova-2-lite-v1:0", "jp.amazon.nova-2-lite-v1:0"),
        ("ap-southeast-2", "amazon.nova-2-lite-v1:0", "global.amazon.nova-2-lite-v1:0"),
        ("ca-central-1", "amazon.nova-2-lite-v1:0", "us.amazon.nova-2-lite-v1:0"),
        ("ca-central-1", "amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"),
        ("il-central-1", "amazon.nova-pro-v1:0", "eu.amazon.nova-pro-v1:0"),
        ("me-central-1", "amazon.nova-pro-v1:0", "apac.amazon.nova-pro-v1:0"),
        ("us-east-1", NOVA, NOVA),
        ("us-gov-west-1", NOVA, NOVA),
        ("eu-west-2", NOVA, NOVA),
        ("eu-west-1", NOVA, f"eu.{NOVA}"),
        ("us-west-2", "amazon.nova-lite-v1:0", "us.amazon.nova-lite-v1:0"),
        ("us-east-2", "amazon.nova-micro-v1:0", "us.amazon.nova-micro-v1:0"),
        ("ap-northeast-1", "amazon.nova-pro-v1:0", "apac.amazon.nova-pro-v1:0"),
        ("ca-central-1", "amazon.nova-lite-v1:0", "ca.amazon.nova-lite-v1:0"),
        ("eu-west-1", "amazon.nova-canvas-v1:0", "amazon.nova-canvas-v1:0"),
        ("us-west-2", "meta.llama3-1-8b-instruct-v1:0", "meta.llama3-1-8b-instruct-v1:0"),
        ("us-east-1", "meta.llama3-1-70b-instruct-v1:0", "us.meta.llama3-1-70b-instruct-v1:0"),
        ("us-east-2", "meta.llama3-1-405b-instruct-v1:0", "us.meta.llama3-1-405b-instruct-v1:0"),
        ("eu-west-1", f"us.{HAIKU}", f"us.{HAIKU}"),
        ("eu-west-1", f"global.{HAIKU}", f"global.{HAIKU}"),
        (
            "eu-west-1",
            "arn:aws:bedrock:us-east-1:1:inference-profile/x",
            "arn:aws:bedrock:us-east-1:1:inference-profile/x",
        ),
        (None, HAIKU, HAIKU),
    ],
)
def test_a_family_is_asked_through_its_profile(region: str | None, model: str, expected: str) -> None:
    """A bare id of a family that needs one gets the region's geography; other ids stay as they are."""
    assert profiles.profile(model, region, Deviations().profile_families) == expected


def test_a_family_of_ones_own_has_the_common_profiles() -> None:
    """A family that only the declaration knows is asked through the region's geography."""
    assert profiles.profile("acme.wise-1", "eu-west-1", ("acme.",)) == "eu.acme.wise-1"
    assert profiles.profile("acme.wise-1", "sa-east-1", ("acme.",)) == "acme.wise-1"


@pytest.mark.parametrize("family", profiles.FAMILIES)
def test_each_family_has_a_profile_where_it_is_asked(family: str) -> None:
    """No profile of another partition is asked for, and each family has one in the United States."""
    model = f"{family}9-v1:0"
    assert profiles.geography(model, "us-east-2") == "us"
    assert profiles.geography(model, "us-gov-west-1") in (None, "us-gov")
    assert profiles.geography(model, "cn-north-1") is None


@pytest.mark.parametrize("geography", profiles.GEOGRAPHIES)
@pytest.mark.parametrize("region", ["us-west-2", "eu-west-1", "ap-northeast-1", "ca-central-1"])
def test_a_told_profile_stays_as_it_is(geography: str, region: str) -> None:
    """An id with a geography is sent unchanged in any region, and known by its bare id."""
    told = f"{geography}.amazon.nova-lite-v1:0"
    assert profiles.profile(told, region, Deviations().profile_families) == told
    assert profiles.bare(told) == "amazon.nova-lite-v1:0"


def test_the_profile_stands_in_the_path() -> None:
    """The path has the profile of the region in the host's name, percent-encoded; another host knows none."""
    assert asked(model=HAIKU).url == f"{HOST}/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse"
    elsewhere = replace(ENDPOINT, base_url="https://proxy.example")
    request = build(Call(model=HAIKU, messages=(user("Hi"),)), elsewhere)
    assert request.url == "https://proxy.example/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/converse"
    arn = "arn:aws:bedrock:us-east-1:1:inference-profile/x"
    assert asked(model=arn).url.endswith(
        "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/converse"
    )


@pytest.mark.parametrize("protocol", ["bedrock-converse", "bedrock-invoke"])
@pytest.mark.parametrize(
    ("address", "region", "expected"),
    [
        ("https://proxy.example/aws", "eu-west-1", "eu."),
        ("https://proxy.example/aws", "", "us."),
        ("https://vpce-0a1b.bedrock-runtime.eu-west-1.vpce.amazonaws.com", "us-east-1", "eu."),
    ],
)
def test_a_told_region_decides_the_profile_at_a_proxy(
    protocol: str, address: str, region: str, expected: str
) -> None:
    """AWS_REGION, or its default, names the profile where the address tells no region."""
    provider = schema.get("amazon-bedrock")
    environ = {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": address, "AWS_REGION": region}
    endpoint = provider.endpoint(protocol, HAIKU, values=credentials.values(provider, environ))
    request = PROTOCOLS[protocol].build(Call(model=HAIKU, messages=(user("Hi"),)), endpoint)
    assert request.url.startswith(f"{address}/model/{expected}anthropic.claude-haiku")
    named = PROTOCOLS[protocol].build(Call(model=f"global.{HAIKU}", messages=(user("Hi"),)), endpoint)
    assert named.url.startswith(f"{address}/model/global.anthropic.claude-haiku")


@pytest.mark.parametrize(
    ("base_url", "model", "region"),
    [
        ("https://vpce-0a1b-2c3d.bedrock-runtime.eu-west-1.vpce.amazonaws.com", NOVA, "eu-west-1"),
        (HOST, NOVA, "us-east-1"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", NOVA, "us-gov-west-1"),
        ("https://bedrock-runtime.cn-north-1.amazonaws.com.cn", NOVA, "cn-north-1"),
        ("https://proxy.example", "arn:aws:bedrock:eu-west-3:1:inference-profile/x", "eu-west-3"),
        ("https://bedrock-runtime.us-east-1.amazonaws.com.evil.example", NOVA, None),
    ],
)
def test_a_region_is_read_from_arn_and_host(base_url: str, model: str, region: str | None) -> None:
    """The ARN's region is taken first, and only the vendor's own hosts tell one."""
    assert profiles.region_of(base_url, model) == region


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("auto", {"auto": {}}), ("required", {"any": {}}), (Named("weather"), {"tool": {"name": "weather"}})],
)
def test_tools_and_choices(choice: Any, expected: dict[str, Any]) -> None:
    """A tool is a toolSpec with its schema under ``json``; a choice is a union."""
    config = body(tools=(WEATHER, Tool("now")), tool_choice=choice)["toolConfig"]
    empty = {"type": "object", "properties": {}}
    assert config["tools"] == [
        {
            "toolSpec": {
                "name": "weather",
                "description": "Tells it.",
                "inputSchema": {"json": WEATHER.parameters},
            }
        },
        {"toolSpec": {"name": "now", "inputSchema": {"json": empty}}},
    ]
    assert config["toolChoice"] == expected
    assert accepted(body(tools=(WEATHER,), tool_choice=choice)) == ""


def test_the_choice_none_leaves_the_tools_out() -> None:
    """There is no tool choice "none": no tools are offered, which a conversation with calls forbids."""
    assert "toolConfig" not in body(tools=(WEATHER,), tool_choice="none")
    history = (user("Hi"), said(USED), tool_results(ToolResult("t1", "weather", (Text("Rain"),))))
    with pytest.raises(UnsupportedFeature):
        asked(*history, tools=(WEATHER,), tool_choice="none")


def test_a_call_and_its_result() -> None:
    """A result follows its call in a user message, says when it failed, and keeps images."""
    sent = body(
        user("Hi"),
        said(Text("Let me see."), USED, replace(USED, id="t2")),
        tool_results(
            ToolResult("t1", "weather", (Text("Rain"), Image("image/png", PIXEL))),
            ToolResult("t2", "weather", (Text("Broken"), Image("image/png", PIXEL)), is_error=True),
        ),
    )
    called, answered = sent["messages"][1:]
    assert called["content"][1] == {
        "toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Oslo"}}
    }
    image = {"image": {"format": "png", "source": {"bytes": PIXEL}}}
    assert answered == {
        "role": "user",
        "content": [
            {"toolResult": {"toolUseId": "t1", "content": [{"text": "Rain"}, image]}},
            {"toolResult": {"toolUseId": "t2", "content": [{"text": "Broken"}], "status": "error"}},
        ],
    }
    assert sent["toolConfig"]["tools"][0]["toolSpec"]["name"] == "weather"
    assert accepted(sent) == ""


def test_a_conversation_is_repaired() -> None:
    """A call without a result gets one, a result without a call goes, foreign ids are replaced, once each."""
    sent = body(
        user("Hi"),
        said(replace(USED, id="fc:1|2"), replace(USED, id=None)),
        tool_results(ToolResult("nobody", "x", (Text("?"),)), ToolResult("fc:1|2", "weather", ())),
        user("Go on"),
    )
    calls = [block["toolUse"]["toolUseId"] for block in sent["messages"][1]["content"]]
    results = [block["toolResult"] for block in sent["messages"][2]["content"] if "toolResult" in block]
    assert [each["toolUseId"] for each in results] == calls
    assert results[0]["content"] == [{"text": "The tool returned nothing."}]
    assert results[1]["status"] == "error"
    assert sent["messages"][2]["content"][-1] == {"text": "Go on"}


def test_names_of_nothing_are_left_out_of_arguments() -> None:
    """A member without a name cannot be in the vendor's documents."""
    odd = replace(USED, arguments={"": 1, "a": [{"": 2, "b": 3}]})
    sent = body(user("Hi"), said(odd), tool_results(ToolResult("t1", "weather", (Text("x"),))))
    assert sent["messages"][1]["content"][0]["toolUse"]["input"] == {"a": [{"b": 3}]}


def test_pictures_and_papers_are_bytes() -> None:
    """Images and documents have a bare format and base64; documents get lawful names that differ."""
    paper = Document("application/pdf", PIXEL, name="a/b  c.pdf")
    sent = body(user("Look", Image("image/jpg", PIXEL), paper, Document("text/markdown", PIXEL)))
    blocks = sent["messages"][0]["content"][1:]
    assert blocks == [
        {"image": {"format": "jpeg", "source": {"bytes": PIXEL}}},
        {"document": {"format": "pdf", "name": "a b c pdf-1", "source": {"bytes": PIXEL}}},
        {"document": {"format": "md", "name": "document-2", "source": {"bytes": PIXEL}}},
    ]
    assert accepted(sent) == ""


THOUGHT = Reasoning("Hm.", "sig==")
HIDDEN = Reasoning("", base64.b64encode(b"secret").decode(), redacted=True)


@pytest.mark.parametrize(
    ("model", "part", "expected"),
    [
        (HAIKU, THOUGHT, {"reasoningText": {"text": "Hm.", "signature": "sig=="}}),
        (HAIKU, HIDDEN, {"redactedContent": HIDDEN.signature}),
        (HAIKU, Reasoning("Hm."), None),
        ("deepseek.r1-v1:0", Reasoning("Hm."), {"reasoningText": {"text": "Hm."}}),
        ("deepseek.r1-v1:0", THOUGHT, {"reasoningText": {"text": "Hm."}}),
    ],
)
def test_reasoning_is_replayed(model: str, part: Reasoning, expected: dict[str, Any] | None) -> None:
    """Claude gets its reasoning back signed and not otherwise, another model without a signature."""
    content = body(user("Hi"), said(part, Text("Yes."), model=model), user("And?"), model=model)["messages"][
        1
    ]["content"]
    assert content == [*([{"reasoningContent": expected}] if expected else []), {"text": "Yes."}]


def test_citations_go_back_with_their_words() -> None:
    """The model's own words go back with their citations; another model's without."""
    cited = Text(
        "It rains.", citations=({"title": "Sky", "location": {"documentChar": {"documentIndex": 0}}},)
    )
    sent = body(user("Rain?"), said(cited, model=NOVA), user("So?"))
    assert sent["messages"][1]["content"] == [
        {"citationsContent": {"content": [{"text": "It rains."}], "citations": list(cited.citations)}}
    ]
    assert accepted(sent) == ""
    stranger = Message("assistant", (cited,), provider="elsewhere")
    assert body(user("Rain?"), stranger, user("So?"))["messages"][1]["content"] == [{"text": "It rains."}]


def test_foreign_reasoning_stays_away() -> None:
    """What another model thought is not sent, be it another provider's or this one's."""
    foreign = Message(
        "assistant", (THOUGHT, Text("Yes.")), provider="anthropic", protocol="anthropic-messages"
    )
    content = body(user("Hi"), foreign, user("And?"), model=HAIKU)["messages"][1]["content"]
    assert content == [{"text": "Yes."}]
    other = said(THOUGHT, Text("Yes."), model="amazon.nova-lite-v1:0")
    content = body(user("Hi"), other, user("And?"), model=HAIKU)["messages"][1]["content"]
    assert content == [{"text": "Yes."}]


@pytest.mark.parametrize(
    ("model", "effort", "fields"),
    [
        (HAIKU, "low", {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        (
            "anthropic.claude-opus-4-7",
            "high",
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
        ),
        ("openai.gpt-oss-120b-1:0", "minimal", {"reasoning_effort": "low"}),
        ("openai.gpt-5.2", "high", {"reasoning": {"effort": "high"}}),
        (
            "amazon.nova-2-lite-v1:0",
            "medium",
            {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}},
        ),
        ("amazon.nova-2-lite-v1:0", "none", {"reasoningConfig": {"type": "disabled"}}),
        (HAIKU, "none", {"thinking": {"type": "disabled"}}),
    ],
)
def test_thinking_is_asked_in_the_familys_words(model: str, effort: Effort, fields: dict[str, Any]) -> None:
    """Each family has its own member of additionalModelRequestFields."""
    sent = body(model=model, thinking=Thinking(effort))
    assert sent["additionalModelRequestFields"] == fields
    budget = fields.get("thinking", {}).get("budget_tokens")
    assert budget is None or sent["inferenceConfig"]["maxTokens"] > budget


def test_structured_output_by_format_or_by_tool() -> None:
    """A model that takes outputConfig gets the schema as text, another one a tool it must use."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    sent = body(model=HAIKU, structured=Structured("pair", schema))
    structure = sent["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert json.loads(structure["schema"]) == {**schema, "additionalProperties": False}
    assert structure["name"] == "pair"
    assert accepted(sent) == ""
    config = body(structured=Structured("pair", schema))["toolConfig"]
    assert config["toolChoice"] == {"tool": {"name": "pair"}}
    assert config["tools"][-1]["toolSpec"]["inputSchema"] == {"json": schema}


def test_cache_points() -> None:
    """Claude gets points behind system prompt, tools and last message, Nova not behind tools, others none."""
    asking: dict[str, Any] = {"system": "Be short.", "tools": (WEATHER,), "cache": "1h"}
    hour = {"cachePoint": {"type": "default", "ttl": "1h"}}
    sent = body(model=HAIKU, **asking)
    places = (sent["system"], sent["toolConfig"]["tools"], sent["messages"][-1]["content"])
    assert [blocks[-1] for blocks in places] == [hour] * 3
    assert accepted(sent) == ""
    nova = body(**asking)
    assert nova["system"][-1] == {"cachePoint": {"type": "default"}}
    assert "cachePoint" not in nova["toolConfig"]["tools"][-1]
    assert b"cachePoint" not in asked(model="meta.llama3-2-1b-instruct-v1:0", **asking).content
    profile = "arn:aws:bedrock:us-east-1:1:application-inference-profile/x"
    forced = replace(ENDPOINT, deviations=Deviations(cache_points=("*",)))
    call = Call(model=profile, messages=(user("Hi"),), cache="5m")
    assert b"cachePoint" not in build(call, ENDPOINT).content
    assert b"cachePoint" in build(call, forced).content


def test_a_strict_tool_is_closed_where_the_model_takes_it() -> None:
    """Strict closes the schema for a model that knows it, and is left out for another."""
    strict = replace(WEATHER, strict=True)
    spec = body(model=HAIKU, tools=(strict,))["toolConfig"]["tools"][0]["toolSpec"]
    assert (spec["strict"], spec["inputSchema"]["json"]["additionalProperties"]) == (True, False)
    assert "strict" not in body(tools=(strict,))["toolConfig"]["tools"][0]["toolSpec"]


@pytest.mark.parametrize(
    "more",
    [
        {"seed": 1},
        {"parallel_tool_calls": False},
        {"thinking": Thinking("low")},
        {"structured": Structured()},
        {"tools": (Tool("a b"),)},
        {"tools": (Tool("a" * 65),)},
        {"model": HAIKU, "thinking": Thinking("low"), "temperature": 0.5},
        {"model": HAIKU, "thinking": Thinking("low"), "tool_choice": "required", "tools": (WEATHER,)},
        {"model": HAIKU, "temperature": 0.5, "top_p": 0.5},
        {"model": "anthropic.claude-opus-4-7", "temperature": 0.5},
        {"messages": (user(Image(url="https://x.example/a.png")),)},
        {"messages": (user(Image("image/tiff", PIXEL)),)},
        {"messages": (user(Document("application/zip", PIXEL)),)},
    ],
    ids=[
        "a seed",
        "calls one by one",
        "thinking of a model that cannot be asked",
        "no schema",
        "a tool's name",
        "a long name",
        "temperature and thinking",
        "a forced tool and thinking",
        "two samplings",
        "fixed sampling",
        "an image by URL",
        "an unknown image",
        "an unknown document",
    ],
)
def test_what_cannot_be_said_is_refused(more: dict[str, Any]) -> None:
    """A call that the protocol has no words for is refused before it is sent, with advice."""
    with pytest.raises(UnsupportedFeature) as raised:
        build(Call(**{"model": NOVA, "messages": (user("Hi"),), **more}), ENDPOINT)
    assert raised.value.next_step


@given(st.lists(strategies.messages(), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_conversation_is_one_that_botocore_takes(messages: list[Message]) -> None:
    """Whatever was said before, the body is valid by the service model, and roles come in turn."""
    sent = body(user("Hi"), *messages)
    assert accepted(sent) == ""
    roles = [message["role"] for message in sent["messages"]]
    assert roles == [("user", "assistant")[at % 2] for at in range(len(roles))]


# ---------------------------------------------------------------- answers


def head(name: str, value: str) -> bytes:
    """A header of a message, a string."""
    key, text = name.encode(), value.encode()
    return bytes([len(key)]) + key + b"\x07" + len(text).to_bytes(2, "big") + text


def event(kind: str, value: Any, message_type: str = "event") -> bytes:
    """A message of the stream."""
    named = ":exception-type" if message_type == "exception" else ":event-type"
    return aws_message(head(named, kind) + head(":message-type", message_type), json.dumps(value).encode())


def block(index: int, **member: Any) -> bytes:
    return event("contentBlockDelta", {"contentBlockIndex": index, "delta": member, "p": "abc"})


START = event("messageStart", {"role": "assistant", "p": "ab"})
STOP = event("messageStop", {"stopReason": "end_turn"})
COUNTS = event("metadata", {"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}, "metrics": {}})


def closed(index: int) -> bytes:
    return event("contentBlockStop", {"contentBlockIndex": index})


def heard(content: bytes, *, streamed: bool = True, status: int = 200, step: int = 0) -> Turn:
    """What our decoder makes of the bytes, delivered ``step`` by ``step`` (0: at once)."""
    media_type = PROTOCOL.media_types[0 if streamed and status == 200 else 1]
    headers = (("content-type", media_type),)
    listener = Listener(PROTOCOL, ENDPOINT, streamed=streamed, status=status, headers=headers)
    assembler = Assembler()
    try:
        for start in range(0, len(content), step or len(content) or 1):
            for each in listener.feed(content[start : start + (step or len(content))]):
                assembler.feed(each)
        for each in listener.finish():
            assembler.feed(each)
    except ProviderError as fault:
        return assembler.turn(fault)
    return assembler.turn()


def test_a_stream_is_read() -> None:
    """Words, reasoning and calls are told apart by their deltas; only a call has a start."""
    content = b"".join(
        (
            START,
            block(0, reasoningContent={"text": "Hm"}),
            block(0, reasoningContent={"text": "."}),
            block(0, reasoningContent={"signature": "s=="}),
            closed(0),
            block(1, text="Let "),
            block(1, text="me see."),
            closed(1),
            event(
                "contentBlockStart",
                {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t1", "name": "weather"}}},
            ),
            block(2, toolUse={"input": ""}),
            block(2, toolUse={"input": '{"city":'}),
            block(2, toolUse={"input": '"Oslo"}'}),
            closed(2),
            event("messageStop", {"stopReason": "tool_use"}),
            event(
                "metadata",
                {
                    "usage": {
                        "inputTokens": 5,
                        "outputTokens": 7,
                        "totalTokens": 42,
                        "cacheReadInputTokens": 10,
                        "cacheWriteInputTokens": 20,
                    },
                    "metrics": {"latencyMs": 1},
                },
            ),
        )
    )
    turn = heard(content)
    assert turn.parts == (Reasoning("Hm.", "s=="), Text("Let me see."), USED)
    assert (turn.finish, turn.finish_raw, turn.complete, turn.drift) == ("tool_calls", "tool_use", True, ())
    usage = turn.usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.cache_write_tokens) == (
        35,
        7,
        10,
        20,
    )
    assert usage.sent == {"input": 5, "output": 7, "total": 42, "cache_read": 10, "cache_write": 20}
    for step in (1, 7, 64):
        assert heard(content, step=step) == turn


def test_redacted_reasoning_is_one_whole() -> None:
    """Pieces that are base64 each are joined as bytes, and can be replayed as one."""
    pieces = [base64.b64encode(piece).decode() for piece in (b"encry", b"pted")]
    content = START + b"".join(block(0, reasoningContent={"redactedContent": each}) for each in pieces)
    turn = heard(content + closed(0) + STOP + COUNTS)
    assert turn.parts == (Reasoning("", base64.b64encode(b"encrypted").decode(), redacted=True),)
    again = body(user("Hi"), said(*turn.parts, model=HAIKU), user("Go on"), model=HAIKU)["messages"][1][
        "content"
    ]
    assert again == [{"reasoningContent": {"redactedContent": base64.b64encode(b"encrypted").decode()}}]


def test_a_citation_and_a_server_tool_are_kept() -> None:
    """A citation belongs to its text; what the provider ran itself is kept for replay and not called."""
    start = {"toolUse": {"toolUseId": "s1", "name": "nova_grounding", "type": "server_tool_use"}}
    content = b"".join(
        (
            START,
            event("contentBlockStart", {"contentBlockIndex": 0, "start": start}),
            block(0, toolUse={"input": '{"q":1}'}),
            closed(0),
            block(1, text="It rains."),
            block(1, citation={"title": "Sky"}),
            closed(1),
            STOP,
            COUNTS,
        )
    )
    turn = heard(content)
    assert turn.tool_calls == ()
    assert turn.parts == (
        Opaque("bedrock-converse", {"toolUse": {**start["toolUse"], "input": {"q": 1}}}),
        Text("It rains.", citations=({"title": "Sky"},)),
    )
    assert turn.citations == ({"title": "Sky"},)


@pytest.mark.parametrize(
    ("raw", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "other"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("malformed_model_output", "error"),
        ("malformed_tool_use", "error"),
        ("tomorrow", "other"),
    ],
)
def test_stop_reasons(raw: str, finish: str) -> None:
    """Each stop reason of the reference has a meaning; an unknown one and tool_use alone have none."""
    more = {"additionalModelResponseFields": {"delta": {"stop_sequence": "END"}}}
    turn = heard(START + event("messageStop", {"stopReason": raw, **more}) + COUNTS)
    assert (turn.finish, turn.finish_raw, turn.finish_detail) == (finish, raw, "END")
    whole = {"output": {"message": {"content": []}}, "stopReason": raw}
    assert heard(json.dumps(whole).encode(), streamed=False).finish == finish


@pytest.mark.parametrize(
    ("content", "drift"),
    [
        (block(0, text="Hi") + closed(0) + COUNTS + STOP, ("no messageStart",)),
        (
            START + START + block(0, text="Hi") + STOP + COUNTS,
            ("a repeated messageStart", "no contentBlockStop of block 0"),
        ),
        (START + event("later", {}) * 3 + block(0, text="Hi") + closed(0) + STOP + COUNTS, ("event later",)),
        (
            START + block(0, text="Hi") + closed(0) + block(1, hologram={}) + STOP + COUNTS,
            ("delta hologram",),
        ),
        (START + block(0, text="Hi") + closed(0) + STOP, ("no metadata",)),
        (START + block(0, text="Hi") + closed(0) + STOP + STOP + COUNTS, ("a second messageStop",)),
    ],
    ids=["no start", "two starts", "an unknown type", "an unknown delta", "no metadata", "two stops"],
)
def test_oddities_are_told_and_read(content: bytes, drift: tuple[str, ...]) -> None:
    """What the reference does not have is told as drift, and the words are read all the same."""
    turn = heard(content)
    assert (turn.text, turn.complete, turn.drift) == ("Hi", True, drift)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (START + block(0, toolUse={"input": "{"}), EventOrderError),
        (START + block(0, text="a") + block(0, toolUse={"input": "{"}), EventOrderError),
        (
            START + block(0, text="a") + event("contentBlockStart", {"contentBlockIndex": 0, "start": {}}),
            EventOrderError,
        ),
        (START + block(0, text=1), MalformedFrame),
        (START + block(0, reasoningContent={"redactedContent": "é"}), MalformedFrame),
        (START + event("contentBlockDelta", {"delta": {"text": "a"}}), MalformedFrame),
        (START + event("messageStop", {}), MalformedFrame),
        (START + event("metadata", {"usage": {"inputTokens": "1"}}), MalformedFrame),
        (START + event("messageStop", [1]), MalformedFrame),
        (START + block(0, text="a"), TruncatedStream),
        (START + block(0, text="a") + closed(0) + STOP[:-1], TruncatedStream),
        (b"", TruncatedStream),
        (START + STOP[:-1] + bytes([STOP[-1] ^ 1]), FramingError),
        (START[:11] + bytes([START[11] ^ 1]) + START[12:], FramingError),
    ],
    ids=[
        "a call without a start",
        "a call's piece in a text",
        "a block begun twice",
        "no text",
        "no base64",
        "no index",
        "no reason",
        "a count that is none",
        "no object",
        "no end",
        "a cut message",
        "nothing",
        "a wrong checksum",
        "a wrong checksum of the lengths",
    ],
)
def test_a_bad_stream_is_a_typed_error(content: bytes, kind: type[ProviderError]) -> None:
    """Each breach is told as what it is, and what came before it stands."""
    turn = heard(content)
    assert type(turn.error) is kind
    assert not turn.complete
    assert str(turn.error)


@pytest.mark.parametrize(
    ("name", "kind", "retryable"),
    [
        ("throttlingException", RateLimited, True),
        ("internalServerException", ServerError, True),
        ("modelStreamErrorException", ServerError, True),
        ("modelTimeoutException", ServerError, True),
        ("serviceUnavailableException", Overloaded, True),
        ("validationException", InvalidRequest, False),
        ("somethingNewException", ServerError, True),
    ],
)
def test_an_exception_ends_the_stream(name: str, kind: type[RemoteError], retryable: bool) -> None:
    """An exception inside the stream is the vendor's error of its name; the words before it stand."""
    turn = heard(START + block(0, text="Hi") + event(name, {"message": "No."}, "exception"))
    assert isinstance(turn.error, RemoteError)
    assert (type(turn.error), turn.error.type, turn.error.message) == (kind, name, "No.")
    assert (turn.error.retryable, turn.error.status, turn.text) == (retryable, 200, "Hi")


def test_an_error_message_ends_the_stream() -> None:
    """A message of type error has its code and words in headers."""
    told = (
        head(":message-type", "error") + head(":error-code", "InternalError") + head(":error-message", "Oh.")
    )
    turn = heard(START + aws_message(told, b""))
    assert isinstance(turn.error, ServerError)
    assert (turn.error.type, turn.error.message) == ("InternalError", "Oh.")
    unreadable = heard(
        START + aws_message(head(":message-type", "exception") + head(":exception-type", "x"), b"{")
    )
    assert isinstance(unreadable.error, RemoteError)
    assert unreadable.error.message == "{"


def test_a_whole_answer_is_read() -> None:
    """Blocks are unions; counts have either name; members nobody knows do not matter."""
    content = [
        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s=="}}},
        {"reasoningContent": {"redactedContent": HIDDEN.signature}},
        {"citationsContent": {"content": [{"text": "It rains."}], "citations": [{"title": "Sky"}]}},
        {"text": ""},
        {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Oslo"}, "type": "tool_use"}},
        {"hologram": {}},
    ]
    answer = {
        "metrics": {"latencyMs": 1},
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 5, "outputTokens": 7, "totalTokens": 15, "cacheReadInputTokenCount": 3},
    }
    turn = heard(json.dumps(answer).encode(), streamed=False)
    assert turn.parts == (
        Reasoning("Hm.", "s=="),
        HIDDEN,
        Text("It rains.", citations=({"title": "Sky"},)),
        Text(""),
        USED,
    )
    assert (turn.citations, turn.drift, turn.complete) == (
        ({"title": "Sky"},),
        ("content block hologram",),
        True,
    )
    assert turn.usage is not None
    assert (turn.usage.input_tokens, turn.usage.cached_tokens, turn.usage.cache_write_tokens) == (8, 3, None)


@pytest.mark.parametrize(
    "answer", [b"", b"{", b"[]", b"{}", b'{"output":{"message":{"content":1}}}', b'{"output":1}']
)
def test_a_bad_answer_is_a_typed_error(answer: bytes) -> None:
    """A whole answer that is none of the protocol's is told."""
    assert isinstance(heard(answer, streamed=False).error, MalformedFrame | TruncatedStream)


def named(kind: str) -> tuple[tuple[str, str], ...]:
    return (("x-amzn-errortype", f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"),)


@pytest.mark.parametrize(
    ("status", "headers", "content", "kind", "told"),
    [
        (
            400,
            named("ValidationException"),
            b'{"message":"Input is too long for requested model."}',
            ContextOverflow,
            "ValidationException",
        ),
        (
            400,
            named("ValidationException"),
            b'{"message":"The provided model identifier is invalid."}',
            NotFound,
            "ValidationException",
        ),
        (400, (), b'{"message":"No."}', InvalidRequest, None),
        (
            403,
            named("UnrecognizedClientException"),
            b'{"message":"The security token included in the request is invalid."}',
            AuthenticationFailed,
            "UnrecognizedClientException",
        ),
        (
            404,
            (),
            b'{"__type":"com.amazon#ResourceNotFoundException","Message":"No."}',
            NotFound,
            "ResourceNotFoundException",
        ),
        (
            424,
            named("ModelErrorException"),
            b'{"message":"No.","originalStatusCode":500}',
            ServerError,
            "ModelErrorException",
        ),
        (429, named("ThrottlingException"), b"", RateLimited, "ThrottlingException"),
        (503, (), b"<html>", Overloaded, None),
    ],
)
def test_a_refusal_is_the_vendors_error(
    status: int, headers: Any, content: bytes, kind: type[RemoteError], told: str | None
) -> None:
    """The exception's name stands in a field or in the body, its words in the body."""
    fault = error(status, (*headers, ("x-amzn-requestid", "r-1")), content)
    assert (type(fault), fault.type, fault.request_id, fault.status) == (kind, told, "r-1", status)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                (
                    "messageStart",
                    "contentBlockStart",
                    "contentBlockDelta",
                    "contentBlockStop",
                    "messageStop",
                    "metadata",
                    "x",
                )
            ),
            st.fixed_dictionaries(
                {},
                optional={
                    "contentBlockIndex": st.integers(0, 2) | strategies.json_values,
                    "delta": strategies.json_values
                    | st.dictionaries(
                        st.sampled_from(("text", "toolUse", "reasoningContent", "citation", "image")),
                        strategies.json_values,
                        max_size=2,
                    ),
                    "start": strategies.json_values
                    | st.dictionaries(st.sampled_from(("toolUse", "toolResult")), strategies.json_values),
                    "stopReason": strategies.json_values,
                    "usage": strategies.json_values,
                },
            ),
        ),
        max_size=6,
    )
)
@settings(max_examples=150, deadline=None)
def test_any_messages_give_events_or_our_error(messages: list[tuple[str, Any]]) -> None:
    """Whatever JSON the messages hold, nothing but a ProviderError is raised."""
    decoder, events = PROTOCOL.decoder(True, Deviations()), list[Event]()
    with suppress(ProviderError):
        for kind, value in messages:
            events += decoder.feed(Frame(json.dumps(value).encode(), kind))
        events += decoder.finish()
    assert not events or type(events[0]) in (Start, Drift)
