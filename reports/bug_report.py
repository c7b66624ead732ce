"""One reproduced case as text: for a terminal, and as a ready-made Markdown report for who mends it. Pure.

A case is one check on one client: what was asked, the bytes it sent and was answered, the turn that was
expected and the one that was seen. The report stands for itself: it holds the requirement with its source,
and a program of Python's standard library that gives the very answer (socketserver, 3.11 or newer). Every
text may be a peer's, so all of it is shown and none takes part.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Iterable, Mapping
from json import dumps
from typing import Any, Literal

import msgspec

from reports import escaping
from reports.results import Body, Check, Request, Response, Verdict

Ending = Literal["whole", "reset", "stall", "refused", "no_head"]

MARK = "⟦changed here⟧"
_AROUND = 600  # bytes shown on each side of a change, when the body is long
_SCRIPT_BYTES = 6_000  # of an answer that a report holds as a program
_SCRIPT_CHUNKS = 400
_LEVELS: Mapping[Verdict, str] = {
    "failed": "fails",
    "warned": "falls short",
    "errored": "could not be judged",
}
_ENDINGS: Mapping[Ending, str] = {
    "whole": "",
    "reset": "after these bytes the connection is reset (TCP RST)",
    "stall": "after these bytes nothing more comes, and the connection stays open",
    "refused": "the connection is refused",
    "no_head": "the connection is closed before any answer",
}


class Damage(msgspec.Struct, frozen=True):
    """What a fault changed. Bytes ``start`` to ``end`` of the answer's content stand for ``length`` bytes of
    the undamaged one; None when the content is the same. ``other`` are changes beside the content."""

    title: str
    start: int | None = None
    end: int = 0
    length: int = 0
    other: tuple[str, ...] = ()


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One reproduced cell. ``verdict`` empty means that the check did not judge it, for ``reason``.

    ``call`` is what was asked, in the words of the subject protocol; ``code``, in ``language``, the lines
    that call the client, where they are known, and ``program`` one that makes the call at the report's own
    server. ``no_retries``: the client's were turned off. ``answer`` is the content as sent, and ``chunks``
    its transfer chunks, none where it went with its length. ``serve`` is a base URL's path at ``wirecheck
    serve``, ``base_path`` the vendor's own; ``again`` are options that playing it again takes. Turns hold
    only what was there.
    """

    id: str
    client: str
    version: str
    title: str
    home: str
    wirecheck: str
    date: dt.date | None
    provider: str
    protocol: str
    scenario: str
    check: Check
    verdict: Verdict | Literal[""]
    reason: str = ""
    expected: str = ""
    observed: str = ""
    where: str = ""
    fault: str = ""
    damage: Damage | None = None
    call: Mapping[str, Any] = {}
    code: str = ""
    program: str = ""
    language: str = ""
    requests: int = 0
    no_retries: bool = False
    request: Request | None = None
    response: Response | None = None
    answer: bytes = b""
    chunks: tuple[bytes, ...] = ()
    ending: Ending = "whole"
    serve: str = ""
    again: str = ""
    base_path: str = ""
    turn: Mapping[str, Any] = {}
    expected_turn: Mapping[str, Any] = {}

    @property
    def red(self) -> bool:
        """Whether it still fails."""
        return self.verdict in ("failed", "errored")


def text(case: Case) -> str:
    """The case for a terminal."""
    parts = [
        f"{case.id}",
        f"{case.client} {case.version} · {case.check.id} · {case.verdict or 'not judged'}",
        f"{case.check.level}: {case.check.requirement}",
        f"source: {case.check.source}",
        *_lines(("expected", case.expected), ("seen", case.observed), ("where", case.where)),
        *(_lines(("reason", case.reason)) if not case.observed else ()),
        *_block("what the client sent", _request(case)),
        *_block("what it was answered", _response(case)),
        *_block("the expected turn", _pretty(case.expected_turn)),
        *_block("the seen turn", _pretty(case.turn)),
    ]
    return escaping.visible("\n".join(parts)) + "\n"


def _lines(*facts: tuple[str, str]) -> Iterable[str]:
    return [f"{name}: {value}" for name, value in facts if value]


def _block(title: str, content: str) -> Iterable[str]:
    return ["", f"-- {title} --", content] if content else []


