"""Google Cloud: a key in a field, or an access token from application default credentials."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from google.auth.exceptions import RefreshError

from providers.auth import AccessToken, AWSKeys, authenticate, google
from providers.errors import ConfigurationError
from providers.wire import Request

REQUEST = Request("POST", "https://aiplatform.example/v1", (), b"{}")
USER = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}


class Auth(NamedTuple):
    scheme: str = "google"
    name: str = "x-goog-api-key"


class Answer(NamedTuple):
    """What google-auth's transport gives back."""

    status: int
    data: bytes
    headers: dict[str, str]


def answering(status: int, body: dict[str, Any]) -> Any:
    """A transport of google-auth's that always answers so, and remembers what was asked."""

    def ask(url: str, method: str = "GET", **more: Any) -> Answer:
        ask.asked.append((method, url))  # type: ignore[attr-defined]
        return Answer(status, json.dumps(body).encode(), {"content-type": "application/json"})

    ask.asked = []  # type: ignore[attr-defined]
    return ask


@pytest.mark.parametrize(
    ("credential", "field"),
    [("k-1", ("x-goog-api-key", "k-1")), (AccessToken("t-1"), ("Authorization", "Bearer t-1"))],
    ids=["key", "token"],
)
def test_a_key_and_a_token_go_into_different_fields(credential: Any, field: tuple[str, str]) -> None:
    """A key is sent in the vendor's field, a token as a bearer."""
    assert authenticate(REQUEST, Auth(), credential).headers == (field,)


def test_keys_of_another_cloud_are_refused() -> None:
    """AWS keys are no credential for Google."""
    with pytest.raises(ConfigurationError):
        authenticate(REQUEST, Auth(), AWSKeys("a", "s"))


def test_the_key_wins_over_the_file() -> None:
    """The key's variable is read before the credential file's, and no file is opened for it."""
    environ = {"GOOGLE_CLOUD_API_KEY": "k-1", "GOOGLE_APPLICATION_CREDENTIALS": "/nowhere/adc.json"}
    assert google.find(environ) == "k-1"
    assert google.find({}) is None


def test_a_users_file_becomes_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of gcloud's login is exchanged at Google's token address."""
    ask = answering(200, {"access_token": "t-1", "expires_in": 3600})
    monkeypatch.setattr("google.auth.transport.urllib3.Request", lambda pool: ask)
    path = tmp_path / "adc.json"
    path.write_text(json.dumps(USER))
    assert google.find({"GOOGLE_APPLICATION_CREDENTIALS": str(path)}) == AccessToken("t-1")
    assert ask.asked == [("POST", "https://oauth2.googleapis.com/token")]


@pytest.mark.parametrize(
    "written",
    [None, "{", "{}", json.dumps({"type": "pigeon"})],
    ids=["absent", "no JSON", "empty", "unknown"],
)
def test_a_bad_file_is_a_configuration_error(tmp_path: Path, written: str | None) -> None:
    """A credential file that is not there or not one is told with its path."""
    path = tmp_path / "adc.json"
    if written is not None:
        path.write_text(written)
    with pytest.raises(ConfigurationError) as raised:
        google.find({"GOOGLE_APPLICATION_CREDENTIALS": str(path)})
    assert raised.value.where == str(path)


STS = "https://sts.googleapis.com/v1/token"
POOL = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x"
JWT = "urn:ietf:params:oauth:token-type:jwt"
EXTERNAL = {"type": "external_account", "audience": POOL, "token_url": STS, "subject_token_type": JWT}
METADATA = "http://169.254.169.254/latest/meta-data"
AWS = {
    **EXTERNAL,
    "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
    "credential_source": {
        "environment_id": "aws1",
        "region_url": f"{METADATA}/placement/availability-zone",
        "url": f"{METADATA}/iam/security-credentials",
        "regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity",
    },
}
WORKFORCE = {
    "type": "external_account_authorized_user",
    "audience": "//iam.googleapis.com/locations/global/workforcePools/p/providers/x",
    "client_id": "c",
    "client_secret": "s",
    "refresh_token": "r",
    "token_url": "https://sts.googleapis.com/v1/oauthtoken",
}
AS_ROBOT = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@p.iam.gserviceaccount.com"
IMPERSONATED = {
    "type": "impersonated_service_account",
    "service_account_impersonation_url": f"{AS_ROBOT}:generateAccessToken",
    "source_credentials": USER,
}
TOKEN = {
    "access_token": "t-3",
    "expires_in": 3600,
    "token_type": "Bearer",
    "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
    "accessToken": "t-3",
    "expireTime": "2099-01-01T00:00:00Z",
}


def _program(folder: Path) -> dict[str, Any]:
    """A credential file that has a program print the token."""
    told = {"version": 1, "success": True, "token_type": JWT, "id_token": "j"}
    script = folder / "print_token.py"
    script.write_text(f"print({json.dumps(told)!r})", "utf-8")
    command = f"{sys.executable} -S {script}"
    return {**EXTERNAL, "credential_source": {"executable": {"command": command}}}


def _read(folder: Path) -> dict[str, Any]:
    """A credential file that names the file with the token."""
    (folder / "token").write_text("j", "utf-8")
    return {**EXTERNAL, "credential_source": {"file": str(folder / "token")}}


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        (IMPERSONATED, ["https://oauth2.googleapis.com/token", f"{AS_ROBOT}:generateAccessToken"]),
        (WORKFORCE, ["https://sts.googleapis.com/v1/oauthtoken"]),
        (AWS, [STS]),
        (_program, [STS]),
        (_read, [STS]),
    ],
    ids=["impersonated", "workforce", "AWS", "program", "file"],
)
def test_every_type_of_file_becomes_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: Any, asked: list[str]
) -> None:
    """Each type that google-auth loads is exchanged where it is to be, and nothing else is asked."""
    monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
    for name, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "s", "REGION": "eu-west-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    ask = answering(200, TOKEN)
    info = written(tmp_path) if callable(written) else written
    assert google.token(google.of_file(json.dumps(info)), ask) == AccessToken("t-3")
    assert ask.asked == [("POST", url) for url in asked]


def test_a_program_that_is_not_allowed_is_a_configuration_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is run for a credential file unless the process's variable lets it, nor where it is missing."""
    monkeypatch.delenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", raising=False)
    ask = answering(200, TOKEN)
    with pytest.raises(ConfigurationError):
        google.token(google.of_file(json.dumps(_program(tmp_path))), ask)
    monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
    gone = {**EXTERNAL, "credential_source": {"executable": {"command": f"{tmp_path}/gone"}}}
    with pytest.raises(ConfigurationError):
        google.token(google.of_file(json.dumps(gone)), ask)
    assert ask.asked == []


