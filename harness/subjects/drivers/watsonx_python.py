"""IBM's own SDK of watsonx.ai for Python: text generated from one prompt.

It takes addresses of its cloud alone, and an HTTP client of its user's, which goes to the address under test.
"""

import httpx
import shapes
from driver import finish, serve, told
from ibm_watsonx_ai import APIClient, Credentials
from ibm_watsonx_ai.foundation_models import ModelInference
from ibm_watsonx_ai.wml_client_error import ApiRequestFailure, WMLClientError

_CLOUD = "https://us-south.ml.cloud.ibm.com"
_COUNTS = (("input_tokens", "input_token_count"), ("output_tokens", "generated_token_count"))
_NOT_FINISHED = "not_finished"
_ENDED = {
    "eos_token": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "token_limit": "length",
    "time_limit": "length",
}


class _Elsewhere(httpx.HTTPTransport):
    """Asks at another address what is asked of the cloud."""

    def __init__(self, base_url):
        super().__init__()
        self._base_url = base_url

    def handle_request(self, request):
        target = request.url.raw_path.decode()
        request.url = httpx.URL(self._base_url + target)
        request.headers["host"] = request.url.netloc.decode()
        return super().handle_request(request)


def _model(run, parameters):
    client = APIClient(
        Credentials(url=_CLOUD, token=run.key),
        project_id=run.hints.get("project"),
        httpx_client=httpx.Client(transport=_Elsewhere(run.base_url), timeout=run.timeout_s),
        scope_validation=False,
    )
    if run.call.get("extra_headers"):
        client.set_headers({**client._get_headers(), **dict(run.call["extra_headers"])})
    return ModelInference(
        model_id=run.model, params=parameters, api_client=client, validate=False, max_retries=0
    )


def generate(run):
    """Text of a prompt, whole or streamed."""
    prompt, parameters = shapes.generation(run)
    model = _model(run, parameters)
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


def error(fault):
    """An error of the SDK's; of a refusal it keeps the answer."""
    if isinstance(fault, ApiRequestFailure):
        return told(fault, typed=True, status=fault.response.status_code)
    if isinstance(fault, httpx.TimeoutException):
        return told(fault, typed=False, kind="timeout")
    if isinstance(fault, httpx.TransportError):
        return told(fault, typed=False, kind="connection")
    return None


serve(
    package="ibm-watsonx-ai",
    protocols={"watsonx-generation": generate},
    errors=(WMLClientError,),
    error=error,
    features=("no_retries",),
)