def markdown(case: Case) -> str:
    """The case as a report for the client's own tracker."""
    check, verdict = case.check, case.verdict or "skipped"
    what = f"fault `{case.fault}`" if case.fault else "an undamaged answer"
    parts = [
        f"# {_text(case.client)} {_text(case.version)}: {_text(_first_sentence(check.requirement))}",
        f"`{case.client}` {_text(case.version)} {_LEVELS.get(verdict, verdict)} `{check.id}` on "
        f"`{case.protocol}` with {what}.",
        "## What the standard requires",
        f"{_text(check.requirement)} ({check.level}; source: {escaping.sources(check.source)})",
        "## What was asked",
        _fenced(_pretty(case.call), "json"),
        *_code(case),
        f"{'Retries off; ' if case.no_retries else ''}{case.requests} "
        f"request{'' if case.requests == 1 else 's'} came. The first one:",
        _fenced(_request(case)),
        "## What was answered",
        *([f"{_text(case.damage.title)}." + _changes(case.damage)] if case.damage else ()),
        _fenced(_response(case)),
        "## What was expected, and what was seen",
        f"Expected: {_text(case.expected) or 'see the turn'}. Seen: {_text(case.observed or case.reason)}.",
        *_turns(case),
        "## How to see it",
        _how(case),
        f"Judged by wirecheck {_text(case.wirecheck)}"
        + (f" on {case.date}" if case.date else "")
        + f". The same again: `{' '.join(('wirecheck reproduce', case.id, case.again)).rstrip()}`",
    ]
    return "\n\n".join(parts) + "\n"


def _code(case: Case) -> tuple[str, ...]:
    if not case.code or _pasted(case):
        return ()
    return (
        "The client is called so, by a driver that makes its arguments of the call above (`run`):",
        _fenced(case.code, case.language),
    )


def _first_sentence(requirement: str) -> str:
    return requirement.partition("; ")[0].rstrip(".")


def _turns(case: Case) -> list[str]:
    """Both turns, when the check compared them or both tell something."""
    told = [("The expected turn", case.expected_turn), ("The seen turn", case.turn)]
    return [part for title, turn in told if turn for part in (f"{title}:", _fenced(_pretty(turn), "json"))]


def _changes(damage: Damage) -> str:
    told = list(damage.other)
    if damage.start is not None:
        told.append(
            f"{damage.end - damage.start} bytes from offset {damage.start} on stand for {damage.length} "
            f"bytes of the whole answer; the place is marked {MARK}"
        )
    return f" {_text('; '.join(told))}." if told else ""


def _how(case: Case) -> str:
    call = f"Then make the call above, with the base URL `http://127.0.0.1:8080{case.base_path}` and any key."
    served = f"`wirecheck serve --port 8080` gives the same answer at the base URL `http://127.0.0.1:8080{case.serve}`."
    if not _served(case):
        return served
    program = "Without wirecheck: run this server (Python 3.11 or newer, no packages)."
    if _pasted(case):
        run = "Then, in an environment that has the client, run this:"
        call = f"{run}\n\n{_fenced(case.program, case.language)}"
    return "\n\n".join((served, program, _fenced(script(case), "python"), call))


def _served(case: Case) -> bool:
    """Whether a report holds the answer as a program."""
    return case.response is not None and len(case.answer) <= _SCRIPT_BYTES and case.ending != "refused"


def _pasted(case: Case) -> bool:
    """Whether it holds the call as one, too."""
    return bool(case.program) and _served(case)


def script(case: Case) -> str:
    """A server that gives the answer, byte by byte the same, to whatever it is asked."""
    assert case.response is not None
    chunked = bool(case.chunks) or case.ending != "whole"  # of a broken one the last chunk does not come
    pieces = case.chunks if 0 < len(case.chunks) <= _SCRIPT_CHUNKS else (case.answer,)
    length = "transfer-encoding: chunked" if chunked else f"content-length: {len(case.answer)}"
    kept = [(name, value) for name, value in case.response.headers if name.lower() not in _OF_TRANSFER]
    head = [f"HTTP/1.1 {case.response.status} X", *(f"{name}: {value}" for name, value in kept)]
    head += [length, "connection: close", "", ""]
    return _SCRIPT.format(
        imports=_IMPORTS[case.ending],
        head=_literals("\r\n".join(head).encode(), " " * 4),
        pieces="".join(f"\n    ({_literals(piece, ' ' * 5)})," for piece in pieces if piece),
        send=_NOTHING if case.ending == "no_head" else _CHUNKED if chunked else _AT_ONCE,
        end=_LAST_CHUNK if chunked and case.ending == "whole" else _ENDS[case.ending],
    )