@pytest.mark.parametrize(
    "info",
    [
        {"type": "impersonated_service_account"},
        {**IMPERSONATED, "source_credentials": {"type": "secret-7"}},
        {**IMPERSONATED, "service_account_impersonation_url": "secret-7"},
        {**EXTERNAL, "credential_source": {"executable": {}}},
        {**EXTERNAL, "credential_source": "secret-7"},
        {**AWS, "credential_source": {"environment_id": "secret-7"}},
        {"type": "external_account_authorized_user"},
        {"type": ["secret-7"]},
        ["secret-7"],
    ],
)
def test_a_file_that_lacks_its_parts_is_told_and_not_shown(info: Any) -> None:
    """Whatever is wrong with a file, the error is the operator's and says nothing of what it holds."""
    with pytest.raises(ConfigurationError) as raised:
        google.token(google.of_file(json.dumps(info)), answering(400, {}))
    assert "secret-7" not in str(raised.value)


def test_an_unknown_type_is_told_with_those_there_are() -> None:
    """The types that can be used are named."""
    with pytest.raises(ConfigurationError, match="external_account_authorized_user"):
        google.of_file('{"type": "gdch_service_account"}')


class Refusing:
    """Credentials that Google no longer takes."""

    token = None

    def refresh(self, transport: Any) -> None:
        raise RefreshError("invalid_grant: secret-7")  # type: ignore[no-untyped-call]


def test_a_refused_refresh_is_a_configuration_error() -> None:
    """A login that was withdrawn is the operator's to renew; the vendor's words may hold secrets."""
    with pytest.raises(ConfigurationError) as raised:
        google.token(Refusing(), answering(400, {}))  # type: ignore[arg-type]
    assert "secret-7" not in str(raised.value)
    assert "gcloud auth application-default login" in raised.value.next_step


def test_a_service_accounts_key_needs_its_parts() -> None:
    """A service account's file without its key is told, and not shown."""
    with pytest.raises(ConfigurationError) as raised:
        google.of_file('{"type": "service_account", "client_email": "secret-7"}')
    assert "secret-7" not in str(raised.value)


def test_the_file_of_gclouds_login_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a variable, the file that gcloud wrote under the home folder is read."""
    ask = answering(200, {"access_token": "t-2", "expires_in": 3600})
    monkeypatch.setattr("google.auth.transport.urllib3.Request", lambda pool: ask)
    folder = tmp_path / ".config" / "gcloud"
    folder.mkdir(parents=True)
    (folder / "application_default_credentials.json").write_text(json.dumps(USER))
    assert google.find({"HOME": str(tmp_path)}) == AccessToken("t-2")
    assert google.find({"HOME": str(tmp_path / "elsewhere")}) is None
