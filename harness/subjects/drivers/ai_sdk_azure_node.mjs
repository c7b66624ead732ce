// The AI SDK with its package for Azure: responses, and chat completions.
import { createAzure } from "@ai-sdk/azure";
import { drive } from "./ai_sdk.mjs";
import { refuse } from "./driver.mjs";
import { defined } from "./shapes.mjs";

const provider = (run) => createAzure({ baseURL: run.base_url, apiKey: run.key });

drive({
  package: "@ai-sdk/azure",
  models: {
    "openai-completions": (run) => provider(run).chat(run.model),
    "azure-openai-responses": (run) => provider(run).responses(run.model),
  },
  options: (call) => {
    refuse(call, "extra_body");
    return {
      azure: defined({
        parallelToolCalls: call.parallel_tool_calls, user: call.user, strictJsonSchema: call.structured?.strict,
      }),
    };
  },
  kept: (part) =>
    part.type === "reasoning" && part.id
      ? { azure: { itemId: part.id, reasoningEncryptedContent: part.signature ?? null } }
      : undefined,
});
