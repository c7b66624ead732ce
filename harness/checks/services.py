"""What stands beside chat: embeddings, models lists, token counts, files, batches, passthrough.

These checks read what a service answered, step by step. Where the answers were documented, what was meant is
known, and a client that read something else is to blame; else the answers are held against each other.
"""

from __future__ import annotations

from typing import Any, TypeVar

from harness.checks.registry import check, require, unjudgeable
from harness.services.observation import Served
from providers.services.batches import Batch, CreateBatch, GetBatch, Outcomes
from providers.services.count_tokens import TokenCount
from providers.services.embeddings import Embed, Embeddings
from providers.services.files import Deleted, File, FileContent, FileList, Upload
from providers.services.models_list import ModelList
from providers.services.passthrough import Passed, PassOn

Kind = TypeVar("Kind")


def _answered(seen: Served) -> None:
    """Every ask was answered."""
    require(seen.error is None, expected="an answer to every ask", observed=seen.error, at=len(seen.answers))


def _all(seen: Served, kind: type[Kind]) -> list[Kind]:
    """The answers of one type, in order; each ask must have one."""
    _answered(seen)
    return [answer for answer in seen.answers if isinstance(answer, kind)]


def _pairs(seen: Served, kind: type[Kind]) -> list[tuple[Kind, Any]]:
    """The asks of one type with their answers."""
    _answered(seen)
    return [
        (ask, answer) for ask, answer in zip(seen.asks, seen.answers, strict=True) if isinstance(ask, kind)
    ]


def _as_meant(seen: Served, kind: type[Any]) -> None:
    """Where it is known what the answers of this type mean, they were read so."""
    for number, (wanted, got) in enumerate(zip(seen.expected, seen.answers, strict=False)):
        if isinstance(wanted, kind):
            require(got == wanted, expected=str(wanted), observed=got, at=number, blame="subject")


@check(
    "embed.single_batch",
    capability="embeddings",
    scenarios=("embed_*",),
    service=True,
    source="https://platform.openai.com/docs/api-reference/embeddings/object",
)
def single_batch(seen: Served) -> None:
    """Each text MUST have one vector, in the order of the texts, and all vectors one length."""
    for number, (ask, answer) in enumerate(_pairs(seen, Embed)):
        require(
            len(answer.vectors) == len(ask.texts),
            expected=f"{len(ask.texts)} vectors",
            observed=len(answer.vectors),
            at=number,
        )
        lengths = sorted({len(vector) for vector in answer.vectors})
        require(len(lengths) == 1 and lengths[0] > 0, expected="one length", observed=lengths, at=number)
    for wanted, got in zip(seen.expected, seen.answers, strict=False):
        if isinstance(wanted, Embeddings):
            same = got.vectors == wanted.vectors
            require(same, expected="the vectors in order", observed=got.vectors, blame="subject")


@check(
    "embed.dims",
    capability="embeddings",
    scenarios=("embed_dims",),
    service=True,
    source="https://platform.openai.com/docs/api-reference/embeddings/create#embeddings-create-dimensions",
)
def dims(seen: Served) -> None:
    """A vector MUST have as many dimensions as were asked for."""
    for ask, answer in _pairs(seen, Embed):
        require(
            answer.dimensions == ask.dimensions,
            expected=f"{ask.dimensions} dimensions",
            observed=answer.dimensions,
        )


@check(
    "models.list",
    capability="models_list",
    scenarios=("models_list*",),
    service=True,
    source="https://platform.openai.com/docs/api-reference/models/list",
)
def models(seen: Served) -> None:
    """The list of models MUST name each model once, over all its pages."""
    pages = _all(seen, ModelList)
    ids = [id for page in pages for id in page.ids]
    require(bool(ids) and all(ids), expected="ids", observed=ids)
    require(len(set(ids)) == len(ids), expected="each id once", observed=ids)
    _as_meant(seen, ModelList)


@check(
    "usage.count_tokens",
    capability="count_tokens",
    scenarios=("count_tokens",),
    service=True,
    source="https://platform.claude.com/docs/en/build-with-claude/token-counting",
)
def count_tokens(seen: Served) -> None:
    """The tokens of a call that says something MUST be more than none."""
    for count in _all(seen, TokenCount):
        require(count.input_tokens > 0, expected="a positive number", observed=count.input_tokens)
    _as_meant(seen, TokenCount)


@check(
    "files.lifecycle",
    capability="files",
    scenarios=("files_*",),
    service=True,
    source="https://platform.openai.com/docs/api-reference/files",
)
def files_lifecycle(seen: Served) -> None:
    """A file MUST be listed and found under its id, read back, where it can be, as it was, then deleted."""
    ((upload, kept),) = _pairs(seen, Upload)
    listed = [file.id for page in _all(seen, FileList) for file in page.files]
    require(kept.id in listed, expected=f"{kept.id} in the list", observed=listed)
    found = [file.id for file in _all(seen, File)]
    require(set(found) == {kept.id}, expected=f"{kept.id} found", observed=found)
    for read in _all(seen, FileContent):
        require(read.content == upload.content, expected=str(upload.content), observed=read.content)
    gone = [deleted.id or kept.id for deleted in _all(seen, Deleted)]
    require(gone == [kept.id], expected=f"{kept.id} deleted", observed=gone)


@check(
    "batch.lifecycle",
    capability="batches",
    scenarios=("batch_*",),
    service=True,
    source="https://platform.openai.com/docs/api-reference/batch",
)
def batch_lifecycle(seen: Served) -> None:
    """A batch MUST be found under its id, and once ended hold an outcome for each of its calls."""
    started = [batch.id for _, batch in _pairs(seen, CreateBatch)]
    for ask, batch in _pairs(seen, GetBatch):
        require(batch.id == ask.id and batch.id in started, expected=ask.id, observed=batch.id)
        if batch.status != "ended":
            unjudgeable("the batch has not ended")
    pages = _all(seen, Outcomes)
    if pages:
        listed = [each for page in pages for each in page.outcomes]
        told = {each.id: each.answer is not None or each.error is not None for each in listed}
        wanted = {"first": True, "second": True}
        require(told == wanted, expected=f"an outcome for {', '.join(wanted)}", observed=told)
    _as_meant(seen, Batch)


@check(
    "gw.passthrough",
    capability="passthrough",
    scenarios=("passthrough",),
    service=True,
    blames="subject",
    source="https://www.rfc-editor.org/rfc/rfc9110#section-7.6",
)
def passthrough(seen: Served) -> None:
    """A path and a body that are passed on MUST arrive as they are, and so MUST the answer."""
    for number, (ask, answer) in enumerate(_pairs(seen, PassOn)):
        sent = seen.sent[number]
        require(sent.content == ask.content, expected=str(ask.content), observed=sent.content)
        require(sent.url.endswith(ask.path), expected=ask.path, observed=sent.url)
        carried = {(name.lower(), value) for name, value in sent.headers}
        missing = [name for name, value in ask.headers if (name.lower(), value) not in carried]
        require(not missing, expected="every field passed on", observed=f"without {missing}")
        require(isinstance(answer, Passed), expected="the answer as it is", observed=answer)
    require(
        seen.answers[-1].content == seen.exchange.content,
        expected=str(seen.exchange.content),
        observed=seen.answers[-1].content,
    )
