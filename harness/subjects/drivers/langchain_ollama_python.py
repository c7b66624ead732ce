"""LangChain's integration of Ollama: chat, and completions of a prompt."""

import httpx
import langchain_messages as lc
import ollama
import sdk_errors
from driver import Unsupported, finish, refuse, serve, told, words
from langchain_ollama import ChatOllama, OllamaLLM


def _settings(run):
    call = run.call
    refuse(call, "extra_body", "parallel_tool_calls", "user")
    names = {"max_output_tokens": "num_predict", "temperature": "temperature", "top_p": "top_p"}
    names |= {"seed": "seed", "stop": "stop"}
    headers = {"authorization": f"Bearer {run.key}", **dict(call.get("extra_headers", ()))}
    told_settings = {
        "model": call["model"],
        "base_url": run.base_url,
        "client_kwargs": {"headers": headers, "timeout": run.timeout_s, "verify": False},
    }
    if call.get("thinking"):
        effort = call["thinking"].get("effort", "medium")
        told_settings["reasoning"] = {"none": False, "minimal": "low", "xhigh": "high"}.get(effort, effort)
    if call.get("structured"):
        told_settings["format"] = call["structured"].get("schema") or "json"
    return told_settings | {
        name: call[ours] for ours, name in names.items() if call.get(ours) not in (None, [])
    }


def chat(run):
    """A chat, whole or streamed."""
    call = run.call
    model = ChatOllama(**_settings(run))
    if call.get("tools"):
        if call.get("tool_choice") not in (None, "auto"):
            raise Unsupported("it has no place for a tool choice")
        model = model.bind_tools(lc.tools(call)["tools"])
    raw = lambda meta: meta.get("done_reason")  # noqa: E731
    return lc.ask(run, model, lc.messages(call), shows=("model", "reasoning"), raw=raw)


def generate(run):
    """A completion of a prompt, whole or streamed: one that is words alone."""
    call = run.call
    refuse(call, "tools", "system")
    if len(call["messages"]) > 1 or any(part["type"] != "text" for part in call["messages"][0]["parts"]):
        raise Unsupported("it has a place for the words of one prompt")
    settings = _settings(run)
    if isinstance(settings.get("format"), dict):
        raise Unsupported("its completions have a place for JSON of no schema only")
    if "reasoning" in settings:
        settings["reasoning"] = settings["reasoning"] is not False
    model, prompt = OllamaLLM(**settings), words(call["messages"][0])
    if run.stream:
        return _chunks(model.stream(prompt))
    made = model.generate([prompt]).generations[0][0]
    meta = made.generation_info or {}
    usage = None
    if meta.get("prompt_eval_count") is not None:
        usage = {"input_tokens": meta["prompt_eval_count"], "output_tokens": meta.get("eval_count")}
    return {
        "text": made.text,
        "reasoning": meta.get("thinking"),
        "finish": finish(meta.get("done_reason")),
        "finish_raw": meta.get("done_reason"),
        "usage": usage,
        "model": meta.get("model"),
    }


def _chunks(stream):
    """A stream of this model is words and nothing else."""
    text = ""
    for piece in stream:
        text += piece
        yield {"type": "text", "text": piece}
    yield {"turn": {"text": text}}


def error(fault):
    """An error of Ollama's client, which the integration lets through."""
    if isinstance(fault, ollama.ResponseError):
        return told(fault, typed=True, status=fault.status_code if fault.status_code > 0 else 200)
    if isinstance(fault, ConnectionError):
        return told(fault, typed=True, kind="connection")
    return sdk_errors.transport(httpx, fault)


serve(
    package="langchain-ollama",
    protocols={"ollama-chat": chat, "ollama-generate": generate},
    errors=(ollama.ResponseError, ollama.RequestError),
    error=error,
    features=("no_retries", "usage_total"),
)
