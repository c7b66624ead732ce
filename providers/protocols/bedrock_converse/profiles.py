"""Model ids on Amazon Bedrock: which inference profile a model is asked through, and where.

Some model families answer on demand only through an inference profile, whose id is the model's with a
geography before it. An id that has a geography already, an ARN and a name of the user's own stay as they are.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html (Supported
cross-Region inference profiles; a stored copy of late 2025), read 2026-11-21: which profiles a family has,
and which regions may call them. The newer Claude models have profiles of their own for Japan and Australia,
and elsewhere the global one; older models have one for all of Asia. The Llama models but the two smallest
of 3.2, DeepSeek R1, Nova Premier and Palmyra X have one for the United States only, and the retired Claude
2 and Claude Instant never had one. Where no profile of a family may be called, its bare id is sent. Claude
models newer than that copy are taken to have all of the newer ones' profiles, but for Sonnet 5, which had
none for Japan in August 2026, as a public list of ListInferenceProfiles tells. That a profile may be called
in some regions of its geography only is not told here. An interface endpoint's host has the region in its
name, too; a proxy's has none, and the region is told.

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
GEOGRAPHIES = ("us-gov", "ca", "us", "eu", "jp", "au", "apac", "global")  # the narrower first
_CALLED_IN: Mapping[str, tuple[str, ...]] = {  # the regions of each
    "us-gov": ("us-gov-*",),
    "ca": ("ca-*",),
    "us": ("us-east-*", "us-west-*"),
    "eu": ("eu-*",),
    "jp": ("ap-northeast-1", "ap-northeast-3"),
    "au": ("ap-southeast-2", "ap-southeast-4"),
    "apac": ("ap-*",),
    "global": ("us-east-*", "us-west-*", "ca-*", "mx-*", "sa-*", "eu-*", "il-*", "me-*", "af-*", "ap-*"),
}
_ALL = ("us-gov", "us", "eu", "jp", "au", "global")
_ASIA = ("us", "eu", "apac")
_CANADA: Mapping[str, str] = {"us": "ca-*"}
_NEAR: Mapping[str, str] = {"eu": "il-*", "apac": "me-central-1"}
_NOWHERE: Mapping[str, str] = {}
# The geographies of a family's profiles, and further regions that may call one of them; the first that fits.
_PROFILES: tuple[tuple[str, tuple[str, ...], Mapping[str, str]], ...] = (
    ("anthropic.claude-3-haiku-*", ("us-gov", *_ASIA), _NOWHERE),
    ("anthropic.claude-3-sonnet-*", _ASIA, _NOWHERE),
    ("anthropic.claude-3-opus-*", ("us",), _NOWHERE),
    ("anthropic.claude-3-5-haiku-*", ("us",), _NOWHERE),
    ("anthropic.claude-3-5-sonnet-20240620-*", ("us-gov", *_ASIA), _NOWHERE),
    ("anthropic.claude-3-5-sonnet-*", ("us", "apac"), _NOWHERE),
    ("anthropic.claude-3-7-sonnet-*", ("us-gov", *_ASIA), _NOWHERE),
    ("anthropic.claude-sonnet-4-20250514-*", _ASIA, _NEAR),
    ("anthropic.claude-opus-4-20250514-*", ("us",), _NOWHERE),
    ("anthropic.claude-opus-4-1-*", ("us",), _NOWHERE),
    ("anthropic.claude-opus-4-5-*", ("us", "eu", "global"), _CANADA),
    ("anthropic.claude-sonnet-5", ("us-gov", "us", "eu", "au", "global"), _CANADA),
    ("anthropic.claude-*", _ALL, _CANADA),
    ("amazon.nova-2-lite*", ("us", "eu", "jp", "global"), _CANADA),
    ("amazon.nova-premier*", ("us",), _NOWHERE),
    ("amazon.nova-lite*", ("ca", *_ASIA), _NEAR),
    ("amazon.nova-*", _ASIA, _NEAR),
    ("deepseek.r1*", ("us",), _NOWHERE),
    ("meta.llama3-2-[13]b-*", ("us", "eu"), _NOWHERE),
    ("meta.llama*", ("us",), _NOWHERE),
    ("mistral.pixtral-large*", ("us", "eu"), _NOWHERE),
    ("writer.palmyra-x*", ("us",), _NOWHERE),
    ("*", ("us-gov", *_ASIA), _NOWHERE),
)
_NOVA_AT_HOME = ("us-east-1", "us-gov-west-1", "eu-west-2")
_AT_HOME: Mapping[str, tuple[str, ...]] = {  # where a family answers to its bare id
    "amazon.nova-lite*": _NOVA_AT_HOME,
    "amazon.nova-micro*": _NOVA_AT_HOME,
    "amazon.nova-pro*": _NOVA_AT_HOME,
    "meta.llama3-1-*": ("us-west-2",),
}
_WITHOUT_PROFILE = ("anthropic.claude-v2*", "anthropic.claude-instant-*")  # older than profiles
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


def geography(model: str, region: str) -> str | None:
    """The geography of the profile through which ``model`` is asked in ``region``; None where it has none."""
    for glob, held, further in _PROFILES:
        if fnmatch.fnmatchcase(model, glob):
            called_in = {name: (*_CALLED_IN[name], further.get(name, "")) for name in held}
            return next((name for name in GEOGRAPHIES if _fits(region, called_in.get(name, ()))), None)
    return None


def _fits(text: str, globs: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(text, glob) for glob in globs)


def profile(model: str, region: str | None, families: Iterable[str]) -> str:
    """``model`` as it is asked for in ``region``, which is None where nobody knows it.

    ``families`` are the beginnings of the ids that need a profile, some of them not in their home regions.
    """
    if region is None or not needed(model, region, families):
        return model
    return f"{geography(model, region)}.{model}"


def needed(model: str, region: str | None, families: Iterable[str]) -> bool:
    """Whether ``model`` is asked through a profile in ``region``, or in one that nobody knows."""
    if not model.startswith(tuple(families)) or _fits(model, _WITHOUT_PROFILE):
        return False
    if region is None:
        return True
    at_home = any(_fits(model, (glob,)) and region in regions for glob, regions in _AT_HOME.items())
    return not at_home and geography(model, region) is not None


def in_path(model: str) -> str:
    """The id as one segment of a path. Raises ConfigurationError where it is none."""
    return segment(model)


def bare(model: str) -> str:
    """The id without the geography of its profile."""
    first, _, rest = model.partition(".")
    return rest if first in GEOGRAPHIES else model
