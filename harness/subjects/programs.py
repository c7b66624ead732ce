"""Programs that make a client's call again, for a report: its developers paste and run one. Pure.

A vendor's own SDK takes the members of the request as arguments, so a call is made again with the body that
was sent; LiteLLM takes those of chat completions whatever it sends. Each row is what a user of the client
would write. Other clients have forms of their own, and no row here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pprint import pformat
from typing import Any, TypeAlias

import msgspec

from providers.call import Call
from providers.errors import ProviderError
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint

URL = "http://127.0.0.1:8080"
_Body: TypeAlias = Mapping[str, Any]
_Arguments: TypeAlias = Callable[[Call, _Body], _Body]


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What makes the client, and the call, ``whole`` or ``streamed``. ``of`` makes the arguments of the call
    and of the body that was sent; ``without`` are members of it that the client sets by itself."""

    setup: str
    whole: str
    streamed: str
    of: _Arguments
    without: tuple[str, ...] = ()


def of(language: str, client: str, protocol: str, call: Call, body: bytes) -> str:
    """The program of one call; empty where none is known. ``body`` is what the client sent."""
    program = PROGRAMS.get((client, protocol))
    write = _WRITERS.get(language)
    if program is None or write is None:
        return ""
    try:
        sent = json.loads(body)
        arguments = program.of(call, sent)
    except (ValueError, ProviderError):
        return ""
    if not isinstance(sent, dict):
        return ""
    kept = {name: value for name, value in arguments.items() if name not in program.without}
    return write(program, kept, streamed=call.stream)


def _python(program: Program, arguments: _Body, *, streamed: bool) -> str:
    told = pformat(arguments, width=100, sort_dicts=False)
    call = program.streamed if streamed else program.whole
    return f'{program.setup}\narguments = {told}\n\n{call}\nprint("no error was raised")\n'


def _node(program: Program, arguments: _Body, *, streamed: bool) -> str:
    told = json.dumps(arguments, indent=2, ensure_ascii=False)
    call = program.streamed if streamed else program.whole
    return f'{program.setup}\nconst request = {told};\n\n{call}\nconsole.log("no error was thrown");\n'


_WRITERS: Mapping[str, Callable[..., str]] = {"python": _python, "node": _node}


def _sent(call: Call, body: _Body) -> _Body:
    return body


def _python_calls(
    setup: str, whole: str, streaming: str = "", *, of: _Arguments = _sent, without: tuple[str, ...] = ()
) -> Program:
    """A call in Python that returns an answer, or when it streams what gives its pieces."""
    streamed = f"for piece in {streaming or whole}:\n    print(piece)"
    return Program(setup=setup, whole=f"print({whole})", streamed=streamed, of=of, without=without)


def _node_calls(setup: str, whole: str, streaming: str = "", *, of: _Arguments = _sent) -> Program:
    """The same in JavaScript."""
    streamed = f"for await (const piece of await {streaming or whole}) console.dir(piece, {{ depth: null }});"
    return Program(
        setup=setup, whole=f"console.dir(await {whole}, {{ depth: null }});", streamed=streamed, of=of
    )


def _made(imported: str, client: str) -> str:
    return f"{imported}\n\nclient = {client}"


def _gemini(call: Call, body: _Body) -> _Body:
    """The arguments of Google's SDKs, which have what is beside the contents in one configuration."""
    beside = {name: value for name, value in body.items() if name not in ("contents", "generationConfig")}
    config = {**body.get("generationConfig", {}), **beside}
    return {"model": call.model, "contents": body["contents"], "config": config}


def _chat(prefix: str) -> Callable[[Call, _Body], _Body]:
    """The arguments of LiteLLM: those of a chat completion, of a model of the provider ``prefix``."""

    def arguments(call: Call, body: _Body) -> _Body:
        chat = PROTOCOLS["openai-completions"]
        endpoint = Endpoint(provider="", protocol=chat.name, base_url=URL, deviations=chat.deviations())
        return {**chat.build(call, endpoint).json(), "model": f"{prefix}/{call.model}"}

    return arguments


def _prefixed(prefix: str) -> Callable[[Call, _Body], _Body]:
    return lambda call, body: {**body, "model": f"{prefix}/{call.model}"}


def _litellm(prefix: str, path: str = "") -> Program:
    options = f'api_base="{URL}{path}", api_key="any", num_retries=0, timeout=10'
    return _python_calls("import litellm\n", f"litellm.completion(**arguments, {options})", of=_chat(prefix))


