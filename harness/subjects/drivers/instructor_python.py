"""Instructor for Python: objects of a model class, by the SDKs of OpenAI and Anthropic.

A call without structured output is handed to the SDK below (``response_model=None``), which for Anthropic is
every one: its structured output is another call than ours. Beside an object Instructor gives the SDK's own
answer; its words are told where the object holds what they say, and the object's otherwise.
"""

import json
from functools import cache

import anthropic
import anthropic_messages
import completions
import instructor
import openai
import pydantic
import sdk_errors
import shapes
from driver import Unsupported, serve, told
from instructor.core.exceptions import InstructorError, InstructorRetryException

_TYPES = {"string": str, "integer": int, "number": float, "boolean": bool}


@cache
def _openai(key):
    return openai.OpenAI(api_key=key, base_url="http://127.0.0.1", max_retries=0)


@cache
def _anthropic(key):
    return anthropic.Anthropic(api_key=key, base_url="http://127.0.0.1", max_retries=0)


def _extras(run):
    headers = dict(run.call.get("extra_headers", ()))
    return {"extra_body": run.call.get("extra_body") or None, "extra_headers": headers or None}


def chat(run):
    """A chat completion: an object where structured output is asked for, whole or streamed where not."""
    below = _openai(run.key).with_options(base_url=run.base_url, timeout=run.timeout_s)
    client = instructor.from_openai(below, mode=instructor.Mode.JSON_SCHEMA)
    arguments = {**shapes.chat(run), **_extras(run)}
    if run.call.get("structured"):
        return _object(run, client, arguments)
    reply = client.create(response_model=None, max_retries=0, **arguments)
    return completions.events(reply, refusal=True) if run.stream else completions.turn(reply, refusal=True)


def _object(run, client, arguments):
    if run.stream:
        raise Unsupported("its streams of an object have no words of the answer")
    del arguments["response_format"]
    wanted = _class(run.call["structured"])
    made, reply = client.create_with_completion(response_model=wanted, max_retries=0, **arguments)
    said = completions.turn(reply, refusal=True)
    if made.model_dump() != json.loads(said["text"]):
        said["text"] = made.model_dump_json()
    return said


def _class(structured):
    """The model class that a user would write for a flat schema."""
    schema = structured.get("schema") or {}
    members = schema.get("properties", {})
    required = set(schema.get("required", ()))
    if (
        not members
        or required != set(members)
        or any(each.get("type") not in _TYPES for each in members.values())
    ):
        raise Unsupported("a class is written here for flat schemas only")
    fields = {name: (_TYPES[each["type"]], ...) for name, each in members.items()}
    config = pydantic.ConfigDict(extra="forbid")
    return pydantic.create_model(structured.get("name", "answer"), __config__=config, **fields)


def messages(run):
    """A message, whole or streamed."""
    below = _anthropic(run.key).with_options(base_url=run.base_url.removesuffix("/v1"), timeout=run.timeout_s)
    client = instructor.from_anthropic(below)
    arguments = {**shapes.messages(run), **_extras(run)}
    if run.stream:
        stream = client.create(response_model=None, max_retries=0, stream=True, **arguments)
        return anthropic_messages.events(stream)
    return anthropic_messages.turn(client.create(response_model=None, max_retries=0, **arguments))


def error(fault):
    """An error of the SDK below, as it is or wrapped after the attempts of Instructor; or one of its own."""
    inner = fault.__cause__ if isinstance(fault, InstructorRetryException) else fault
    for sdk in (openai, anthropic):
        said = sdk_errors.stainless(sdk, inner)
        if said is not None:
            return said
    return told(fault, typed=True) if isinstance(fault, InstructorError) else None


serve(
    package="instructor",
    protocols={"openai-completions": chat, "anthropic-messages": messages},
    errors=(InstructorError, openai.OpenAIError, anthropic.AnthropicError),
    error=error,
    features=("no_retries",),
)
