"""A Messages request under judgement: what it is refused for so far, and the comparison with a shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from harness.emulators.emulator import Violation
from providers.errors import shown
from providers.protocols.anthropic_messages.deviations import Deviations, known
from providers.wire import Endpoint, Request, header

Check: TypeAlias = Callable[["Judgement", Any, str], None]
Shape: TypeAlias = tuple[Mapping[str, Check], Mapping[str, Check]]  # required, optional


class Judgement:
    """One request under judgement; ``found`` grows."""

    def __init__(self, request: Request, endpoint: Endpoint) -> None:
        self.found: list[Violation] = []
        self.request = request
        self.endpoint = endpoint
        self.deviations: Deviations = known(endpoint.deviations)
        self.betas = bool(header(request.headers, "anthropic-beta")) or "beta=true" in request.url

    def refuse(self, rule: str, expected: str, seen: object, where: str) -> None:
        """The vendor refuses the request by ``rule``."""
        self.found.append(Violation(rule, expected, shown(seen), where))

    def must(self, holds: bool, rule: str, expected: str, seen: object, where: str) -> None:
        """The vendor refuses the request by ``rule`` unless it ``holds``."""
        if not holds:
            self.refuse(rule, expected, seen, where)

    def is_object(self, value: Any, where: str) -> bool:
        """Whether ``value`` is an object; refused when it is not."""
        self.must(isinstance(value, dict), "body.type", "an object", value, where)
        return isinstance(value, dict)

    def shape(
        self,
        value: Any,
        where: str,
        required: Mapping[str, Check],
        optional: Mapping[str, Check],
    ) -> bool:
        """Compare an object with its shape; whether every required field is there."""
        if not self.is_object(value, where):
            return False
        for name in required:
            self.must(name in value, "body.required", "Field required", "nothing", f"{where}/{name}")
        for name, inner in value.items():
            check = required.get(name) or optional.get(name)
            if check is None:
                self.refuse("body.unknown", "Extra inputs are not permitted", inner, f"{where}/{name}")
            else:
                check(self, inner, f"{where}/{name}")
        return all(name in value for name in required)
