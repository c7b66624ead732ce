"""A probe as a pytest item: one call that may renew the age of a recorded fixture. Judges no requirement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import NotAsked, OutOfBudget
from harness.live_session import PROBE, PROBED, LiveSession
from harness.remnants import untold
from harness.stage import Case
from providers.errors import ConfigurationError, Explained, MissingCredential, UnsupportedFeature
from reports import escaping

__all__ = ["PROBE", "Probe"]


class Probe(pytest.Item):
    """One call to one fixture's provider."""

    def __init__(self, *, case: Case, live: LiveSession, **more: Any) -> None:
        super().__init__(**more)
        self.case = case
        self._live = live

    def runtest(self) -> None:
        """Pass when the answer has the fixture's shape; skip when nothing could be asked."""
        stage, case = self._live.stage, self.case
        try:
            probed = stage.probe(case.provider, case.protocol, case.scenario)
        except MissingCredential as missing:
            pytest.skip(f"no key: {missing.places}")
        except (ConfigurationError, UnsupportedFeature, OutOfBudget, NotAsked) as reason:
            pytest.skip(self._clean(str(reason)))
        except Explained as fault:
            pytest.fail(self._clean(str(fault)), pytrace=False)
        self.stash[PROBED] = probed
        compared = probed.compared
        if compared.note or compared.breaking:
            told = [compared.note, *(each.told() for each in compared.findings if each.weight == "breaking")]
            pytest.fail(self._clean("\n".join(filter(None, told))), pytrace=False)

    def _clean(self, text: str) -> str:
        return escaping.visible(untold(text, self._live.stage.secrets))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it stands: nowhere in a file; its name is its id."""
        return self.path, None, self.name
