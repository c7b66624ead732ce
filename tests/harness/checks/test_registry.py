"""The registry of checks: what a check must have, and what its globs select."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.checks import CHECKS, registry
from harness.checks.registry import CAPABILITIES, check, selects
from harness.faults import FAULTS
from harness.observation import Observation
from harness.scenarios import SCENARIOS
from harness.services.scenarios import SERVICE_SCENARIOS
from providers.features import FEATURES


@pytest.mark.parametrize(
    ("globs", "name", "taken"),
    [
        (("*",), "text", True),
        ((), "text", True),
        (("*", "!error_*"), "error_401_bad_key", False),
        (("*", "!error_*"), "text", True),
        (("!error_*",), "text", True),
        (("text", "text_stream"), "text_streamed", False),
    ],
)
def test_globs_select(globs: tuple[str, ...], name: str, taken: bool) -> None:
    """A glob takes, a leading ! excludes, and no glob that takes means all."""
    assert selects(globs, name) is taken


@pytest.mark.parametrize("id", CHECKS)
def test_every_glob_selects_something(id: str) -> None:
    """Every scenario glob of a check takes a scenario, and every fault glob a fault."""
    stories = SERVICE_SCENARIOS if CHECKS[id].service else SCENARIOS
    for globs, names in ((CHECKS[id].scenarios, stories), (CHECKS[id].faults, FAULTS)):
        for glob in globs:
            assert any(selects((glob.removeprefix("!"),), name) for name in names), glob


@pytest.mark.parametrize("id", CHECKS)
def test_a_fault_is_made_for_a_scenario(id: str) -> None:
    """Each fault that a check asks for is made for a scenario that the check takes."""
    found = CHECKS[id]
    for glob in found.faults:
        scenarios = [name for fault in FAULTS if selects((glob,), fault) for name in FAULTS[fault].scenarios]
        assert any(selects(found.scenarios, name) for name in scenarios), glob


@pytest.mark.parametrize("id", CHECKS)
def test_the_level_is_said_once(id: str) -> None:
    """The requirement is a sentence with the check's own level in it."""
    found = CHECKS[id]
    assert found.requirement.endswith(".")
    assert found.level in found.requirement
    assert id.split(".")[0] == found.topic


def test_capabilities_prove_features() -> None:
    """Every capability proves declared features only, and has a check."""
    assert {name for each in CAPABILITIES.values() for name in each.features} <= set(FEATURES)
    assert {found.capability for found in CHECKS.values()} == set(CAPABILITIES)


# Features that no check proves yet, and why. A claim of one is no column of the matrix.
UNPROVEN: dict[str, str] = {}


def test_every_feature_is_proven() -> None:
    """Every declared feature is a capability's, which has checks; or it is listed with the reason."""
    proven = {name for each in CAPABILITIES.values() for name in each.features}
    assert set(FEATURES) - proven == set(UNPROVEN)


def test_every_claim_has_a_scenario() -> None:
    """A capability of chat is needed by a scenario, so that a provider's claim of it makes exchanges."""
    needed = {need for story in SCENARIOS.values() for need in story.needs}
    services = {CHECKS[id].capability for id in CHECKS if CHECKS[id].service}
    assert set(FEATURES) - needed - services == set(UNPROVEN)


@pytest.mark.parametrize("document", ["Answers are nice.", ""])
def test_a_check_without_a_level_is_refused(document: str) -> None:
    """A docstring without MUST, SHOULD or MAY registers nothing."""

    def judge(seen: Observation) -> None:
        raise AssertionError

    judge.__doc__ = document
    with pytest.raises(ValueError, match=r"test\.levelless"):
        check("test.levelless", capability="text", source="RFC 2119")(judge)
    assert "test.levelless" not in registry.registered()


def test_an_id_is_given_once() -> None:
    """A second function with an id that is taken is refused."""

    def judge(seen: Observation) -> None:
        """An answer MUST be."""

    with pytest.raises(ValueError, match=r"text\.basic"):
        check("text.basic", capability="text", source="RFC 2119")(judge)


def test_a_check_is_a_plain_function() -> None:
    """A coroutine or a generator, whose body nobody would run, is refused when it is registered."""

    async def later(seen: Observation) -> None:
        """An answer MUST come."""

    def drawn(seen: Observation) -> Iterator[None]:
        """An answer MUST come."""
        yield

    for judging in (later, drawn):
        with pytest.raises(ValueError, match="plain function"):
            check("acme.later", capability="text", source="Acme's page")(judging)  # type: ignore[type-var]
    assert "acme.later" not in registry.registered()
