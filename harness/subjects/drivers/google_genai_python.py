"""Google's own SDK for Python: generateContent of the Gemini API and of Vertex AI, and interactions."""

import base64
import json
import re
from functools import lru_cache

import httpx2
import interactions
import shapes
from driver import Unsupported, finish, refuse, serve, told
from google.genai import Client, errors, types
from google.genai._gaos.lib import compat_errors
from google.oauth2.credentials import Credentials

_FILTERS = (
    "RECITATION",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
)
_FINISH = {**dict.fromkeys(_FILTERS, "content_filter"), "MALFORMED_FUNCTION_CALL": "error"}
_STATUS = {"requires_action": "tool_calls", "incomplete": "length", "budget_exceeded": "length"}
_STATUS |= {"failed": "error", "cancelled": "other"}
_ONCE = types.HttpRetryOptions(attempts=1)
_VERTEX = re.compile(r"(.*)/(v\w+)/projects/([^/]+)/locations/([^/]+)$")


@lru_cache(maxsize=4)
def _gemini(key):
    return Client(api_key=key, http_options=types.HttpOptions(retry_options=_ONCE))


@lru_cache(maxsize=4)
def _vertex(key, project, location):
    return Client(
        vertexai=True,
        project=project,
        location=location,
        credentials=Credentials(token=key),
        http_options=types.HttpOptions(retry_options=_ONCE),
    )


def _http(run, base_url, version):
    return types.HttpOptions(
        base_url=base_url,
        api_version=version,
        timeout=int(run.timeout_s * 1000),
        retry_options=_ONCE,
        headers=dict(run.call.get("extra_headers", ())) or None,
        extra_body=run.call.get("extra_body") or None,
    )


def gemini(run):
    """Content of the Gemini API, whole or streamed."""
    base_url, _, version = run.base_url.rpartition("/")
    return _generated(run, _gemini(run.key), _http(run, base_url, version))


def vertex(run):
    """Content of Vertex AI, whole or streamed."""
    found = _VERTEX.match(run.base_url)
    if found is None:
        raise Unsupported("it asks Vertex AI at a project and a location only")
    base_url, version, project, location = found.groups()
    return _generated(run, _vertex(run.key, project, location), _http(run, base_url, version))


def interact(run):
    """An interaction, whole or streamed."""
    arguments = {
        **interactions.arguments(run.call),
        "timeout": httpx2.Timeout(run.timeout_s),  # a number would bound the whole answer
        "extra_headers": dict(run.call.get("extra_headers", ())) or None,
        "extra_body": run.call.get("extra_body") or None,
    }
    if run.stream:
        return _interaction_events(run, arguments)
    with _interacting(run) as client:
        return interactions.turn(client.interactions.create(**arguments))


def _interaction_events(run, arguments):
    with _interacting(run) as client:
        yield from interactions.events(client.interactions.create(**arguments, stream=True))


def _interacting(run):
    """A client for the address: interactions take none with a call."""
    base_url, _, version = run.base_url.rpartition("/")
    http = types.HttpOptions(base_url=base_url, api_version=version, retry_options=_ONCE)
    return Client(api_key=run.key, http_options=http)


def _generated(run, client, http):
    refuse(run.call, "parallel_tool_calls", "user")
    arguments = {
        "model": run.call["model"],
        "contents": _contents(run.call),
        "config": types.GenerateContentConfig(http_options=http, **_settings(run.call)),
    }
    if run.stream:
        return _events(client.models.generate_content_stream(**arguments))
    return _turn([client.models.generate_content(**arguments)])


def _settings(call):
    names = {"system": "system_instruction", "max_output_tokens": "max_output_tokens"}
    names |= {"temperature": "temperature", "top_p": "top_p", "seed": "seed", "stop": "stop_sequences"}
    settings = {name: call[ours] for ours, name in names.items() if call.get(ours) not in (None, [])}
    if call.get("tools"):
        settings["tools"] = [{"function_declarations": [_tool(tool) for tool in call["tools"]]}]
    choice = call.get("tool_choice")
    if choice:
        settings["tool_config"] = {"function_calling_config": _choice(choice)}
    if call.get("thinking"):
        settings["thinking_config"] = _thinking(call["thinking"])
    if call.get("structured"):
        settings["response_mime_type"] = "application/json"
        if call["structured"].get("schema"):
            settings["response_json_schema"] = call["structured"]["schema"]
    return settings


def _tool(tool):
    declared = {"name": tool["name"], "description": tool.get("description")}
    if tool.get("parameters"):
        declared["parameters_json_schema"] = tool["parameters"]
    return declared


def _choice(choice):
    if isinstance(choice, dict):
        return {"mode": "ANY", "allowed_function_names": [choice["name"]]}
    return {"mode": {"required": "ANY"}.get(choice, choice.upper())}


def _thinking(thinking):
    effort = thinking.get("effort", "medium")
    budget = thinking.get("budget_tokens") or (0 if effort == "none" else shapes.EFFORTS[effort])
    return {"thinking_budget": budget, "include_thoughts": budget != 0}


