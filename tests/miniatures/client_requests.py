"""Clients of other people that lose something of a call on its way to the wire, or add something to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import structs

from harness.observation import Observation
from providers import jsontext
from providers.call import Reasoning
from providers.wire import Request
from tests.miniatures.bench import breaks, passes, shown, spoken


def sending(scenario: str, change: Callable[[dict[str, Any]], object], **more: object) -> Observation:
    """The call of a scenario, sent with a body that was changed so."""
    seen = spoken(scenario)
    body = seen.sent.json()
    change(body)
    return shown(seen, sent=structs.replace(seen.sent, content=jsontext.write(body)), **more)


def _at(scenario: str, target: str) -> Observation:
    seen = spoken(scenario)
    return shown(seen, sent=structs.replace(seen.sent, url=seen.sent.url + target))


@breaks("client.words_carried")
def says_bogus() -> Observation:
    """A client that sends a message of its own instead of the user's."""
    return sending("text", lambda body: body.update(messages=[{"role": "user", "content": "bogus"}]))


@breaks("client.words_carried")
def forgets_the_result() -> Observation:
    """A client that sends a tool's result without its words."""
    return sending("tool_roundtrip", lambda body: body["messages"][-1].update(content="done"))


@breaks("client.words_carried")
def forgets_arguments() -> Observation:
    """A client that sends a tool call of the history without its arguments."""

    def emptied(body: dict[str, Any]) -> None:
        body["messages"][1]["tool_calls"][0]["function"]["arguments"] = "{}"

    return sending("tool_roundtrip", emptied)


@breaks("client.words_carried")
def drops_the_picture() -> Observation:
    """A client that sends the words and no picture."""
    return sending("vision", lambda body: body["messages"][0]["content"].pop())


@passes("client.words_carried", "client.words_added")
def splits_words() -> Observation:
    """A client that sends words as several parts of a message."""

    def split(body: dict[str, Any]) -> None:
        words = body["messages"][-1]["content"]
        pieces = [{"type": "text", "text": piece} for piece in (words[:7], words[7:])]
        body["messages"][-1]["content"] = pieces

    return sending("text", split)


@passes("client.words_carried")
def spells_base64_for_urls() -> Observation:
    """A client that sends a picture in base64's other alphabet."""

    def spelt(body: dict[str, Any]) -> None:
        image = body["messages"][0]["content"][1]["image_url"]
        head, _, data = image["url"].partition(",")
        image["url"] = f"{head},{data.replace('+', '-').replace('/', '_')}"

    return sending("vision", spelt)


@breaks("client.tools_carried")
def forgets_tools() -> Observation:
    """A client that sends no tools."""
    return sending("tool_call", lambda body: body.pop("tools"))


@breaks("client.tools_carried")
def forgets_what_a_tool_is_for() -> Observation:
    """A client that sends tools without their descriptions."""
    return sending("tool_call", lambda body: body["tools"][0]["function"].pop("description"))


@passes("client.tools_carried")
def offers_the_named_tool_alone() -> Observation:
    """A client that offers only the tool which must be called."""
    return sending("tool_choice_named", lambda body: body["tools"].pop())


@breaks("client.settings_carried")
def forgets_stop_texts() -> Observation:
    """A client that sends no stop texts."""
    return sending("stop_sequence", lambda body: body.pop("stop"))


@breaks("client.settings_carried")
def forgets_the_schema() -> Observation:
    """A client that asks for JSON of any shape where a schema was given."""
    return sending("structured", lambda body: body.update(response_format={"type": "json_object"}))


@breaks("client.settings_carried")
def lets_the_model_choose() -> Observation:
    """A client that leaves out that a tool must be called."""
    return sending("tool_choice_required", lambda body: body.pop("tool_choice"))


@passes("client.settings_carried")
def lists_a_stop_text() -> Observation:
    """A client that sends one stop text outside a list."""
    return sending("stop_sequence", lambda body: body.update(stop=body["stop"][0]))


