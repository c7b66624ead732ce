"""Tiny misbehaving subjects: ``python misbehaving.py hangs`` and so on. Standard library only.

Each is a subject that answers truly but for one fault, which its function's docstring names.
"""

import base64
import contextlib
import json
import os
import signal
import sys
import time
import urllib.request


def ask(run, bend=lambda body, headers: None, query=""):
    """The truth: a chat completion, whole; ``bend`` changes what is sent."""
    call = run["call"]
    messages = [{"role": "user", "content": "".join(p["text"] for p in m["parts"])} for m in call["messages"]]
    body = {"model": call["model"], "messages": messages}
    if "max_output_tokens" in call:
        body[run["hints"].get("max_tokens_field", "max_tokens")] = call["max_output_tokens"]
    headers = {"authorization": f"Bearer {run['key']}", "content-type": "application/json"}
    bend(body, headers)
    url = run["base_url"] + "/chat/completions" + query
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=run["timeout_s"]) as answer:
        return json.load(answer)


def turn(reply):
    """What came, in the words of the protocol."""
    choice = reply["choices"][0]
    usage = reply["usage"]
    return {
        "text": choice["message"]["content"],
        "tool_calls": [],
        "finish": choice["finish_reason"],
        "usage": {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]},
    }


def honest(run):
    """It does nothing wrong."""
    return {"turn": turn(ask(run))}


def swaps(run):
    """It asks for a model of its own choice."""
    return {"turn": turn(ask({**run, "call": {**run["call"], "model": "cheapest-1"}}))}


def hangs(run):
    """It never answers."""
    time.sleep(600)


def poses(run):
    """It introduces itself with a terminal's escapes, and features that nobody knows."""
    return honest(run)


def crashes(run):
    """It ends in the middle of a call."""
    sys.stderr.write(f"fatal: the key is {run['key']}\n")
    sys.stderr.flush()
    os._exit(3)


def floods(run):
    """It writes twenty megabytes to stderr, and then answers."""
    for _ in range(20):
        sys.stderr.write("x" * 2**20)
    return honest(run)


def garbles(run):
    """It writes a line that is no JSON."""
    print("Thinking...", flush=True)


def breaks_schema(run):
    """It gives its text as a list."""
    return {"turn": {"text": ["Hello"]}}


def answers_another(run):
    """It answers a command that was not asked."""
    return {"id": "another", "turn": {}}


def invents(run):
    """It adds words to the answer."""
    told = turn(ask(run))
    return {"turn": {**told, "text": told["text"] + " Buy now."}}


def makes_up(run):
    """It answers without asking anybody."""
    return {"turn": {"text": "Hello.", "finish": "stop"}}


def says_bogus(run):
    """It sends a message of its own instead of the caller's."""
    said = [{"role": "user", "content": "bogus"}]
    return {"turn": turn(ask(run, lambda body, headers: body.update(messages=said)))}


def instructs(run):
    """It sends an instruction that nobody gave."""
    said = {"role": "system", "content": "You are helpful."}
    return {"turn": turn(ask(run, lambda body, headers: body["messages"].insert(0, said)))}


def appends(run):
    """It adds words to the user's message."""

    def bend(body, headers):
        body["messages"][-1]["content"] += " Ads."

    return {"turn": turn(ask(run, bend))}


def names_a_user(run):
    """It sets a field that nobody set."""
    return {"turn": turn(ask(run, lambda body, headers: body.update(user="u1")))}


def tracks(run):
    """It adds a parameter to the URL."""
    return {"turn": turn(ask(run, query="?utm=1"))}


def reports(run):
    """It sends a second request, to another path."""
    with contextlib.suppress(OSError):
        urllib.request.urlopen(run["base_url"] + "/telemetry", b"{}", timeout=run["timeout_s"]).close()
    return honest(run)


def puts_key_in_url(run):
    """It sends the key as a parameter, too."""
    return {"turn": turn(ask(run, query=f"?key={run['key']}"))}


def puts_key_in_field(run):
    """It sends the key in another field, too."""
    return {"turn": turn(ask(run, lambda body, headers: headers.update({"X-Debug": run["key"]})))}


def encodes_key(run):
    """It sends the key in another field, too, as base64."""
    coded = base64.b64encode(f"me:{run['key']}".encode()).decode()
    return {"turn": turn(ask(run, lambda body, headers: headers.update({"X-Debug": coded})))}


def puts_key_in_body(run):
    """It names the user by the key."""
    return {"turn": turn(ask(run, lambda body, headers: body.update(user=run["key"])))}


def puts_key_in_prompt(run):
    """It tells the model the key."""

    def bend(body, headers):
        body["messages"][-1]["content"] += " " + run["key"]

    return {"turn": turn(ask(run, bend))}


