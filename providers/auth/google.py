"""Google Cloud: an API key, or an access token from application default credentials, through google-auth.

Follows https://cloud.google.com/docs/authentication/application-default-credentials and
https://cloud.google.com/docs/authentication/api-keys-use, read 2026-11-21.
Imported when the scheme is first used: google-auth is heavy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import google.auth
import google.auth.transport.urllib3
import urllib3
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
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
    """The key of this environment, else a token of the credential file it names; None without either.

    Reads the file and asks Google's token address for a token that is good for an hour.
    """
    if environ.get(KEY):
        return environ[KEY]
    path = environ.get(FILE)
    if not path:
        return None
    try:
        loaded = google.auth.load_credentials_from_file(path, scopes=SCOPES)  # type: ignore[no-untyped-call]
    except (GoogleAuthError, OSError, ValueError) as fault:
        raise _unusable(fault, path) from fault
    return token(loaded[0])


def of_service_account(key: str) -> Credentials:
    """The credentials of a service account from its key file's JSON text."""
    try:
        info = json.loads(key)
        make = service_account.Credentials.from_service_account_info
        credentials: Credentials = make(info, scopes=SCOPES)  # type: ignore[no-untyped-call]
    except (GoogleAuthError, ValueError, AttributeError, TypeError) as fault:
        raise _unusable(fault, "the service account's key") from fault
    return credentials


def token(credentials: Credentials, transport: Any = None) -> AccessToken:
    """An access token, asked for now. ``transport`` is google-auth's; None goes over the network."""
    ask = transport or google.auth.transport.urllib3.Request(urllib3.PoolManager())  # type: ignore[no-untyped-call]
    try:
        credentials.refresh(ask)  # type: ignore[no-untyped-call]
    except GoogleAuthError as fault:
        raise _unusable(fault, "Google's token address") from fault
    return AccessToken(str(credentials.token))


def _unusable(fault: Exception, where: str) -> ConfigurationError:
    return ConfigurationError(
        "Google's application default credentials cannot be used",
        seen=type(fault).__name__,
        where=where,
        next_step=f"run gcloud auth application-default login, or set {FILE} or {KEY}",
    )
