"""A headless Chromium, and a small site to drive it over: opened from its folder, without any server.

Debian's Chromium is taken as it is (``apt-get install chromium``, or ``.ci/browser``); Playwright's own
download is never used. Without one the tests are skipped, and where ``CI`` is set they fail.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from reports import baseline, render
from reports.results import Provider, Run, Subject
from tests.reports import samples

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",  # root, as in a container, may not have one
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HOSTILE = "</pre></script><img src=x onerror=alert(1)><script>alert(2)</script>\x1b]0;x\x07\u202e`|`"
EVIDENCE = "acme/openai-completions/text/1"
EVENTS = ("start", "text block 0 × 2", "end")


def _run(verdict: str = "failed", **facts: object) -> Run:
    """Three endpoints with a cell of every state; what acme answers to a tool call is ``verdict``."""
    told = {"blame": "provider", "reason": HOSTILE, "expected": "a name", "observed": HOSTILE}
    seen = samples.exchange(answer=HOSTILE)
    again = samples.exchange("zeta/ollama/text/1")
    turn = {**seen.turn, "events": EVENTS}
    exchanges = (
        type(seen)(EVIDENCE, seen.request, seen.response, "recorded", samples.FRESH, "", turn),
        again,
    )
    return samples.run(
        samples.result("stream.order", exchanges=(EVIDENCE,)),
        samples.result("stream.cut", "warned", fault="cut.utf8", reason="one frame late"),
        samples.result("tool.named", verdict, exchanges=(EVIDENCE,), **(told if verdict == "failed" else {})),
        samples.result("err.typed", date=samples.OLD),
        samples.result("stream.order", provider="zeta", protocol="ollama", exchanges=(again.id,)),
        samples.result(
            "err.typed", "errored", provider="zeta", protocol="ollama", reason="ours", origin="documented"
        ),
        samples.result("pdf.read", provider="hostile", origin="documented"),
        exchanges=exchanges,
        **{"providers": (*samples.header().providers, _hostile()), **facts},
    )


def _hostile() -> Provider:
    return Provider("hostile", HOSTILE, HOSTILE, "javascript:alert(3)", ("openai-completions",), {})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report that knows of an older run, in which acme's tool calls passed."""
    folder = tmp_path_factory.mktemp("site")
    render.write_site(_run(), folder, today=samples.TODAY, before=[baseline.of(_run("passed"))])
    render.write_site(_run("passed"), folder / "older", today=samples.TODAY)
    return folder


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report on two clients."""
    folder = tmp_path_factory.mktemp("clients")
    both = _run(subjects=(Subject("other", "2"), Subject("wirecheck", "1")))
    theirs = samples.result("stream.order", "failed", subject="other", reason="read twice")
    render.write_site(Run(both.header, both.exchanges, (*both.results, theirs)), folder, today=samples.TODAY)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium of this module's own: Playwright's loop must not run beside the tests of others."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        reason = "no Chromium is installed: run .ci/browser, or apt-get install chromium"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


Open = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Opens a file of a site at a fragment. Afterwards nothing was asked of any host, nothing ran that is not
    ours, and nothing failed."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def opened(file: Path, fragment: str = "", **facts: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **facts})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("dialog", lambda dialog: troubles.append(f"dialog {dialog.message}"))
        page.on("pageerror", lambda error: troubles.append(f"error {error}"))
        page.on("console", lambda said: troubles.append(f"console {said.text}"))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith(("file:", "data:")) else troubles.append(asked.url),
        )
        page.goto(file.as_uri() + (f"#{fragment}" if fragment else ""))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []
