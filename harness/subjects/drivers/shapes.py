"""A call in the words of the wire formats that clients take from their users: chat, responses, messages.

Standard library only. Each function gives the arguments that a careful user of a client would write by hand
for the call, and nothing that the call leaves out.
"""

import base64
import json

from driver import Unsupported, words

EFFORTS = {"minimal": 1024, "low": 1024, "medium": 4096, "high": 16384, "xhigh": 32768}


def _given(call, **names):
    """Members of a call under other names, those that are set."""
    return {told: call[name] for name, told in names.items() if call.get(name) is not None}


def _arguments(part):
    return part.get("arguments_raw") or json.dumps(part.get("arguments") or {}, separators=(",", ":"))


def _result(part):
    return "".join(each.get("text", "") for each in part["content"])


# Chat completions


def chat(run):
    """Every argument of a chat completion."""
    call = run.call
    told = {"model": call["model"], "messages": chat_messages(call), **chat_settings(call)}
    if call.get("max_output_tokens") is not None:
        field = run.hints.get("max_tokens_field") or "max_tokens"
        told[field] = call["max_output_tokens"]
    if run.stream:
        told["stream"] = True
        if run.hints.get("stream_usage"):
            told["stream_options"] = {"include_usage": True}
    return told


def chat_messages(call):
    """The messages of a chat completion, the system instruction first."""
    told = [{"role": "system", "content": call["system"]}] if call.get("system") else []
    for message in call["messages"]:
        told.extend(_CHAT[message["role"]](message))
    return told


def _chat_user(message):
    if all(part["type"] == "text" for part in message["parts"]):
        return [{"role": "user", "content": words(message)}]
    return [{"role": "user", "content": [_chat_part(part) for part in message["parts"]]}]


def _chat_part(part):
    if part["type"] == "text":
        return {"type": "text", "text": part["text"]}
    if part["type"] == "image":
        return {"type": "image_url", "image_url": {"url": image_url(part)}}
    raise Unsupported(f"it has no place for a {part['type']}")


def image_url(part):
    """A picture as a URL."""
    return part.get("url") or f"data:{part.get('media_type', 'image/png')};base64,{part['data']}"


def _chat_assistant(message):
    made = [part for part in message["parts"] if part["type"] == "tool_call"]
    calls = [
        {
            "id": part.get("id") or f"call_{number}",
            "type": "function",
            "function": {"name": part["name"], "arguments": _arguments(part)},
        }
        for number, part in enumerate(made)
    ]
    told = {"role": "assistant", "content": words(message) or (None if calls else "")}
    return [{**told, "tool_calls": calls} if calls else told]


def _chat_tool(message):
    return [
        {"role": "tool", "tool_call_id": part.get("call_id") or f"call_{number}", "content": _result(part)}
        for number, part in enumerate(message["parts"])
    ]


_CHAT = {"user": _chat_user, "assistant": _chat_assistant, "tool": _chat_tool}


def chat_tools(call):
    """The tools of a chat completion."""
    return [{"type": "function", "function": _function(tool)} for tool in call.get("tools", ())]


def _function(tool):
    told = {
        "name": tool["name"],
        "description": tool.get("description"),
        "parameters": tool.get("parameters"),
    }
    if tool.get("strict") is not None:
        told["strict"] = tool["strict"]
    return {name: value for name, value in told.items() if value is not None}


def chat_settings(call):
    """What a chat completion is told beside its messages: tools and settings, without the output limit."""
    told = _given(
        call,
        temperature="temperature",
        top_p="top_p",
        seed="seed",
        stop="stop",
        parallel_tool_calls="parallel_tool_calls",
        user="user",
    )
    if call.get("tools"):
        told["tools"] = chat_tools(call)
    choice = call.get("tool_choice")
    if isinstance(choice, dict):
        told["tool_choice"] = {"type": "function", "function": {"name": choice["name"]}}
    elif choice:
        told["tool_choice"] = choice
    if call.get("thinking"):
        told["reasoning_effort"] = call["thinking"].get("effort", "medium")
    if call.get("structured"):
        told["response_format"] = _format(call["structured"])
    return told


