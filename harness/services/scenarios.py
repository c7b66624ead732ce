"""The named asks of services, as ``harness.scenarios`` has the calls: what is asked, and what may come.

A scenario belongs to one service, a key of ``providers.services.SERVICES``. A step asks with what was
answered before; its reply is what a documented fixture is spoken from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from harness.emulators import EMULATORS
from harness.materials import WEATHER
from harness.scenarios import SCENARIOS
from providers import jsontext
from providers.call import Call, Text, user
from providers.errors import InvalidRequest
from providers.events import Turn, Usage
from providers.protocols import PROTOCOLS
from providers.services.batches import (
    Batch,
    BatchList,
    CancelBatch,
    Cancelling,
    CreateBatch,
    Entry,
    GetBatch,
    ListBatches,
    Outcome,
    Outcomes,
    ReadBatch,
    Status,
    lines,
)
from providers.services.count_tokens import CountTokens, TokenCount
from providers.services.embeddings import Embed, Embeddings
from providers.services.files import (
    Deleted,
    DeleteFile,
    File,
    FileContent,
    FileList,
    GetFile,
    ListFiles,
    ReadFile,
    Upload,
)
from providers.services.models_list import ListModels, ModelList
from providers.services.passthrough import Passed, PassOn
from providers.services.vendors import gemini, mistral, together
from providers.services.vendors.xai import Added, AddEntries
from providers.wire import Endpoint

Kind = TypeVar("Kind")


class Asking(msgspec.Struct, frozen=True):
    """Where a step asks: for which model, at which endpoint, after which answers."""

    model: str
    endpoint: Endpoint
    answers: tuple[Any, ...] = ()

    def latest(self, kind: type[Kind]) -> Kind:
        """The last answer of this type."""
        return next(answer for answer in reversed(self.answers) if isinstance(answer, kind))


class ServiceStep(msgspec.Struct, frozen=True):
    """One ask and a lawful answer to it, both made where it is asked."""

    ask: Callable[[Asking], Any]
    reply: Callable[[Asking], Any]


class ServiceScenario(msgspec.Struct, frozen=True, kw_only=True):
    """A named sequence of asks. ``protocols``: those, and the vendors' own shapes, that have words for it,
    empty for all of the service. ``own_model``: no chat model can do it, only one that the provider's claim
    names. ``harmless``: it leaves nothing behind and costs next to nothing, so that it may be asked live."""

    name: str
    title: str
    service: str
    steps: tuple[ServiceStep, ...]
    protocols: tuple[str, ...] = ()
    own_model: bool = False
    harmless: bool = False

    @property
    def needs(self) -> tuple[str, ...]:
        """The features a provider must offer for it to apply."""
        return (self.service,)


_PARTS = {"perplexity": 1}  # of the shapes whose vectors are no fractions of 64


def _vector(size: int, start: int, parts: int) -> tuple[float, ...]:
    """Numbers that 32 bits hold exactly."""
    return tuple(((start + place) % 127 - 63) / parts for place in range(size))


def _embeds(*texts: str, size: int = 8, tokens: int, **options: Any) -> ServiceStep:
    def reply(asking: Asking) -> Embeddings:
        parts = _PARTS.get(asking.endpoint.shape("embeddings"), 64)
        vectors = tuple(_vector(size, number * 17, parts) for number in range(len(texts)))
        return Embeddings(vectors, Usage(input_tokens=tokens))

    return ServiceStep(lambda asking: Embed(model=asking.model, texts=texts, **options), reply)


def _always(value: Any) -> Callable[[Asking], Any]:
    return lambda asking: value


# --- counting, and calls in batches ---


def _hello(model: str, text: str = "Say hello.") -> Call:
    return Call(model=model, messages=(user(text),), max_output_tokens=64)


def _counted(asking: Asking) -> CountTokens:
    call = _hello(asking.model, "What is the weather in Paris?")
    return CountTokens(replace(call, system="Answer with one word.", tools=(WEATHER,)))


_TURN = Turn(
    parts=(Text("Hello."),),
    finish="stop",
    complete=True,
    usage=Usage(input_tokens=10, output_tokens=3),
)


def _spoken(asking: Asking) -> bytes:
    """The answer to one plain call, as its protocol's vendor sends it."""
    emulator = EMULATORS[asking.endpoint.protocol]
    turn = replace(_TURN, model=asking.model)
    return emulator.speak(turn, _hello(asking.model), asking.endpoint).content


