"""LangChain's integration of Google: content of the Gemini API and of Vertex AI."""

import re

import httpx
import httpx2
import langchain_messages as lc
import sdk_errors
import shapes
from driver import Unsupported, refuse, serve, told
from google.genai import errors
from google.oauth2.credentials import Credentials
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_google_genai.chat_models import ChatGoogleGenerativeAIError

_VERTEX = re.compile(r"(.*)/(v\w+)/projects/([^/]+)/locations/([^/]+)$")


def gemini(run):
    """Content of the Gemini API, whole or streamed."""
    base_url, _, version = run.base_url.rpartition("/")
    return _generated(run, base_url=base_url, api_version=version, api_key=run.key)


def vertex(run):
    """Content of Vertex AI, whole or streamed."""
    found = _VERTEX.match(run.base_url)
    if found is None:
        raise Unsupported("it asks Vertex AI at a project and a location only")
    base_url, version, project, location = found.groups()
    named = {"project": project, "location": location, "credentials": Credentials(token=run.key)}
    return _generated(run, base_url=base_url, api_version=version, vertexai=True, **named)


def _generated(run, **place):
    call = run.call
    refuse(call, "extra_body", "parallel_tool_calls", "user")
    named = {"max_output_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p"}
    named |= {"seed": "seed", "stop": "stop"}
    settings = {name: call[ours] for ours, name in named.items() if call.get(ours) not in (None, [])}
    if call.get("thinking"):
        settings |= _thinking(call["thinking"])
    if call.get("structured"):
        settings["response_mime_type"] = "application/json"
        settings["response_schema"] = call["structured"].get("schema")
    headers = dict(call.get("extra_headers", ())) or None
    more = {"model": call["model"], "timeout": run.timeout_s, "max_retries": 1, "additional_headers": headers}
    model = ChatGoogleGenerativeAI(**place, **more, **settings)
    if call.get("tools"):
        model = model.bind_tools(**lc.tools(call))
    return lc.ask(run, model, lc.messages(call, _thought), shows=("model", "reasoning"), raw=_ended)


def _thinking(thinking):
    effort = thinking.get("effort", "medium")
    budget = thinking.get("budget_tokens") or (0 if effort == "none" else shapes.EFFORTS[effort])
    return {"thinking_budget": budget, "include_thoughts": budget != 0}


def _thought(part):
    signed = {"signature": part["signature"]} if part.get("signature") else {}
    return {"type": "thinking", "thinking": part["text"], **signed}


def _ended(meta):
    blocked = (meta.get("prompt_feedback") or {}).get("block_reason")
    return meta.get("finish_reason") or ("SAFETY" if blocked else None)


def error(fault):
    """An error of the integration, which says little, or of the SDK that made it."""
    inner = fault.__cause__ if isinstance(fault, ChatGoogleGenerativeAIError) else fault
    if isinstance(inner, errors.APIError):
        return told(fault, typed=True, status=inner.code, code=inner.status)
    return sdk_errors.transport(httpx, fault) or sdk_errors.transport(httpx2, fault)


serve(
    package="langchain-google-genai",
    protocols={"google-generative-ai": gemini, "google-vertex": vertex},
    errors=(ChatGoogleGenerativeAIError, errors.APIError, errors.UnknownApiResponseError),
    error=error,
    features=("no_retries", "usage_total"),
)
