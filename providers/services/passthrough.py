"""Passthrough: a path and a body that this package knows nothing of, sent as they are.

The answer comes back as it is, whatever its status: whoever passes it on has to judge it. Only the host, the
endpoint's fields and the credential are ours, so a path cannot lead to another host.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

import msgspec

from providers import extensions
from providers.errors import ConfigurationError
from providers.protocols import PROTOCOLS
from providers.services.operation import Operation, Operations, fields
from providers.wire import Endpoint, Headers, Request


class PassOn(msgspec.Struct, frozen=True, kw_only=True):
    """Send this. ``path`` follows the base URL, begins with a slash and may have a query, but no fragment."""

    method: str = "POST"
    path: str
    headers: Headers = ()
    content: bytes = b""


class Passed(msgspec.Struct, frozen=True):
    """The answer as it came."""

    status: int
    headers: Headers
    content: bytes


def _build(ask: PassOn, endpoint: Endpoint) -> Request:
    if not ask.path.startswith("/") or "#" in ask.path or _leaves(ask.path.partition("?")[0]):
        raise ConfigurationError(
            "a path that is passed on stays below the base URL",
            expected="a path that begins with / and has neither . and .. as steps nor a fragment",
            seen=ask.path,
        )
    return Request(ask.method, endpoint.at(ask.path), fields(endpoint, extra=ask.headers), ask.content)


def _leaves(path: str) -> bool:
    """Whether a step of ``path`` is dots alone, as lenient servers read it: decoded, divided by backslashes
    too, and without the parameters of a step."""
    steps = unquote(path).replace("\\", "/").split("/")
    return any(step.partition(";")[0] in (".", "..") for step in steps)


ANY: Operations = {
    PassOn: Operation(
        source="https://www.rfc-editor.org/rfc/rfc9110#section-7.6",
        build=_build,
        read=Passed,
        repeatable=False,
    )
}

PASSTHROUGH: Mapping[str, Operations] = extensions.Table(lambda: dict.fromkeys(PROTOCOLS, ANY))
