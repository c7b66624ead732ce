"""What no protocol can say is refused by all, with the same words, before anything is sent."""

from __future__ import annotations

import math
from typing import Any

import pytest

from providers.call import Call, Document, Image, Message, Named, Text, Tool, ToolResult, user
from providers.errors import UnsupportedFeature
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Request

LOOK = Tool("look", "Look.", {"type": "object", "properties": {}})
SHOWN = Message("tool", (ToolResult("c1", "look", (Text("see"), Image(data="a\nGk="))),))
SYSTEM: Any = Message("system", (Text("Be short."),))  # type: ignore[arg-type]


def asked(protocol: str, **fields: Any) -> Request:
    """The request of a call."""
    endpoint = Endpoint(
        provider="acme",
        protocol=protocol,
        base_url="https://acme.test",
        deviations=PROTOCOLS[protocol].deviations(),
    )
    call = Call(**{"model": "m-1", "messages": (user("Hi"),), "stream": True, **fields})
    return PROTOCOLS[protocol].build(call, endpoint)


@pytest.mark.parametrize(
    ("fields", "feature"),
    [
        ({"messages": (SYSTEM, user("Hi"))}, "a message of the role 'system'"),
        ({"temperature": math.nan}, "a temperature of nan"),
        ({"temperature": math.inf}, "a temperature of inf"),
        ({"top_p": -math.inf}, "a top_p of -inf"),
        ({"messages": (user(Image()),)}, "an image without data and URL"),
        ({"messages": (user(Image(data="!!!")),)}, "an image whose data is no base64"),
        ({"messages": (user(Image(data="")),)}, "an image whose data is no base64"),
        ({"messages": (user("Read", Document()),)}, "a document without data and URL"),
        ({"messages": (user("Hi"), SHOWN)}, "an image whose data is no base64"),
        ({"tool_choice": "required"}, "a required tool call without tools"),
        ({"tool_choice": Named("f")}, "the choice of the tool 'f', which is not on offer"),
        ({"tool_choice": Named("f"), "tools": (LOOK,)}, "the choice of the tool 'f', which is not on offer"),
    ],
    ids=[
        "role",
        "nan",
        "inf",
        "top_p",
        "nowhere",
        "no base64",
        "nothing",
        "no document",
        "a result's",
        "required",
        "named",
        "another",
    ],
)
@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_no_protocol_says_it(protocol: str, fields: dict[str, Any], feature: str) -> None:
    """The feature is named, with what to do instead."""
    with pytest.raises(UnsupportedFeature) as refusal:
        asked(protocol, **fields)
    assert (refusal.value.provider, refusal.value.feature) == ("acme", feature)
    assert "next: " in str(refusal.value)


@pytest.mark.parametrize("choice", ["auto", "none"])
@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_a_choice_of_nothing_is_not_sent(protocol: str, choice: str) -> None:
    """Where no tool is on offer, a choice that forces none makes no other request."""
    assert asked(protocol, tool_choice=choice) == asked(protocol)


def test_a_callers_own_tools_may_be_chosen() -> None:
    """A tool that only the body's further fields name is on offer."""
    own = {"tools": [{"type": "web_search"}]}
    request = asked("openai-responses", tool_choice="required", extra_body=own)
    assert request.json()["tool_choice"] == "required"
