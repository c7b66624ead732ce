"""AWS signatures, held against botocore's own, and where AWS credentials come from."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.credentials import Credentials
from botocore.session import Session

from providers import schema
from providers.auth import AccessToken, AWSKeys, authenticate, sigv4
from providers.call import Call, user
from providers.client import prepare, prepare_service
from providers.errors import ConfigurationError, ConflictingConfig
from providers.services.count_tokens import CountTokens
from providers.services.embeddings import Embed
from providers.wire import Request, header

NOW = datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC)
KEYS = AWSKeys("access-key-example", "secret/key+example")
TEMPORARY = AWSKeys("access-key-example", "secret/key+example", "session+token==")
CONVERSE = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/eu.anthropic.claude%3A0/converse"
REQUEST = Request(
    "POST", CONVERSE, (("content-type", "application/json"), ("accept", "*/*")), b'{"a":"\xc3\xa9"}'
)


class Auth(NamedTuple):
    scheme: str = "sigv4"
    name: str = "bedrock"


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's clock stands still."""
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW)


def by_botocore(request: Request, keys: AWSKeys, region: str) -> str:
    """The Authorization field that botocore's signer makes of the same request."""
    asked = AWSRequest(request.method, request.url, dict(request.headers), request.content)
    credentials = Credentials(keys.access_key, keys.secret_key, keys.session_token)
    SigV4Auth(credentials, "bedrock", region).add_auth(asked)
    return str(asked.headers["Authorization"])


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize("keys", [KEYS, TEMPORARY], ids=["long-lived keys", "temporary keys"])
@pytest.mark.parametrize(
    "url",
    [
        CONVERSE,
        "https://bedrock-runtime.eu-west-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ax%2Fy/invoke",
        "https://bedrock-runtime.eu-west-1.amazonaws.com/a%20b/../c?x=1&a=%2F&a=",
    ],
    ids=["a model", "an ARN", "a query"],
)
def test_a_signature_is_botocores(url: str, keys: AWSKeys) -> None:
    """At the same second, our signature of a request is botocore's."""
    request = Request("POST", url, REQUEST.headers, REQUEST.content)
    signed = sigv4.sign(request, "bedrock", keys, NOW)
    assert header(signed.headers, "authorization") == by_botocore(request, keys, "eu-west-1")
    assert header(signed.headers, "x-amz-date") == "20261121T010203Z"
    assert header(signed.headers, "x-amz-security-token") == keys.session_token
    assert (signed.url, signed.content, signed.headers[:2]) == (url, REQUEST.content, REQUEST.headers)


@pytest.mark.usefixtures("frozen")
def test_a_whole_client_of_botocore_signs_alike() -> None:
    """The request that botocore's own client sends, signed by us, has the signature it sent."""
    session = Session()
    session.set_credentials(KEYS.access_key, KEYS.secret_key)
    client = session.create_client("bedrock-runtime", region_name="eu-west-1")
    sent: list[Any] = []

    def answer(request: Any, **more: Any) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 400, {"content-type": "application/json"}, _Body())

    client.meta.events.register("before-send.bedrock-runtime", answer)
    with pytest.raises(client.exceptions.ClientError):
        client.converse(
            modelId="eu.anthropic.claude:0", messages=[{"role": "user", "content": [{"text": "é"}]}]
        )
    [theirs] = sent
    fields = {name.lower(): _text(value) for name, value in theirs.headers.items()}
    authorization = fields.pop("authorization")
    signed = authorization.split("SignedHeaders=")[1].split(",")[0].split(";")
    kept = tuple((name, value) for name, value in fields.items() if name in signed and name != "host")
    ours = sigv4.sign(Request(theirs.method, theirs.url, kept, theirs.body), "bedrock", KEYS, NOW)
    assert header(ours.headers, "authorization") == authorization


class _Body:
    def stream(self, **more: Any) -> list[bytes]:
        return [b"{}"]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def test_an_instant_is_the_same_in_any_zone() -> None:
    """A clock in another zone signs the same instant."""
    elsewhere = NOW.astimezone(timezone(timedelta(hours=9)))
    assert sigv4.sign(REQUEST, "bedrock", KEYS, elsewhere) == sigv4.sign(REQUEST, "bedrock", KEYS, NOW)


def test_signing_again_replaces_the_signature() -> None:
    """A request that was signed before carries the new signature only."""
    once = sigv4.sign(REQUEST, "bedrock", TEMPORARY, NOW)
    later = NOW + timedelta(minutes=1)
    assert sigv4.sign(once, "bedrock", KEYS, later) == sigv4.sign(REQUEST, "bedrock", KEYS, later)


