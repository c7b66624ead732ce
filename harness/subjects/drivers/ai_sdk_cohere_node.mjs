// The AI SDK with its package for Cohere: chat, version 2.
import { createCohere } from "@ai-sdk/cohere";
import { drive, nothing } from "./ai_sdk.mjs";

drive({
  package: "@ai-sdk/cohere",
  models: { "cohere-chat": (run) => createCohere({ baseURL: `${run.base_url}/v2`, apiKey: run.key })(run.model) },
  options: nothing,
});
