"""Amazon Bedrock's batches as jobs over objects in S3: requests as the reference has them, answers read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.services import DESKS
from providers import schema
from providers.auth import AWSKeys
from providers.call import Call, user
from providers.client import prepare_service
from providers.errors import (
    ConfigurationError,
    ConflictingConfig,
    MalformedFrame,
    NotFound,
    ProviderError,
    UnsupportedFeature,
)
from providers.protocols import PROTOCOLS
from providers.services import SERVICES
from providers.services.batches import (
    Batch,
    BatchList,
    CancelBatch,
    Cancelling,
    CreateBatch,
    Entry,
    GetBatch,
    ListBatches,
    ReadBatch,
)
from providers.services.vendors import bedrock
from providers.wire import Request, header

MODEL = "anthropic.claude-haiku-4-5-20251001-v1:0"
ARN = "arn:aws:bedrock:eu-west-1:123456789012:model-invocation-job/abcdefghijkl"
IN_PATH = "arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Amodel-invocation-job%2Fabcdefghijkl"
ROLE = "arn:aws:iam::123456789012:role/batch"
KEYS = AWSKeys("access-key-example", "secret/key+example", region="eu-west-1")
CREATE = CreateBatch(file="s3://our-calls/today/in.jsonl", model=MODEL)
ROOT = "https://bedrock.eu-west-1.amazonaws.com"


def built(ask: object, **options: Any) -> Request:
    options.setdefault("values", {"batch_role": ROLE})
    return prepare_service(schema.get("amazon-bedrock"), ask, key=KEYS, **options).request


def heard(kind: type, body: Any, status: int = 200) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return SERVICES["batches"]["bedrock"][kind].read(status, (), content)


def job(status: str, **more: Any) -> dict[str, Any]:
    place = {"s3OutputDataConfig": {"s3Uri": "s3://our-calls/batch-1/"}}
    return {"jobArn": ARN, "status": status, "outputDataConfig": place, **more}


def test_a_job_is_asked_for_at_the_control_plane() -> None:
    """The input, the output, the role and the profile of the model are told, and the request is signed."""
    asked = built(CREATE)
    assert (asked.method, asked.url) == ("POST", f"{ROOT}/model-invocation-job")
    assert "/eu-west-1/bedrock/aws4_request" in (header(asked.headers, "authorization") or "")
    body = asked.json()
    name = body["jobName"]
    assert body == {
        "jobName": name,
        "roleArn": ROLE,
        "modelId": f"eu.{MODEL}",
        "modelInvocationType": "Converse",
        "inputDataConfig": {
            "s3InputDataConfig": {"s3Uri": "s3://our-calls/today/in.jsonl", "s3InputFormat": "JSONL"}
        },
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": f"s3://our-calls/{name}/"}},
    }


def test_a_job_is_named_after_what_it_does() -> None:
    """The same job has one name; another bucket, model or kind of calls makes another job."""
    names = [
        built(CREATE).json()["jobName"],
        built(CreateBatch(file=CREATE.file, model="amazon.nova-lite-v1:0")).json()["jobName"],
        built(CREATE, values={"batch_role": ROLE, "batch_bucket": "our-answers"}).json()["jobName"],
        built(CREATE, protocol="bedrock-invoke").json()["jobName"],
    ]
    assert len({*names}) == len(names)
    assert built(CREATE).json()["jobName"] == names[0]


def test_the_calls_are_in_the_words_of_the_endpoint() -> None:
    """A line holds the body of Converse or of InvokeModel, and the job tells which."""
    provider = schema.get("amazon-bedrock")
    call = Call(model=MODEL, messages=(user("Say hello."),), max_output_tokens=64)
    for protocol, kind in (("bedrock-converse", "Converse"), ("bedrock-invoke", "InvokeModel")):
        endpoint = provider.endpoint(protocol)
        (line,) = bedrock.lines((Entry("first", call),), endpoint).splitlines()
        body = PROTOCOLS[protocol].build(call, endpoint).json()
        assert json.loads(line) == {"recordId": "first", "modelInput": body}
        assert built(CREATE, protocol=protocol).json()["modelInvocationType"] == kind


@pytest.mark.parametrize(
    ("ask", "method", "path"),
    [
        (GetBatch(ARN), "GET", f"/model-invocation-job/{IN_PATH}"),
        (GetBatch("abcdefghijkl"), "GET", "/model-invocation-job/abcdefghijkl"),
        (ListBatches(), "GET", "/model-invocation-jobs"),
        (ListBatches(after="t+1", limit=5), "GET", "/model-invocation-jobs?maxResults=5&nextToken=t%2B1"),
        (CancelBatch(ARN), "POST", f"/model-invocation-job/{IN_PATH}/stop"),
    ],
    ids=["one", "one by its bare id", "all", "a page", "a stop"],
)
def test_jobs_are_looked_at_and_stopped(ask: object, method: str, path: str) -> None:
    """A job's name is one segment of the path, and the vendor's side takes the request."""
    asked = built(ask, values={})
    assert (asked.method, asked.url, asked.content) == (method, ROOT + path, b"")
    endpoint = schema.get("amazon-bedrock").endpoint()
    assert DESKS["bedrock"][type(ask)].judge(asked, endpoint) == ()


def test_the_vendors_side_judges_the_patterns() -> None:
    """A role that is none and a job's name that is too long are refused."""
    endpoint = schema.get("amazon-bedrock").endpoint()
    judge = DESKS["bedrock"][CreateBatch].judge
    assert judge(built(CREATE), endpoint) == ()
    found = judge(built(CREATE, values={"batch_role": "admin"}), endpoint)
    assert [(each.rule, each.where) for each in found] == [("pattern", "/roleArn")]


