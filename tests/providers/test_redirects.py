"""A redirect is a refusal: the client does not follow it, and does not try again."""

import httpx
import pytest

from providers import schema
from providers.call import Call, user
from providers.client import Client
from providers.errors import Redirected, remote_error_class


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_ends_the_call(status: int) -> None:
    """One request is made, the error is typed and says nothing of the key."""
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(status, headers={"location": "https://elsewhere.test/v1"})

    call = Call(model="any", messages=(user("Hello"),))
    with (
        Client(transport=httpx.MockTransport(answer), verify=False) as client,
        pytest.raises(Redirected) as raised,
    ):
        client.complete(schema.get("groq"), call, key="canary-of-one")
    assert seen == ["api.groq.com"]
    assert not raised.value.retryable
    assert "canary" not in str(raised.value)


def test_words_do_not_turn_a_redirect_into_something_else() -> None:
    """A page that talks of an overloaded server is still a redirect."""
    assert remote_error_class(302, "overloaded", 503) is Redirected