# --- files ---

_CONTENT = '{"text":"naïve Ω — 你好"}\n'.encode()
_NAME = "wirecheck.jsonl"


_PURPOSES = {"together": ("batch", "batch-api")}  # of shapes that keep no user data: as asked, as told


def _purposes(asking: Asking) -> tuple[str, str]:
    return _PURPOSES.get(asking.endpoint.shape("files"), ("user_data", "user_data"))


def _upload(asking: Asking) -> Upload:
    purpose, _ = _purposes(asking)
    return Upload(name=_NAME, content=_CONTENT, media_type="application/jsonl", purpose=purpose)


def _kept(asking: Asking) -> File:
    _, purpose = _purposes(asking)
    return File("file-000000000001", _NAME, len(_CONTENT), "application/jsonl", purpose)


def _reply_list(asking: Asking) -> FileList:
    return FileList((asking.latest(File),))


_FILES = (  # the fourth step reads the file back
    ServiceStep(_upload, _kept),
    ServiceStep(_always(ListFiles()), _reply_list),
    ServiceStep(lambda asking: GetFile(asking.latest(File).id), lambda asking: asking.latest(File)),
    ServiceStep(
        lambda asking: ReadFile(asking.latest(File).id),
        _always(FileContent(_CONTENT, "application/jsonl")),
    ),
    ServiceStep(
        lambda asking: DeleteFile(asking.latest(File).id), lambda asking: Deleted(asking.latest(File).id)
    ),
)

_FILES_UNREAD = (
    *_FILES[:3],
    ServiceStep(lambda asking: DeleteFile(asking.latest(File).id), _always(Deleted())),
)

# --- batches ---


def _entries(asking: Asking) -> tuple[Entry, ...]:
    return (Entry("first", _hello(asking.model)), Entry("second", _hello(f"{asking.model}-no-such-model")))


def _entries_of_one_model(asking: Asking) -> tuple[Entry, ...]:
    return (Entry("first", _hello(asking.model)), Entry("second", _hello(asking.model, "Say goodbye.")))


def _upload_keyed(asking: Asking) -> Upload:
    content = gemini.lines(_entries_of_one_model(asking), asking.endpoint)
    return Upload(name=_NAME, content=content, media_type="application/jsonl", purpose="batch")


def _kept_keyed(asking: Asking) -> File:
    return File("file-000000000002", _NAME, len(_upload_keyed(asking).content), "application/jsonl")


def _upload_lines(asking: Asking) -> Upload:
    content = lines(_entries(asking), asking.endpoint)
    return Upload(name=_NAME, content=content, media_type="application/jsonl", purpose="batch")


def _uploaded(asking: Asking) -> File:
    return File("file-000000000002", _NAME, len(_upload_lines(asking).content), purpose="batch")


def _batch(id: str, status: Status, raw: str, **more: Any) -> Callable[[Asking], Batch]:
    return _always(Batch(id=id, status=status, raw_status=raw, **more))


def _ran(asking: Asking) -> Outcomes:
    answer = jsontext.parse(_spoken(asking))
    refused = InvalidRequest("no such model", status=400, type="invalid_request_error")
    return Outcomes((Outcome("first", answer), Outcome("second", error=refused)))


def _of_batch(
    create: Callable[[Asking], CreateBatch], running: str, ended: str, cancelling: str, **output: str
) -> tuple[ServiceStep, ...]:
    """A batch that runs to its end, and another that is cancelled; no word ``cancelling`` where the vendor
    tells nothing then."""
    whole = Batch(id="batch_000000000001", status="ended", raw_status=ended, succeeded=1, failed=1, **output)
    counted = {"succeeded": 0, "failed": 0}
    return (
        ServiceStep(create, _batch(whole.id, "running", running, **counted)),
        ServiceStep(lambda asking: GetBatch(asking.latest(Batch).id), _always(whole)),
        ServiceStep(_always(ListBatches()), _always(BatchList((whole,)))),
        ServiceStep(lambda asking: ReadBatch(asking.latest(Batch)), _ran),
        ServiceStep(create, _batch("batch_000000000002", "running", running, **counted)),
        ServiceStep(
            lambda asking: CancelBatch(asking.latest(Batch).id),
            _batch("batch_000000000002", "cancelling", cancelling, **counted)
            if cancelling
            else _always(Cancelling()),
        ),
    )


