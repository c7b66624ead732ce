"""What answers on this machine, with stand-ins for it."""

from __future__ import annotations

import json

import httpx
import pytest

from providers import schema
from providers.discovery import Found, Other, ask, candidates, discover, is_local
from providers.errors import Unreachable
from providers.fetch import over
from providers.wire import Headers, Request

ADDRESSES = {
    "litellm": "http://localhost:4000/v1/models",
    "llamacpp": "http://localhost:8080/v1/models",
    "lmstudio": "http://localhost:1234/v1/models",
    "ollama": "http://localhost:11434/v1/models",
    "osaurus": "http://localhost:1337/v1/models",
    "sglang": "http://localhost:30000/v1/models",
    "tgi": "http://localhost:8080/v1/models",
    "vllm": "http://localhost:8000/v1/models",
}
MODELS = json.dumps({"object": "list", "data": [{"id": "m-1", "object": "model"}]}).encode()


class Machine:
    """Answers at some addresses, refuses the connection at all others, and remembers what it was sent."""

    def __init__(self, **answers: tuple[int, bytes]) -> None:
        self.answers = {ADDRESSES[name]: answer for name, answer in answers.items()}
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> tuple[int, Headers, bytes]:
        self.asked.append(request)
        if request.url not in self.answers:
            raise Unreachable()
        status, content = self.answers[request.url]
        return status, (), content


@pytest.mark.parametrize("provider", ADDRESSES)
def test_every_local_server_has_its_usual_address(provider: str) -> None:
    """Each server is asked for its models where it listens by default."""
    urls = [each.request.url for each in candidates(schema.all()) if provider in each.providers]
    assert ADDRESSES[provider] in urls


def test_only_this_machine_is_asked() -> None:
    """No candidate leads elsewhere, none is asked twice, and none is told a credential."""
    found = candidates(schema.all())
    assert all(is_local(each.base_url) for each in found)
    assert len({each.request.url for each in found}) == len(found)
    assert {name for each in found for name, _ in each.request.headers} == set()


def test_the_operators_address_is_asked_instead() -> None:
    """A value of the operator's moves the server; one that leads elsewhere is not asked."""
    local, far = {"base_url": "http://127.0.0.1:9/v1"}, {"base_url": "https://far.example/v1"}
    vllm = [schema.get("vllm")]
    assert [each.base_url for each in candidates(vllm, lambda _: local)] == ["http://127.0.0.1:9/v1"]
    assert candidates(vllm, lambda _: far) == ()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:1/v1", True),
        ("http://a.localhost", True),
        ("http://127.8.0.1", True),
        ("http://[::1]:1", True),
        ("http://192.168.0.1", False),
        ("http://localhost.example", False),
        ("https://far.example", False),
        ("", False),
    ],
)
def test_what_this_machine_is(url: str, expected: bool) -> None:
    """Loopback names and addresses lead here, look-alikes do not."""
    assert is_local(url) is expected


def test_a_server_tells_its_models() -> None:
    """What answers is found with its models; the others are nobody."""
    machine = Machine(vllm=(200, MODELS))
    found = tuple(discover(candidates(schema.all()), machine))
    expected = ("openai-completions", "openai-responses", "openai-text-completions")
    assert found == (Found("http://localhost:8000/v1", expected, ("vllm",), ("m-1",)),)
    assert len(machine.asked) == len(candidates(schema.all()))


def test_ollama_is_asked_in_its_own_way_too() -> None:
    """The native list is read where the server has it."""
    native = [each for each in candidates([schema.get("ollama")]) if "ollama-chat" in each.protocols]
    answer = json.dumps({"models": [{"name": "llama3.2:1b"}]}).encode()
    found = ask(native[0], lambda request: (200, (), answer))
    assert found == Found(
        "http://localhost:11434", ("ollama-chat", "ollama-generate"), ("ollama",), ("llama3.2:1b",)
    )


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_wants_a_key_is_there(status: int) -> None:
    """A refusal for want of a key is an answer without models."""
    (found,) = discover(candidates([schema.get("litellm")]), Machine(litellm=(status, b"{}")))
    assert isinstance(found, Found)
    assert found.models is None


@pytest.mark.parametrize(
    ("owner", "expected"),
    [("llamacpp", ("llamacpp",)), ("somebody", ("llamacpp", "tgi")), (None, ("llamacpp", "tgi"))],
)
def test_the_list_tells_which_of_two_servers_answers(owner: str | None, expected: tuple[str, ...]) -> None:
    """Two servers share a port: whose list it is says which, else both are named."""
    content = json.dumps({"data": [{"id": "m", "owned_by": owner}]}).encode()
    (found,) = discover(candidates(schema.all()), Machine(tgi=(200, content)))
    assert isinstance(found, Found)
    assert found.providers == expected


@pytest.mark.parametrize(
    "answer",
    [(404, b"nothing here"), (500, b""), (200, b"<html>"), (200, b"{}"), (302, b"")],
    ids=["another path", "broken", "a page", "no list", "a redirect"],
)
def test_what_lists_no_models_is_not_found(answer: tuple[int, bytes]) -> None:
    """Some other program at a known port is not taken for a server of models, and is told with its answer."""
    (told,) = discover(candidates(schema.all()), Machine(vllm=answer))
    assert isinstance(told, Other)
    assert told.base_url == "http://localhost:8000/v1"
    assert told.told


def test_another_path_of_a_server_that_is_found_is_not_told() -> None:
    """A server of ollama's port that has the list at one of two paths has answered."""
    asked = candidates([schema.get("ollama")])
    found = discover(asked, lambda request: (200, (), MODELS) if "/v1/" in request.url else (404, (), b""))
    assert len(asked) == 2
    assert [each.base_url for each in found if isinstance(each, Found)] == ["http://localhost:11434/v1"]
    assert len(found) == 1


def test_a_redirect_is_not_followed() -> None:
    """Over the network, too, an answer that points elsewhere is no list of models."""
    asked: list[str] = []

    def network(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"location": "https://far.example/v1/models"})

    with httpx.Client(transport=httpx.MockTransport(network)) as client:
        (told,) = discover(candidates([schema.get("vllm")]), over(client))
    assert isinstance(told, Other)
    assert asked == [ADDRESSES["vllm"]]
