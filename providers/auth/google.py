"""Google Cloud: an API key, or an access token from application default credentials, through google-auth.

Follows https://cloud.google.com/docs/authentication/application-default-credentials and
https://cloud.google.com/docs/authentication/api-keys-use, read 2026-11-21.
Of the credential files' types google-auth knows one more, for air-gapped clouds, which needs an audience that
nothing here tells. Imported when the scheme is first used: google-auth is heavy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from subprocess import SubprocessError
from typing import Any

import google.auth.transport.urllib3
import urllib3
from google.auth import (
    aws,
    external_account_authorized_user,
    identity_pool,
    impersonated_credentials,
    pluggable,
)
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.oauth2 import credentials as user
from google.oauth2 import service_account

from providers.auth import header
from providers.auth.credential import AccessToken, Credential
from providers.errors import ConfigurationError
from providers.wire import Request

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
KEY = "GOOGLE_CLOUD_API_KEY"
FILE = "GOOGLE_APPLICATION_CREDENTIALS"


def apply(request: Request, name: str, credential: Credential) -> Request:
    """``request`` with an access token as a bearer, or with a key in the field ``name``."""
    if isinstance(credential, AccessToken):
        return header.bearer(request, "", credential.token)
    if isinstance(credential, str):
        return header.field(request, name, credential)
    raise ConfigurationError(
        "the credential is not one for Google", expected="a key or an access token", seen=repr(credential)
    )


def find(environ: Mapping[str, str]) -> Credential | None:
    """The key of this environment, else a token of the credential file; None without either.

    The file is the one the environment names, else the one gcloud's login wrote. Reads it and asks Google's
    token address for a token that is good for an hour; Google's metadata server is not asked. A file for
    another identity provider tells where that one's token is: for AWS in the process's AWS_ variables or at
    an address, for a program in what it prints, which GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1 of the
    process has to allow.
    """
    if environ.get(KEY):
        return environ[KEY]
    path = _file(environ)
    if path is None:
        return None
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise _unusable(fault, str(path)) from fault
    return token(of_file(text, str(path)))


def _file(environ: Mapping[str, str]) -> Path | None:
    if environ.get(FILE):
        return Path(environ[FILE])
    folder = environ.get("CLOUDSDK_CONFIG") or (
        f"{environ['HOME']}/.config/gcloud" if environ.get("HOME") else ""
    )
    written = Path(folder) / "application_default_credentials.json"
    return written if folder and written.is_file() else None


def of_file(text: str, where: str = "the credential file") -> Credentials:
    """The credentials that a credential file's JSON text describes. Raises ConfigurationError, which shows
    nothing of it."""
    try:
        info = json.loads(text)
        kind = info["type"]
    except (ValueError, KeyError, TypeError) as fault:
        raise _unusable(fault, where) from fault
    if not isinstance(kind, str) or kind not in _KINDS:
        raise _unusable(ValueError("an unknown type"), where, expected=f"type {' or '.join(_KINDS)}")
    try:
        credentials: Credentials = _KINDS[kind](info)
    except (GoogleAuthError, KeyError, ValueError, TypeError, AttributeError) as fault:
        raise _unusable(fault, where) from fault
    return credentials


def _external(info: Mapping[str, Any]) -> Any:
    """Those of another identity provider: AWS, a program that is run, or a file or address that is read."""
    if info.get("subject_token_type") == _AWS:
        return aws.Credentials.from_info(info, scopes=SCOPES)  # type: ignore[no-untyped-call]
    if "executable" in (info.get("credential_source") or {}):
        return pluggable.Credentials.from_info(info, scopes=SCOPES)  # type: ignore[no-untyped-call]
    return identity_pool.Credentials.from_info(info, scopes=SCOPES)  # type: ignore[no-untyped-call]


_AWS = "urn:ietf:params:aws:token-type:aws4_request"
_KINDS: Mapping[str, Callable[[Any], Any]] = {
    "authorized_user": partial(user.Credentials.from_authorized_user_info, scopes=SCOPES),
    "service_account": partial(service_account.Credentials.from_service_account_info, scopes=SCOPES),
    "impersonated_service_account": partial(
        impersonated_credentials.Credentials.from_impersonated_service_account_info, scopes=SCOPES
    ),
    "external_account": _external,
    "external_account_authorized_user": external_account_authorized_user.Credentials.from_info,
}


def token(credentials: Credentials, transport: Any = None) -> AccessToken:
    """An access token, asked for now. ``transport`` is google-auth's; None goes over the network."""
    ask = transport or google.auth.transport.urllib3.Request(urllib3.PoolManager())  # type: ignore[no-untyped-call]
    try:
        credentials.refresh(ask)  # type: ignore[no-untyped-call]
    except (GoogleAuthError, ValueError, LookupError, OSError, SubprocessError) as fault:
        raise _unusable(fault, "Google's token address, or where the file sends for a token") from fault
    return AccessToken(str(credentials.token))


def _unusable(fault: Exception, where: str, expected: str = "") -> ConfigurationError:
    return ConfigurationError(
        "Google's application default credentials cannot be used",
        expected=expected,
        seen=type(fault).__name__,
        where=where,
        next_step=f"run gcloud auth application-default login, or set {FILE} or {KEY}",
    )
