"""Amazon Bedrock's batches: jobs over an object of JSON lines in S3, at the control plane.

``lines`` makes the object; putting it into S3 and fetching the outcomes are S3's, and are not done here. A
job needs a role that may read the one and write the other: the provider's value ``batch_role``. It writes
below a folder of its name, in the bucket ``batch_bucket`` or else in that of its input. The name is made from
what is asked for, so that the vendor can tell a job that is asked for twice. Calls are in the words of
Converse or of InvokeModel, as the endpoint's protocol is.

Reference, read 2026-11-21: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html
and Get-, List- and StopModelInvocationJob beside it; the pattern and the needed fields as botocore 1.44.5 has
them (bedrock, 2023-04-20). The lines: https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-data.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256

from providers import jsontext
from providers.addresses import segment
from providers.call import JSON
from providers.errors import ConflictingConfig, UnsupportedFeature
from providers.protocols.bedrock_converse import profiles
from providers.protocols.bedrock_converse import refusal as bedrock
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
    Status,
    known,
    unstreamed,
)
from providers.services.models_list import control_plane
from providers.services.operation import (
    JSON_CONTENT,
    Operation,
    Operations,
    accepted,
    fields,
    getting,
    maybe,
    member,
    posting,
    reading,
    whole,
)
from providers.wire import Endpoint, Headers, Request

SOURCE = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html"
_OBJECT = re.compile(r"s3://([a-z0-9][-.a-z0-9]{1,61}[a-z0-9])/.+")
_STATUS: Mapping[str, Status] = {
    "Submitted": "running",
    "Validating": "running",
    "Scheduled": "running",
    "InProgress": "running",
    "Completed": "ended",
    "PartiallyCompleted": "ended",
    "Failed": "failed",
    "Stopping": "cancelling",
    "Stopped": "cancelled",
    "Expired": "expired",
}


def lines(entries: Iterable[Entry], endpoint: Endpoint) -> bytes:
    """The object of JSON lines that a job is made from; one model answers all of its calls."""
    return b"".join(
        jsontext.write({"recordId": entry.id, "modelInput": unstreamed(entry.call, endpoint).json()}) + b"\n"
        for entry in entries
    )


def _create(ask: CreateBatch, endpoint: Endpoint) -> Request:
    place = _OBJECT.fullmatch(ask.file or "")
    if place is None or ask.entries:
        raise UnsupportedFeature(
            endpoint.provider,
            "a batch of anything but an object in S3",
            next_step="put the lines into S3, and name the object as file: s3://bucket/key.jsonl",
        )
    if not ask.model:
        raise UnsupportedFeature(endpoint.provider, "a batch without its model", next_step="name the model")
    model = _profile(ask.model, endpoint)
    role, bucket = _role(endpoint), endpoint.values.get("batch_bucket") or place[1]
    kind = _KINDS.get(endpoint.protocol, "InvokeModel")
    name = "batch-" + sha256("\n".join((place[0], model, role, bucket, kind)).encode()).hexdigest()[:32]
    body = {
        "jobName": name,
        "roleArn": role,
        "modelId": model,
        "modelInvocationType": kind,
        "inputDataConfig": {"s3InputDataConfig": {"s3Uri": place[0], "s3InputFormat": "JSONL"}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": f"s3://{bucket}/{name}/"}},
    }
    return posting(control_plane(endpoint), "/model-invocation-job", body, fields(endpoint, JSON_CONTENT))


_KINDS: Mapping[str, str] = {"bedrock-converse": "Converse"}


def _profile(model: str, endpoint: Endpoint) -> str:
    """The model, through an inference profile where calls go through one."""
    deviations = endpoint.deviations
    region = profiles.region_of(endpoint.base_url, model, getattr(deviations, "region", None))
    return profiles.profile(model, region, getattr(deviations, "profile_families", profiles.FAMILIES))


def _role(endpoint: Endpoint) -> str:
    role = endpoint.values.get("batch_role")
    if not role:
        raise ConflictingConfig(
            f"{endpoint.provider} needs the role of a batch",
            expected="AWS_BATCH_ROLE_ARN, or a value named batch_role",
            next_step="set it to the ARN of a role that may read the input and write the output",
        )
    return role


def _path(id: str) -> str:
    return f"/model-invocation-job/{segment(id)}"


def _get(ask: GetBatch, endpoint: Endpoint) -> Request:
    return getting(control_plane(endpoint), _path(ask.id), fields(endpoint))


def _list(ask: ListBatches, endpoint: Endpoint) -> Request:
    asked = {"maxResults": ask.limit, "nextToken": ask.after}
    return getting(control_plane(endpoint), "/model-invocation-jobs", fields(endpoint), **asked)


def _stop(ask: CancelBatch, endpoint: Endpoint) -> Request:
    return Request("POST", control_plane(endpoint).at(f"{_path(ask.id)}/stop"), fields(endpoint), b"")


def _outcomes(ask: ReadBatch, endpoint: Endpoint) -> Request:
    raise UnsupportedFeature(
        endpoint.provider,
        "reading the outcomes of a batch",
        next_step=f"fetch them from S3, below {ask.batch.output or 'the output of the job'}",
    )


def _created(body: JSON) -> Batch:
    """Only the job's name is told."""
    return Batch(id=member(body, "jobArn", str), status="running", raw_status="")


def _job(body: JSON, at: str = "") -> Batch:
    raw = member(body, "status", str, at)
    place = maybe(maybe(body, "outputDataConfig", dict), "s3OutputDataConfig", dict)
    return Batch(
        id=member(body, "jobArn", str, at),
        status=known(_STATUS, raw, f"{at}/status"),
        raw_status=raw,
        output=maybe(place, "s3Uri", str),
        succeeded=maybe(body, "successRecordCount", int),
        failed=maybe(body, "errorRecordCount", int),
    )


def _jobs(body: JSON) -> BatchList:
    """A page without jobs may have no array of them."""
    at = "invocationJobSummaries"
    listed = member(body, at, list) if at in whole(body) else []
    jobs = tuple(_job(item, f"/{at}/{number}") for number, item in enumerate(listed))
    return BatchList(jobs, maybe(body, "nextToken", str) or None)


def _stopped(status: int, headers: Headers, content: bytes) -> Cancelling:
    """The body is empty, or an empty object."""
    accepted(bedrock.error, status, headers, content)
    if content:
        whole(jsontext.parse(content))
    return Cancelling()


SHAPE: Mapping[str, Operations] = {
    "batches": {
        CreateBatch: Operation(
            source=SOURCE, build=_create, read=reading(bedrock.error, _created), repeatable=False
        ),
        GetBatch: Operation(source=SOURCE, build=_get, read=reading(bedrock.error, _job)),
        ListBatches: Operation(source=SOURCE, build=_list, read=reading(bedrock.error, _jobs)),
        CancelBatch: Operation(source=SOURCE, build=_stop, read=_stopped),
        ReadBatch: Operation(source=SOURCE, build=_outcomes, read=reading(bedrock.error, whole)),
    }
}