@pytest.mark.parametrize(
    "ask",
    [
        CreateBatch(file="file-1", model=MODEL),
        CreateBatch(file="s3://bucket", model=MODEL),
        CreateBatch(file="s3://our-calls/in.jsonl"),
        CreateBatch(entries=(Entry("a", Call(model=MODEL, messages=(user("hi"),))),), model=MODEL),
        ReadBatch(Batch(id=ARN, status="ended", raw_status="Completed", output="s3://our-calls/batch-1/")),
    ],
    ids=["no object", "a whole bucket", "no model", "entries", "outcomes"],
)
def test_what_is_s3s_is_refused_with_a_next_step(ask: object) -> None:
    """What would have to be read or written in S3 is refused before any network use."""
    with pytest.raises(UnsupportedFeature) as raised:
        built(ask)
    assert raised.value.next_step


def test_outcomes_are_said_to_lie_where_they_do() -> None:
    """The refusal names the place that the vendor told."""
    done = Batch(id=ARN, status="ended", raw_status="Completed", output="s3://our-calls/batch-1/")
    with pytest.raises(UnsupportedFeature, match="below s3://our-calls/batch-1/"):
        built(ReadBatch(done))


def test_a_job_without_a_role_names_the_variable() -> None:
    """The role is told by the provider's value, whose variable the error names."""
    assert schema.get("amazon-bedrock").values["batch_role"].env == ("AWS_BATCH_ROLE_ARN",)
    with pytest.raises(ConflictingConfig, match="AWS_BATCH_ROLE_ARN"):
        built(CREATE, values={})


def test_a_job_of_no_name_is_no_step_in_the_path() -> None:
    """An empty id would ask for something else."""
    with pytest.raises(ConfigurationError):
        built(GetBatch(""))


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Submitted", "running"),
        ("Validating", "running"),
        ("Scheduled", "running"),
        ("InProgress", "running"),
        ("Completed", "ended"),
        ("PartiallyCompleted", "ended"),
        ("Failed", "failed"),
        ("Stopping", "cancelling"),
        ("Stopped", "cancelled"),
        ("Expired", "expired"),
    ],
)
def test_each_word_has_its_status(word: str, status: Any) -> None:
    """The vendor's ten words are read, with the counts and the place of the output."""
    assert heard(GetBatch, job(word, successRecordCount=3, errorRecordCount=1)) == Batch(
        id=ARN, status=status, raw_status=word, output="s3://our-calls/batch-1/", succeeded=3, failed=1
    )


def test_answers_are_read() -> None:
    """A new job tells its name only, a stop nothing, and a page where the next one begins."""
    assert heard(CreateBatch, {"jobArn": ARN}) == Batch(id=ARN, status="running", raw_status="")
    assert heard(CancelBatch, b"") == heard(CancelBatch, b"{}") == Cancelling()
    page = {"invocationJobSummaries": [job("Failed")], "nextToken": "t"}
    assert heard(ListBatches, page) == BatchList((heard(GetBatch, job("Failed")),), "t")
    assert heard(ListBatches, {}) == BatchList(())


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (CreateBatch, {}),
        (GetBatch, {"jobArn": ARN}),
        (GetBatch, job("Done")),
        (ListBatches, {"invocationJobSummaries": {}}),
        (ListBatches, []),
        (CancelBatch, b"[]"),
    ],
)
def test_another_shape_is_malformed(kind: type, body: Any) -> None:
    """A lawful JSON body of another shape is no answer."""
    with pytest.raises(MalformedFrame):
        heard(kind, body)


def test_a_refusal_is_typed_by_the_vendors_exception() -> None:
    """Bedrock's refusals are read as those of its calls."""
    body = {"__type": "ResourceNotFoundException", "message": "no such job"}
    with pytest.raises(NotFound, match="no such job"):
        heard(GetBatch, body, 404)


@given(
    kind=st.sampled_from([CreateBatch, GetBatch, ListBatches, CancelBatch]),
    content=st.binary(min_size=1, max_size=60),
    status=st.sampled_from([200, 400, 403, 500]),
)
def test_garbage_raises_no_other_error(kind: type, content: bytes, status: int) -> None:
    """Whatever bytes come, the error is one of ours."""
    with pytest.raises(ProviderError):
        heard(kind, content, status)
