"""Pictures in data URLs, which the vendors that read them refuse where they are no base64."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness import emulated
from harness.emulators import EMULATORS
from harness.emulators.judging import is_picture
from providers.wire import Request

PATHS = {
    "openai-completions": "/chat/completions",
    "openai-responses": "/responses",
    "mistral-chat": "/chat/completions",
}
NO_BASE64 = "data:image/png;base64,!!"
WANTED = (
    "Invalid 'input[0].content[0].image_url'. Expected a base64-encoded data URL with an image MIME type "
    "(e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got {} base64-encoded bytes."
)


def shown(protocol: str, url: str) -> Request:
    """A request with one picture."""
    if protocol == "openai-responses":
        part: dict[str, Any] = {"type": "input_image", "image_url": url}
        body: dict[str, Any] = {"model": "m", "input": [{"role": "user", "content": [part]}]}
    else:
        part = {"type": "image_url", "image_url": {"url": url}}
        body = {"model": "m", "messages": [{"role": "user", "content": [part]}]}
    address = f"https://any.example/v1{PATHS[protocol]}"
    return Request("POST", address, (("content-type", "application/json"),), json.dumps(body).encode())


@pytest.mark.parametrize(
    ("protocol", "url", "status", "told"),
    [
        (
            "openai-completions",
            NO_BASE64,
            400,
            {"message": "Invalid base64 image_url.", "param": None, "code": None},
        ),
        (
            "openai-responses",
            NO_BASE64,
            400,
            {
                "message": WANTED.format("invalid"),
                "param": "input[0].content[0].image_url",
                "code": "invalid_value",
            },
        ),
        (
            "openai-responses",
            "data:image/png;base64,",
            400,
            {
                "message": WANTED.format("empty"),
                "param": "input[0].content[0].image_url",
                "code": "invalid_value",
            },
        ),
        (
            "mistral-chat",
            NO_BASE64,
            422,
            {
                "message": "Value error, Image content must be a URL (starting with 'https') or base64 "
                "encoded image (starting with 'data:image/<format>;base64,<image-base64>').",
                "code": None,
            },
        ),
    ],
)
def test_a_picture_that_is_no_base64_is_refused(
    protocol: str, url: str, status: int, told: dict[str, Any]
) -> None:
    """Each vendor refuses it in its own sentence."""
    answer = emulated.answer(shown(protocol, url), emulated.plain_endpoint(protocol), None)
    said = json.loads(answer.content)
    assert answer.status == status
    fault = said.get("error", said)
    assert {name: fault.get(name) for name in told} == told


@pytest.mark.parametrize("url", ["data:image/png;base64,aGk=", "https://acme.test/a.png"])
@pytest.mark.parametrize("protocol", PATHS)
def test_a_picture_is_taken(protocol: str, url: str) -> None:
    """A picture in base64, and one at an address, are taken."""
    request = shown(protocol, url)
    assert EMULATORS[protocol].judge(request, emulated.plain_endpoint(protocol)) == ()


@pytest.mark.parametrize(
    ("url", "lawful"),
    [
        ("data:image/svg+xml;charset=utf-8;base64,aGk=", True),
        ("data:image/png;base64,aG k=", False),
        ("data:image/png,hi", False),
        ("data:text/plain;base64,aGk=", False),
        ("data:", False),
        ("http://acme.test/data:", True),
    ],
)
def test_what_is_a_picture(url: str, lawful: bool) -> None:
    """A data URL is of an image, in base64, and not empty."""
    assert is_picture(url) is lawful
