// Gemini's words: a call as the parts of generateContent, and its answers as a turn.
import { Unsupported, finish, refuse } from "./driver.mjs";
import * as shapes from "./shapes.mjs";

const FINISH = {
  RECITATION: "content_filter", BLOCKLIST: "content_filter", PROHIBITED_CONTENT: "content_filter", SPII: "content_filter",
  IMAGE_SAFETY: "content_filter", MALFORMED_FUNCTION_CALL: "error",
};

/** What generateContent is asked. */
export const requestOf = ({ call, model }) => {
  refuse(call, "parallel_tool_calls", "user");
  return { model, contents: call.messages.map(content), config: settings(call) };
};

const choice = (value) =>
  value.name ? { mode: "ANY", allowedFunctionNames: [value.name] } : { mode: value === "required" ? "ANY" : value.toUpperCase() };

const settings = (call) => {
  const { effort = "medium", budget_tokens: budget = effort === "none" ? 0 : shapes.EFFORTS[effort] } = call.thinking ?? {};
  return shapes.defined({
    systemInstruction: call.system, maxOutputTokens: call.max_output_tokens, temperature: call.temperature,
    topP: call.top_p, seed: call.seed, stopSequences: call.stop?.length ? call.stop : undefined,
    tools: call.tools?.length
      ? [{
          functionDeclarations: call.tools.map(({ name, description, parameters }) =>
            shapes.defined({ name, description, parametersJsonSchema: parameters })),
        }]
      : undefined,
    toolConfig: call.tool_choice ? { functionCallingConfig: choice(call.tool_choice) } : undefined,
    thinkingConfig: call.thinking ? { thinkingBudget: budget, includeThoughts: budget !== 0 } : undefined,
    responseMimeType: call.structured ? "application/json" : undefined, responseJsonSchema: call.structured?.schema,
  });
};

const file = (mediaType) => ({ url, data, media_type: mimeType = mediaType }) =>
  url ? { fileData: { fileUri: url, mimeType } } : { inlineData: { data, mimeType } };
const PART = {
  text: ({ text }) => ({ text }),
  reasoning: ({ text }) => ({ text, thought: true }),
  tool_call: ({ name, arguments: args }) => ({ functionCall: { name, args: args ?? {} } }),
  tool_result: (part) => ({
    functionResponse: { name: part.name, response: { [part.is_error ? "error" : "output"]: shapes.result(part) } },
  }),
  image: file("image/png"),
  document: file("application/pdf"),
};
const BASE64 = /^(?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?$/; // another vendor's proof has no such form

const content = ({ role, parts }) => ({
  role: role === "assistant" ? "model" : "user",
  parts: parts.map((part) => {
    if (!PART[part.type]) throw new Unsupported(`it has no place for a ${part.type}`);
    const proof = part.signature && BASE64.test(part.signature) ? { thoughtSignature: part.signature } : {};
    return { ...PART[part.type](part), ...proof };
  }),
});

const partsOf = (reply) => reply.candidates?.[0]?.content?.parts ?? [];
const rawOf = (reply) =>
  reply.candidates?.length ? reply.candidates[0].finishReason : reply.promptFeedback?.blockReason ? "SAFETY" : undefined;

const counts = (usage) =>
  usage?.promptTokenCount === undefined
    ? null
    : {
        input_tokens: usage.promptTokenCount,
        output_tokens: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
        cached_tokens: usage.cachedContentTokenCount ?? null, reasoning_tokens: usage.thoughtsTokenCount ?? null,
      };

/** What an answer in one piece or several adds up to. */
export const turn = (replies) => {
  const said = { text: null, reasoning: null };
  const calls = [];
  let raw = null, usage, model = null, id = null;
  for (const reply of replies) {
    model ??= reply.modelVersion ?? null;
    id ??= reply.responseId ?? null;
    usage = reply.usageMetadata ?? usage;
    raw = rawOf(reply) ?? raw;
    for (const { text, thought, functionCall: call } of partsOf(reply)) {
      const name = thought ? "reasoning" : "text";
      if (typeof text === "string") said[name] = (said[name] ?? "") + text;
      if (call) calls.push({ name: call.name, id: call.id ?? null, arguments: call.args ?? {} });
    }
  }
  return {
    ...said, tool_calls: calls, finish: FINISH[raw] ?? finish(raw), finish_raw: raw, usage: counts(usage), model, id,
  };
};

/** The events of a stream of answers, and what they add up to. */
export async function* events(stream) {
  const replies = [];
  let index = 0;
  for await (const reply of stream) {
    replies.push(reply);
    for (const { text, thought, functionCall: call } of partsOf(reply)) {
      if (text) yield { type: thought ? "reasoning" : "text", text };
      if (call) {
        yield { type: "tool_call_start", index, name: call.name, id: call.id ?? null };
        yield { type: "tool_call_delta", index, text: JSON.stringify(call.args ?? {}) };
        index += 1;
      }
    }
  }
  yield { turn: turn(replies) };
}
