// The AI SDK with its package for whoever speaks as OpenAI does: chat completions.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { drive } from "./ai_sdk.mjs";

const NAME = "peer";

/** The body with the output limit under the name that this peer gives it. */
const limited = (field) => ({ max_tokens: limit, ...body }) => (limit === undefined ? body : { ...body, [field]: limit });

drive({
  package: "@ai-sdk/openai-compatible",
  models: {
    "openai-completions": (run) =>
      createOpenAICompatible({
        name: NAME, baseURL: run.base_url, apiKey: run.key, includeUsage: run.hints.stream_usage ?? false,
        supportsStructuredOutputs: true, transformRequestBody: limited(run.hints.max_tokens_field ?? "max_tokens"),
      })(run.model),
  },
  // what it does not know it sends as it is
  options: ({ user, parallel_tool_calls: parallel, extra_body: extra, structured }) => ({
    [NAME]: {
      ...(user === undefined ? {} : { user }), ...(parallel === undefined ? {} : { parallel_tool_calls: parallel }),
      ...(structured?.strict === undefined ? {} : { strictJsonSchema: structured.strict }), ...extra,
    },
  }),
});
