"""AWS Signature Version 4, with botocore's signer, and where AWS credentials come from.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html (Create a signed request) and
https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html (bearer token), read 2026-11-21.
Imported when the scheme is first used: botocore is heavy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from providers.auth import header
from providers.auth.credential import AWSKeys, Credential
from providers.errors import ConfigurationError
from providers.wire import Request

DEFAULT_REGION = "us-east-1"
BEARER = "AWS_BEARER_TOKEN_BEDROCK"
SKIP = "AWS_BEDROCK_SKIP_AUTH"
# Any of these says that the chain has somewhere to look; without one nothing is asked, not even the network.
CHAIN = (
    "AWS_PROFILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
)
_REGION = re.compile(r"(?:vpce-[a-z0-9-]+\.)?[a-z-]+\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d+)\.")
_PAIR = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_STAMP = "%Y%m%dT%H%M%SZ"
# What a client or a proxy writes or rewrites after signing.
_UNSIGNED = ("accept-encoding", "connection", "content-length", "host", "user-agent")


def apply(request: Request, service: str, credential: Credential) -> Request:
    """``request`` signed now for ``service``; a credential that is text is a bearer token instead."""
    if isinstance(credential, AWSKeys):
        return sign(request, service, credential, datetime.now(UTC))
    if isinstance(credential, str):
        return header.bearer(request, "", credential)
    raise ConfigurationError(
        "the credential is not one for AWS", expected="access keys or a bearer token", seen=repr(credential)
    )


def sign(request: Request, service: str, keys: AWSKeys, now: datetime) -> Request:
    """``request`` signed for ``service`` as of ``now`` (aware). Fields of an earlier signature go."""
    for text in (keys.access_key, keys.secret_key, keys.session_token):
        if text is not None:
            header.usable(text)
    ours = ("authorization", "x-amz-date", "x-amz-security-token", "date")
    kept = tuple(pair for pair in request.headers if pair[0].lower() not in ours)
    signed = AWSRequest(
        method=request.method,
        url=request.url,
        data=request.content,
        headers={name: value for name, value in kept if name.lower() not in _UNSIGNED},
    )
    signer = _SignedAt(keys, service, region_of(request.url) or keys.region or DEFAULT_REGION)
    signer.sign_at(signed, now)
    return msgspec.structs.replace(request, headers=(*kept, *_added(signed)))


def _added(signed: AWSRequest) -> tuple[tuple[str, str], ...]:
    names = ("X-Amz-Date", "X-Amz-Security-Token", "Authorization")
    return tuple((name, signed.headers[name]) for name in names if name in signed.headers)


class _SignedAt(SigV4Auth):  # type: ignore[misc]  # botocore has no types
    """botocore's signer, whose own ``add_auth`` reads the clock."""

    def __init__(self, keys: AWSKeys, service: str, region: str) -> None:
        super().__init__(Credentials(keys.access_key, keys.secret_key, keys.session_token), service, region)

    def sign_at(self, request: AWSRequest, now: datetime) -> None:
        request.context["timestamp"] = now.astimezone(UTC).strftime(_STAMP)
        self._modify_request_before_signing(request)
        text = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(text, request))


def region_of(url: str) -> str | None:
    """The region in the name of a host of AWS; None for any other host."""
    host = urlsplit(url).hostname or ""
    found = (
        _REGION.match(host) if host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")) else None
    )
    return found["region"] if found else None


def find(environ: Mapping[str, str]) -> Credential | None:
    """The credential of this environment: bearer token, access keys, then botocore's chain (profile,
    process, sign-on, container, web identity); None where there is none.

    ``AWS_BEDROCK_SKIP_AUTH=1``, for a proxy that signs itself, gives placeholders. The chain reads files,
    may ask the container's own address, and takes the other variables from the process. Raises
    ConfigurationError when what is configured cannot be used: as botocore does for an access key without its
    secret, whatever else is set, and for the other parts of keys where the chain has nowhere to look.
    """
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if environ.get(SKIP) == "1":
        return AWSKeys("dummy-access-key", "dummy-secret-key", region=region)
    if environ.get(BEARER):
        return environ[BEARER]
    access, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if access and secret:
        return AWSKeys(access, secret, environ.get("AWS_SESSION_TOKEN") or None, region)
    chained = any(environ.get(name) for name in CHAIN)
    if access or not chained:
        _refuse_parts(environ)
    return _chained(environ, region) if chained else None


def _refuse_parts(environ: Mapping[str, str]) -> None:
    """Raise ConfigurationError when only a part of keys is set."""
    there = [name for name in (*_PAIR, "AWS_SESSION_TOKEN") if environ.get(name)]
    missing = [name for name in _PAIR if not environ.get(name)]
    lacking = " and ".join(missing)
    if there:
        raise ConfigurationError(
            "the AWS credentials are not whole",
            expected=f"{' and '.join(_PAIR)}, and AWS_SESSION_TOKEN with temporary ones",
            seen=f"{' and '.join(there)} without {lacking}",
            where="the environment",
            next_step=f"set {lacking}, or unset {' and '.join(there)} and set AWS_PROFILE or {BEARER}",
        )


def _chained(environ: Mapping[str, str], region: str | None) -> AWSKeys | None:
    try:
        session = Session(profile=environ.get("AWS_PROFILE") or None)
        for variable, name in (("config_file", "AWS_CONFIG_FILE"), ("credentials_file", _SHARED)):
            if environ.get(name):
                session.set_config_variable(variable, environ[name])
        _verify_profile(session, environ.get("AWS_PROFILE"))
        resolver = session.get_component("credential_provider")
        for provider in ("env", "ec2-credentials-file", "boto-config", "iam-role"):
            resolver.remove(provider)
        found = resolver.load_credentials()
        frozen = found.get_frozen_credentials() if found else None
        region = region or session.get_config_variable("region")
    except (BotoCoreError, ClientError, ValueError, OSError) as fault:
        raise ConfigurationError(
            "the AWS credential chain failed",
            seen=str(fault),
            next_step="check the profile, the files and the role that the AWS_ variables name",
        ) from fault
    return AWSKeys(frozen.access_key, frozen.secret_key, frozen.token, region) if frozen else None


def _verify_profile(session: Session, profile: str | None) -> None:
    """Raise ConfigurationError for a profile that is in neither file."""
    if profile and profile not in session.available_profiles:
        raise ConfigurationError(
            "there is no such AWS profile",
            expected=f"one of {', '.join(session.available_profiles) or 'no profile: the files have none'}",
            seen=profile,
            where="AWS_PROFILE",
            next_step=f"aws configure --profile {profile}, or name another profile in AWS_PROFILE",
        )


_SHARED = "AWS_SHARED_CREDENTIALS_FILE"
