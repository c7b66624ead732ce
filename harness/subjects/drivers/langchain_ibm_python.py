"""LangChain's integration of watsonx.ai: completions of a prompt, by IBM's own SDK."""

import shapes
import watsonx_cloud
from driver import Unsupported, finish, serve
from ibm_watsonx_ai.wml_client_error import WMLClientError
from langchain_ibm import WatsonxLLM

_ENDED = {"eos_token": "stop", "max_tokens": "length", "token_limit": "length", "time_limit": "length"}


def generate(run):
    """Text of a prompt, whole or streamed: a stream of this model is words and nothing else."""
    prompt, parameters = shapes.generation(run)
    if "include_stop_sequence" in parameters:
        raise Unsupported("it has no place for leaving a stop sequence out of the answer")
    model = WatsonxLLM(watsonx_model=watsonx_cloud.model(run, parameters))
    if run.stream:
        return _pieces(model.stream(prompt))
    made = model.generate([prompt])
    said = made.generations[0][0]
    raw = (said.generation_info or {}).get("finish_reason")
    counts = made.llm_output["token_usage"]
    return {
        "text": said.text,
        "finish": _ENDED.get(raw, finish(raw)),
        "finish_raw": raw,
        "usage": {"input_tokens": counts["prompt_tokens"], "output_tokens": counts["completion_tokens"]},
    }


def _pieces(stream):
    text = ""
    for piece in stream:
        text += piece
        yield {"type": "text", "text": piece}
    yield {"turn": {"text": text}}


serve(
    package="langchain-ibm",
    protocols={"watsonx-generation": generate},
    errors=(WMLClientError,),
    error=watsonx_cloud.error,
    features=("no_retries",),
)