_OF_TRANSFER = ("transfer-encoding", "content-length", "connection", "keep-alive")
_IMPORTS: Mapping[Ending, str] = {
    "whole": "import socketserver",
    "no_head": "import socketserver",
    "refused": "import socketserver",
    "reset": "import os\nimport socket\nimport socketserver\nimport struct",
    "stall": "import socketserver\nimport time",
}
_ENDS: Mapping[Ending, str] = {
    "whole": "",
    "no_head": "",
    "refused": "",
    "reset": "\n        linger = struct.pack('ii', 1, 0)  # closing sends RST"
    "\n        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)"
    "\n        os.close(self.connection.detach())",
    "stall": "\n        time.sleep(600)",
}
_NOTHING = ""
_AT_ONCE = """
        self.wfile.write(HEAD + b"".join(PIECES))"""
_CHUNKED = """
        self.wfile.write(HEAD)
        for piece in PIECES:  # a transfer chunk each
            self.wfile.write(b"%x\\r\\n%b\\r\\n" % (len(piece), piece))"""
_LAST_CHUNK = """
        self.wfile.write(b"0\\r\\n\\r\\n")  # the transfer itself is whole"""
_SCRIPT = """\
{imports}

HEAD = (
    {head}
)
PIECES = [{pieces}
]


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        length = 0
        while (line := self.rfile.readline()).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        self.rfile.read(length){send}{end}


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", 8080), Handler).serve_forever()
"""


def _literals(content: bytes, indent: str) -> str:
    """Bytes as Python has them, line by line, so that a reader can see them."""
    return f"\n{indent}".join(map(repr, _by_line(content)))


def _by_line(body: bytes) -> list[bytes]:
    *lines, last = body.split(b"\n")
    return [line + b"\n" for line in lines] + ([last] if last else [])


def _request(case: Case) -> str:
    if case.request is None:
        return ""
    sent = case.request
    return "\n".join((f"{sent.method} {sent.url}", _head(sent.headers), "", _content(sent.body)))


def _response(case: Case) -> str:
    ending = _ENDINGS[case.ending]
    if case.response is None:
        return f"[{ending}]" if ending else ""
    head = "\n".join((str(case.response.status), _head(case.response.headers), ""))
    return "\n".join((head, _marked(case), *([f"[{ending}]"] if ending else ())))


def _head(headers: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"{name}: {escaping.line(value)}" for name, value in headers)


def _marked(case: Case) -> str:
    """The answer's content with the fault's place marked; of a long one, what stands around it."""
    damage, answer = case.damage, case.answer
    if damage is None or damage.start is None:
        return _shown(answer[: 2 * _AROUND]) + (_left(len(answer) - 2 * _AROUND))
    before, changed, after = answer[: damage.start], answer[damage.start : damage.end], answer[damage.end :]
    told = _left(len(before) - _AROUND) + _shown(before[-_AROUND:]) + MARK + _shown(changed[:_AROUND])
    told += _left(len(changed) - _AROUND) + (MARK if changed and after else "")
    return told + _shown(after[:_AROUND]) + _left(len(after) - _AROUND)


def _left(number: int) -> str:
    return f"[… {number} bytes …]" if number > 0 else ""


def _shown(content: bytes) -> str:
    return escaping.visible(content.decode("utf-8", "backslashreplace").replace("\r", "␍"))


def _content(body: Body) -> str:
    told = body.text
    if body.encoding == "base64":
        try:
            told = _shown(base64.b64decode(body.text))
        except binascii.Error:
            told = body.text
    return told + (f"\n[{body.note}]" if body.note else "")


def _pretty(value: Mapping[str, Any]) -> str:
    return dumps(value, indent=2, ensure_ascii=False, default=str) if value else ""


def _fenced(content: str, language: str = "") -> str:
    """A code block that no content can end: its fence is longer than any run of backticks inside."""
    fence = "```"
    while fence in content:
        fence += "`"
    return f"{fence}{language}\n{escaping.visible(content)}\n{fence}"


def _text(text: str) -> str:
    return escaping.markdown(text)