def _format(structured):
    if structured.get("schema") is None:
        return {"type": "json_object"}
    schema = {"name": structured.get("name", "answer"), "schema": structured["schema"]}
    if structured.get("strict") is not None:
        schema["strict"] = structured["strict"]
    return {"type": "json_schema", "json_schema": schema}


# Responses


def responses(run):
    """Every argument of a response."""
    call = run.call
    told = {"model": call["model"], "input": responses_input(call)}
    told |= _given(
        call,
        system="instructions",
        temperature="temperature",
        top_p="top_p",
        max_output_tokens="max_output_tokens",
        parallel_tool_calls="parallel_tool_calls",
        user="user",
    )
    for name in ("stop", "seed"):
        if call.get(name):
            raise Unsupported(f"a response has no place for {name}")
    if call.get("tools"):
        told["tools"] = [_response_tool(tool) for tool in call["tools"]]
    choice = call.get("tool_choice")
    if choice:
        told["tool_choice"] = (
            {"type": "function", "name": choice["name"]} if isinstance(choice, dict) else choice
        )
    if call.get("thinking"):
        told["reasoning"] = {"effort": call["thinking"].get("effort", "medium")}
    if call.get("structured"):
        told["text"] = {"format": _response_format(call["structured"])}
    if run.stream:
        told["stream"] = True
    return told


def codex_account(key):
    """The field that names the account of a login, as its token does: a JWT with the account in a claim."""
    claims = key.split(".")[1]
    told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return {"chatgpt-account-id": told["https://api.openai.com/auth"]["chatgpt_account_id"]}


def codex(run):
    """Every argument of a response of ChatGPT's Codex, which stores nothing and takes no limit."""
    call = run.call
    for name in ("temperature", "top_p", "user"):
        if call.get(name) is not None:
            raise Unsupported(f"Codex has no place for {name}")
    told = responses(run)
    told.pop("max_output_tokens", None)
    told.setdefault("instructions", "You are a helpful assistant.")
    if call.get("thinking"):
        told["include"] = ["reasoning.encrypted_content"]  # what is not stored is sent back
    return {**told, "store": False}


def _response_tool(tool):
    parameters = tool.get("parameters") or {"type": "object", "properties": {}}
    return {
        "type": "function",
        "name": tool["name"],
        "description": tool.get("description"),
        "parameters": parameters,
        "strict": tool.get("strict", False),
    }


def _response_format(structured):
    if structured.get("schema") is None:
        return {"type": "json_object"}
    told = {
        "type": "json_schema",
        "name": structured.get("name", "answer"),
        "schema": structured["schema"],
    }
    if structured.get("strict") is not None:
        told["strict"] = structured["strict"]
    return told


def responses_input(call):
    """The items of a response's input."""
    told = []
    for message in call["messages"]:
        for part in message["parts"]:
            told.append(_item(message["role"], part))
    return [item for item in told if item is not None]


def _item(role, part):
    kind = part["type"]
    if kind == "text" and role == "user":
        return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": part["text"]}]}
    if kind == "text":
        return {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": part["text"], "annotations": []}],
        }
    if kind == "image":
        content = [{"type": "input_image", "image_url": image_url(part), "detail": "auto"}]
        return {"type": "message", "role": "user", "content": content}
    if kind == "tool_call":
        return {
            "type": "function_call",
            "call_id": part.get("id") or "call_0",
            "name": part["name"],
            "arguments": _arguments(part),
        }
    if kind == "tool_result":
        return {
            "type": "function_call_output",
            "call_id": part.get("call_id") or "call_0",
            "output": _result(part),
        }
    if kind == "reasoning":
        if not (part.get("id") and part.get("signature")):
            return None
        return {
            "type": "reasoning",
            "id": part["id"],
            "encrypted_content": part["signature"],
            "summary": [{"type": "summary_text", "text": part["text"]}] if part["text"] else [],
        }
    raise Unsupported(f"it has no place for a {kind}")


# Messages


