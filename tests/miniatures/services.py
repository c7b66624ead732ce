"""What breaks the checks of what stands beside chat."""

from __future__ import annotations

from msgspec.structs import replace

from harness.services.observation import Served
from providers.errors import NotFound
from providers.services.batches import Outcome, Outcomes
from providers.services.count_tokens import TokenCount
from providers.services.embeddings import Embeddings
from providers.services.files import FileContent, FileList
from providers.services.models_list import ModelList
from providers.services.passthrough import Passed
from tests.miniatures.bench import MESSAGES, answering, breaks, served

RESPONSES = "openai-responses"


@breaks("embed.single_batch")
def embeds_too_few() -> Served:
    """A provider that embeds two of three texts."""
    seen = served("embed_batch")
    return answering(seen, 0, Embeddings(seen.answers[0].vectors[:2]))


@breaks("embed.single_batch")
def embeds_unevenly() -> Served:
    """A provider whose second vector is shorter."""
    seen = served("embed_batch")
    first, second, third = seen.answers[0].vectors
    return answering(seen, 0, Embeddings((first, second[1:], third)))


@breaks("embed.single_batch")
def mixes_vectors_up() -> Served:
    """A client that takes the vectors as they come and not by their index."""
    seen = served("embed_batch")
    return replace(seen, answers=(Embeddings(seen.answers[0].vectors[::-1]),))


@breaks("embed.single_batch", "embed.dims")
def embeds_nothing() -> Served:
    """A provider that refuses a text it is asked to embed."""
    return replace(served("embed_dims"), answers=(), error=NotFound("no such model", status=404))


@breaks("embed.dims")
def embeds_at_full_length() -> Served:
    """A provider that does not shorten its vectors."""
    return answering(served("embed_dims"), 0, Embeddings(((0.5,) * 1536,)))


@breaks("models.list")
def lists_nothing() -> Served:
    """A provider whose list is empty."""
    return answering(served("models_list"), 0, ModelList(()))


@breaks("models.list")
def lists_twice() -> Served:
    """A provider whose second page is the first again."""
    seen = served("models_list_pages", MESSAGES)
    return answering(seen, 1, seen.answers[0])


@breaks("models.list")
def loses_a_model() -> Served:
    """A client that drops the last model of the list."""
    seen = served("models_list")
    return replace(seen, answers=(ModelList(seen.answers[0].ids[:-1]),))


@breaks("usage.count_tokens")
def counts_nothing() -> Served:
    """A provider for which a question has no tokens."""
    return answering(served("count_tokens", RESPONSES), 0, TokenCount(0))


@breaks("usage.count_tokens")
def counts_otherwise() -> Served:
    """A client that reads another number than was sent."""
    return replace(served("count_tokens", RESPONSES), answers=(TokenCount(1),))


@breaks("files.lifecycle")
def hides_the_file() -> Served:
    """A provider whose list does not have the file."""
    return answering(served("files_lifecycle"), 1, FileList(()))


@breaks("files.lifecycle")
def alters_the_file() -> Served:
    """A provider that gives back other bytes than it was given."""
    return answering(served("files_lifecycle"), 3, FileContent(b"{}\r\n"))


@breaks("files.lifecycle")
def deletes_another_file() -> Served:
    """A provider that tells of another file that it is deleted."""
    seen = served("files_lifecycle")
    return answering(seen, 4, replace(seen.answers[4], id="file-another"))


@breaks("batch.lifecycle")
def loses_the_failed() -> Served:
    """A provider whose outcomes leave out the call that failed."""
    seen = served("batch_of_entries", MESSAGES)
    return answering(seen, 3, Outcomes(seen.answers[3].outcomes[:1]))


@breaks("batch.lifecycle")
def says_nothing_of_one() -> Served:
    """A provider that ended a batch and has neither an answer nor an error for a call."""
    seen = served("batch_of_file")
    first, _ = seen.answers[4].outcomes
    return answering(seen, 4, Outcomes((first, Outcome("second"))))


@breaks("batch.lifecycle")
def finds_another_batch() -> Served:
    """A provider that answers for another batch than was asked for."""
    seen = served("batch_of_entries", MESSAGES)
    return answering(seen, 1, replace(seen.answers[1], id="batch_another"))


@breaks("gw.passthrough")
def rewrites_the_body() -> Served:
    """A client that writes the body anew before it passes it on."""
    seen = served("passthrough")
    sent = replace(seen.sent[0], content=seen.sent[0].content + b"\n")
    return replace(seen, sent=(sent,))


@breaks("gw.passthrough")
def drops_a_field() -> Served:
    """A client that passes on only the fields it knows."""
    seen = served("passthrough")
    return replace(seen, sent=(replace(seen.sent[0], headers=seen.sent[0].headers[:1]),))


@breaks("gw.passthrough")
def rewrites_the_answer() -> Served:
    """A client that gives back another answer than came."""
    seen = served("passthrough")
    return replace(seen, answers=(Passed(200, (), b"{}"),))