class _Words(msgspec.Struct, frozen=True, kw_only=True):
    """What a shape tells of a batch that runs, has ended and was cancelled: the status and its word; and
    whether it counts the calls that are done."""

    running: tuple[Status, str]
    ended: tuple[Status, str]
    stopped: tuple[Status, str]
    counts: bool = True


_WORDS: Mapping[str, _Words] = {
    "mistral": _Words(
        running=("running", "QUEUED"),
        ended=("ended", "SUCCESS"),
        stopped=("cancelling", "CANCELLATION_REQUESTED"),
    ),
    "together": _Words(
        running=("running", "VALIDATING"),
        ended=("ended", "COMPLETED"),
        stopped=("cancelled", "CANCELLED"),
        counts=False,
    ),
    "xai": _Words(running=("running", ""), ended=("ended", ""), stopped=("cancelled", "")),
}


def _told(
    number: int, stage: Literal["running", "ended", "stopped"], done: int = 0, **files: Any
) -> Callable[[Asking], Batch]:
    """A batch in its shape's words, of whose calls so many succeeded and as many failed."""

    def reply(asking: Asking) -> Batch:
        words = _WORDS[asking.endpoint.shape("batches")]
        status, raw = getattr(words, stage)
        counts: dict[str, Any] = {"succeeded": done, "failed": done} if words.counts else {}
        return Batch(id=f"batch_{number:012}", status=status, raw_status=raw, **counts, **files)

    return reply


def _of_told(
    create: Callable[[Asking], CreateBatch],
    *read: ServiceStep,
    filled: tuple[ServiceStep, ...] = (),
    **files: str,
) -> tuple[ServiceStep, ...]:
    """As ``_of_batch``, in the words of the shape, ``filled`` and read by the steps given."""
    whole = _told(1, "ended", 1, **files)
    return (
        ServiceStep(create, _told(1, "running")),
        *filled,
        ServiceStep(lambda asking: GetBatch(asking.latest(Batch).id), whole),
        ServiceStep(_always(ListBatches()), lambda asking: BatchList((whole(asking),))),
        *read,
        ServiceStep(create, _told(2, "running")),
        ServiceStep(lambda asking: CancelBatch(asking.latest(Batch).id), _told(2, "stopped")),
    )


def _ran_in_part(part: slice, next: str | None = None) -> Callable[[Asking], Outcomes]:
    return lambda asking: Outcomes(_ran(asking).outcomes[part], next)


_FILES_READ = (  # of the answers, then of the refusals
    ServiceStep(lambda asking: ReadBatch(asking.latest(Batch)), _ran_in_part(slice(1))),
    ServiceStep(
        lambda asking: ReadBatch(replace(asking.latest(Batch), output=None)), _ran_in_part(slice(1, 2))
    ),
)
_PAGES_READ = (
    ServiceStep(lambda asking: ReadBatch(asking.latest(Batch)), _ran_in_part(slice(1), "first")),
    ServiceStep(
        lambda asking: ReadBatch(asking.latest(Batch), asking.latest(Outcomes).next),
        _ran_in_part(slice(1, 2)),
    ),
)
_TWO_FILES: Mapping[str, Any] = {"output": "file-000000000003", "errors": "file-000000000004"}
_BODIES: Mapping[str, Callable[[Iterable[Entry], Endpoint], bytes]] = {
    "mistral": mistral.lines,
    "together": together.lines,
}


def _upload_bodies(asking: Asking) -> Upload:
    written = _BODIES[asking.endpoint.shape("batches")]
    content = written(_entries_of_one_model(asking), asking.endpoint)
    return Upload(name=_NAME, content=content, media_type="application/jsonl", purpose="batch")


