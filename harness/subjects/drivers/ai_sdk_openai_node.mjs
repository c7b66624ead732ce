// The AI SDK with its package for OpenAI: chat completions and responses.
import { createOpenAI } from "@ai-sdk/openai";
import { drive } from "./ai_sdk.mjs";
import { refuse } from "./driver.mjs";
import { defined } from "./shapes.mjs";

const provider = (run) => createOpenAI({ baseURL: run.base_url, apiKey: run.key });

drive({
  package: "@ai-sdk/openai",
  models: {
    "openai-completions": (run) => provider(run).chat(run.model),
    "openai-responses": (run) => provider(run).responses(run.model),
  },
  options: (call) => {
    refuse(call, "extra_body");
    return {
      openai: defined({
        parallelToolCalls: call.parallel_tool_calls, user: call.user, strictJsonSchema: call.structured?.strict,
      }),
    };
  },
  kept: (part) =>
    part.type === "reasoning" && part.id
      ? { openai: { itemId: part.id, reasoningEncryptedContent: part.signature ?? null } }
      : undefined,
});
