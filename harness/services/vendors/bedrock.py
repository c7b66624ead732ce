"""Amazon's side of batch inference jobs. Reference: ``providers.services.vendors.bedrock``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.emulators.emulator import Spoken, spoken
from harness.emulators.judging import Check, Judgement, number, one_of, typed
from harness.services.emulator import Desk, Form, many, shape, speaking
from providers.call import JSON
from providers.services.batches import Batch, BatchList, CancelBatch, CreateBatch, GetBatch, ListBatches
from providers.wire import Endpoint

_HEAD = (("x-amzn-requestid", "00000000-0000-4000-8000-000000000001"),)
_JOB = "(arn%3Aaws[a-z-]*%3Abedrock%3A[a-z0-9-]+%3A[0-9]{12}%3Amodel-invocation-job%2F)?[a-z0-9]{12}"
_AT = "2026-11-21T09:00:00Z"
_ROLE = "arn:aws:iam::123456789012:role/batch"


def _like(pattern: str) -> Check:
    whole = re.compile(pattern)

    def check(judged: Judgement, value: JSON, where: str) -> None:
        if judged.is_a(value, str, where) and not whole.fullmatch(str(value)):
            judged.refuse("pattern", pattern, value, where)

    return check


_place = _like(r"s3://[a-z0-9][-.a-z0-9]{1,61}[a-z0-9](?:/[-!_*'().a-z0-9A-Z]+)*/?")
_owner = _like("[0-9]{12}")
_CREATE = Form(
    method="POST",
    path="/model-invocation-job",
    needed=("jobName", "roleArn", "modelId", "inputDataConfig", "outputDataConfig"),
    fields={
        "jobName": _like(r"(?=.{1,63}$)[a-zA-Z0-9]{1,63}(-*[a-zA-Z0-9\+\-\.]){0,63}"),
        "roleArn": _like(r"arn:aws(-[^:]+)?:iam::([0-9]{12})?:role/.+"),
        "clientRequestToken": _like("[a-zA-Z0-9]{1,256}(-*[a-zA-Z0-9]){0,256}"),
        "modelId": typed(str),
        "modelInvocationType": one_of("InvokeModel", "Converse"),
        "timeoutDurationInHours": number(24, 168, integer=True),
        "inputDataConfig": shape(
            ("s3InputDataConfig",),
            {
                "s3InputDataConfig": shape(
                    ("s3Uri",),
                    {"s3Uri": _place, "s3InputFormat": one_of("JSONL"), "s3BucketOwner": _owner},
                )
            },
        ),
        "outputDataConfig": shape(
            ("s3OutputDataConfig",),
            {
                "s3OutputDataConfig": shape(
                    ("s3Uri",),
                    {"s3Uri": _place, "s3EncryptionKeyId": typed(str), "s3BucketOwner": _owner},
                )
            },
        ),
        "vpcConfig": typed(dict),
        "tags": many(shape(("key", "value"), {"key": typed(str), "value": typed(str)}), most=200),
    },
)


def _created(ask: CreateBatch, answer: Batch) -> JSON:
    return {"jobArn": answer.id}


def _job(batch: Batch) -> dict[str, Any]:
    counts = {"successRecordCount": batch.succeeded, "errorRecordCount": batch.failed}
    return {
        "jobArn": batch.id,
        "jobName": "batch-1",
        "modelId": "anthropic.claude-haiku-4-5-20251001-v1:0",
        "roleArn": _ROLE,
        "status": batch.raw_status,
        "submitTime": _AT,
        "lastModifiedTime": _AT,
        "inputDataConfig": {"s3InputDataConfig": {"s3Uri": "s3://example/in.jsonl"}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": batch.output or "s3://example/out/"}},
        "timeoutDurationInHours": 24,
        **{name: count for name, count in counts.items() if count is not None},
    }


def _jobs(ask: ListBatches, answer: BatchList) -> JSON:
    more = {"nextToken": answer.next} if answer.next else {}
    return {"invocationJobSummaries": [_job(batch) for batch in answer.batches], **more}


def _stopped(ask: CancelBatch, answer: object, endpoint: Endpoint) -> Spoken:
    return spoken(200, _HEAD, [b"{}"])


DESKS: Mapping[type, Desk] = {
    CreateBatch: Desk(judge=_CREATE.judge, speak=speaking(_created)),
    GetBatch: Desk(
        judge=Form(method="GET", path=f"/model-invocation-job/{_JOB}").judge,
        speak=speaking(lambda ask, answer: _job(answer)),
    ),
    ListBatches: Desk(
        judge=Form(
            method="GET",
            path="/model-invocation-jobs",
            parameters=(
                "maxResults",
                "nextToken",
                "nameContains",
                "statusEquals",
                "sortBy",
                "sortOrder",
                "submitTimeAfter",
                "submitTimeBefore",
            ),
        ).judge,
        speak=speaking(_jobs),
    ),
    CancelBatch: Desk(
        judge=Form(method="POST", path=f"/model-invocation-job/{_JOB}/stop").judge, speak=_stopped
    ),
}