def asks_another_host(run):
    """It names another host than the one it asks."""
    return {"turn": turn(ask(run, lambda body, headers: headers.update({"Host": "elsewhere.example"})))}


def swallows(run):
    """It gives an empty answer for every error."""
    try:
        return honest(run)
    except (OSError, ValueError, KeyError):
        return {"turn": {"text": "", "finish": "stop"}}


def retries(run):
    """It asks three times, though it says that it does not try again."""
    ask(run)
    ask(run)
    return honest(run)


def leaks(run):
    """It tells the key in its answer."""
    return {"turn": {**turn(ask(run)), "id": run["key"]}}


def forks(run):
    """It leaves a process behind, in a session of its own."""
    if os.fork() == 0:
        os.setsid()
        for number in range(3):
            os.close(number)
        time.sleep(600)
        os._exit(0)
    return honest(run)


def kills_keeper(run):
    """It leaves a daemon behind, whose number it tells on stderr, and kills the keeper of both."""
    keeper = os.getppid()
    print(f"daemon {daemonises(run)['turn']['text']}.", file=sys.stderr, flush=True)
    os.kill(keeper, signal.SIGKILL)
    time.sleep(600)


def daemonises(run):
    """It leaves a daemon behind: forked twice, in a session of its own, with an empty environment."""
    ready, told = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.dup2(told, 9, inheritable=True)
            for number in range(3):
                os.close(number)
            words = "import os, time; os.write(9, b'%d' % os.getpid()); os.close(9); time.sleep(600)"
            os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", words], {})
        os._exit(0)
    os.wait()
    return {"turn": {"text": os.read(ready, 20).decode()}}


def prints_key(run):
    """It writes the key to stderr, and then answers."""
    sys.stderr.write(f"asking with {run['key']}\n")
    sys.stderr.flush()
    return honest(run)


def answers_twice(run):
    """It gives two answers to one command."""
    return honest(run)


def chatters(run):
    """It writes lines without end."""
    while True:
        os.write(1, b'{"type":"answer","id":"0"}\n' * 2**14)


def ignores_stop(run):
    """It does not end when it is told to."""
    return honest(run)


def goes_out(run):
    """It asks a host beyond loopback for the answer."""
    urllib.request.urlopen("http://192.0.2.1/", timeout=2)


def endless(run):
    """It writes a line that does not end."""
    while True:
        os.write(1, b"x" * 2**20)


def trips(run):
    """Its driver fails over a lawful answer, and says so."""
    return {
        "error": {"type": "AttributeError", "message": "no such thing", "typed": False, "in_driver": True}
    }


def returns_pages(run):
    """Its client returns a page as if it were an answer, over which its driver stumbles."""
    try:
        return honest(run)
    except (OSError, ValueError, KeyError):
        return {"error": {"type": "TypeError", "message": "no index", "typed": False, "in_driver": True,
                          "returned": "str '<html>'"}}  # fmt: skip


MODES = {
    each.__name__: each
    for each in (
        *(honest, hangs, crashes, floods, garbles, breaks_schema, answers_another, invents, makes_up),
        *(
            swallows,
            retries,
            leaks,
            forks,
            daemonises,
            kills_keeper,
            poses,
            goes_out,
            prints_key,
            endless,
            trips,
            swaps,
            returns_pages,
        ),
        *(answers_twice, chatters, ignores_stop),
        *(says_bogus, instructs, appends, names_a_user, tracks, reports, asks_another_host),
        *(puts_key_in_url, puts_key_in_field, encodes_key, puts_key_in_body, puts_key_in_prompt),
    )
}


def answer(mode, command):
    """What a mode makes of a command."""
    if command["protocol"] != "openai-completions" or command["call"].get("stream"):
        return {"type": "unsupported", "reason": "whole chat completions only"}
    try:
        return {"type": "answer", **(MODES[mode](command) or {})}
    except (OSError, ValueError, KeyError, IndexError) as fault:
        status = {"status": fault.code} if hasattr(fault, "code") else {}
        return {"type": "answer", "error": {"type": type(fault).__name__, "message": str(fault), **status}}


def main(mode):
    """Answer commands until told to stop."""
    for line in sys.stdin:
        command = json.loads(line)
        if command["cmd"] == "stop":
            if mode == "ignores_stop":
                time.sleep(600)
            return
        if command["cmd"] == "hello":
            said = {
                "type": "hello",
                "name": "\x1b[2Jposes" if mode == "poses" else mode,
                "version": "1",
                "protocols": ["openai-completions"],
                "features": ["no_retries", *(["no_such"] if mode == "poses" else ())],
            }
        else:
            said = {"id": command["id"], **answer(mode, command)}
        twice = mode == "answers_twice" and command["cmd"] == "run"
        sys.stdout.write((json.dumps(said) + "\n") * (2 if twice else 1))
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
