"""LangChain's integration of OpenAI: chat completions, responses, Azure's, and completions of a prompt."""

import langchain_messages as lc
import openai
import sdk_errors
import shapes
from driver import Unsupported, finish, refuse, serve, words
from langchain_openai import AzureChatOpenAI, ChatOpenAI, OpenAI


def _settings(run):
    call = run.call
    told = {
        "model": call["model"],
        "api_key": run.key,
        "base_url": run.base_url,
        "timeout": run.timeout_s,
        "max_retries": 0,
        "temperature": call.get("temperature"),
        "top_p": call.get("top_p"),
        "seed": call.get("seed"),
        "stop": call.get("stop") or None,
        "default_headers": dict(call.get("extra_headers", ())) or None,
        "extra_body": call.get("extra_body") or None,
    }
    if call.get("user"):
        told["model_kwargs"] = {"user": call["user"]}
    return told


def _bound(model, call, structured):
    """The model with its tools and its format of answers, which are bound to it."""
    asked = {}
    if call.get("structured"):
        asked["response_format"] = structured(call["structured"])
    if call.get("tools"):
        return model.bind_tools(**lc.tools(call, parallel=True), **asked)
    return model.bind(**asked) if asked else model


def _format(structured):
    return shapes.chat_settings({"structured": structured})["response_format"]


def chat(run):
    """A chat completion, whole or streamed."""
    call = run.call
    told = _settings(run)
    if call.get("max_output_tokens") is not None:
        if run.hints.get("max_tokens_field") == "max_tokens":
            told["extra_body"] = {"max_tokens": call["max_output_tokens"], **(told["extra_body"] or {})}
        else:
            told["max_tokens"] = call["max_output_tokens"]
    if call.get("thinking"):
        told["reasoning_effort"] = call["thinking"].get("effort", "medium")
    if run.stream:
        told["stream_usage"] = bool(run.hints.get("stream_usage"))
    model = _bound(ChatOpenAI(**told), call, _format)
    return lc.ask(
        run, model, lc.messages(call), shows=("model", "refusal"), raw=lambda meta: meta.get("finish_reason")
    )


def responses(run):
    """A response, whole or streamed."""
    call = run.call
    refuse(call, "seed", "stop")
    told = {**_settings(run), "use_responses_api": True, "max_tokens": call.get("max_output_tokens")}
    if call.get("thinking"):
        told["reasoning"] = {"effort": call["thinking"].get("effort", "medium")}
    azure = run.protocol.startswith("azure-")
    model = (
        AzureChatOpenAI(**told, api_version="v1", validate_base_url=False) if azure else ChatOpenAI(**told)
    )
    model = _bound(model, call, _format)
    history = lc.messages(call, _reasoning)
    return lc.ask(run, model, history, shows=("model", "reasoning", "refusal"), raw=_ended)


def _reasoning(part):
    if not (part.get("id") and part.get("signature")):
        return None
    summary = [{"type": "summary_text", "text": part["text"]}] if part["text"] else []
    return {
        "type": "reasoning",
        "id": part["id"],
        "encrypted_content": part["signature"],
        "summary": summary,
    }


def _ended(meta):
    return (meta.get("incomplete_details") or {}).get("reason") or meta.get("status")


def prompted(run):
    """A completion of a prompt that is words alone, whole or streamed."""
    call = run.call
    refuse(call, "system", "tools", "thinking", "structured", "extra_body")
    if len(call["messages"]) > 1 or any(part["type"] != "text" for part in call["messages"][0]["parts"]):
        raise Unsupported("it has a place for the words of one prompt")
    names = {"max_output_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p"}
    names |= {"seed": "seed"}
    settings = {name: call[ours] for ours, name in names.items() if call.get(ours) is not None}
    model = OpenAI(
        model=call["model"],
        api_key=run.key,
        base_url=run.base_url,
        timeout=run.timeout_s,
        max_retries=0,
        default_headers=dict(call.get("extra_headers", ())) or None,
        **settings,
    )
    prompt, stop = words(call["messages"][0]), call.get("stop") or None
    if run.stream:
        return _pieces(model.stream(prompt, stop=stop))
    result = model.generate([prompt], stop=stop)
    made, counts = result.generations[0][0], (result.llm_output or {}).get("token_usage") or {}
    raw = (made.generation_info or {}).get("finish_reason")
    usage = {"input_tokens": counts.get("prompt_tokens"), "output_tokens": counts.get("completion_tokens")}
    told = {"text": made.text, "finish": finish(raw), "finish_raw": raw}
    return {**told, "usage": usage if counts else None}


def _pieces(stream):
    """A stream of this model is words and nothing else."""
    text = ""
    for piece in stream:
        text += piece
        yield {"type": "text", "text": piece}
    yield {"turn": {"text": text}}


def error(fault):
    """An error of OpenAI's SDK, which the integration lets through."""
    return sdk_errors.stainless(openai, fault)


serve(
    package="langchain-openai",
    protocols={
        "openai-completions": chat,
        "openai-responses": responses,
        "azure-openai-responses": responses,
        "openai-text-completions": prompted,
    },
    errors=(openai.OpenAIError,),
    error=error,
    features=("no_retries", "usage_total"),
)
