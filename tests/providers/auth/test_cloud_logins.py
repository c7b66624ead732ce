"""Credentials that a cloud gives to whoever runs in it, each asked for over a real socket on loopback."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from providers import credentials, schema
from providers.auth import AccessToken, AWSKeys
from providers.call import Call, user
from providers.client import prepare
from providers.wire import header

ENDS = "2099-01-01T00:00:00Z"
ASSUMED = f"""<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAPOD</AccessKeyId>
<SecretAccessKey>pod-secret</SecretAccessKey><SessionToken>pod-token</SessionToken>
<Expiration>{ENDS}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>"""
TASK = {
    "AccessKeyId": "ASIATASK",
    "SecretAccessKey": "task-secret",
    "Token": "task-token",
    "Expiration": ENDS,
}
ANSWERS = {
    "/task": json.dumps(TASK).encode(),
    "/": ASSUMED.encode(),
    "/token": b'{"access_token": "t-service", "expires_in": 3600, "token_type": "Bearer"}',
}


class Cloud(HTTPServer):
    """Answers by path, and keeps what it was asked: (path, the field Authorization, content)."""

    asked: list[tuple[str, str | None, bytes]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        asked = self.rfile.read(int(self.headers.get("content-length") or 0))
        assert isinstance(self.server, Cloud)
        self.server.asked.append((path, self.headers.get("authorization"), asked))
        content = ANSWERS[path]
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(("127.0.0.1", 0), Handler) as made:
        made.asked = []
        Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A process whose AWS variables are none; botocore's chain reads them itself."""
    for name in schema.get("amazon-bedrock").auth.env:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    return monkeypatch


def signed(environ: dict[str, str]) -> tuple[object, str, str | None]:
    """The credential of the environment, and how a request to Bedrock is signed with it."""
    provider = schema.get("amazon-bedrock")
    found = credentials.find(provider, environ)
    call = Call(model="amazon.nova-lite-v1:0", messages=(user("hi"),))
    sent = prepare(provider, call, key=found).request.headers
    return found, header(sent, "authorization") or "", header(sent, "x-amz-security-token")


def test_a_containers_role_signs(cloud: Cloud, machine: pytest.MonkeyPatch) -> None:
    """ECS and EKS: the container's address is asked with its token, and its keys sign with their session."""
    environ = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{cloud.url}/task",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "task-right",
        "AWS_REGION": "eu-west-1",
    }
    for name, value in environ.items():
        machine.setenv(name, value)
    found, signature, session = signed(environ)
    assert cloud.asked == [("/task", "task-right", b"")]
    assert found == AWSKeys("ASIATASK", "task-secret", "task-token", "eu-west-1")
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=ASIATASK/")
    assert "/eu-west-1/bedrock/aws4_request" in signature
    assert session == "task-token"


def test_a_pods_identity_is_exchanged_for_keys(
    cloud: Cloud, machine: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """IRSA: the token of the file becomes the role's keys at the security token service."""
    (tmp_path / "token").write_text("pod-identity")
    environ = {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/pod",
        "AWS_ROLE_SESSION_NAME": "here",
        "AWS_ENDPOINT_URL_STS": cloud.url,
        "AWS_REGION": "eu-west-1",
    }
    for name, value in environ.items():
        machine.setenv(name, value)
    found, signature, session = signed(environ)
    ((path, authorization, content),) = cloud.asked
    told = parse_qs(content.decode())
    assert (path, authorization) == ("/", None)
    assert told["Action"] == ["AssumeRoleWithWebIdentity"]
    assert (told["WebIdentityToken"], told["RoleArn"]) == (["pod-identity"], [environ["AWS_ROLE_ARN"]])
    assert found == AWSKeys("ASIAPOD", "pod-secret", "pod-token", "eu-west-1")
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=ASIAPOD/")
    assert session == "pod-token"


def test_a_service_accounts_key_signs_for_a_token(cloud: Cloud, tmp_path: Path) -> None:
    """Vertex: the account's key signs a claim of its name, which is exchanged for a bearer token."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "client_email": "robot@acme.iam.gserviceaccount.com",
        "private_key": pem.decode(),
        "private_key_id": "1",
        "token_uri": f"{cloud.url}/token",
    }
    path = tmp_path / "account.json"
    path.write_text(json.dumps(account))
    provider = schema.get("google-vertex")
    found = credentials.find(provider, {"GOOGLE_APPLICATION_CREDENTIALS": str(path)})
    ((_, _, content),) = cloud.asked
    text, _, signature = parse_qs(content.decode())["assertion"][0].rpartition(".")
    claims = json.loads(_decoded(text.partition(".")[2]))
    key.public_key().verify(_decoded(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256())
    assert claims["iss"] == account["client_email"]
    assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
    assert found == AccessToken("t-service")
    call = Call(model="gemini-2.5-flash", messages=(user("hi"),))
    sent = prepare(provider, call, key=found, values={"project": "acme"}).request.headers
    assert header(sent, "authorization") == "Bearer t-service"
    assert header(sent, "x-goog-api-key") is None


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
