"""What Anthropic would refuse a Messages request for.

A request is compared with the ``shapes``, then with the rules that join fields: thinking and sampling,
tools and choices, calls and results, cache marks. Where a lookalike takes less or more, the endpoint's
deviations say so.

The rules are those of the pages that the package names; what is expected is told in the server's own
sentence where one is known. Those that hold for some models are in ``Deviations``. Thinking may stand behind
a ``tool_use``: by the page Thinking, progress updates come between calls, and end an answer that was cut off.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

from harness.emulators.anthropic_messages.judgement import Check, Judgement, Shape
from harness.emulators.anthropic_messages.shapes import (
    BETA_BODY,
    BLOCKS,
    BODY,
    GONE,
    SERVER_BLOCKS,
    SERVER_CALLS,
    SERVER_RESULTS,
    UNCITED,
    positive,
    untagged,
)
from harness.emulators.emulator import Violation
from harness.emulators.shaping import anything, one_of, word
from providers.errors import MalformedFrame
from providers.protocols.anthropic_messages.deviations import matches
from providers.protocols.anthropic_messages.request import PATH
from providers.wire import Endpoint, Request, header

Object: TypeAlias = dict[str, Any]

# Models after Claude Opus 4.6 take a temperature of 1 and a top_p from 0.99 on, and no top_k:
# https://github.com/anthropics/anthropic-sdk-typescript/blob/sdk-v0.137.0/src/resources/messages/messages.ts
# (MessageCreateParams, read 2026-11-21).
_UNMOVED: Mapping[str, float] = {"temperature": 1.0, "top_p": 0.99, "top_k": math.inf}

_MARKS = 4
_NAMED = re.compile(r"/models?/([^/]+?)(?::[a-zA-Z]+|/invoke[a-z-]*)?$")  # a hosted model, in the path


def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """Everything the vendor would refuse ``request`` for, in document order."""
    judged = _Judge(request, endpoint)
    judged.head()
    try:
        body = request.json()
    except MalformedFrame:
        judged.refuse("body.json", "a JSON body", request.content[:80], "")
        return tuple(judged.found)
    if judged.is_object(body, ""):
        judged.body(body)
    return tuple(judged.found)


class _Judge(Judgement):
    """The rules that join fields, over the shapes."""

    # head

    def head(self) -> None:
        request, deviations = self.request, self.deviations
        self.must(request.method == "POST", "head.method", "POST", request.method, "method")
        media_type = header(request.headers, "content-type") or "none"
        self.must(
            media_type.split(";")[0].strip() == "application/json",
            "head.content_type",
            "application/json",
            media_type,
            "content-type",
        )
        if deviations.hosted_version is None:
            target = request.url.partition("?")[0]
            fits = bool(self.endpoint.path) or target.endswith(PATH)
            self.must(fits, "head.path", f"a path that ends in {PATH}", target, "path")
            version = header(request.headers, "anthropic-version")
            known = (deviations.version, *deviations.later_versions)
            expected = f"{' or '.join(known)}; anthropic-version: header is required"
            self.must(version in known, "head.version", expected, version, "anthropic-version")

    # body

    def body(self, body: Object) -> None:
        deviations = self.deviations
        model = body.get("model") if isinstance(body.get("model"), str) else ""
        required: dict[str, Check] = {"max_tokens": positive, "messages": anything}
        if deviations.hosted_version is None:
            required["model"] = word
            version = header(self.request.headers, "anthropic-version")
            later = version not in deviations.later_versions or matches(model or "", deviations.later_models)
            expected = f"{deviations.version} for this model"
            self.must(later, "head.version", expected, version, "anthropic-version")
        else:
            version = body.get("anthropic_version")
            named = _NAMED.search(urlsplit(self.request.url).path)
            later = named is None or matches(unquote(named[1]), deviations.later_models)
            known = deviations.later_versions if later else ()
            required["anthropic_version"] = one_of(deviations.hosted_version, *known)
        gone = GONE.get(version, ()) if isinstance(version, str) else ()
        fields = {**BODY, **(BETA_BODY if self.betas else {})}
        optional = {name: check for name, check in fields.items() if name not in gone}
        self.shape(body, "", required, optional)
        if version in UNCITED:
            self.uncited(body)
        self.tools(body)
        self.thinking(body, model or "")
        self.messages(body, model or "")
        self.marks(body)

    def uncited(self, body: Object) -> None:
        """No text of the user's has citations, be it in a search result."""
        for at, message in _numbered(body.get("messages")):
            if message.get("role") != "user":
                continue
            for place, block in _numbered(message.get("content")):
                where = f"/messages/{at}/content/{place}"
                inside = _numbered(block.get("content")) if block.get("type") == "search_result" else []
                texts = [(where, block), *((f"{where}/content/{inner}", held) for inner, held in inside)]
                for here, text in texts:
                    cited = text.get("citations") if text.get("type") == "text" else None
                    expected = "no citations on a text of the user's"
                    self.must(not cited, "content.cited", expected, cited, f"{here}/citations")

    def thinking(self, body: Object, model: str) -> None:
        thinking = body.get("thinking")
        kind = thinking.get("type") if isinstance(thinking, dict) else None
        if kind == "enabled" and isinstance(thinking, dict):
            budget, limit = thinking.get("budget_tokens"), body.get("max_tokens")
            if isinstance(budget, int) and isinstance(limit, int):
                expected = "`max_tokens` must be greater than `thinking.budget_tokens`"
                self.must(budget < limit, "thinking.budget", expected, budget, "/thinking/budget_tokens")
        if kind == "enabled" and matches(model, self.deviations.thinking_first):
            self.turn(body.get("messages"))
        if kind in ("enabled", "disabled"):
            old = not matches(model, self.deviations.adaptive_only)
            expected = "thinking.type.adaptive and output_config.effort"
            self.must(old, "thinking.adaptive_only", expected, kind, "/thinking/type")
        if kind == "adaptive":
            new = matches(model, self.deviations.adaptive_thinking)
            expected = "a model that supports adaptive thinking"
            self.must(new, "thinking.adaptive", expected, model, "/thinking/type")
        config = body.get("output_config")
        effort = config.get("effort") if isinstance(config, dict) else None
        known_effort = effort != "xhigh" or matches(model, self.deviations.xhigh_effort)
        expected = "Supported levels: high, low, max, medium."
        self.must(known_effort, "thinking.effort", expected, effort, "/output_config/effort")
        self.sampling(body, model)

    def turn(self, messages: Any) -> None:
        """A turn that goes on with results began with thinking, where the budget is told.

        The turn is the whole loop of calls and results, by the page Thinking (Thinking with tool use): what a
        later message begins with does not count. A user's words begin another turn. That the request goes
        through without thinking is also said; but a client that asks in vain for thinking has lost it, so the
        older refusal stands.
        """
        listed = messages if isinstance(messages, list) else []
        begun: list[tuple[int, Object]] = []
        for at, message in reversed(_numbered(listed)):
            kinds = [block.get("type") for block in _blocks(message)]
            if message.get("role") == "assistant" and at < len(listed) - 1:
                begun.append((at, next(iter(_blocks(message)), {})))
            elif not kinds or any(kind != "tool_result" for kind in kinds):
                break
        for at, block in begun[-1:]:
            first = block.get("type") in ("thinking", "redacted_thinking")
            expected = "Expected `thinking` or `redacted_thinking`"
            seen = f"found `{block.get('type')}`"
            self.must(first, "thinking.first", expected, seen, f"/messages/{at}/content/0/type")

    def sampling(self, body: Object, model: str) -> None:
        fixed = matches(model, self.deviations.fixed_sampling)
        for name, least in _UNMOVED.items():
            seen = body.get(name)
            plain = isinstance(seen, int | float) and seen >= least
            self.must(seen is None or plain or not fixed, "sampling.fixed", f"no {name}", seen, f"/{name}")
        both = "temperature" in body and "top_p" in body
        one = matches(model, self.deviations.one_sampling)
        expected = "`temperature` and `top_p` cannot both be specified for this model."
        self.must(not (both and one), "sampling.one", expected, "both", "/top_p")
        if not _thinks(body):
            return
        expected = "`temperature` may only be set to 1 when thinking is enabled"
        seen = body.get("temperature", 1)
        self.must(seen == 1, "thinking.temperature", expected, seen, "/temperature")
        expected = "`top_k` must be unset when thinking is enabled"
        self.must("top_k" not in body, "thinking.top_k", expected, body.get("top_k"), "/top_k")
        choice = body.get("tool_choice")
        forced = isinstance(choice, dict) and choice.get("type") in ("any", "tool")
        expected = "Thinking may not be enabled when tool_choice forces tool use."
        self.must(not forced, "thinking.tool_choice", expected, choice, "/tool_choice")

    def tools(self, body: Object) -> None:
        tools = body.get("tools")
        names = _names(tools)
        self.must(
            len(set(names)) == len(names), "tools.unique", "Tool names must be unique.", names, "/tools"
        )
        choice = body.get("tool_choice")
        if not isinstance(choice, dict):
            return
        expected = "tool_choice may only be specified while providing tools"
        self.must(bool(tools), "tool_choice.tools", expected, choice, "/tool_choice")
        if choice.get("type") == "tool" and tools:
            name = choice.get("name")
            expected = f"Tool '{name}' found in provided tools"
            self.must(name in names, "tool_choice.name", expected, names, "/tool_choice/name")

    # messages

    def messages(self, body: Object, model: str) -> None:
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            self.refuse("messages.some", "at least one message is required", messages, "/messages")
            return
        seen = [_role(message) for message in messages]
        expected = 'first message must use the "user" role'
        self.must(seen[0] == "user", "messages.first", expected, seen[0], "/messages/0/role")
        for at, role in enumerate(seen):
            if role == "system":
                lawful = matches(model, self.deviations.system_messages) and at > 0 and seen[at - 1] == "user"
                expected = "a model that supports role 'system', after a user message"
                self.must(lawful, "messages.system", expected, model, f"/messages/{at}/role")
        for at, message in enumerate(messages):
            where = f"/messages/{at}"
            if self.shape(message, where, {"role": one_of(*BLOCKS), "content": anything}, {}):
                self.content(message, where, last=at == len(messages) - 1)
        self.pairs(body, messages)
        self.prefill(body, messages[-1], model, f"/messages/{len(messages) - 1}")

    def content(self, message: Object, where: str, *, last: bool) -> None:
        content, role = message["content"], message["role"]
        may_be_empty = last and role == "assistant"
        expected = "all messages must have non-empty content except for the optional final assistant message"
        if isinstance(content, str):
            self.must(bool(content) or may_be_empty, "content.some", expected, content, f"{where}/content")
        elif not isinstance(content, list):
            self.refuse("body.type", "a string or an array", content, f"{where}/content")
        else:
            self.must(bool(content) or may_be_empty, "content.some", expected, content, f"{where}/content")
            for at, block in enumerate(content):
                self.block(block, f"{where}/content/{at}", str(role))

    def block(self, block: Any, where: str, role: str) -> None:
        """One block. What the server's tools gave comes back in the assistant's, of whatever kind it is."""
        kinds: Mapping[str, Shape] = BLOCKS.get(role, {})
        if not self.is_object(block, where):
            return
        kind = str(block.get("type"))
        if kind in kinds:
            required, optional = kinds[kind]
            self.shape(block, where, {"type": anything, **required}, optional)
        elif role == "user" and kind in (*SERVER_CALLS, "tool_use"):
            self.refuse("content.role", f"`{kind}` blocks can only be in `assistant` messages", kind, where)
        elif role == "assistant" and kind == "tool_result":
            self.refuse("content.role", f"`{kind}` blocks can only be in `user` messages", kind, where)
        elif kind not in (*SERVER_BLOCKS, *SERVER_RESULTS) and not (
            role == "assistant" and kind.endswith("_tool_result")
        ):
            known = (*kinds, *SERVER_BLOCKS, *SERVER_RESULTS)
            self.refuse("content.type", untagged(kind, known), kind, f"{where}/type")

    def pairs(self, body: Object, messages: list[Any]) -> None:
        """Every call is answered in the next message, every result has its call in the one before."""
        calls: list[str] = []
        used: set[str] = set()
        for at, message in enumerate(messages):
            blocks = _blocks(message)
            results = [str(one.get("tool_use_id")) for one in blocks if one.get("type") == "tool_result"]
            if at:
                missing = ", ".join(one for one in calls if one not in results)
                expected = "a `tool_result` block in the next message for each `tool_use` block"
                self.must(not missing, "tools.answered", expected, missing, f"/messages/{at - 1}")
            self.results(blocks, calls, f"/messages/{at}/content")
            calls = [str(one.get("id")) for one in blocks if one.get("type") == "tool_use"]
            for one in calls:
                self.must(
                    one not in used,
                    "tools.ids_unique",
                    "`tool_use` ids must be unique",
                    one,
                    f"/messages/{at}",
                )
                used.add(one)
        expected = "a `tool_result` block in the next message for each `tool_use` block"
        self.must(not calls, "tools.answered", expected, calls, f"/messages/{len(messages) - 1}")
        if self.deviations.tools_for_history and used:
            expected = "tools: requests which include tool blocks must define tools"
            self.must(bool(body.get("tools")), "tools.declared", expected, "none", "/tools")

    def results(self, blocks: list[Object], calls: list[str], where: str) -> None:
        answered: set[str] = set()
        earlier = ""
        for at, block in enumerate(blocks):
            if block.get("type") != "tool_result":
                earlier = earlier or str(block.get("type"))
                continue
            name, here = str(block.get("tool_use_id")), f"{where}/{at}"
            expected = "a corresponding `tool_use` block in the previous message"
            self.must(name in calls, "tools.orphan", expected, name, here)
            expected = "each tool_use must have a single result"
            self.must(name not in answered, "tools.single", expected, name, here)
            answered.add(name)
            expected = "`tool_result` blocks before any other content"
            self.must(not earlier or not calls, "tools.results_first", expected, f"{earlier} before", here)

    def prefill(self, body: Object, message: Any, model: str, where: str) -> None:
        if _role(message) != "assistant":
            return
        content = message.get("content")
        text = content if isinstance(content, str) else next(iter(_blocks(message)[-1:]), {}).get("text")
        if not isinstance(text, str):
            return
        expected = "final assistant content cannot end with trailing whitespace"
        self.must(text == text.rstrip(), "prefill.whitespace", expected, text[-20:], where)
        refuses = matches(model, self.deviations.no_prefill) or _thinks(body)
        expected = "a conversation that ends with a user message"
        self.must(not refuses, "prefill.refused", expected, "an assistant message", where)

    # cache marks

    def marks(self, body: Object) -> None:
        marks = [(mark, where) for mark, where in _marks(body) if isinstance(mark, dict)]
        expected = f"A maximum of {_MARKS} blocks with cache_control may be provided."
        self.must(len(marks) <= _MARKS, "cache.count", expected, f"Found {len(marks)}", "/")
        short = False
        for mark, where in marks:
            ttl = mark.get("ttl", "5m")
            expected = "no ttl='1h' cache_control block after a ttl='5m' cache_control block"
            self.must(ttl != "1h" or not short, "cache.order", expected, ttl, where)
            short = short or ttl == "5m"
            allowed = self.deviations.cache_control
            self.must(allowed != "none", "cache.offered", "no cache_control", mark, where)
            self.must(ttl != "1h" or allowed != "5m", "cache.ttl", "no ttl of 1h", ttl, where)
            on_tool = where.startswith("/tools") and not self.deviations.cache_tools
            self.must(not on_tool, "cache.tools", "no cache_control on tools", mark, where)