def _uploaded_bodies(asking: Asking) -> File:
    _, purpose = _PURPOSES.get(asking.endpoint.shape("files"), ("batch", "batch"))
    return File("file-000000000002", _NAME, len(_upload_bodies(asking).content), purpose=purpose)


_JOB = "arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/00000000000"


def _of_jobs() -> tuple[ServiceStep, ...]:
    """As ``_of_batch``, of an object in S3, where the outcomes stay too; a new job tells only its name."""
    first, second = (Batch(id=f"{_JOB}{number}", status="running", raw_status="") for number in (1, 2))
    whole = replace(
        first,
        status="ended",
        raw_status="Completed",
        output="s3://example/batch-1/",
        succeeded=1,
        failed=1,
    )

    def create(asking: Asking) -> CreateBatch:
        return CreateBatch(file="s3://example/wirecheck.jsonl", model=asking.model)

    return (
        ServiceStep(create, _always(first)),
        ServiceStep(lambda asking: GetBatch(asking.latest(Batch).id), _always(whole)),
        ServiceStep(_always(ListBatches()), _always(BatchList((whole,)))),
        ServiceStep(create, _always(second)),
        ServiceStep(lambda asking: CancelBatch(asking.latest(Batch).id), _always(Cancelling())),
    )


# --- passthrough ---


def _passed_call(asking: Asking) -> PassOn:
    request = PROTOCOLS[asking.endpoint.protocol].build(_hello(asking.model), asking.endpoint)
    path = request.url.removeprefix(asking.endpoint.base_url)
    return PassOn(path=path, headers=(*request.headers, _PROBE), content=request.content)


_PROBE = ("x-wirecheck-probe", "kept")
_JSON = (("content-type", "application/json"),)
_GEMINI_STATES = ("BATCH_STATE_PENDING", "BATCH_STATE_SUCCEEDED", "")
_OPENAI = ("openai-completions", "openai-responses", "azure-openai-responses")

