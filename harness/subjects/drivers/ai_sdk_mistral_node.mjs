// The AI SDK with its package for Mistral: chat.
import { createMistral } from "@ai-sdk/mistral";
import { drive } from "./ai_sdk.mjs";
import { refuse } from "./driver.mjs";
import { defined } from "./shapes.mjs";

drive({
  package: "@ai-sdk/mistral",
  models: { "mistral-chat": (run) => createMistral({ baseURL: run.base_url, apiKey: run.key })(run.model) },
  options: (call) => {
    refuse(call, "user", "extra_body");
    return { mistral: defined({ parallelToolCalls: call.parallel_tool_calls }) };
  },
});