def test_a_byte_of_the_body_changes_the_signature() -> None:
    """The signature covers the content."""
    other = Request("POST", CONVERSE, REQUEST.headers, b"{}")
    signatures = {
        header(sigv4.sign(each, "bedrock", KEYS, NOW).headers, "authorization") for each in (REQUEST, other)
    }
    assert len(signatures) == 2


@pytest.mark.parametrize(
    ("url", "keys", "region"),
    [
        (CONVERSE, KEYS, "eu-west-1"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com/x", KEYS, "us-gov-west-1"),
        ("https://bedrock-runtime.cn-north-1.amazonaws.com.cn/x", KEYS, "cn-north-1"),
        ("https://vpce-0a1b.bedrock-runtime.eu-west-1.vpce.amazonaws.com/x", KEYS, "eu-west-1"),
        ("https://proxy.example/x", AWSKeys("a", "s", region="ap-south-1"), "ap-south-1"),
        ("https://proxy.example/x", KEYS, "us-east-1"),
        ("https://x.eu-west-1.example.com/x", KEYS, "us-east-1"),
    ],
    ids=[
        "the host",
        "fips",
        "China",
        "an interface endpoint",
        "the keys' own",
        "nobody says",
        "not a host of AWS",
    ],
)
def test_the_region_is_the_addresss_own(url: str, keys: AWSKeys, region: str) -> None:
    """A request is signed for the region in AWS's host name, else the keys', else the default."""
    signed = sigv4.sign(Request("POST", url, (), b""), "bedrock", keys, NOW)
    assert f"/{region}/bedrock/aws4_request" in (header(signed.headers, "authorization") or "")


def test_a_text_is_a_bearer_token() -> None:
    """A Bedrock API key goes out as it is."""
    assert authenticate(REQUEST, Auth(), "bedrock-key").headers[-1] == ("Authorization", "Bearer bedrock-key")


def test_keys_are_a_signature() -> None:
    """The scheme signs with keys, at the time of the call."""
    signed = authenticate(REQUEST, Auth(), KEYS)
    assert (header(signed.headers, "authorization") or "").startswith(
        "AWS4-HMAC-SHA256 Credential=access-key-example/"
    )


@pytest.mark.parametrize("credential", [AccessToken("t-1"), AWSKeys("a\r\nx: 1", "s"), AWSKeys("a", "s\n")])
def test_an_unusable_credential_is_refused_without_being_shown(credential: Any) -> None:
    """A token of another cloud and keys with line breaks are the operator's error."""
    with pytest.raises(ConfigurationError) as raised:
        authenticate(REQUEST, Auth(), credential)
    assert "t-1" not in str(raised.value)


def test_credentials_are_not_shown() -> None:
    """The text of a credential names its kind only."""
    assert repr((TEMPORARY, AccessToken("t-1"))) == "(AWSKeys(…), AccessToken(…))"


KEY_PAIR = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, None),
        (KEY_PAIR, AWSKeys("a", "s")),
        ({**KEY_PAIR, "AWS_SESSION_TOKEN": "t"}, AWSKeys("a", "s", "t")),
        ({**KEY_PAIR, "AWS_SESSION_TOKEN": ""}, AWSKeys("a", "s")),
        ({**KEY_PAIR, "AWS_DEFAULT_REGION": "eu-west-3"}, AWSKeys("a", "s", region="eu-west-3")),
        ({**KEY_PAIR, "AWS_REGION": "x", "AWS_DEFAULT_REGION": "y"}, AWSKeys("a", "s", region="x")),
        ({**KEY_PAIR, "AWS_BEARER_TOKEN_BEDROCK": "b"}, "b"),
        (
            {"AWS_BEDROCK_SKIP_AUTH": "1", "AWS_BEARER_TOKEN_BEDROCK": "b"},
            AWSKeys("dummy-access-key", "dummy-secret-key"),
        ),
        ({"AWS_BEDROCK_SKIP_AUTH": "0", "AWS_BEARER_TOKEN_BEDROCK": "b"}, "b"),
    ],
    ids=[
        "nothing",
        "a pair",
        "a session token",
        "an empty session token",
        "a region",
        "two regions",
        "a bearer token before keys",
        "no authentication",
        "a switch that is off",
    ],
)
def test_the_environment_is_read_in_order(environ: dict[str, str], found: object) -> None:
    """Placeholders when asked for, else the bearer token, else a whole key pair."""
    assert sigv4.find(environ) == found