SERVICE_SCENARIOS: Mapping[str, ServiceScenario] = {
    scenario.name: scenario
    for scenario in (
        ServiceScenario(
            name="embed_one",
            title="One text to one vector",
            service="embeddings",
            own_model=True,
            harmless=True,
            steps=(_embeds("Hello.", tokens=3),),
        ),
        ServiceScenario(
            name="embed_batch",
            title="Three texts to three vectors, in their order",
            service="embeddings",
            own_model=True,
            harmless=True,
            steps=(_embeds("Hello.", "naïve Ω — 你好", "Good night.", tokens=14),),
        ),
        ServiceScenario(
            name="embed_dims",
            title="A vector of a given length",
            service="embeddings",
            own_model=True,
            harmless=True,
            steps=(_embeds("Hello.", size=256, tokens=3, dimensions=256),),
        ),
        ServiceScenario(
            name="models_list",
            title="The models",
            service="models_list",
            harmless=True,
            steps=(
                ServiceStep(_always(ListModels()), lambda asking: ModelList((asking.model, "another-model"))),
            ),
        ),
        ServiceScenario(
            name="models_list_pages",
            title="The models, one to a page, until the last page",
            service="models_list",
            protocols=(
                "anthropic-messages",
                "google-generative-ai",
                "google-vertex",
                "cohere-chat",
                "watsonx-generation",
            ),
            steps=(
                ServiceStep(
                    _always(ListModels(limit=1)), lambda asking: ModelList((asking.model,), asking.model)
                ),
                ServiceStep(
                    lambda asking: ListModels(limit=1, after=asking.latest(ModelList).next),
                    _always(ModelList(("another-model",))),
                ),
            ),
        ),
        ServiceScenario(
            name="count_tokens",
            title="The tokens of a call with an instruction and a tool",
            service="count_tokens",
            harmless=True,
            steps=(ServiceStep(_counted, _always(TokenCount(64))),),
        ),
        ServiceScenario(
            name="files_lifecycle",
            title="A file uploaded, listed, looked at, read and deleted",
            service="files",
            protocols=(*_OPENAI, "mistral-chat", "anthropic-messages", "together"),
            steps=_FILES,
        ),
        ServiceScenario(
            name="files_unread",
            title="A file uploaded, listed, looked at and deleted, by a vendor that gives none back",
            service="files",
            protocols=("gemini",),
            steps=_FILES_UNREAD,
        ),
        ServiceScenario(
            name="batch_of_file",
            title="A batch of an uploaded file that fails in part, and one that is cancelled",
            service="batches",
            protocols=_OPENAI,
            steps=(
                ServiceStep(_upload_lines, _uploaded),
                *_of_batch(
                    lambda asking: CreateBatch(file=asking.latest(File).id),
                    "validating",
                    "completed",
                    "cancelling",
                    output="file-000000000003",
                ),
            ),
        ),
        ServiceScenario(
            name="batch_of_entries",
            title="A batch of calls that fails in part, and one that is cancelled",
            service="batches",
            protocols=("anthropic-messages",),
            steps=_of_batch(
                lambda asking: CreateBatch(entries=_entries(asking)), "in_progress", "ended", "canceling"
            ),
        ),
        ServiceScenario(
            name="batch_of_model",
            title="A batch of calls to one model that fails in part, and one that is cancelled",
            service="batches",
            protocols=("gemini",),
            steps=_of_batch(
                lambda asking: CreateBatch(entries=_entries_of_one_model(asking)), *_GEMINI_STATES
            ),
        ),
        ServiceScenario(
            name="batch_of_lines",
            title="A batch of an uploaded file for one model that fails in part, and one that is cancelled",
            service="batches",
            protocols=("gemini",),
            steps=(
                ServiceStep(_upload_keyed, _kept_keyed),
                *_of_batch(
                    lambda asking: CreateBatch(file=asking.latest(File).id, model=asking.model),
                    *_GEMINI_STATES,
                    output="file-000000000003",
                ),
            ),
        ),
        ServiceScenario(
            name="batch_of_bodies",
            title="A batch of an uploaded file whose refusals are a file of their own, and one cancelled",
            service="batches",
            protocols=("mistral", "together"),
            steps=(
                ServiceStep(_upload_bodies, _uploaded_bodies),
                *_of_told(
                    lambda asking: CreateBatch(file=asking.latest(File).id, model=asking.model),
                    *_FILES_READ,
                    **_TWO_FILES,
                ),
            ),
        ),
        ServiceScenario(
            name="batch_in_request",
            title="A batch of calls whose refusals are a file of their own, and one cancelled",
            service="batches",
            protocols=("mistral",),
            steps=_of_told(
                lambda asking: CreateBatch(entries=_entries_of_one_model(asking)), *_FILES_READ, **_TWO_FILES
            ),
        ),
        ServiceScenario(
            name="batch_in_steps",
            title="A batch that calls are added to, read in pages, and one cancelled",
            service="batches",
            protocols=("xai",),
            steps=_of_told(
                _always(CreateBatch()),
                *_PAGES_READ,
                filled=(
                    ServiceStep(
                        lambda asking: AddEntries(asking.latest(Batch).id, _entries(asking)), _always(Added())
                    ),
                ),
            ),
        ),
        ServiceScenario(
            name="batch_in_pages",
            title="A batch of an uploaded file, read in pages, and one cancelled",
            service="batches",
            protocols=("xai",),
            steps=(
                ServiceStep(_upload_lines, _uploaded),
                *_of_told(lambda asking: CreateBatch(file=asking.latest(File).id), *_PAGES_READ),
            ),
        ),
        ServiceScenario(
            name="batch_of_object",
            title="A batch of an object in S3 that fails in part, and one that is cancelled",
            service="batches",
            protocols=("bedrock",),
            steps=_of_jobs(),
        ),
        ServiceScenario(
            name="passthrough",
            title="A path and a body passed on as they are",
            service="passthrough",
            protocols=(*_OPENAI, "mistral-chat", "anthropic-messages", "google-generative-ai"),
            steps=(ServiceStep(_passed_call, lambda asking: Passed(200, _JSON, _spoken(asking))),),
        ),
    )
}


def named() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(name, title, needs) of every scenario, of calls and of services."""
    for call in SCENARIOS.values():
        yield call.name, call.title, call.needs
    for service in SERVICE_SCENARIOS.values():
        yield service.name, service.title, service.needs