_OPENAI = _made(
    "import openai", f'openai.OpenAI(base_url="{URL}/v1", api_key="any", max_retries=0, timeout=10)'
)
_AZURE = _made(
    "import openai",
    f'openai.AzureOpenAI(base_url="{URL}", api_key="any", api_version="v1", max_retries=0, timeout=10)',
)
_ANTHROPIC = _made(
    "import anthropic", f'anthropic.Anthropic(base_url="{URL}", api_key="any", max_retries=0, timeout=10)'
)
_GROQ = _made("import groq", f'groq.Groq(base_url="{URL}", api_key="any", max_retries=0, timeout=10)')
_MISTRAL = _made(
    "from mistralai.client import Mistral", f'Mistral(server_url="{URL}", api_key="any", timeout_ms=10_000)'
)
_COHERE = _made("import cohere", f'cohere.ClientV2(base_url="{URL}", api_key="any", timeout=10)')
_COHERE_V1 = _made("import cohere", f'cohere.Client(base_url="{URL}", api_key="any", timeout=10)')
_OLLAMA = _made("import ollama", f'ollama.Client(host="{URL}", timeout=10)')
_GOOGLE = _made(
    "from google import genai",
    f'genai.Client(api_key="any", http_options={{"base_url": "{URL}", "timeout": 10_000}})',
)
_OPTIONS_JS = f'{{ baseURL: "{URL}", apiKey: "any", maxRetries: 0, timeout: 10000 }}'
_OPENAI_JS = f'import OpenAI from "openai";\n\nconst client = new OpenAI({_OPTIONS_JS});'
_ANTHROPIC_JS = f'import Anthropic from "@anthropic-ai/sdk";\n\nconst client = new Anthropic({_OPTIONS_JS});'
_GROQ_JS = f'import Groq from "groq-sdk";\n\nconst client = new Groq({_OPTIONS_JS});'
_OLLAMA_JS = f'import {{ Ollama }} from "ollama";\n\nconst client = new Ollama({{ host: "{URL}" }});'
_GOOGLE_JS = (
    'import { GoogleGenAI } from "@google/genai";\n\nconst client = new GoogleGenAI('
    f'{{ apiKey: "any", httpOptions: {{ baseUrl: "{URL}", timeout: 10000 }} }});'
)
_STREAMED_MESSAGE = """\
with client.messages.stream(**arguments) as stream:
    for piece in stream:
        print(piece)
    print(stream.get_final_message())"""
_STREAMED_MESSAGE_JS = """\
const stream = client.messages.stream(request);
for await (const piece of stream) console.dir(piece, { depth: null });
console.dir(await stream.finalMessage(), { depth: null });"""

_CHAT = "client.chat.completions.create(**arguments)"
_RESPONSES = "client.responses.create(**arguments)"
_STREAM = ("stream",)
PROGRAMS: Mapping[tuple[str, str], Program] = {
    ("openai", "openai-completions"): _python_calls(_OPENAI, _CHAT),
    ("openai", "openai-responses"): _python_calls(_OPENAI, _RESPONSES),
    ("openai", "openai-codex-responses"): _python_calls(_OPENAI, _RESPONSES),
    ("openai", "azure-openai-responses"): _python_calls(_AZURE, _RESPONSES),
    ("openai", "openai-text-completions"): _python_calls(_OPENAI, "client.completions.create(**arguments)"),
    ("openai-node", "openai-completions"): _node_calls(_OPENAI_JS, "client.chat.completions.create(request)"),
    ("openai-node", "openai-responses"): _node_calls(_OPENAI_JS, "client.responses.create(request)"),
    ("anthropic", "anthropic-messages"): Program(
        setup=_ANTHROPIC,
        whole="print(client.messages.create(**arguments))",
        streamed=_STREAMED_MESSAGE,
        of=_sent,
        without=_STREAM,
    ),
    ("anthropic-node", "anthropic-messages"): Program(
        setup=_ANTHROPIC_JS,
        whole="console.dir(await client.messages.create(request), { depth: null });",
        streamed=_STREAMED_MESSAGE_JS,
        of=_sent,
        without=_STREAM,
    ),
    ("groq", "openai-completions"): _python_calls(_GROQ, _CHAT),
    ("groq-node", "openai-completions"): _node_calls(_GROQ_JS, "client.chat.completions.create(request)"),
    ("mistralai", "mistral-chat"): _python_calls(
        _MISTRAL, "client.chat.complete(**arguments)", "client.chat.stream(**arguments)", without=_STREAM
    ),
    ("cohere", "cohere-chat"): _python_calls(
        _COHERE, "client.chat(**arguments)", "client.chat_stream(**arguments)", without=_STREAM
    ),
    ("cohere", "cohere-chat-v1"): _python_calls(
        _COHERE_V1, "client.chat(**arguments)", "client.chat_stream(**arguments)", without=_STREAM
    ),
    ("ollama", "ollama-chat"): _python_calls(_OLLAMA, "client.chat(**arguments)"),
    ("ollama", "ollama-generate"): _python_calls(_OLLAMA, "client.generate(**arguments)"),
    ("ollama-node", "ollama-chat"): _node_calls(_OLLAMA_JS, "client.chat(request)"),
    ("ollama-node", "ollama-generate"): _node_calls(_OLLAMA_JS, "client.generate(request)"),
    ("google-genai", "google-generative-ai"): _python_calls(
        _GOOGLE,
        "client.models.generate_content(**arguments)",
        "client.models.generate_content_stream(**arguments)",
        of=_gemini,
    ),
    ("google-genai-node", "google-generative-ai"): _node_calls(
        _GOOGLE_JS,
        "client.models.generateContent(request)",
        "client.models.generateContentStream(request)",
        of=_gemini,
    ),
    ("litellm", "openai-completions"): _litellm("openai", "/v1"),
    ("litellm", "anthropic-messages"): _litellm("anthropic"),
    ("litellm", "google-generative-ai"): _litellm("gemini", "/v1beta"),
    ("litellm", "mistral-chat"): _litellm("mistral", "/v1"),
    ("litellm", "cohere-chat"): _litellm("cohere_chat", "/v2/chat"),
    ("litellm", "ollama-chat"): _litellm("ollama_chat"),
    ("litellm", "openai-responses"): _python_calls(
        "import litellm\n",
        f'litellm.responses(**arguments, api_base="{URL}/v1", api_key="any", timeout=10)',
        of=_prefixed("openai"),
    ),
}
"""By client of the table and protocol."""
