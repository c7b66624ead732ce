"""ZeroClaw's provider families beyond the catalog: local slots, native wires, further vendor slots.

Facts about single vendors that the catalog describes are there; these are the slots' own addresses,
from ZeroClaw's factory (crates/zeroclaw-providers/src/factory.rs, August 2026).
"""

CUSTOM = "custom"
COMPATIBLE = ("openai-compatible", "openai_compatible", "compatible")  # C34
LOCAL = {  # C4
    "lmstudio": "http://localhost:1234/v1",
    "llamacpp": "http://localhost:8080/v1",
    "sglang": "http://localhost:30000/v1",
    "vllm": "http://localhost:8000/v1",
    "osaurus": "http://localhost:1337/v1",
    "litellm": "http://localhost:4000/v1",
    "ollama": "http://localhost:11434/v1",
}
NATIVE = {  # families that do not speak chat completions
    "anthropic": "anthropic-messages",
    "gemini": "google-generative-ai",
    "bedrock": "bedrock-converse-stream",
}
MORE_FAMILIES = {  # slots beyond the page, all of them compatible with chat completions
    "glm": "https://open.bigmodel.cn/api/paas/v4",
    "yi": "https://api.lingyiwanwu.com/v1",
    "hunyuan": "https://api.hunyuan.cloud.tencent.com/v1",
    "qianfan": "https://qianfan.baidubce.com/v2",
    "baichuan": "https://api.baichuan-ai.com/v1",
    "telnyx": "https://api.telnyx.com/v2",
    "atomic_chat": "http://127.0.0.1:1337/v1",
    "cohere": "https://api.cohere.ai/compatibility/v1",
    "perplexity": "https://api.perplexity.ai",
    "sambanova": "https://api.sambanova.ai/v1",
    "hyperbolic": "https://api.hyperbolic.xyz/v1",
    "deepinfra": "https://api.deepinfra.com/v1/openai",
    "ai21": "https://api.ai21.com/studio/v1",
    "reka": "https://api.reka.ai/v1",
    "baseten": "https://inference.baseten.co/v1",
    "nscale": "https://inference.api.nscale.com/v1",
    "anyscale": "https://api.endpoints.anyscale.com/v1",
    "nebius": "https://api.tokenfactory.nebius.com/v1",
    "friendli": "https://api.friendli.ai/serverless/v1",
    "stepfun": "https://api.stepfun.com/v1",
    "aihubmix": "https://aihubmix.com/v1",
    "siliconflow": "https://api.siliconflow.com/v1",
    "astrai": "https://as-trai.com/v1",
    "avian": "https://api.avian.io/v1",
    "deepmyst": "https://api.deepmyst.com/v1",
    "venice": "https://api.venice.ai",
    "nearai": "https://cloud-api.near.ai/v1",
    "novita": "https://api.novita.ai/openai",
    "nvidia": "https://integrate.api.nvidia.com/v1",
    "atlascloud": "https://api.atlascloud.ai/v1",
    "ovh": "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1",
    "lepton": "https://llama3-1-405b.lepton.run/api/v1",
    "manifest": "https://app.manifest.build/v1",
    "morph": "https://api.morphllm.com/v1",
    "github_models": "https://models.github.ai/inference",
    "upstage": "https://api.upstage.ai/v1",
    "featherless": "https://api.featherless.ai/v1",
    "arcee": "https://api.arcee.ai/api/v1",
    "lambda_ai": "https://api.lambda.ai/v1",
    "inception": "https://api.inceptionlabs.ai/v1",
    "kilo": "https://api.kilo.ai/api/gateway",
}