def test_a_profile_is_found_in_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chain reads the profile that the environment names, and the region of its configuration."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", *KEY_PAIR):
        monkeypatch.delenv(name, raising=False)
    shared, config = tmp_path / "credentials", tmp_path / "config"
    shared.write_text("[work]\naws_access_key_id = p\naws_secret_access_key = q\n")
    config.write_text("[profile work]\nregion = sa-east-1\n")
    environ = {
        "AWS_PROFILE": "work",
        "AWS_SHARED_CREDENTIALS_FILE": str(shared),
        "AWS_CONFIG_FILE": str(config),
    }
    assert sigv4.find(environ) == AWSKeys("p", "q", region="sa-east-1")


def test_a_profile_that_is_not_there_is_a_configuration_error(tmp_path: Path) -> None:
    """A profile nobody wrote down is told as the operator's."""
    shared = tmp_path / "credentials"
    shared.write_text("[work]\naws_access_key_id = p\naws_secret_access_key = q\n")
    environ = {
        "AWS_PROFILE": "absent",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(shared),
    }
    with pytest.raises(ConfigurationError) as raised:
        sigv4.find(environ)
    error = raised.value
    assert (error.expected, error.seen, error.where) == ("one of work", "absent", "AWS_PROFILE")
    assert "--profile absent" in error.next_step


def test_half_a_profile_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile with an access key alone names the key that its file lacks."""
    for name in KEY_PAIR:
        monkeypatch.delenv(name, raising=False)
    shared = tmp_path / "credentials"
    shared.write_text("[work]\naws_access_key_id = p\n")
    environ = {"AWS_PROFILE": "work", "AWS_SHARED_CREDENTIALS_FILE": str(shared)}
    with pytest.raises(ConfigurationError) as raised:
        sigv4.find(environ)
    assert "aws_secret_access_key" in raised.value.seen


@pytest.mark.parametrize(
    ("environ", "seen", "set_next"),
    [
        (
            {"AWS_ACCESS_KEY_ID": "a"},
            "AWS_ACCESS_KEY_ID without AWS_SECRET_ACCESS_KEY",
            "set AWS_SECRET_ACCESS_KEY",
        ),
        (
            {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "work"},
            "AWS_ACCESS_KEY_ID without AWS_SECRET_ACCESS_KEY",
            "set AWS_SECRET_ACCESS_KEY",
        ),
        (
            {"AWS_SECRET_ACCESS_KEY": "s"},
            "AWS_SECRET_ACCESS_KEY without AWS_ACCESS_KEY_ID",
            "set AWS_ACCESS_KEY_ID",
        ),
        (
            {"AWS_SESSION_TOKEN": "t"},
            "AWS_SESSION_TOKEN without AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ),
        (
            {"AWS_SESSION_TOKEN": "t", "AWS_ACCESS_KEY_ID": "a"},
            "AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN without AWS_SECRET_ACCESS_KEY",
            "set AWS_SECRET_ACCESS_KEY",
        ),
    ],
    ids=["no secret", "no secret, and a profile", "a secret alone", "a session token alone", "two of three"],
)
def test_parts_of_keys_name_what_is_missing(environ: dict[str, str], seen: str, set_next: str) -> None:
    """Half a configuration says which variables are there, which are not, and what to do."""
    with pytest.raises(ConfigurationError) as raised:
        sigv4.find(environ)
    assert raised.value.seen == seen
    assert raised.value.next_step.startswith(f"{set_next}, or unset ")


def test_a_secret_alone_does_not_hide_a_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with botocore, a secret without an access key counts for nothing beside a profile."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    shared = tmp_path / "credentials"
    shared.write_text("[work]\naws_access_key_id = p\naws_secret_access_key = q\n")
    environ = {
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_PROFILE": "work",
        "AWS_SHARED_CREDENTIALS_FILE": str(shared),
        "AWS_REGION": "eu-west-1",
    }
    assert sigv4.find(environ) == AWSKeys("p", "q", region="eu-west-1")


ARN = "arn:aws:bedrock:eu-west-3:123456789012:inference-profile/eu.amazon.nova-lite-v1:0"


@pytest.mark.parametrize("region", [None, "eu-west-3"])
def test_an_arns_region_is_asked_and_signed_for(region: str | None) -> None:
    """An ARN names its region: that is the host's and the signature's where no other is configured."""
    keys = AWSKeys("access-key-example", "secret/key+example", region=region)
    request = prepare(schema.get("amazon-bedrock"), Call(model=ARN, messages=(user("hi"),)), key=keys).request
    assert request.url.startswith("https://bedrock-runtime.eu-west-3.amazonaws.com/model/arn%3Aaws")
    assert "/eu-west-3/bedrock/aws4_request" in (header(request.headers, "authorization") or "")


@pytest.mark.parametrize(
    ("told", "values"),
    [
        ("us-west-2", {}),
        (None, {"region": "us-west-2"}),
        (None, {"endpoint": "https://bedrock-runtime.us-west-2.amazonaws.com"}),
        (None, {"endpoint": "https://proxy.example", "region": "us-west-2"}),
    ],
    ids=["the credential's", "the variable's", "the address's", "the variable's, with a proxy"],
)
def test_an_arn_of_another_region_is_refused(told: str | None, values: dict[str, str]) -> None:
    """A configured region and an ARN that disagree are both named, before anything is sent."""
    keys = AWSKeys("access-key-example", "secret/key+example", region=told)
    with pytest.raises(ConflictingConfig) as raised:
        prepare(
            schema.get("amazon-bedrock"), Call(model=ARN, messages=(user("hi"),)), key=keys, values=values
        )
    error = raised.value
    assert (error.expected, error.seen, error.where) == ("eu-west-3", "us-west-2", ARN)


EMBEDDER = "arn:aws:bedrock:eu-west-3::foundation-model/amazon.titan-embed-text-v2:0"


@pytest.mark.parametrize("region", [None, "eu-west-3"])
@pytest.mark.parametrize(
    "ask",
    [Embed(model=EMBEDDER, texts=("one",)), CountTokens(Call(model=ARN, messages=(user("hi"),)))],
    ids=["embeddings", "count_tokens"],
)
def test_a_service_is_asked_where_the_arn_is(ask: object, region: str | None) -> None:
    """What stands beside chat goes to the ARN's region as chat does, and is signed for it."""
    keys = AWSKeys("access-key-example", "secret/key+example", region=region)
    request = prepare_service(schema.get("amazon-bedrock"), ask, key=keys).request
    assert request.url.startswith("https://bedrock-runtime.eu-west-3.amazonaws.com/model/")
    assert "/eu-west-3/bedrock/aws4_request" in (header(request.headers, "authorization") or "")


