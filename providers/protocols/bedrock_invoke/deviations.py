"""Where InvokeModel with Anthropic's bodies differs from Anthropic's own API; data, no logic.

The later version is for Claude 4.7 and what came after it (https://platform.claude.com/docs/en/api/versioning);
the vendor's SDK writes its date into the body (@anthropic-ai/bedrock-sdk 1.1.2). Both read 2026-11-21.
"""

from __future__ import annotations

from typing import Any

from providers.protocols import anthropic_messages
from providers.protocols.anthropic_messages.deviations import SINCE_4_7
from providers.protocols.bedrock_converse import profiles

NAME = "bedrock-invoke"


class Deviations(anthropic_messages.Deviations, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Anthropic's, with other defaults, and two of Bedrock's own.

    ``profile_families``: beginnings of the ids that are asked for through an inference profile.
    ``region``: the one whose profiles are asked for, at a host that does not name its own.
    """

    hosted_version: str | None = "bedrock-2023-05-31"
    later_versions: tuple[str, ...] = ("2026-10-21",)
    later_models: tuple[str, ...] = SINCE_4_7
    profile_families: tuple[str, ...] = profiles.FAMILIES
    region: str | None = None


def known(deviations: Any) -> Deviations:
    """An endpoint's deviations; none at all are Amazon's own behaviour."""
    return deviations if isinstance(deviations, Deviations) else Deviations()
