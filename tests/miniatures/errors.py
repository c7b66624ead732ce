"""Providers that refuse badly, and clients that lose why."""

from __future__ import annotations

from harness.fixtures import CANARY
from harness.observation import Observation
from providers.call import Text
from providers.errors import (
    AuthenticationFailed,
    InvalidRequest,
    MalformedFrame,
    RateLimited,
    ServerError,
)
from tests.miniatures.bench import CHAT, answered, breaks, failing, passes, spoken, told

LIMITED = "error_429_rate_limit"
REFUSAL = b'{"error":{"message":"Something is wrong","type":"server_error"}}'


@breaks("err.shape")
def refuses_in_markup() -> Observation:
    """A provider that refuses with a page for people."""
    return answered(b"<p>Slow down</p>", scenario=LIMITED, status=429)


@breaks("err.shape")
def refuses_without_words() -> Observation:
    """A provider that refuses without a message."""
    return answered(b'{"error":{}}', scenario=LIMITED, status=429)


@breaks("err.status")
def refuses_with_200() -> Observation:
    """A provider that refuses with status 200."""
    return answered(REFUSAL, scenario=LIMITED)


@breaks("err.refused_class")
def knows_one_error() -> Observation:
    """A client that has one error for every refusal."""
    return failing(spoken(LIMITED), InvalidRequest("Slow down", status=429))


@breaks("err.bad_key")
def fails_over_a_key() -> Observation:
    """A provider that fails over a key it does not know."""
    return answered(REFUSAL, scenario="error_401_bad_key", status=500)


@breaks("err.bad_model")
def fails_over_a_model() -> Observation:
    """A provider that fails over a model it does not have."""
    return answered(REFUSAL, scenario="error_404_unknown_model", status=500)


@passes("err.original_kept")
def keeps_words_of_two_lines() -> Observation:
    """A client that keeps words with a line break, which JSON escapes."""
    body = b'{"error":{"message":"Slow \\"down\\"\\nGroup=a","type":"throttling_error"}}'
    return answered(body, scenario=LIMITED, status=429)


@passes("err.original_kept")
def keeps_half_a_character() -> Observation:
    """A client that keeps words with half of a surrogate pair, which JSON may tell and UTF-8 cannot."""
    body = b'{"error":{"message":"Slow \\ud83d down","type":"throttling_error"}}'
    return answered(body, scenario=LIMITED, status=429)


@breaks("err.original_kept")
def has_its_own_words() -> Observation:
    """A client that puts its own words for the vendor's."""
    return failing(spoken(LIMITED), RateLimited("An error happened", status=429))


@breaks("err.original_kept")
def forgets_the_status() -> Observation:
    """A client that forgets the status code."""
    return failing(spoken(LIMITED), RateLimited("Slow down", status=400))


@breaks("err.request_id")
def forgets_the_request() -> Observation:
    """A client that forgets the vendor's id of the request."""
    return failing(spoken(LIMITED), RateLimited("Slow down", status=429))


@breaks("err.retryable")
def never_tries_again() -> Observation:
    """A client that takes a rate limit for final."""
    return failing(spoken(LIMITED), AuthenticationFailed("Slow down", status=429))


@breaks("err.retryable")
def tries_a_bad_key_again() -> Observation:
    """A client that tries a bad key again."""
    return failing(spoken("error_401_bad_key"), RateLimited("Bad key", status=401))


@breaks("err.redacted")
def shows_the_key() -> Observation:
    """A client that shows the key it sent."""
    error = AuthenticationFailed(f"not accepted: {CANARY}", status=401)
    return failing(spoken("error_401_bad_key"), error)


@breaks("err.no_answer")
def answers_with_the_error() -> Observation:
    """A client that gives the refusal's words as the answer."""
    return told(spoken(LIMITED), parts=(Text("Slow down"),))


@breaks("err.overflow")
def sees_a_wrong_request() -> Observation:
    """A client that takes a full context window for a wrong request."""
    error = InvalidRequest("too long", status=400)
    return failing(spoken("error_400_context_overflow"), error)


@breaks("err.class")
def has_two_classes() -> Observation:
    """A client that tells 4xx from 5xx, and no more."""
    return failing(spoken("text", CHAT, "status.404"), InvalidRequest("Not Found", status=404))


@breaks("err.html")
def hides_the_page() -> Observation:
    """A client that does not show what came in place of JSON."""
    return failing(spoken("text", CHAT, "error.html"), ServerError(None, status=502))


@breaks("err.empty_body")
def wants_a_body() -> Observation:
    """A client that fails over an empty body, and hides the status behind it."""
    error = MalformedFrame(expected="JSON", seen=b"")
    return failing(spoken("text", CHAT, "error.empty_body"), error)


@breaks("err.quota_vs_rate")
def waits_for_money() -> Observation:
    """A client that takes an empty account for a rate limit."""
    return failing(spoken("text", CHAT, "error.quota"), RateLimited("No credit", status=429))


@breaks("err.connect")
def blames_the_answer() -> Observation:
    """A client that takes no answer for a broken one."""
    error = MalformedFrame(expected="an answer", seen=b"")
    return failing(spoken("text", CHAT, "connect.refused"), error)
