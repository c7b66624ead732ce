// The AI SDK with its package for Groq: chat completions.
import { createGroq } from "@ai-sdk/groq";
import { drive } from "./ai_sdk.mjs";
import { refuse } from "./driver.mjs";
import { defined } from "./shapes.mjs";

drive({
  package: "@ai-sdk/groq",
  models: { "openai-completions": (run) => createGroq({ baseURL: run.base_url, apiKey: run.key })(run.model) },
  options: (call) => {
    refuse(call, "extra_body");
    return { groq: defined({ parallelToolCalls: call.parallel_tool_calls, user: call.user }) };
  },
});
