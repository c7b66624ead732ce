"""Messages of one role that become one, and ids of calls: what Anthropic's Messages and Bedrock's Converse
have in common.

Both take a user and an assistant by turns, the results of a call in the user's next message and before all
else there, and ids of a charset of their own. How a block looks is each protocol's own business.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, TypeAlias

Block: TypeAlias = dict[str, Any]  # a content block, a message or a tool, as it is sent

_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_-]")
_KEPT = 47  # characters of an id that is replaced: with the digest behind it, 64


class Run:
    """Neighbouring messages of one role, which become one. Results are kept before other blocks."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.results: list[Block] = []
        self.blocks: list[Block] = []

    def message(self) -> Block:
        """The one message."""
        return {"role": self.role, "content": [*self.results, *self.blocks]}


def new_id(original: str | None, lawful: re.Pattern[str], taken: set[str]) -> str:
    """``original`` when it is ``lawful`` and not ``taken``, else an id made from it; deterministic.

    It is ``taken`` from then on.
    """
    wire_id, salt = original or "", 0
    while not lawful.fullmatch(wire_id) or wire_id in taken:
        digest = hashlib.sha256(f"{salt}\0{original}".encode("utf-8", "surrogatepass")).hexdigest()
        squeezed = _NOT_IN_IDS.sub("_", original or "call")[:_KEPT]
        wire_id, salt = f"{squeezed}_{digest[:16]}", salt + 1
    taken.add(wire_id)
    return wire_id


def unthought(
    messages: list[Block], is_result: Callable[[Block], bool], is_thought: Callable[[Block], bool]
) -> list[Block]:
    """The assistant's messages of the turn that goes on with results, where it does not begin with a thought.

    A user's own words end a turn, results do not. Claude that thinks by a budget wants the turn to begin with
    a thought (https://platform.claude.com/docs/en/build-with-claude/thinking, Thinking with tool use).
    """
    turn: list[Block] = []
    for message in reversed(messages):
        if message["role"] == "assistant" and message is not messages[-1]:
            turn.append(message)
        elif not all(is_result(block) for block in message["content"]):
            break
    return [] if turn and is_thought(turn[-1]["content"][0]) else turn
