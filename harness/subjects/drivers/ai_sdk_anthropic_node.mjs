// The AI SDK with its package for Anthropic: messages.
import { createAnthropic } from "@ai-sdk/anthropic";
import { drive } from "./ai_sdk.mjs";
import { refuse } from "./driver.mjs";

drive({
  package: "@ai-sdk/anthropic",
  models: {
    "anthropic-messages": (run) => createAnthropic({ baseURL: run.base_url, apiKey: run.key })(run.model),
  },
  options: (call) => {
    refuse(call, "user", "extra_body");
    const { parallel_tool_calls: parallel } = call;
    return { anthropic: parallel === undefined ? {} : { disableParallelToolUse: !parallel } };
  },
  kept: (part) =>
    part.type === "reasoning" && part.signature
      ? { anthropic: part.redacted ? { redactedData: part.signature } : { signature: part.signature } }
      : undefined,
});
