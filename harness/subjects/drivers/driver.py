"""What every driver in Python has in common: the loop over stdin and stdout, and the mapping of errors.

It is run by the interpreter that a client is installed in and needs nothing but the standard library. A
driver gives ``serve`` a function for each protocol:

    def chat(run):                       # run.base_url, run.key, run.call, run.timeout_s, run.hints …
        reply = Client(base_url=run.base_url, api_key=run.key, retries=0).ask(run.call["messages"])
        return {"text": reply.text, "finish": "stop"}

    serve(package="client", protocols={"openai-completions": chat}, errors=(ClientError,))

It returns a turn, or yields events and at last may yield ``{"turn": {…}}``; both in the words of the subject
protocol. ``Unsupported`` says that the client has no words for a call.
"""

import json
import os
import sys
import traceback
from importlib import metadata
from types import SimpleNamespace

PROTOCOL = 1
_HERE = os.path.dirname(os.path.abspath(sys.argv[0]))
FINISH = {  # what vendors call the reasons, in the words of the subject protocol
    "stop": "stop", "end_turn": "stop", "stop_sequence": "stop", "completed": "stop", "STOP": "stop",
    "COMPLETE": "stop", "eos": "stop",
    "length": "length", "max_tokens": "length", "max_output_tokens": "length",
    "incomplete": "length", "MAX_TOKENS": "length",
    "model_context_window_exceeded": "length", "model_length": "length",
    "tool_calls": "tool_calls", "tool_use": "tool_calls", "function_call": "tool_calls",
    "tool-calls": "tool_calls", "TOOL_CALL": "tool_calls",
    "content_filter": "content_filter", "content-filter": "content_filter", "SAFETY": "content_filter",
    "refusal": "refusal", "pause_turn": "pause", "error": "error",
}  # fmt: skip


class Unsupported(Exception):
    """The client has no words for this call."""


def finish(raw):
    """The finish reason of a vendor's own word: null for none, other for one that nobody knows."""
    return None if raw is None else FINISH.get(raw, "other")


def words(message):
    """The text of a message of a call."""
    return "".join(part["text"] for part in message["parts"] if part["type"] == "text")


def refuse(call, *names):
    """Say that the client has no place for any of these members of a call."""
    for name in names:
        if call.get(name) not in (None, [], {}):
            raise Unsupported(f"it has no place for {name}")


def told(error, *, typed, kind=None, status=None, **more):
    """An error in the words of the subject protocol; what is None is left out."""
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    found = {
        "type": name,
        "message": str(error)[:20000],
        "typed": typed,
        "kind": kind,
        "status": status,
        **more,
    }
    return {key: value for key, value in found.items() if value is not None}


def serve(*, package, protocols, errors=(), error=None, name=None, features=(), language="python"):
    """Answer commands until told to stop.

    ``errors`` are the classes a client documents; ``error(exception)`` may say more of one, as ``told`` does.
    """
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints goes to stderr, and never between the lines
    sys.stdout = sys.stderr

    def answer(message):
        channel.write(json.dumps(message, ensure_ascii=True, default=str).encode() + b"\n")
        channel.flush()

    for line in sys.stdin.buffer:
        command = json.loads(line)
        if command["cmd"] == "stop":
            return
        if command["cmd"] == "hello":
            version = metadata.version(package) if package else ""
            answer({
                "type": "hello", "protocol": PROTOCOL, "name": name or package, "version": version,
                "language": language, "protocols": list(protocols), "features": list(features),
            })  # fmt: skip
        elif command["cmd"] == "run":
            answer({"id": command["id"], **_run(command, protocols, tuple(errors), error)})


def _run(command, protocols, errors, error):
    call = command["call"]
    if command["protocol"] not in protocols:
        return {"type": "unsupported", "reason": f"it does not speak {command['protocol']}"}
    run = SimpleNamespace(**{
        "timeout_s": 10.0, "provider": "", "hints": {}, **command,
        "model": call["model"], "stream": call.get("stream", False),
    })  # fmt: skip
    reply = {"type": "answer"}
    events = []
    try:
        given = protocols[run.protocol](run)
        if isinstance(given, dict):
            reply["turn"] = given
        else:
            reply["events"] = events
            for event in given:
                if "turn" in event:
                    reply["turn"] = event["turn"]
                else:
                    events.append(event)
    except Unsupported as reason:
        return {"type": "unsupported", "reason": str(reason)}
    except Exception as fault:
        said = error(fault) if error is not None else None
        reply["error"] = said or told(fault, typed=isinstance(fault, errors))
        read = None if said or isinstance(fault, errors) else _in_driver(fault)
        if read is not None:
            reply["error"] |= {"in_driver": True, "returned": _shown(read)}
        traceback.print_exc(file=sys.stderr)
    return reply


def _in_driver(fault):
    """The frame of a driver that raised a fault, or asked a value for what it has not; none of a client's."""
    frames = list(traceback.walk_tb(fault.__traceback__))
    while frames and _asked_of_a_value(frames[-1][0].f_code):
        frames.pop()
    last = frames[-1][0] if frames else None
    return last if last and os.path.dirname(os.path.abspath(last.f_code.co_filename)) == _HERE else None


def _asked_of_a_value(code):
    return code.co_name in _OF_VALUES or os.path.dirname(code.co_filename) == os.path.dirname(json.__file__)


_OF_VALUES = ("__getattr__", "__getattribute__", "__getitem__", "__iter__")


def _shown(frame):
    """What the function of a frame was given to read, where it is a plain value; nothing of an object's."""
    names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    value = next((frame.f_locals[name] for name in names if name in frame.f_locals), None)
    plain = isinstance(value, (str, bytes, dict, list))
    return f"{type(value).__qualname__} {value!r}"[:300] if plain else ""
