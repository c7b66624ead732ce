"""The clients under test, pinned: one row each. Data only.

A row of language ``python`` is installed with venv and pip, one of ``node`` with npm, each into a folder of
its own (``harness.subjects.install``); ``driver`` is its file in ``harness/subjects/drivers``, or a path of
another package that adds the row through the entry points ``wirecheck.subjects``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from providers import extensions

Language = Literal["python", "node", "ours"]
_CHAT = ("openai-completions",)


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A client. ``packages`` are pinned in the words of its installer; the first one's version is the
    client's. ``protocols`` are those its driver speaks; ``environ`` is set for it; ``home`` is where it is
    documented; ``notes`` are for people."""

    name: str
    title: str
    language: Language
    packages: tuple[str, ...] = ()
    driver: str = ""
    protocols: tuple[str, ...] = _CHAT
    environ: Mapping[str, str] = {}
    home: str = ""
    notes: str = ""

    @property
    def version(self) -> str:
        """The pinned version of its first package, empty when it has none."""
        return self.packages[0].replace("==", "@").rpartition("@")[2] if self.packages else ""


_OURS: Mapping[str, Subject] = {
    subject.name: subject
    for subject in (
        Subject(
            name="wirecheck",
            title="wirecheck's own adapters",
            language="ours",
            protocols=("*",),
        ),
        Subject(
            name="openai",
            title="OpenAI Python",
            language="python",
            packages=("openai==2.8.1",),
            driver="openai_python.py",
            protocols=(
                "openai-completions",
                "openai-responses",
                "azure-openai-responses",
                "openai-codex-responses",
                "openai-text-completions",
            ),
            home="https://github.com/openai/openai-python",
        ),
        Subject(
            name="openai-node",
            title="OpenAI JavaScript",
            language="node",
            packages=("openai@7.55.0",),
            driver="openai_node.mjs",
            protocols=(
                "openai-completions",
                "openai-responses",
                "azure-openai-responses",
                "openai-codex-responses",
            ),
            home="https://github.com/openai/openai-node",
        ),
        Subject(
            name="anthropic",
            title="Anthropic Python",
            language="python",
            packages=("anthropic==0.74.1",),
            driver="anthropic_python.py",
            protocols=("anthropic-messages",),
            home="https://github.com/anthropics/anthropic-sdk-python",
        ),
        Subject(
            name="anthropic-node",
            title="Anthropic JavaScript",
            language="node",
            packages=("@anthropic-ai/sdk@0.137.0",),
            driver="anthropic_node.mjs",
            protocols=("anthropic-messages",),
            home="https://github.com/anthropics/anthropic-sdk-typescript",
            notes="The last before 1.0.0, which speaks the API's version 2026-10-21 and none before it.",
        ),
        Subject(
            name="groq",
            title="Groq Python",
            language="python",
            packages=("groq==1.7.0",),
            driver="groq_python.py",
            home="https://github.com/groq/groq-python",
        ),
        Subject(
            name="mistralai",
            title="Mistral Python",
            language="python",
            packages=("mistralai==3.7.0",),
            driver="mistralai_python.py",
            protocols=("mistral-chat",),
            home="https://github.com/mistralai/client-python",
        ),
        Subject(
            name="cohere",
            title="Cohere Python",
            language="python",
            packages=("cohere==7.3.1",),
            driver="cohere_python.py",
            protocols=("cohere-chat", "cohere-chat-v1"),
            home="https://github.com/cohere-ai/cohere-python",
        ),
        Subject(
            name="ollama",
            title="Ollama Python",
            language="python",
            packages=("ollama==0.6.3",),
            driver="ollama_python.py",
            protocols=("ollama-chat", "ollama-generate"),
            home="https://github.com/ollama/ollama-python",
        ),
        Subject(
            name="google-genai",
            title="Google Gen AI Python",
            language="python",
            packages=("google-genai==3.4.0",),
            driver="google_genai_python.py",
            protocols=("google-generative-ai", "google-vertex", "google-interactions"),
            home="https://github.com/googleapis/python-genai",
        ),
        Subject(
            name="boto3",
            title="AWS SDK for Python",
            language="python",
            packages=("boto3==1.44.5",),
            driver="boto3_python.py",
            protocols=("bedrock-converse", "bedrock-invoke"),
            home="https://github.com/boto/boto3",
        ),
        Subject(
            name="google-genai-node",
            title="Google Gen AI JavaScript",
            language="node",
            packages=("@google/genai@3.1.0",),
            driver="google_genai_node.mjs",
            protocols=("google-generative-ai", "google-vertex", "google-interactions"),
            home="https://github.com/googleapis/js-genai",
        ),
        Subject(
            name="gemini-cli-core",
            title="Gemini CLI core",
            language="node",
            packages=("@google/gemini-cli-core@0.61.0", "google-auth-library@10.9.0"),
            driver="gemini_cli_core_node.mjs",
            protocols=("google-gemini-cli",),
            home="https://github.com/google-gemini/gemini-cli",
        ),
        Subject(
            name="groq-node",
            title="Groq JavaScript",
            language="node",
            packages=("groq-sdk@1.6.0",),
            driver="groq_node.mjs",
            home="https://github.com/groq/groq-typescript",
        ),
        Subject(
            name="ollama-node",
            title="Ollama JavaScript",
            language="node",
            packages=("ollama@0.6.4",),
            driver="ollama_node.mjs",
            protocols=("ollama-chat", "ollama-generate"),
            home="https://github.com/ollama/ollama-js",
        ),
        Subject(
            name="mistral-node",
            title="Mistral JavaScript",
            language="node",
            packages=("@mistralai/mistralai@2.7.0",),
            driver="mistral_node.mjs",
            protocols=("mistral-chat",),
            home="https://github.com/mistralai/client-ts",
        ),
        Subject(
            name="cohere-node",
            title="Cohere JavaScript",
            language="node",
            packages=("cohere-ai@8.1.0",),
            driver="cohere_node.mjs",
            protocols=("cohere-chat", "cohere-chat-v1"),
            home="https://github.com/cohere-ai/cohere-typescript",
        ),
        Subject(
            name="ai-sdk-openai",
            title="AI SDK, OpenAI",
            language="node",
            packages=("@ai-sdk/openai@4.0.118", "ai@7.0.173"),
            driver="ai_sdk_openai_node.mjs",
            protocols=("openai-completions", "openai-responses"),
            home="https://github.com/vercel/ai",
        ),
        Subject(
            name="ai-sdk-azure",
            title="AI SDK, Azure",
            language="node",
            packages=("@ai-sdk/azure@4.0.85", "ai@7.0.173"),
            driver="ai_sdk_azure_node.mjs",
            protocols=("openai-completions", "azure-openai-responses"),
            home="https://github.com/vercel/ai",
        ),
        Subject(
            name="ai-sdk-compatible",
            title="AI SDK, OpenAI-compatible",
            language="node",
            packages=("@ai-sdk/openai-compatible@3.0.92", "ai@7.0.173"),
            driver="ai_sdk_compatible_node.mjs",
            home="https://github.com/vercel/ai",
        ),
        Subject(
            name="ai-sdk-anthropic",
            title="AI SDK, Anthropic",
            language="node",
            packages=("@ai-sdk/anthropic@4.0.105", "ai@7.0.173"),
            driver="ai_sdk_anthropic_node.mjs",
            protocols=("anthropic-messages",),
            home="https://github.com/vercel/ai",
        ),
        Subject(
            name="ai-sdk-google",
            title="AI SDK, Google",
            language="node",
            packages=("@ai-sdk/google@4.0.121", "ai@7.0.173"),
            driver="ai_sdk_google_node.mjs",
            protocols=("google-generative-ai", "google-interactions"),
            home="https://github.com/vercel/ai",
        ),
        Subject(
            name="ai-sdk-vertex",
            title="AI SDK, Vertex AI",
            language="node",
            packages=("@ai-sdk/google-vertex@5.0.141", "ai@7.0.173"),
            driver="ai_sdk_vertex_node.mjs",
            protocols=("google-vertex",),
            home="https://github.com/vercel/ai",
        ),
        Subject(
            name="ai-sdk-bedrock",
            title="AI SDK, Bedrock",
            language="node",
            packages=("@ai-sdk/amazon-bedrock@5.0.101", "ai@7.0.173"),
            driver="ai_sdk_bedrock_node.mjs",
            protocols=("bedrock-converse", "bedrock-invoke"),
            home="https://github.com/vercel/ai",
        ),
        Subject(
            name="ai-sdk-mistral",
            title="AI SDK, Mistral",
            language="node",
            packages=("@ai-sdk/mistral@4.0.87", "ai@7.0.173"),
            driver="ai_sdk_mistral_node.mjs",
            protocols=("mistral-chat",),
            home="https://github.com/vercel/ai",
        ),
        Subject(
            name="ai-sdk-cohere",
            title="AI SDK, Cohere",
            language="node",
            packages=("@ai-sdk/cohere@4.0.52", "ai@7.0.173"),
            driver="ai_sdk_cohere_node.mjs",
            protocols=("cohere-chat",),
            home="https://github.com/vercel/ai",
        ),
        Subject(
            name="ai-sdk-groq",
            title="AI SDK, Groq",
            language="node",
            packages=("@ai-sdk/groq@4.0.84", "ai@7.0.173"),
            driver="ai_sdk_groq_node.mjs",
            home="https://github.com/vercel/ai",
        ),
        Subject(
            name="litellm",
            title="LiteLLM",
            language="python",
            packages=("litellm==1.106.2", "boto3==1.44.5", "mcp==2.3.0"),
            driver="litellm_python.py",
            protocols=(
                "openai-completions",
                "openai-responses",
                "azure-openai-responses",
                "openai-codex-responses",
                "anthropic-messages",
                "google-generative-ai",
                "bedrock-converse",
                "bedrock-invoke",
                "mistral-chat",
                "cohere-chat",
                "cohere-chat-v1",
                "ollama-chat",
            ),
            environ={"LITELLM_LOCAL_MODEL_COST_MAP": "True", "HF_HUB_OFFLINE": "1"},
            home="https://github.com/BerriAI/litellm",
            notes="The newest version that installs with the packages available here.",
        ),
        Subject(
            name="langchain-openai",
            title="LangChain, OpenAI",
            language="python",
            packages=("langchain-openai==1.7.3", "langchain-core==1.7.2", "openai==3.52.0"),
            driver="langchain_openai_python.py",
            protocols=(
                "openai-completions",
                "openai-responses",
                "azure-openai-responses",
                "openai-text-completions",
            ),
            home="https://github.com/langchain-ai/langchain",
        ),
        Subject(
            name="langchain-anthropic",
            title="LangChain, Anthropic",
            language="python",
            packages=("langchain-anthropic==1.7.7", "langchain-core==1.7.2", "anthropic==0.125.0"),
            driver="langchain_anthropic_python.py",
            protocols=("anthropic-messages",),
            home="https://github.com/langchain-ai/langchain",
            notes="With the last SDK that speaks the API's version 2023-06-01.",
        ),
        Subject(
            name="langchain-google-genai",
            title="LangChain, Google",
            language="python",
            packages=("langchain-google-genai==4.4.2", "langchain-core==1.7.2", "google-genai==2.34.0"),
            driver="langchain_google_python.py",
            protocols=("google-generative-ai", "google-vertex"),
            home="https://github.com/langchain-ai/langchain-google",
        ),
        Subject(
            name="langchain-aws",
            title="LangChain, AWS",
            language="python",
            packages=("langchain-aws==1.9.1", "langchain-core==1.7.2", "boto3==1.44.5"),
            driver="langchain_aws_python.py",
            protocols=("bedrock-converse", "bedrock-invoke"),
            home="https://github.com/langchain-ai/langchain-aws",
        ),
        Subject(
            name="langchain-mistralai",
            title="LangChain, Mistral",
            language="python",
            packages=("langchain-mistralai==1.1.6", "langchain-core==1.7.2", "httpx==0.28.1"),
            driver="langchain_mistral_python.py",
            protocols=("mistral-chat",),
            home="https://github.com/langchain-ai/langchain",
        ),
        Subject(
            name="langchain-cohere",
            title="LangChain, Cohere",
            language="python",
            packages=("langchain-cohere==0.6.0", "langchain-core==1.7.2", "cohere==5.21.1"),
            driver="langchain_cohere_python.py",
            protocols=("cohere-chat",),
            home="https://github.com/langchain-ai/langchain-cohere",
        ),
        Subject(
            name="langchain-ollama",
            title="LangChain, Ollama",
            language="python",
            packages=("langchain-ollama==1.1.0", "langchain-core==1.7.2", "ollama==0.6.3"),
            driver="langchain_ollama_python.py",
            protocols=("ollama-chat", "ollama-generate"),
            home="https://github.com/langchain-ai/langchain",
        ),
        Subject(
            name="langchain-groq",
            title="LangChain, Groq",
            language="python",
            packages=("langchain-groq==1.1.3", "langchain-core==1.7.2", "groq==0.37.1"),
            driver="langchain_groq_python.py",
            home="https://github.com/langchain-ai/langchain",
        ),
        Subject(
            name="pi-ai",
            title="pi-ai",
            language="node",
            packages=("@earendil-works/pi-ai@0.87.1",),
            driver="pi_ai_node.mjs",
            protocols=(
                "openai-completions",
                "openai-responses",
                "azure-openai-responses",
                "openai-codex-responses",
                "anthropic-messages",
                "google-generative-ai",
                "google-vertex",
                "mistral-chat",
                "bedrock-converse",
            ),
            environ={"AWS_BEDROCK_FORCE_HTTP1": "1"},
            home="https://github.com/earendil-works/pi",
            notes="It streams only. The newest version that installs with the packages available here.",
        ),
        Subject(
            name="any-llm",
            title="any-llm",
            language="python",
            packages=("any-llm-sdk[all]==1.40.2",),
            driver="any_llm_python.py",
            protocols=(
                "openai-completions",
                "openai-responses",
                "anthropic-messages",
                "google-generative-ai",
                "mistral-chat",
                "ollama-chat",
            ),
            home="https://github.com/mozilla-ai/any-llm",
            notes="Its Cohere ignores the address it is given.",
        ),
        Subject(
            name="pydantic-ai",
            title="Pydantic AI",
            language="python",
            packages=(
                "pydantic-ai-slim[openai,google,bedrock,mistral,cohere,groq]==2.68.0",
                "openai==3.52.0",
                "google-genai==2.34.0",
                "boto3==1.44.5",
                "mistralai==3.7.0",
                "cohere==7.3.1",
                "groq==1.7.0",
            ),
            driver="pydantic_ai_python.py",
            protocols=(
                "openai-completions",
                "openai-responses",
                "azure-openai-responses",
                "google-generative-ai",
                "google-vertex",
                "bedrock-converse",
                "mistral-chat",
                "cohere-chat",
            ),
            home="https://github.com/pydantic/pydantic-ai",
        ),
        Subject(
            name="openai-agents",
            title="OpenAI Agents SDK",
            language="python",
            packages=("openai-agents==0.24.0", "openai==3.52.0"),
            driver="openai_agents_python.py",
            protocols=("openai-completions", "openai-responses"),
            home="https://github.com/openai/openai-agents-python",
        ),
        Subject(
            name="instructor",
            title="Instructor",
            language="python",
            packages=("instructor==1.17.0", "openai==3.3.0", "anthropic==0.125.0"),
            driver="instructor_python.py",
            protocols=("openai-completions", "anthropic-messages"),
            home="https://github.com/567-labs/instructor",
            notes="Structured output is asked for by a model class; other calls are handed to the SDK below.",
        ),
        Subject(
            name="llm",
            title="LLM",
            language="python",
            packages=("llm==0.36", "openai==3.52.0"),
            driver="llm_python.py",
            protocols=("openai-completions", "openai-text-completions"),
            home="https://github.com/simonw/llm",
        ),
    )
}
SUBJECTS: Mapping[str, Subject] = extensions.table("subjects", Subject, _OURS)
