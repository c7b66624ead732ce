"""What a check is: ``@check``, ``require`` and ``unjudgeable``; and the capabilities checks add up to.

    @check("stream.terminal", capability="streaming", scenarios=STREAMED, source="https://…")
    def terminal(seen: Observation) -> None:
        \"\"\"A stream MUST carry the protocol's own completion signal.\"\"\"
        require(seen.turn.complete, expected="a completion signal", observed="none")

The id and the docstring alone tell the rule: the docs page of checks is made from them. MUST, SHOULD and
MAY are RFC 2119's; the first of them in the docstring is the check's level. A check reads an observation
and nothing else, and asserts one thing.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Literal, NoReturn, TypeVar

import msgspec

from harness.errors import Blame, Nonconformance, Unjudgeable
from harness.services.scenarios import SERVICE_SCENARIOS

Level = Literal["MUST", "SHOULD", "MAY"]
Judge = Callable[[Any], None]  # takes an Observation, or what a service answered: a Served
Judging = TypeVar("Judging", bound=Judge)


class Capability(msgspec.Struct, frozen=True):
    """A group of checks that a reader looks up: a column of the matrix.

    ``features`` are the claims it proves."""

    id: str
    title: str
    group: str
    features: tuple[str, ...] = ()


CAPABILITIES: Mapping[str, Capability] = {
    capability.id: capability
    for capability in (
        Capability("text", "Text", "Text"),
        Capability("unicode", "Unicode", "Text"),
        Capability("streaming", "Streaming", "Streaming", ("streaming",)),
        Capability("chunking", "Any chunking", "Streaming"),
        Capability("faults", "Broken streams", "Streaming"),
        Capability("tools", "Tool calls", "Tools", ("tools",)),
        Capability("parallel_tools", "Parallel calls", "Tools", ("parallel_tools",)),
        Capability("tool_results", "Tool results", "Tools", ("tools",)),
        Capability("tool_choice", "Tool choice", "Tools", ("tool_choice", "tool_choice_named")),
        Capability("strict_tools", "Strict tools", "Tools", ("strict_tools",)),
        Capability("reasoning", "Reasoning", "Reasoning", ("reasoning",)),
        Capability("vision", "Vision", "Input", ("vision",)),
        Capability("pdf", "PDF documents", "Input", ("pdf",)),
        Capability("structured", "Structured output", "Output", ("structured_output",)),
        Capability("usage", "Usage", "Usage", ("usage",)),
        Capability("caching", "Cached tokens", "Usage", ("prompt_caching",)),
        Capability("stop", "Stop reasons", "Stops"),
        Capability("stop_sequences", "Stop sequences", "Stops", ("stop_sequences",)),
        Capability("errors", "Errors", "Errors"),
        Capability("requests", "Requests", "Requests"),
        Capability("embeddings", "Embeddings", "Beside chat", ("embeddings",)),
        Capability("models_list", "Models list", "Beside chat", ("models_list",)),
        Capability("count_tokens", "Token counting", "Beside chat", ("count_tokens",)),
        Capability("files", "Files", "Beside chat", ("files",)),
        Capability("batches", "Batches", "Beside chat", ("batches",)),
        Capability("passthrough", "Passthrough", "Beside chat", ("passthrough",)),
    )
}


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement. ``scenarios`` and ``protocols`` are globs, a leading ``!`` excludes; ``faults`` are
    globs of fault names, empty for the unchanged exchange. ``blames`` is whose fault a finding is.
    ``service``: it reads what a service answered, and no turn. ``client``: it reads what a third party
    returned, and does not judge our own adapters."""

    id: str
    requirement: str
    level: Level
    capability: str
    source: str
    blames: Blame
    scenarios: tuple[str, ...]
    protocols: tuple[str, ...]
    faults: tuple[str, ...]
    service: bool
    judge: Judge
    client: bool = False

    @property
    def topic(self) -> str:
        """The part of the id before the first dot."""
        return self.id.split(".")[0]

    def applies(self, protocol: str, scenario: str) -> bool:
        """Whether the check is collected for a scenario of a protocol when our own adapters are run."""
        return not self.client and self.covers(protocol, scenario)

    def covers(self, protocol: str, scenario: str) -> bool:
        """Whether the check has something to say of a scenario of a protocol."""
        if self.service is not (scenario in SERVICE_SCENARIOS):
            return False
        return selects(self.protocols, protocol) and selects(self.scenarios, scenario)


def selects(globs: Iterable[str], name: str) -> bool:
    """Whether ``name`` matches one of the globs and none of those that begin with ``!``."""
    return _selects(tuple(globs), name)


@cache
def _selects(globs: tuple[str, ...], name: str) -> bool:
    refused = any(fnmatchcase(name, glob[1:]) for glob in globs if glob.startswith("!"))
    wanted = [glob for glob in globs if not glob.startswith("!")]
    return not refused and (not wanted or any(fnmatchcase(name, glob) for glob in wanted))


ALL = ("*",)
ANSWERED = ("*", "!error_*")
STREAMED = ("*_stream", "!error_*")
WHOLE = ("*", "!*_stream", "!error_*")
REFUSED = ("error_*",)
TOOL_CALLS = ("tool_call*", "tool_text_then_call*", "tool_choice_required*", "tool_choice_named*")

_REGISTERED: dict[str, Check] = {}
_LEVEL = re.compile(r"\b(MUST|SHOULD|MAY)\b")


def check(
    id: str,
    *,
    capability: str,
    source: str,
    blames: Blame = "provider",
    scenarios: tuple[str, ...] = ANSWERED,
    protocols: tuple[str, ...] = ALL,
    faults: tuple[str, ...] = (),
    service: bool = False,
    client: bool = False,
) -> Callable[[Judging], Judging]:
    """Register a function as the check ``id``.

    Raises ValueError for an id taken, for a docstring without a level, and for a function that does not judge
    when it is called."""

    def register(judge: Judging) -> Judging:
        requirement = " ".join((judge.__doc__ or "").split())
        level = _LEVEL.search(requirement)
        if id in _REGISTERED or level is None or capability not in CAPABILITIES or not source:
            raise ValueError(
                f"{id}: an id is given once, with MUST, SHOULD or MAY, a capability and a source"
            )
        if inspect.iscoroutinefunction(judge) or inspect.isgeneratorfunction(judge):
            raise ValueError(f"{id}: a check is a plain function, neither async nor a generator")
        _REGISTERED[id] = Check(
            id=id,
            requirement=requirement,
            level=level.group(1),  # type: ignore[arg-type]
            capability=capability,
            source=source,
            blames=blames,
            scenarios=scenarios,
            protocols=protocols,
            faults=faults,
            service=service,
            client=client,
            judge=judge,
        )
        return judge

    return register


def registered() -> dict[str, Check]:
    """Every check registered so far, by id."""
    return dict(_REGISTERED)


def require(holds: bool, *, expected: str, observed: object, at: object = "", blame: Blame = "") -> None:
    """Raise Nonconformance unless ``holds``."""
    if not holds:
        raise Nonconformance(expected, observed, at, blame)


def unjudgeable(reason: str) -> NoReturn:
    """Skip: the evidence does not allow a verdict, because of ``reason``."""
    raise Unjudgeable(reason)