@breaks("client.words_added")
def adds_an_instruction() -> Observation:
    """A client that sends an instruction of its own before the user's words."""
    said = {"role": "system", "content": "You are helpful."}
    return sending("text", lambda body: body["messages"].insert(0, said))


@breaks("client.words_added")
def adds_a_wish() -> Observation:
    """A client that adds words to the user's."""

    def wished(body: dict[str, Any]) -> None:
        body["messages"][-1]["content"] += " Ads."

    return sending("text", wished)


@passes("client.words_added")
def sends_thoughts_back() -> Observation:
    """A client that sends the thoughts of the history, too."""
    history = spoken("history_reasoning").call.messages
    thought = next(part for message in history for part in message.parts if isinstance(part, Reasoning))

    def thinking(body: dict[str, Any]) -> None:
        body["messages"][1]["content"] = thought.text

    return sending("history_reasoning", thinking)


@breaks("client.words_added")
def says_it_twice() -> Observation:
    """A client that sends the user's message twice."""
    return sending("text", lambda body: body["messages"].append(body["messages"][-1]))


@breaks("client.settings_added")
def warms_up() -> Observation:
    """A client that sets a temperature of its own in a call with tools."""
    return sending("tool_call", lambda body: body.update(temperature=0.7))


@breaks("client.settings_added")
def names_a_user() -> Observation:
    """A client that names a user where the caller named none."""
    return sending("text", lambda body: body.update(user="u1"))


@breaks("client.settings_added")
def offers_a_tool() -> Observation:
    """A client that adds a tool of its own to the caller's."""
    own = {"type": "function", "function": {"name": "search_the_web", "parameters": {}}}
    return sending("tool_call", lambda body: body["tools"].append(own))


@passes("client.settings_added")
def spells_out_what_is_so_anyway() -> Observation:
    """A client that says that it does not stream, and leaves members empty."""
    return sending("text", lambda body: body.update(stream=False, tools=[], user=None))


@breaks("client.settings_spelt_out")
def asks_for_one_answer() -> Observation:
    """A client that says that it wants one answer, which it would get anyway."""
    return sending("text", lambda body: body.update(n=1))


@passes("client.settings_carried")
def sends_next_to_nothing() -> Observation:
    """A client that sends a very small temperature instead of none."""
    return sending("system", lambda body: body.update(temperature=1e-8))


@passes("client.settings_carried")
def leaves_out_tools_that_may_not_be_called() -> Observation:
    """A client that sends no tools, and no choice of none of them."""

    def less(body: dict[str, Any]) -> None:
        del body["tools"], body["tool_choice"]

    return sending("tool_choice_none", less)


@passes("client.asks_that_alone")
def looks_a_model_up() -> Observation:
    """A client that reads the list of models first."""
    return shown(spoken("text"), elsewhere=("GET https://miniature.example/v1/models",))


@breaks("client.query")
def tracks() -> Observation:
    """A client that adds a parameter to the URL."""
    return _at("text", "?utm=1")


@breaks("client.asks_that_alone")
def tells_somebody_else() -> Observation:
    """A client that sends a second request to another path."""
    return shown(spoken("text"), elsewhere=("POST https://miniature.example/v1/telemetry",))


@breaks("client.asks_that_alone")
def asks_otherwise() -> Observation:
    """A client that asks something else when it tries again."""
    seen = spoken("text")
    other: Request = structs.replace(seen.sent, content=b"{}")
    return shown(seen, asked=(seen.sent, other))


@breaks("client.key_place")
def tells_the_key_twice() -> Observation:
    """A client that sends the key in a field of its own, too."""
    return shown(spoken("text"), told_key=("field authorization", "field x-debug"))


@breaks("client.key_place")
def names_itself_by_its_key() -> Observation:
    """A client that sends the key as the user's name."""
    return shown(spoken("text"), told_key=("field authorization", "/user"))
