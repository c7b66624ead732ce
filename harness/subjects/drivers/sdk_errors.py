"""Errors of vendors' SDKs in the words of the subject protocol, for libraries that let them through.

Standard library only: an SDK is given as its module, an error as it is.
"""

from driver import told


def stainless(sdk, fault):
    """An error of an SDK made as OpenAI's and Anthropic's are, whose classes have the same names."""
    if isinstance(fault, sdk.APITimeoutError):
        return told(fault, typed=True, kind="timeout")
    if isinstance(fault, sdk.APIConnectionError):
        return told(fault, typed=True, kind="connection")
    if isinstance(fault, sdk.APIResponseValidationError):
        return told(fault, typed=True, kind="protocol")
    if isinstance(fault, sdk.APIStatusError):
        identity = getattr(fault, "request_id", None)
        return told(fault, typed=True, status=fault.status_code, code=_code(fault), request_id=identity)
    if isinstance(fault, sdk.APIError):
        return told(fault, typed=True, status=200, code=_code(fault))
    return None


def _code(fault):
    found = getattr(fault, "code", None) or getattr(fault, "type", None)
    body = fault.body if isinstance(fault.body, dict) else {}
    inner = body.get("error")
    return found or (inner.get("type") if isinstance(inner, dict) else None)


def aws(exceptions, fault):
    """An error of botocore, whose ``exceptions`` are given."""
    if isinstance(fault, exceptions.ClientError):  # those inside a stream are a subclass
        said, meta = fault.response.get("Error", {}), fault.response.get("ResponseMetadata", {})
        status, identity = meta.get("HTTPStatusCode", 200), meta.get("RequestId")
        return told(fault, typed=True, status=status, code=said.get("Code"), request_id=identity)
    if isinstance(fault, (exceptions.ReadTimeoutError, exceptions.ConnectTimeoutError)):
        return told(fault, typed=True, kind="timeout")
    if isinstance(fault, exceptions.HTTPClientError):
        return told(fault, typed=True, kind="connection")
    if isinstance(fault, exceptions.BotoCoreError):
        return told(fault, typed=True)
    return None


def transport(module, fault):
    """An error of httpx, or of a package with its classes, that came through untyped."""
    if isinstance(fault, module.TimeoutException):
        return told(fault, typed=False, kind="timeout")
    if isinstance(fault, module.TransportError):
        return told(fault, typed=False)
    return None
