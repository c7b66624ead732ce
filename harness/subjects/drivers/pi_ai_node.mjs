// pi-ai: nine protocols behind one function, which always streams.
import { getModel, isContextOverflow, isRetryableAssistantError, streamSimple } from "@earendil-works/pi-ai/compat";
import { answer } from "./pi.mjs";

const API = {
  "openai-completions": "openai-completions", "openai-responses": "openai-responses",
  "azure-openai-responses": "azure-openai-responses", "openai-codex-responses": "openai-codex-responses",
  "anthropic-messages": "anthropic-messages", "google-generative-ai": "google-generative-ai",
  "google-vertex": "google-vertex", "mistral-chat": "mistral-conversations", "bedrock-converse": "bedrock-converse-stream",
};
/** The version that pi puts before its paths by itself. */
const ADDRESS = { "anthropic-messages": /\/v1$/, "mistral-chat": /\/v1$/ };

answer({
  package: "@earendil-works/pi-ai", api: API, address: ADDRESS, getModel, streamSimple, isContextOverflow,
  isRetryable: isRetryableAssistantError, counts: { reasoning: true },
  features: ["no_retries", "normalises", "ordered", "repairs", "retryable", "usage_total"],
});
