"""IBM's own SDK of watsonx.ai for Python: text generated from one prompt."""

import shapes
import watsonx_cloud
from driver import finish, serve
from ibm_watsonx_ai.wml_client_error import WMLClientError

_COUNTS = (("input_tokens", "input_token_count"), ("output_tokens", "generated_token_count"))
_NOT_FINISHED = "not_finished"
_ENDED = {
    "eos_token": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "token_limit": "length",
    "time_limit": "length",
}


def generate(run):
    """Text of a prompt, whole or streamed."""
    prompt, parameters = shapes.generation(run)
    model = watsonx_cloud.model(run, parameters)
    if run.stream:
        return _events(model.generate_text_stream(prompt=prompt, raw_response=True))
    return _turn([model.generate(prompt=prompt)])


def _events(replies):
    seen = []
    for reply in replies:
        seen.append(reply)
        for result in reply.get("results", ()):
            if result.get("generated_text"):
                yield {"type": "text", "text": result["generated_text"]}
    yield {"turn": _turn(seen)}


def _turn(replies):
    """What an answer, or the parts of one, add up to: counts count from the beginning."""
    results = [result for reply in replies for result in reply.get("results", ())]
    reasons = [each.get("stop_reason") for each in results]
    raw = next((why for why in reversed(reasons) if why and why != _NOT_FINISHED), None)
    counts = {
        told_as: max((each[name] for each in results if name in each), default=None)
        for told_as, name in _COUNTS
    }
    return {
        "text": "".join(each.get("generated_text", "") for each in results) if results else None,
        "finish": _ENDED.get(raw, finish(raw)),
        "finish_raw": raw,
        "usage": None if counts["output_tokens"] is None else counts,
        "model": next((reply["model_id"] for reply in replies if reply.get("model_id")), None),
    }


serve(
    package="ibm-watsonx-ai",
    protocols={"watsonx-generation": generate},
    errors=(WMLClientError,),
    error=watsonx_cloud.error,
    features=("no_retries",),
)
