"""Credential chains outside the client: AWS and Google application default credentials.

Each function looks at what the environment says and gives one Candidate a link of the chain. The value
is not read: the chain's own library does that when it signs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from providers.dialects.resolved import Candidate, File, ambient

AWS_PROFILE = ("AWS_PROFILE",)
AWS_KEY_PAIR = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
AWS_BEARER = ("AWS_BEARER_TOKEN_BEDROCK",)
AWS_CONTAINER = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",)
AWS_CONTAINER_FULL = ("AWS_CONTAINER_CREDENTIALS_FULL_URI",)
AWS_WEB_IDENTITY = ("AWS_WEB_IDENTITY_TOKEN_FILE",)

ADC_FILE = "~/.config/gcloud/application_default_credentials.json"


def aws(environ: Mapping[str, str], links: Iterable[tuple[str, ...]]) -> tuple[Candidate, ...]:
    """The links in order. A link counts when all its variables are set: half a key pair does not."""
    return tuple(_link(environ, link) for link in links)


def _link(environ: Mapping[str, str], link: tuple[str, ...]) -> Candidate:
    unset = [name for name in link if not environ.get(name)]
    name = link[0]
    return ambient(name, not unset, f"{' and '.join(unset)} not set")


class GoogleNeeds(msgspec.Struct, frozen=True):
    """Variables that application default credentials need beside them; one of each group."""

    groups: tuple[tuple[str, ...], ...] = ()


NOTHING_MORE = GoogleNeeds()
VERTEX = GoogleNeeds((("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"), ("GOOGLE_CLOUD_LOCATION",)))


def google(
    environ: Mapping[str, str], files: Mapping[str, File], needs: GoogleNeeds = NOTHING_MORE
) -> Candidate:
    """Application default credentials: the named file, or the one gcloud writes; it must exist."""
    path = environ.get("GOOGLE_APPLICATION_CREDENTIALS") or ADC_FILE
    name = "GOOGLE_APPLICATION_CREDENTIALS" if path != ADC_FILE else ADC_FILE
    if path not in files:
        return ambient(name, False, "no such file")
    lacking = [" or ".join(group) for group in needs.groups if not any(environ.get(v) for v in group)]
    return ambient(name, not lacking, f"{' and '.join(lacking)} not set")


def region(environ: Mapping[str, str]) -> str:
    """AWS_REGION, else AWS_DEFAULT_REGION, else us-east-1."""
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
