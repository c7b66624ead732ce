"""A Call as an InvokeModel request with Anthropic's body.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
(Request and Response), read 2026-11-21. The body is that of the Messages API, with ``anthropic_version`` and
without ``model`` and ``stream``, which the path says; betas stand in the body, not in a field.
"""

from __future__ import annotations

from msgspec.structs import replace

from providers import jsontext
from providers.call import Call
from providers.protocols import anthropic_messages
from providers.protocols.bedrock_converse.request import headers, located
from providers.protocols.bedrock_invoke.deviations import known
from providers.wire import Endpoint, Request, header

WHOLE = "/model/{model}/invoke"
STREAM = "/model/{model}/invoke-with-response-stream"


def build(call: Call, endpoint: Endpoint) -> Request:
    """The request for ``call``. Raises UnsupportedFeature for what the protocol cannot say."""
    deviations = known(endpoint.deviations)
    plain = replace(endpoint, deviations=deviations, path=None)
    said = anthropic_messages.build(replace(call, stream=False, extra_body={}), plain)
    body = said.json()
    betas = header(said.headers, "anthropic-beta")
    if betas:
        body["anthropic_beta"] = betas.split(",")
    body.update(call.extra_body)
    kept = replace(
        call, extra_headers=tuple(pair for pair in call.extra_headers if pair[0].lower() != "anthropic-beta")
    )
    path = STREAM if call.stream else WHOLE
    url = located(call, endpoint, path, deviations.profile_families, deviations.region)
    return Request("POST", url, headers(kept, endpoint), jsontext.write(body))
