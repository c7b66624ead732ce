"""A Messages request under judgement: what it is refused for so far, and the comparison with a shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from harness.emulators.shaping import Shaping
from providers.protocols.anthropic_messages.deviations import Deviations, known
from providers.wire import Endpoint, Request, header

Check: TypeAlias = Callable[["Judgement", Any, str], None]
Shape: TypeAlias = tuple[Mapping[str, Check], Mapping[str, Check]]  # required, optional


class Judgement(Shaping):
    """One request under judgement; ``found`` grows."""

    def __init__(self, request: Request, endpoint: Endpoint) -> None:
        super().__init__()
        self.request = request
        self.endpoint = endpoint
        self.deviations: Deviations = known(endpoint.deviations)
        self.betas = bool(header(request.headers, "anthropic-beta")) or "beta=true" in request.url

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
