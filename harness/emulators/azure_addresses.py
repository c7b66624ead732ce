"""Which paths an Azure OpenAI resource has: the v1 API, and chat completions at a deployment.

Any other path of these hosts is answered with 404 "Resource not found". A host that is not Azure's is not
judged here.

Source: https://learn.microsoft.com/en-us/azure/ai-foundry/openai/reference (the URI of each operation) and
https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle, read 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from harness.emulators.emulator import Violation
from providers.errors import shown

_HOST = re.compile(r".+\.(?:openai|cognitiveservices|services\.ai)\.azure\.com")
_V1 = re.compile(r"/openai/v1/.+")
_DEPLOYMENT = re.compile(r"/openai/deployments/[^/]+/chat/completions")
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(?:-preview)?")
_UNDATED = ("", "v1", "preview", "latest")  # of the v1 API, where the version may be left out
_EXPECTED = "/openai/v1/…, or /openai/deployments/{deployment}/chat/completions?api-version={date}"


def misplaced(url: str) -> Iterator[Violation]:
    """The Violation of a request to a path that the resource at ``url`` has not."""
    parts = urlsplit(url)
    if not _HOST.fullmatch(parts.hostname or ""):
        return
    version = parse_qs(parts.query).get("api-version", [""])[0]
    if _V1.fullmatch(parts.path):
        if version not in _UNDATED:
            yield Violation("target.azure_version", "v1, preview, latest or none", version, "target")
        return
    if not (_DEPLOYMENT.fullmatch(parts.path) and _DATED.fullmatch(version)):
        yield Violation("target.azure", _EXPECTED, shown(url), "target")
