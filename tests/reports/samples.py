"""A small run with one cell of every state, for the tests of reports."""

from __future__ import annotations

import datetime as dt

from reports.results import (
    Body,
    Capability,
    Check,
    Claim,
    Exchange,
    Group,
    Header,
    Provider,
    Request,
    Response,
    Result,
    Run,
    Scenario,
    Subject,
)

TODAY = dt.date(2026, 11, 21)
FRESH = dt.date(2026, 11, 20)
OLD = dt.date(2026, 5, 1)


def check(id: str, capability: str, level: str = "MUST") -> Check:
    """A check of ``capability`` with a sentence of its own."""
    return Check(
        id, id.partition(".")[0], capability, level, f"{id} {level} hold.", "https://example.org/spec"
    )


def result(check: str, verdict: str = "passed", **facts: object) -> Result:
    """A result of our subject on acme, recorded yesterday unless ``facts`` say otherwise."""
    known: dict[str, object] = {
        "subject": "wirecheck",
        "provider": "acme",
        "protocol": "openai-completions",
        "scenario": "text",
        "origin": "recorded",
        "date": FRESH,
    }
    return Result(check=check, verdict=verdict, **{**known, **facts})


def exchange(id: str = "acme/openai-completions/text/1", answer: str = '{"ok":true}') -> Exchange:
    """An exchange whose answer is ``answer``."""
    return Exchange(
        id,
        Request(
            "POST",
            "https://api.acme.test/v1/chat/completions",
            (("accept", "*/*"),),
            Body("{}", size_bytes=2),
        ),
        Response(200, (("content-type", "application/json"),), Body(answer, size_bytes=len(answer))),
        "recorded",
        FRESH,
        "acme's endpoint",
        {"text": "hi", "tokens": 3},
    )


def header(*checks: Check, **facts: object) -> Header:
    """A header of two providers, seven capabilities and ``checks``."""
    read = dt.date(2026, 11, 1)
    known: dict[str, object] = {
        "wirecheck": "0.1.0",
        "subjects": (Subject("wirecheck", "0.1.0"),),
        "providers": (
            Provider(
                "acme",
                "Acme",
                "hosted",
                "https://acme.test/docs",
                ("openai-completions",),
                {
                    "streaming": Claim(True, "https://acme.test/docs/stream", read),
                    "tools": Claim(True, "https://acme.test/docs/tools", read),
                    "vision": Claim(False, "https://acme.test/docs/vision", read),
                },
            ),
            Provider("zeta", "Zeta", "local", "", ("ollama",), {}),
        ),
        "checks": checks or (check("stream.order", "streaming"), check("tool.named", "tools")),
        "scenarios": (Scenario("text", "One question"), Scenario("tool_call", "One tool")),
        "groups": (
            Group(
                "Answers",
                (
                    Capability("streaming", "Streaming", ("streaming",)),
                    Capability("tools", "Tool calls", ("tools",)),
                    Capability("vision", "Images", ("vision",)),
                ),
            ),
            Group("Trouble", (Capability("errors", "Errors"), Capability("pdf", "Documents", ("pdf",)))),
        ),
    }
    return Header(**{**known, **facts})


def run(*results: Result, exchanges: tuple[Exchange, ...] = (), **facts: object) -> Run:
    """A run of ``results`` whose header describes their checks."""
    checks = {
        "stream.order": check("stream.order", "streaming"),
        "stream.cut": check("stream.cut", "streaming", "SHOULD"),
        "tool.named": check("tool.named", "tools"),
        "vision.seen": check("vision.seen", "vision"),
        "err.typed": check("err.typed", "errors"),
        "pdf.read": check("pdf.read", "pdf"),
    }
    return Run(header(*checks.values(), **facts), exchanges, results)
