"""Model ids on Amazon Bedrock: which inference profile a model is asked through, and where.

Some model families answer on demand only through an inference profile, whose id is the model's with a
geography before it. An id that has a geography already, an ARN and a name of the user's own stay as they are.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html (Supported
cross-Region inference profiles), read 2026-11-21: the newer Claude models have profiles of their own for
Japan and Australia, and in the other regions of Asia the global one; older models have one for all of Asia.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

GEOGRAPHIES = ("us-gov", "us", "eu", "apac", "jp", "au", "global")
_ELSEWHERE = "us"
_BY_REGION: tuple[tuple[str, str], ...] = (
    ("us-gov-", "us-gov"),
    ("us-", "us"),
    ("ca-", "us"),
    ("sa-", "us"),
    ("eu-", "eu"),
    ("il-", "eu"),
    ("ap-", "apac"),
    ("me-", "apac"),
)
_OWN_GEOGRAPHY: Mapping[str, str] = {
    "ap-northeast-1": "jp",
    "ap-northeast-3": "jp",
    "ap-southeast-2": "au",
    "ap-southeast-4": "au",
}
_WITHOUT_APAC = ("anthropic.claude-opus-*", "anthropic.claude-[a-z]*-[5-9]*")
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z-]+:([a-z0-9-]+):")
_HOST = re.compile(r"bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)")


def region_of(base_url: str, model: str = "") -> str | None:
    """The region a request goes to: the ARN's, else that of the vendor's own host; None for another host."""
    arn = _ARN.match(model)
    host = _HOST.fullmatch(urlsplit(base_url).hostname or "")
    return arn[1] if arn else host[1] if host else None


def geography(model: str, region: str) -> str:
    """The geography whose profile serves ``model`` when it is asked in ``region``."""
    found = next((name for start, name in _BY_REGION if region.startswith(start)), _ELSEWHERE)
    if found == "apac" and any(fnmatch.fnmatchcase(model, glob) for glob in _WITHOUT_APAC):
        return _OWN_GEOGRAPHY.get(region, "global")
    return found


def profile(model: str, region: str | None, families: Iterable[str]) -> str:
    """``model`` as it is asked for in ``region``, which is None where nobody knows it.

    ``families`` are the beginnings of the ids that need a profile.
    """
    if region is None or not model.startswith(tuple(families)):
        return model
    return f"{geography(model, region)}.{model}"


def in_path(model: str) -> str:
    """The id as one segment of a path."""
    return quote(model, safe="")


def bare(model: str) -> str:
    """The id without the geography of its profile."""
    first, _, rest = model.partition(".")
    return rest if first in GEOGRAPHIES else model
