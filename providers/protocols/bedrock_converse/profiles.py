"""Model ids on Amazon Bedrock: which inference profile a model is asked through, and where.

Some model families answer on demand only through an inference profile, whose id is the model's with a
geography before it. An id that has a geography already, an ARN and a name of the user's own stay as they are.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html (Supported
cross-Region inference profiles), read 2026-11-21: the newer Claude models have profiles of their own for
Japan and Australia, and in the other regions of Asia the global one; older models have one for all of Asia.
DeepSeek R1 has one for the United States only, and the retired Claude 2 and Claude Instant never had one.
An interface endpoint's host has the region in its name, too; a proxy's has none, and the region is told.

That a family has no on-demand throughput of its own is Bedrock's answer ("Retry your request with the ID or
ARN of an inference profile"), told for Llama 3.2 (langchain-ai/langchain-aws#258), Llama 4
(anomalyco/opencode#2589), DeepSeek R1 (Mintplex-Labs/anything-llm#3441) and Nova 2 Lite
(earendil-works/pi#7311). Nova Premier has profiles only in
https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-supported.html; ListFoundationModels says
INFERENCE_PROFILE of Llama 3.3, Palmyra X and Pixtral Large, as public lists of its answers tell. All read
2026-11-21.

The first Nova models and Llama 3.1 answer to their bare ids in some regions and only through a profile in
the others: https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-supported.html and a stored
copy of https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html, whose asterisk marks the
others; seen of Nova Pro in us-west-2 (aws-solutions-library-samples/qnabot-on-aws#823) and of Llama 3.1
(aws-samples/bedrock-access-gateway#71). Where the pages disagree (Nova in Tokyo, Sydney, Stockholm), the
profile is asked, which works by both. Nova Lite has a profile for Canada (anomalyco/models.dev#6597). All
read 2026-11-21.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from providers.addresses import segment
from providers.errors import ConflictingConfig

FAMILIES = (
    "anthropic.claude-",
    "amazon.nova-2-lite",
    "amazon.nova-lite",
    "amazon.nova-micro",
    "amazon.nova-premier",
    "amazon.nova-pro",
    "deepseek.r1",
    "meta.llama3-1",
    "meta.llama3-2",
    "meta.llama3-3",
    "meta.llama4",
    "mistral.pixtral-large",
    "writer.palmyra-x",
)
GEOGRAPHIES = ("us-gov", "us", "ca", "eu", "apac", "jp", "au", "global")
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
_NOVA_AT_HOME = ("us-east-1", "us-gov-west-1", "eu-west-2")
_AT_HOME: Mapping[str, tuple[str, ...]] = {  # where a family answers to its bare id
    "amazon.nova-lite*": _NOVA_AT_HOME,
    "amazon.nova-micro*": _NOVA_AT_HOME,
    "amazon.nova-pro*": _NOVA_AT_HOME,
    "meta.llama3-1-*": ("us-west-2",),
}
_WITHOUT_PROFILE = ("anthropic.claude-v2*", "anthropic.claude-instant-*")  # older than profiles
_ONLY_US = ("deepseek.r1*", "meta.llama3-1-*")
_OF_CANADA = ("amazon.nova-lite*",)
_WITHOUT_APAC = ("anthropic.claude-opus-*", "anthropic.claude-[a-z]*-[5-9]*", "amazon.nova-2-lite*")
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z-]+:([a-z0-9-]+):")
_HOST = re.compile(
    r"(?:vpce-[a-z0-9-]+\.)?bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\."
    r"(?:(?:vpce\.)?amazonaws\.com(?:\.cn)?|api\.aws)"
)


def region_of(base_url: str, model: str = "", told: str | None = None) -> str | None:
    """The region a request goes to: the ARN's, else that of the vendor's own host, else the ``told`` one.

    Raises ConflictingConfig for an ARN of another region: what it names is not there.
    """
    arn = _ARN.match(model)
    host = _HOST.fullmatch(urlsplit(base_url).hostname or "")
    asked = host[1] if host else told or None
    if arn and asked and arn[1] != asked:
        raise ConflictingConfig(
            "the model's ARN and the configuration name two regions",
            expected=arn[1],
            seen=asked,
            where=model,
            next_step=f"leave AWS_REGION out or set it to {arn[1]}, or name a model of {asked}",
        )
    return arn[1] if arn else asked


def geography(model: str, region: str) -> str:
    """The geography whose profile serves ``model`` when it is asked in ``region``."""
    if any(fnmatch.fnmatchcase(model, glob) for glob in _ONLY_US):
        return "us"
    if region.startswith("ca-") and any(fnmatch.fnmatchcase(model, glob) for glob in _OF_CANADA):
        return "ca"
    found = next((name for start, name in _BY_REGION if region.startswith(start)), _ELSEWHERE)
    if found == "apac" and any(fnmatch.fnmatchcase(model, glob) for glob in _WITHOUT_APAC):
        return _OWN_GEOGRAPHY.get(region, "global")
    return found


def profile(model: str, region: str | None, families: Iterable[str]) -> str:
    """``model`` as it is asked for in ``region``, which is None where nobody knows it.

    ``families`` are the beginnings of the ids that need a profile, some of them not in their home regions.
    """
    return (
        model
        if region is None or not needed(model, region, families)
        else f"{geography(model, region)}.{model}"
    )


def needed(model: str, region: str | None, families: Iterable[str]) -> bool:
    """Whether ``model`` does not answer to its bare id in ``region``, or in one that nobody knows."""
    at_home = (glob for glob, regions in _AT_HOME.items() if region in regions)
    answers = (*_WITHOUT_PROFILE, *at_home)
    return model.startswith(tuple(families)) and not any(fnmatch.fnmatchcase(model, glob) for glob in answers)


def in_path(model: str) -> str:
    """The id as one segment of a path. Raises ConfigurationError where it is none."""
    return segment(model)


def bare(model: str) -> str:
    """The id without the geography of its profile."""
    first, _, rest = model.partition(".")
    return rest if first in GEOGRAPHIES else model