def messages(run):
    """Every argument of a message of Anthropic's API."""
    call = run.call
    told = {
        "model": call["model"],
        "max_tokens": call.get("max_output_tokens") or 1024,
        "messages": messages_of(call),
    }
    told |= _given(call, system="system", temperature="temperature", top_p="top_p", stop="stop_sequences")
    if call.get("seed") is not None:
        raise Unsupported("a message has no place for seed")
    if call.get("tools"):
        told["tools"] = [_message_tool(tool) for tool in call["tools"]]
    choice = call.get("tool_choice")
    if isinstance(choice, dict):
        told["tool_choice"] = {"type": "tool", "name": choice["name"]}
    elif choice:
        told["tool_choice"] = {"type": {"required": "any"}.get(choice, choice)}
    if call.get("thinking"):
        thinking = call["thinking"]
        budget = thinking.get("budget_tokens") or EFFORTS.get(thinking.get("effort", "medium"), 1024)
        budget = max(1024, min(budget, told["max_tokens"] - 1))
        told["thinking"] = {"type": "enabled", "budget_tokens": budget}
    if call.get("structured"):
        raise Unsupported("its structured output is a beta of another shape")
    return told


def _message_tool(tool):
    told = {
        "name": tool["name"],
        "input_schema": tool.get("parameters") or {"type": "object", "properties": {}},
    }
    if tool.get("description"):
        told["description"] = tool["description"]
    if tool.get("strict") is not None:
        told["strict"] = tool["strict"]
    return told


def messages_of(call):
    """The messages of Anthropic's API; results of tools are a user's."""
    told = []
    for message in call["messages"]:
        parts = [block for part in message["parts"] if (block := _block(part))]
        role = "assistant" if message["role"] == "assistant" else "user"
        plain = len(parts) == 1 and parts[0]["type"] == "text" and message["role"] != "tool"
        told.append({"role": role, "content": parts[0]["text"] if plain else parts})
    return told


def _block(part):
    kind = part["type"]
    if kind == "text":
        return {"type": "text", "text": part["text"]} if part["text"] else None
    if kind == "image":
        if part.get("url"):
            return {"type": "image", "source": {"type": "url", "url": part["url"]}}
        source = {
            "type": "base64",
            "media_type": part.get("media_type", "image/png"),
            "data": part["data"],
        }
        return {"type": "image", "source": source}
    if kind == "tool_call":
        return {
            "type": "tool_use",
            "id": part.get("id") or "toolu_0",
            "name": part["name"],
            "input": part.get("arguments") or {},
        }
    if kind == "tool_result":
        told = {"type": "tool_result", "tool_use_id": part.get("call_id") or "toolu_0"}
        content = [block for each in part["content"] if (block := _block(each))]
        return {**told, **({"content": content} if content else {}), **_error_mark(part)}
    if kind == "reasoning":
        if part.get("redacted"):
            return {"type": "redacted_thinking", "data": part["signature"]}
        return {"type": "thinking", "thinking": part["text"], "signature": part.get("signature") or ""}
    raise Unsupported(f"it has no place for a {kind}")


def _error_mark(part):
    return {"is_error": True} if part.get("is_error") else {}


def generation(run):
    """A prompt of words alone, and watsonx.ai's parameters of its generation."""
    call = run.call
    for name in ("tools", "thinking", "structured", "extra_body", "user"):
        if call.get(name):
            raise Unsupported(f"one prompt has no place for {name}")
    if len(call["messages"]) > 1 or any(part["type"] != "text" for part in call["messages"][0]["parts"]):
        raise Unsupported("it has a place for the words of one prompt")
    said = "\n".join(part["text"] for part in call["messages"][0]["parts"])
    sampling = _given(call, temperature="temperature", top_p="top_p", seed="random_seed")
    parameters = {**_given(call, max_output_tokens="max_new_tokens"), **sampling}
    if sampling:
        parameters["decoding_method"] = "sample"
    if call.get("stop"):
        parameters |= {"stop_sequences": list(call["stop"]), "include_stop_sequence": False}
    return "\n\n".join([*([call["system"]] if call.get("system") else []), said]), parameters