def _marks(body: Object) -> Iterator[tuple[Any, str]]:
    """The cache marks in the order in which the vendor caches: tools, system, messages; then the body's,
    which stands for one on the last block and counts as one more: https://github.com/coder/mux/pull/3112."""
    for key in ("tools", "system"):
        for at, block in _numbered(body.get(key)):
            yield from _mark(block, f"/{key}/{at}")
    for at, message in _numbered(body.get("messages")):
        for number, block in _numbered(message.get("content")):
            where = f"/messages/{at}/content/{number}"
            if block.get("type") == "tool_result":  # what it holds comes before its own end
                for inner, held in _numbered(block.get("content")):
                    yield from _mark(held, f"{where}/content/{inner}")
            yield from _mark(block, where)
    yield from _mark(body, "")


def _mark(block: Object, where: str) -> Iterator[tuple[Any, str]]:
    if block.get("cache_control") is not None:
        yield block["cache_control"], f"{where}/cache_control"


def _numbered(items: Any) -> list[tuple[int, Object]]:
    """The objects among ``items``, each with its place; none where it is no array."""
    listed = items if isinstance(items, list) else []
    return [(at, item) for at, item in enumerate(listed) if isinstance(item, dict)]


def _blocks(message: Any) -> list[Object]:
    content = message.get("content") if isinstance(message, dict) else None
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _role(message: Any) -> Any:
    return message.get("role") if isinstance(message, dict) else None


def _names(tools: Any) -> list[str]:
    items = tools if isinstance(tools, list) else []
    return [str(tool.get("name")) for tool in items if isinstance(tool, dict)]


def _thinks(body: Object) -> bool:
    thinking = body.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") in ("enabled", "adaptive")
