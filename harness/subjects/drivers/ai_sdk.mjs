// What the drivers of the AI SDK have in common: generateText and streamText of the package ai, over the model
// of a provider's package. Such a driver gives drive its models, and what its users would set in providerOptions.
import {
  AISDKError, APICallError, JSONParseError, MissingToolResultsError, Output, TypeValidationError,
  UnsupportedFunctionalityError, generateText, jsonSchema, streamText,
} from "ai";
import { Unsupported, finish, refuse, serve, told } from "./driver.mjs";
import * as shapes from "./shapes.mjs";

/**
 * models: by protocol, a model of run.
 * options(call): providerOptions of a call, for what has no place of its own; refuses what has none there either.
 * kept(part): providerOptions of a part that came from the same provider, which an application keeps with it.
 */
export const drive = ({ package: pkg, models, options, kept = () => undefined, features = [] }) => {
  const ask = (model) => (run) => {
    const given = settings(run, model(run), options, kept);
    return run.stream ? events(streamText({ ...given, streamRetries: 0, onError: () => {} })) : whole(given);
  };
  serve({
    package: pkg, protocols: Object.fromEntries(Object.entries(models).map(([name, model]) => [name, ask(model)])),
    errors: [AISDKError], error, features: ["no_retries", "normalises", "ordered", "retryable", "usage_total", ...features],
  });
};

/** providerOptions that have no place for what the SDK itself has none for. */
export const nothing = (call) => refuse(call, "parallel_tool_calls", "user", "extra_body");

const settings = (run, model, options, kept) => {
  const { call } = run;
  const ms = run.timeout_s * 1000;
  return shapes.defined({
    model, instructions: call.system, messages: call.messages.map((message) => messageOf(message, kept)),
    tools: call.tools?.length ? Object.fromEntries(call.tools.map(tool)) : undefined,
    toolChoice: call.tool_choice?.name ? { type: "tool", toolName: call.tool_choice.name } : call.tool_choice,
    maxOutputTokens: call.max_output_tokens, temperature: call.temperature, topP: call.top_p, seed: call.seed,
    stopSequences: call.stop?.length ? call.stop : undefined,
    reasoning: call.thinking ? call.thinking.effort ?? "medium" : undefined,
    output: call.structured ? outputOf(call.structured) : undefined,
    headers: call.extra_headers?.length ? shapes.headersOf(call) : undefined,
    providerOptions: options(call, run), maxRetries: 0, timeout: run.stream ? { firstChunkMs: ms, chunkMs: ms } : ms,
  });
};

const NO_ARGUMENTS = { type: "object", properties: {} };
const tool = ({ name, description, parameters, strict }) => [
  name, shapes.defined({ description: description || undefined, inputSchema: jsonSchema(parameters ?? NO_ARGUMENTS), strict }),
];

const outputOf = ({ name, schema }) => (schema ? Output.object({ name, schema: jsonSchema(schema) }) : Output.json());

const fileOf = (part, mediaType) => ({
  type: "file", mediaType: part.media_type ?? mediaType,
  data: part.url ? { type: "url", url: new URL(part.url) } : { type: "data", data: part.data },
});

const PART = {
  text: (part) => ({ type: "text", text: part.text }),
  image: (part) => fileOf(part, "image/png"),
  document: (part) => fileOf(part, "application/pdf"),
  reasoning: (part) => ({ type: "reasoning", text: part.text }),
  tool_call: (part) => ({
    type: "tool-call", toolCallId: part.id ?? "call_0", toolName: part.name, input: part.arguments ?? {},
  }),
  tool_result: (part) => ({
    type: "tool-result", toolCallId: part.call_id ?? "call_0", toolName: part.name,
    output: part.content.every((each) => each.type === "text")
      ? { type: part.is_error ? "error-text" : "text", value: shapes.result(part) }
      : { type: "content", value: part.content.map(partOf) },
  }),
};

const partOf = (part) => {
  if (!PART[part.type]) throw new Unsupported(`it has no place for a ${part.type}`);
  return PART[part.type](part);
};

const messageOf = ({ role, parts }, kept) => ({
  role, content: parts.map((part) => shapes.defined({ ...partOf(part), providerOptions: kept(part) })),
});

const FINISH = { "content-filter": "content_filter", "tool-calls": "tool_calls" };
const finished = (reason) => FINISH[reason] ?? finish(reason);