def _contents(call):
    roles = {"assistant": "model"}
    return [
        {"role": roles.get(message["role"], "user"), "parts": [_part(part) for part in message["parts"]]}
        for message in call["messages"]
    ]


def _signed(part):
    """The opaque proof of a part, which the SDK takes as bytes; a foreign one has no such form."""
    try:
        return {"thought_signature": base64.b64decode(part["signature"], validate=True)}
    except (KeyError, TypeError, ValueError):
        return {}


def _part(part):
    kind = part["type"]
    if kind == "text":
        return {"text": part["text"], **_signed(part)}
    if kind == "reasoning":
        return {"text": part["text"], "thought": True, **_signed(part)}
    if kind == "tool_call":
        return {"function_call": {"name": part["name"], "args": part.get("arguments") or {}}, **_signed(part)}
    if kind == "tool_result":
        name = "error" if part.get("is_error") else "output"
        text = "".join(each.get("text", "") for each in part["content"])
        return {"function_response": {"name": part["name"], "response": {name: text}}}
    default = "image/png" if kind == "image" else "application/pdf"
    form = part.get("media_type", default)
    if part.get("url"):
        return {"file_data": {"file_uri": part["url"], "mime_type": form}}
    return {"inline_data": {"data": base64.b64decode(part["data"]), "mime_type": form}}


def _parts(reply):
    """The parts of the first candidate of an answer, or of a piece of one."""
    candidate = reply.candidates[0] if reply.candidates else None
    return (candidate.content.parts or ()) if candidate and candidate.content else ()


def _turn(replies):
    """What an answer in one piece or several adds up to."""
    said, calls, raw, usage, version, identity = {"text": None, "reasoning": None}, [], None, None, None, None
    for reply in replies:
        version, identity = version or reply.model_version, identity or reply.response_id
        usage = reply.usage_metadata or usage
        raw = _raw(reply) or raw
        for part in _parts(reply):
            if part.text is not None:
                name = "reasoning" if part.thought else "text"
                said[name] = (said[name] or "") + part.text
            if part.function_call is not None:
                made = part.function_call
                calls.append({"name": made.name, "id": made.id, "arguments": made.args or {}})
    return {
        **said,
        "tool_calls": calls,
        "finish": _FINISH.get(raw) or finish(raw),
        "finish_raw": raw,
        "usage": _usage(usage),
        "model": version,
        "id": identity,
    }


def _raw(reply):
    """Why an answer ended; a blocked prompt has no candidate."""
    if reply.candidates:
        reason = reply.candidates[0].finish_reason
        return None if reason is None else reason.value
    blocked = reply.prompt_feedback and reply.prompt_feedback.block_reason
    return "SAFETY" if blocked else None


def _usage(usage):
    """The counts: what was thought is part of the output, and told apart."""
    if usage is None or usage.prompt_token_count is None:
        return None
    output = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    return {
        "input_tokens": usage.prompt_token_count,
        "output_tokens": output,
        "cached_tokens": usage.cached_content_token_count,
        "reasoning_tokens": usage.thoughts_token_count,
    }


def _events(stream):
    replies, started = [], 0
    for reply in stream:
        replies.append(reply)
        for part in _parts(reply):
            if part.text:
                yield {"type": "reasoning" if part.thought else "text", "text": part.text}
            if part.function_call is not None:
                made = part.function_call
                yield {"type": "tool_call_start", "index": started, "name": made.name, "id": made.id}
                text = json.dumps(made.args or {})
                yield {"type": "tool_call_delta", "index": started, "text": text}
                started += 1
    yield {"turn": _turn(replies)}


def error(fault):
    """An error of the SDK in the words of the protocol."""
    if isinstance(fault, errors.APIError) and (fault.code or 0) < 400:
        return told(fault, typed=True, kind="protocol")
    if isinstance(fault, errors.APIError):
        return told(fault, typed=True, status=fault.code, code=fault.status)
    if isinstance(fault, interactions.InStream):
        return told(fault, typed=True, status=200, code=fault.code)
    if isinstance(fault, compat_errors.APITimeoutError):
        return told(fault, typed=True, kind="timeout")
    if isinstance(fault, compat_errors.APIConnectionError):
        return told(fault, typed=True, kind="connection")
    if isinstance(fault, compat_errors.APIStatusError):
        return told(fault, typed=True, status=fault.status_code, code=_code(fault.body))
    if isinstance(fault, httpx2.TimeoutException):
        return told(fault, typed=False, kind="timeout")
    return None


def _code(body):
    inner = body.get("error") if isinstance(body, dict) else None
    return inner.get("status") or inner.get("code") if isinstance(inner, dict) else None


serve(
    package="google-genai",
    protocols={"google-generative-ai": gemini, "google-vertex": vertex, "google-interactions": interact},
    errors=(errors.APIError, errors.UnknownApiResponseError, compat_errors.GeminiNextGenAPIClientError),
    error=error,
    features=("no_retries",),
)