@pytest.mark.parametrize(
    ("told", "values"),
    [("us-west-2", {}), (None, {"endpoint": "https://proxy.example", "region": "us-west-2"})],
    ids=["the credential's", "the variable's, with a proxy"],
)
def test_an_embedding_of_another_region_is_refused(told: str | None, values: dict[str, str]) -> None:
    """A configured region and the ARN of an embedding model that disagree are both named."""
    keys = AWSKeys("access-key-example", "secret/key+example", region=told)
    ask = Embed(model=EMBEDDER, texts=("one",))
    with pytest.raises(ConflictingConfig) as raised:
        prepare_service(schema.get("amazon-bedrock"), ask, key=keys, values=values)
    assert (raised.value.expected, raised.value.seen) == ("eu-west-3", "us-west-2")


def test_a_proxy_is_signed_for_the_arns_region() -> None:
    """A host that is not the vendor's tells no region: the ARN's is signed for."""
    keys = AWSKeys("access-key-example", "secret/key+example")
    values = {"endpoint": "https://proxy.example"}
    call = Call(model=ARN, messages=(user("hi"),))
    request = prepare(schema.get("amazon-bedrock"), call, key=keys, values=values).request
    assert request.url.startswith("https://proxy.example/model/arn%3A")
    assert "/eu-west-3/bedrock/aws4_request" in (header(request.headers, "authorization") or "")


@pytest.mark.parametrize(
    ("told", "values", "region", "host"),
    [
        ("eu-west-3", {}, "eu-west-3", "bedrock-runtime.eu-west-3.amazonaws.com"),
        (
            "eu-west-3",
            {"region": "eu-central-1"},
            "eu-central-1",
            "bedrock-runtime.eu-central-1.amazonaws.com",
        ),
        (None, {}, "us-east-1", "bedrock-runtime.us-east-1.amazonaws.com"),
        (None, {"region": "eu-west-1", "endpoint": "https://proxy.example"}, "eu-west-1", "proxy.example"),
        ("eu-west-3", {"endpoint": "https://proxy.example"}, "eu-west-3", "proxy.example"),
    ],
)
def test_one_region_is_asked_and_signed_for(
    told: str | None, values: dict[str, str], region: str, host: str
) -> None:
    """The value's region, else the credential's, else the default: in address, profile and signature."""
    keys = AWSKeys("access-key-example", "secret/key+example", region=told)
    call = Call(model="anthropic.claude-haiku-4-5-20251001-v1:0", messages=(user("hi"),))
    request = prepare(schema.get("amazon-bedrock"), call, key=keys, values=values).request
    assert request.url.startswith(f"https://{host}/model/{region[:2]}.anthropic.")
    assert f"/{region}/bedrock/aws4_request" in (header(request.headers, "authorization") or "")


def test_the_clouds_libraries_load_late() -> None:
    """Importing the client loads neither botocore nor google-auth."""
    seen = "import sys, providers.client; print([m for m in ('botocore', 'google.auth') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