const counts = (usage) => ({
  input_tokens: usage?.inputTokens ?? null, output_tokens: usage?.outputTokens ?? null,
  cached_tokens: usage?.inputTokenDetails?.cacheReadTokens ?? null,
  reasoning_tokens: usage?.outputTokenDetails?.reasoningTokens ?? null,
});

/** Makes up ids where a vendor sends none: a provider's package has a place for it. */
export const numbered = () => {
  let number = 0;
  return () => `made-up-${number++}`;
};

const callOf = ({ toolName, toolCallId, input }) => ({
  name: toolName, id: toolCallId, ...(typeof input === "string" ? { arguments_raw: input } : { arguments: input }),
});

const turnOf = ({ text, reasoningText, toolCalls, finishReason, rawFinishReason, usage, response }) => ({
  text, reasoning: reasoningText ?? null,
  tool_calls: toolCalls.filter((call) => !call.providerExecuted).map(callOf),
  finish: finished(finishReason),
  finish_raw: rawFinishReason ?? null, usage: counts(usage), model: response.modelId, id: response.id,
});

/** The SDK leaves out what a model does not take, with a warning: then the call is not the one that was asked. */
const heeded = (warnings) => {
  const left = (warnings ?? []).filter((each) => each.type === "unsupported").map((each) => each.details ?? each.feature);
  if (left.length) throw new Unsupported(`it warns that it leaves out: ${left.join("; ")}`);
};

/** The calls that the SDK itself refuses to send are none that it has words for. */
const refused = (fault) =>
  MissingToolResultsError.isInstance(fault) || UnsupportedFunctionalityError.isInstance(fault)
    ? new Unsupported(fault.message)
    : fault;

const whole = async (given) => {
  const result = await generateText(given).catch((fault) => Promise.reject(refused(fault)));
  heeded(result.warnings);
  return turnOf(result);
};

const EVENT = {
  "text-delta": (part) => ({ type: "text", text: part.text }),
  "reasoning-delta": (part) => ({ type: "reasoning", text: part.text }),
  "tool-input-start": (part, indexOf) => ({
    type: "tool_call_start", index: indexOf(part.id), name: part.toolName, id: part.id,
  }),
  "tool-input-delta": (part, indexOf) => ({ type: "tool_call_delta", index: indexOf(part.id), text: part.delta }),
};

async function* events(result) {
  const ids = [];
  const vendors = new Set(); // what the vendor's own tools are asked
  const indexOf = (id) => (ids.includes(id) ? ids.indexOf(id) : ids.push(id) - 1);
  for await (const part of result.fullStream) {
    if (part.type === "error") throw refused(part.error);
    if (part.type === "start-step") heeded(part.warnings);
    if (part.type === "abort") throw new Aborted(part.reason);
    if (part.providerExecuted) vendors.add(part.id);
    if (vendors.has(part.id)) continue;
    const event = EVENT[part.type]?.(part, indexOf);
    if (event) yield event;
  }
  const names = ["text", "reasoningText", "toolCalls", "finishReason", "rawFinishReason", "usage", "response"];
  const values = await Promise.all(names.map((name) => result[name]));
  yield { turn: turnOf(Object.fromEntries(names.map((name, at) => [name, values[at]]))) };
}

/** The part that tells that the call was ended by its own limit. */
class Aborted extends Error {}

const error = (fault) => {
  if (fault instanceof Aborted || fault?.name === "TimeoutError") return told(fault, { typed: true, kind: "timeout" });
  if (UNREADABLE.some((each) => each.isInstance(fault))) return told(fault, { typed: true, kind: "protocol" });
  if (!APICallError.isInstance(fault)) return AISDKError.isInstance(fault) ? told(fault, { typed: true }) : undefined;
  const { statusCode: status, data, isRetryable: retryable, responseBody = "" } = fault;
  if (status === undefined) return told(fault, { typed: true, kind: "connection", retryable });
  if (status < 400) return told(fault, { typed: true, retryable });
  const message = [fault.message, responseBody].filter((words) => words).join("\n").slice(0, 20000);
  return told(fault, { typed: true, status, code: data?.error?.code ?? data?.error?.type, retryable, message });
};

const UNREADABLE = [JSONParseError, TypeValidationError];
