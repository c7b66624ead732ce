"""A model of IBM's SDK for Python, for the drivers that speak through it, and its errors.

It takes addresses of its cloud alone, and an HTTP client of its user's, which goes to the address under test.
"""

import httpx
from driver import told
from ibm_watsonx_ai import APIClient, Credentials
from ibm_watsonx_ai.foundation_models import ModelInference
from ibm_watsonx_ai.wml_client_error import ApiRequestFailure

_CLOUD = "https://us-south.ml.cloud.ibm.com"


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


def model(run, parameters):
    """The model that a call names, of a client without retries."""
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


def error(fault):
    """An error of the SDK's; of a refusal it keeps the answer."""
    if isinstance(fault, ApiRequestFailure):
        return told(fault, typed=True, status=fault.response.status_code)
    if isinstance(fault, httpx.TimeoutException):
        return told(fault, typed=False, kind="timeout")
    if isinstance(fault, httpx.TransportError):
        return told(fault, typed=False, kind="connection")
    return None
