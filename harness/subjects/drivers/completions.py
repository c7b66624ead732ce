"""Reads chat completions as objects: several clients' have OpenAI's attributes, and some of their own.

Standard library only. ``reasoning`` is the name of the member that a client keeps what the model thought in,
None where it has no place for that; ``refusal`` tells whether it has one for refusals.
"""

from driver import finish


def turn(reply, *, reasoning=None, refusal=False, usage=None):
    """The turn of a whole answer. ``usage`` counts in a client's own way, ``counts`` by default."""
    choice = reply.choices[0]
    message = choice.message
    told = {
        "text": message.content,
        "tool_calls": [
            {"name": call.function.name, "id": call.id, "arguments_raw": call.function.arguments}
            for call in message.tool_calls or ()
        ],
        "finish": finish(choice.finish_reason),
        "finish_raw": choice.finish_reason,
        "usage": (usage or counts)(getattr(reply, "usage", None)),
        "model": reply.model,
        "id": reply.id,
    }
    if reasoning is not None:
        told["reasoning"] = _words(message, reasoning)
    if refusal:
        told["refusal"] = getattr(message, "refusal", None)
    return told


def _words(told, member):
    """The words in a member; some clients wrap what a model thought in an object."""
    value = getattr(told, member, None)
    return getattr(value, "content", value)


def counts(usage):
    """Token counts as OpenAI names them."""
    if usage is None:
        return None
    told = {"input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens}
    return told | details(usage, "prompt_tokens_details", "completion_tokens_details")


def details(usage, of_input, of_output):
    """What of the counts was read from a cache, and what was thought, where a client has a place for them."""
    places = (("cached_tokens", of_input), ("reasoning_tokens", of_output))
    return {
        name: getattr(getattr(usage, place), name, None) for name, place in places if hasattr(usage, place)
    }


def events(chunks, *, reasoning=None, refusal=False, usage=None, counted=None):
    """The events of a stream, and the turn that its user would gather from them.

    ``counted(chunk)`` is where a chunk has its counts, ``chunk.usage`` by default.
    """
    gathered = _Gathered(reasoning, refusal)
    counted = counted or (lambda chunk: getattr(chunk, "usage", None))
    last = None
    for chunk in chunks:
        gathered.first = gathered.first or chunk
        last = counted(chunk) or last
        for choice in chunk.choices or ():
            if not choice.index:
                yield from gathered.choice(choice)
    yield {"turn": gathered.turn((usage or counts)(last))}


class _Gathered:
    """What the chunks of a stream add up to."""

    def __init__(self, reasoning, refusal):
        self.names = {name: name for name in ("refusal",) if refusal}
        if reasoning is not None:
            self.names["reasoning"] = reasoning
        self.said = dict.fromkeys(("text", *self.names))
        self.calls = {}
        self.ended = None
        self.first = None

    def choice(self, choice):
        """The events of one chunk's choice."""
        delta = choice.delta
        self.ended = choice.finish_reason or self.ended
        for name, member in (("reasoning", self.names.get("reasoning")), ("text", "content")):
            words = _words(delta, member) if member else None
            if words is not None:
                self.said[name] = (self.said[name] or "") + words
                yield {"type": name, "text": words}
        if "refusal" in self.names and getattr(delta, "refusal", None):
            self.said["refusal"] = (self.said["refusal"] or "") + delta.refusal
        for piece in delta.tool_calls or ():
            yield from self.call(piece)

    def call(self, piece):
        """The events of one piece of a tool call."""
        at, function = piece.index, piece.function
        if at not in self.calls:
            self.calls[at] = {"name": "", "id": None, "arguments_raw": ""}
            yield {"type": "tool_call_start", "index": at, "name": function.name or "", "id": piece.id}
        call = self.calls[at]
        call["id"] = call["id"] or piece.id
        if function is not None:
            call["name"] = call["name"] or function.name or ""
            more = function.arguments or ""
            call["arguments_raw"] += more
            yield {"type": "tool_call_delta", "index": at, "text": more}

    def turn(self, usage):
        """The whole."""
        return {
            **self.said,
            "tool_calls": list(self.calls.values()),
            "finish": finish(self.ended),
            "finish_raw": self.ended,
            "usage": usage,
            "model": self.first and self.first.model,
            "id": self.first and self.first.id,
        }
