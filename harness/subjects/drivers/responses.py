"""Reads responses as objects: those of several clients have the attributes that OpenAI's SDK gives them.

Standard library only. What a client gives is read as it is; a failure that only the events tell is raised as
``InStream``, since a user would see it there.
"""

from completions import details
from driver import finish


class InStream(Exception):
    """What the events told, in which the client sees a failure only its user can tell."""

    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


def turn(reply):
    """The turn of a whole response."""
    said = {"text": None, "reasoning": None, "tool_calls": [], "refusal": None}
    for item in reply.output:
        if item.type == "message":
            for part in item.content:
                name = {"output_text": "text", "refusal": "refusal"}[part.type]
                said[name] = (said[name] or "") + (part.text if name == "text" else part.refusal)
        elif item.type == "function_call":
            call = {"name": item.name, "id": item.call_id, "arguments_raw": item.arguments}
            said["tool_calls"].append(call)
        elif item.type == "reasoning":
            thought = "".join(_text(each) for each in (_optional(item, "content") or item.summary or ()))
            said["reasoning"] = (said["reasoning"] or "") + thought
    return {**said, **_end(reply, said)}


def _text(part):
    return part["text"] if isinstance(part, dict) else part.text


def _optional(item, name):
    return item.get(name) if isinstance(item, dict) else getattr(item, name, None)


def _end(reply, said):
    details = reply.incomplete_details
    raw = (_optional(details, "reason") if details else None) or reply.status
    ended = "tool_calls" if said["tool_calls"] and raw == "completed" else finish(raw)
    usage = reply.usage
    return {
        "finish": "refusal" if said["refusal"] and raw == "completed" else ended,
        "finish_raw": raw,
        "usage": usage and counted(usage),
        "model": reply.model,
        "id": reply.id,
    }


def counted(usage):
    """Token counts as a response has them."""
    told = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    return told | details(usage, "input_tokens_details", "output_tokens_details")


def events(stream):
    """The events of a stream, and the turn that its last one tells."""
    last, begun = None, set()
    for event in stream:
        if event.type == "response.output_text.delta":
            yield {"type": "text", "text": event.delta}
        elif event.type in ("response.reasoning_summary_text.delta", "response.reasoning_text.delta"):
            yield {"type": "reasoning", "text": event.delta}
        elif event.type == "response.output_item.added" and event.item.type == "function_call":
            at, item = event.output_index, event.item
            yield {"type": "tool_call_start", "index": at, "name": item.name, "id": item.call_id}
        elif event.type == "response.function_call_arguments.done" and event.output_index not in begun:
            yield {"type": "tool_call_delta", "index": event.output_index, "text": event.arguments}
        elif event.type == "response.function_call_arguments.delta":
            begun.add(event.output_index)
            yield {"type": "tool_call_delta", "index": event.output_index, "text": event.delta}
        elif event.type in ("response.completed", "response.incomplete", "response.failed"):
            last = event.response
        elif event.type == "error":
            said = _optional(event, "error") or event
            raise InStream(_optional(said, "message"), _optional(said, "code"))
    if last is not None and last.status == "failed":
        raise InStream(_optional(last.error, "message"), _optional(last.error, "code"))
    if last is not None:
        yield {"turn": turn(last)}
