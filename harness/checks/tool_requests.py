"""Tools in a request: their schemas, their options and the choice among them, as they reach the wire.

The rules are the vendors' references': OpenAI's function calling, Anthropic's tool use.
"""

from __future__ import annotations

from collections import Counter

from harness.checks.registry import check, require
from harness.observation import Observation
from providers.call import Named
from providers.jsontext import strings

_OPENAI = "https://platform.openai.com/docs/guides/function-calling"
_ANTHROPIC = "https://docs.anthropic.com/en/docs/build-with-claude/tool-use/implement-tool-use"


@check(
    "tool.fine_grained",
    capability="tools",
    scenarios=("tool_call*_stream",),
    protocols=("anthropic-messages",),
    blames="subject",
    source="https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/fine-grained-tool-streaming",
)
def fine_grained(seen: Observation) -> None:
    """Fine-grained streaming of arguments MUST be asked for exactly where the endpoint declares it."""
    declared = bool(getattr(seen.endpoint.deviations, "eager_tool_input", False))
    asked = b'"eager_input_streaming":true' in seen.sent.content
    require(asked == declared, expected=f"eager_input_streaming {declared}", observed=asked)


@check(
    "tool.strict",
    capability="strict_tools",
    scenarios=("tool_strict*",),
    protocols=("!google-*", "!ollama-*"),  # they have no such field
    blames="subject",
    source=_OPENAI,
)
def strict(seen: Observation) -> None:
    """A tool asked for as strict MUST be sent as strict."""
    strict = (b'"strict":true', b'"strict_tools":true')  # of each tool, or of the request
    require(
        any(field in seen.sent.content for field in strict),
        expected='"strict":true',
        observed=seen.sent.content[-300:],
    )


@check(
    "tool.schema_refs", capability="tools", scenarios=("tool_schema_refs*",), blames="subject", source=_OPENAI
)
def schema_refs(seen: Observation) -> None:
    """A schema's $ref MUST reach the wire with its $defs, or be resolved; the keywords beside it survive."""
    content = seen.sent.content
    resolved = b"$ref" not in content
    require(resolved or b'"$defs"' in content, expected="$defs beside $ref", observed=content[-400:])
    require(
        b"The city's name" in content, expected="the description beside the $ref", observed=content[-400:]
    )


@check(
    "tool.schema_banned",
    capability="tools",
    scenarios=("tool_schema_banned*",),
    blames="subject",
    source=_ANTHROPIC,
)
def schema_banned(seen: Observation) -> None:
    """Schema keywords that the vendor refuses MUST be left out of the request."""
    require(not seen.violations, expected="a request the vendor accepts", observed=seen.violations)


@check(
    "tool.schema_empty",
    capability="tools",
    scenarios=("tool_call_no_args*",),
    blames="subject",
    source=_OPENAI,
)
def schema_empty(seen: Observation) -> None:
    """A tool without parameters MUST be sent with a schema that the vendor accepts."""
    require(not seen.violations, expected="a request the vendor accepts", observed=seen.violations)


@check(
    "tool.choice_subset",
    capability="tool_choice",
    scenarios=("tool_choice_named*",),
    blames="subject",
    source=_OPENAI,
)
def choice_subset(seen: Observation) -> None:
    """A choice of some of the tools MUST reach the wire: they are named in it, or the others are left out."""
    chosen = seen.call.tool_choice
    assert isinstance(chosen, Named)
    mentions = Counter(
        text for text in strings(seen.sent.json()) if text in {t.name for t in seen.call.tools}
    )
    others = [name for name in mentions if name != chosen.name]
    require(
        mentions[chosen.name] == 2 or (mentions[chosen.name] == 1 and not others),
        expected=f"{chosen.name} in the choice, or no other tool",
        observed=dict(mentions),
    )
