"""The names of what a provider may declare, and which of them a call needs.

A claim is True, False or absent; absent is "nobody said", which is neither. A call that needs what is not
claimed True is refused before any network use; a caller that wants to find out may ask for what nobody
said (``undeclared``), never for what is claimed False.
"""

from __future__ import annotations

from collections.abc import Mapping

from providers.call import Call, Document, Image, Named, ToolResult
from providers.errors import UnsupportedFeature

FEATURES: Mapping[str, str] = {
    "streaming": "answers as a stream",
    "tools": "calls tools",
    "parallel_tools": "calls several tools in one turn",
    "tool_choice": "obeys auto, none and required",
    "tool_choice_named": "obeys a named tool",
    "strict_tools": "enforces a tool's schema",
    "reasoning": "thinks, and shows or counts it",
    "vision": "takes images",
    "pdf": "takes documents",
    "structured_output": "answers with JSON of a given schema",
    "stop_sequences": "stops at given texts",
    "usage": "counts tokens",
    "prompt_caching": "reports cached input tokens",
    "models_list": "lists its models",
    "embeddings": "embeds texts",
    "count_tokens": "counts the tokens of a call without answering it",
    "files": "keeps files",
    "batches": "runs batches",
    "passthrough": "takes a path and a body that are passed on as they are",
}


def needed(call: Call) -> tuple[str, ...]:
    """The features that ``call`` makes use of, in the order of FEATURES."""
    parts = [part for message in call.messages for part in message.parts]
    parts += [inner for part in parts if isinstance(part, ToolResult) for inner in part.content]
    uses = {
        "streaming": call.stream,
        "tools": bool(call.tools),
        "parallel_tools": bool(call.parallel_tool_calls),
        "tool_choice": call.tool_choice is not None,
        "tool_choice_named": isinstance(call.tool_choice, Named),
        "strict_tools": any(tool.strict for tool in call.tools),
        "reasoning": call.thinking is not None and call.thinking.effort != "none",
        "vision": any(isinstance(part, Image) for part in parts),
        "pdf": any(isinstance(part, Document) for part in parts),
        "structured_output": call.structured is not None,
        "stop_sequences": bool(call.stop),
        "prompt_caching": call.cache is not None,
    }
    return tuple(name for name in FEATURES if uses.get(name))


def refuse_undeclared(
    provider: str, claims: Mapping[str, bool], call: Call, *, undeclared: bool = False
) -> None:
    """Raise UnsupportedFeature for the first feature of ``call`` that ``claims`` does not offer.

    With ``undeclared`` a feature without a claim may be asked for.
    """
    for name in needed(call):
        refuse_unclaimed(provider, claims, name, undeclared=undeclared, instead="leave it out of the call")


def refuse_unclaimed(
    provider: str, claims: Mapping[str, bool], name: str, *, undeclared: bool, instead: str
) -> None:
    """Raise UnsupportedFeature for the feature ``name``, as ``refuse_undeclared`` does for a call's."""
    claim = claims.get(name)
    if claim is False:
        raise UnsupportedFeature(provider, f"{name} ({FEATURES[name]})", next_step=instead)
    if claim is None and not undeclared:
        raise UnsupportedFeature(
            provider,
            f"{name} ({FEATURES[name]}) by any claim",
            next_step=f"{instead}, claim it in the provider's file, or allow what is undeclared",
        )


def refuse_own(provider: str, name: str, *, own: bool) -> None:
    """Raise UnsupportedFeature for a service that the provider has in a shape of its ``own`` only."""
    if own:
        raise UnsupportedFeature(
            provider,
            f"{name} ({FEATURES[name]}) in a shape that is spoken here",
            next_step="pass a request of the vendor's own shape on",
        )
