"""Pydantic AI: the models of OpenAI, Azure, Google, AWS, Mistral, Cohere and Groq."""

import re
from functools import cache, lru_cache

import boto3
import cohere
import groq
import openai
import pydantic_messages as pa
from botocore.config import Config
from driver import Unsupported, refuse, serve
from google.genai import Client, types
from google.oauth2.credentials import Credentials
from mistralai.client import Mistral
from pydantic_ai.models.bedrock import BedrockConverseModel
from pydantic_ai.models.cohere import CohereModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.groq import GroqModel
from pydantic_ai.models.mistral import MistralModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.bedrock import BedrockProvider
from pydantic_ai.providers.cohere import CohereProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.groq import GroqProvider
from pydantic_ai.providers.mistral import MistralProvider
from pydantic_ai.providers.openai import OpenAIProvider

_VERTEX = re.compile(r"(.*)/(v\w+)/projects/([^/]+)/locations/([^/]+)$")


@cache
def _openai(key):
    return openai.AsyncOpenAI(api_key=key, base_url="http://127.0.0.1", max_retries=0)


@cache
def _azure(key):
    return openai.AsyncAzureOpenAI(api_key=key, base_url="http://127.0.0.1", api_version="v1", max_retries=0)


def _provider(run, client):
    made = client(run.key).with_options(base_url=run.base_url, timeout=run.timeout_s)
    return OpenAIProvider(openai_client=made)


def chat(run):
    """A chat completion, whole or streamed; Groq's by the model that the library has for it."""
    own = _OWN_MODELS.get(run.provider)
    if own is not None:
        return own(run)
    plain = run.hints.get("max_tokens_field") == "max_tokens"
    profile = {"openai_chat_supports_max_completion_tokens": not plain}
    model = OpenAIChatModel(run.model, provider=_provider(run, _openai), profile=profile)
    return pa.ask(run, model, strict=True)


@cache
def _groq(key):
    return groq.AsyncGroq(api_key=key, base_url="http://127.0.0.1", max_retries=0)


def groq_chat(run):
    """A chat completion of Groq's. Its SDK puts the rest of the address before the path by itself."""
    refuse(run.call, "extra_body")
    base_url = run.base_url.removesuffix("/openai/v1")
    client = _groq(run.key).with_options(base_url=base_url, timeout=run.timeout_s)
    return pa.ask(run, GroqModel(run.model, provider=GroqProvider(groq_client=client)))


_OWN_MODELS = {"groq": groq_chat}


def responses(run):
    """A response, whole or streamed."""
    refuse(run.call, "seed", "stop")
    client = _azure if run.protocol.startswith("azure-") else _openai
    return pa.ask(run, OpenAIResponsesModel(run.model, provider=_provider(run, client)), strict=True)


def gemini(run):
    """Content of the Gemini API, whole or streamed."""
    base_url, _, version = run.base_url.rpartition("/")
    return _generated(run, _http(run, base_url, version), api_key=run.key)


def vertex(run):
    """Content of Vertex AI, whole or streamed."""
    found = _VERTEX.match(run.base_url)
    if found is None:
        raise Unsupported("it asks Vertex AI at a project and a location only")
    base_url, version, project, location = found.groups()
    named = {"project": project, "location": location, "credentials": Credentials(token=run.key)}
    return _generated(run, _http(run, base_url, version), vertexai=True, **named)


def _http(run, base_url, version):
    return types.HttpOptions(
        base_url=base_url,
        api_version=version,
        timeout=int(run.timeout_s * 1000),
        retry_options=types.HttpRetryOptions(attempts=1),
    )


def _generated(run, http, **named):
    refuse(run.call, "parallel_tool_calls", "extra_body")
    client = Client(http_options=http, **named)
    return pa.ask(run, GoogleModel(run.model, provider=GoogleProvider(client=client)))


@lru_cache(maxsize=4)
def _session(key):
    return boto3.Session(region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=key)


def converse(run):
    """A conversation, whole or streamed; with a pair of keys, as a bearer token goes over TLS only."""
    refuse(run.call, "extra_body", "extra_headers", "parallel_tool_calls", "seed")
    limit = {"read_timeout": run.timeout_s, "connect_timeout": run.timeout_s}
    config = Config(retries={"total_max_attempts": 1}, **limit)
    client = _session(run.key).client("bedrock-runtime", endpoint_url=run.base_url, config=config)
    return pa.ask(
        run, BedrockConverseModel(run.model, provider=BedrockProvider(bedrock_client=client)), strict=True
    )


def mistral(run):
    """A chat completion of Mistral's, whole or streamed."""
    refuse(run.call, "extra_body")
    client = Mistral(api_key=run.key, server_url=run.base_url.removesuffix("/v1"))
    return pa.ask(run, MistralModel(run.model, provider=MistralProvider(mistral_client=client)))


def command(run):
    """A chat of Cohere's, whole or streamed."""
    refuse(run.call, "extra_body", "parallel_tool_calls")
    if any(part["type"] in ("image", "document") for said in run.call["messages"] for part in said["parts"]):
        raise Unsupported("its model of Cohere's has a place for words only")
    client = cohere.AsyncClientV2(run.key, base_url=run.base_url, timeout=run.timeout_s, max_retries=0)
    return pa.ask(run, CohereModel(run.model, provider=CohereProvider(cohere_client=client)))


serve(
    package="pydantic-ai-slim",
    name="pydantic-ai",
    protocols={
        "openai-completions": chat,
        "openai-responses": responses,
        "azure-openai-responses": responses,
        "google-generative-ai": gemini,
        "google-vertex": vertex,
        "bedrock-converse": converse,
        "mistral-chat": mistral,
        "cohere-chat": command,
    },
    errors=pa.ERRORS,
    error=pa.error,
    features=("no_retries", "usage_total"),
)
