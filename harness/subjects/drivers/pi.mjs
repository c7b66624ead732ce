// pi-ai in whichever package: a call in its words, which it streams always, and what it tells of the answer.
import { Unsupported, refuse, serve, told } from "./driver.mjs";
import { defined } from "./shapes.mjs";

const FREE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

/** The model as pi knows it, or as its user would describe one that it does not know. */
const modelOf = (run, { api: names, address = {}, getModel }) => {
  const api = names[run.protocol];
  const known = getModel(run.provider, run.model);
  const { max_tokens_field: maxTokensField, stream_usage: asked } = run.hints;
  return {
    id: run.model, name: run.model, reasoning: true, input: ["text", "image"], cost: FREE, contextWindow: 200000, maxTokens: 64000,
    ...(api === "openai-completions" ? { compat: defined({ maxTokensField, supportsUsageInStreaming: asked, supportsStrictMode: true }) } : {}),
    ...(known?.api === api ? known : {}),
    api, provider: run.provider, baseUrl: run.base_url.replace(address[run.protocol] ?? "", ""),
  };
};

const SAMPLING = { top_p: "top_p", seed: "seed", stop: "stop", parallel_tool_calls: "parallel_tool_calls", user: "user" };
const LIKE_OPENAI = new Set(["openai-completions", "openai-responses", "azure-openai-responses"]);

const options = (run) => {
  const { call } = run;
  refuse(call, "structured");
  if (call.tool_choice && !["auto", "none"].includes(call.tool_choice)) throw new Unsupported("its tool choice is auto or none");
  const { effort = "medium" } = call.thinking ?? {};
  const given = Object.entries(SAMPLING).filter(([name]) => call[name] !== undefined && call[name].length !== 0);
  const more = { ...Object.fromEntries(given.map(([name, as]) => [as, call[name]])), ...call.extra_body };
  if (!LIKE_OPENAI.has(run.protocol)) refuse(call, ...Object.keys(SAMPLING), "extra_body");
  const vertex = run.base_url.match(/\/projects\/([^/]+)\/locations\/([^/]+)$/);
  return defined({
    apiKey: run.key, maxRetries: 0, timeoutMs: run.timeout_s * 1000,
    transport: "sse", cacheRetention: "none", maxTokens: call.max_output_tokens, temperature: call.temperature,
    toolChoice: call.tool_choice, reasoning: call.thinking && effort !== "none" ? effort : undefined,
    samplingParams: Object.keys(more).length ? more : undefined,
    headers: call.extra_headers?.length ? Object.fromEntries(call.extra_headers) : undefined,
    project: vertex?.[1], location: vertex?.[2],
  });
};

const picture = (part) => {
  if (part.type === "text") return { type: "text", text: part.text };
  if (part.type !== "image" || part.url) throw new Unsupported("it has a place for words and for pictures' data");
  return { type: "image", data: part.data, mimeType: part.media_type ?? "image/png" };
};

const proof = ({ id, text, signature }) =>
  id && signature
    ? JSON.stringify({
        type: "reasoning", id, summary: text ? [{ type: "summary_text", text }] : [], encrypted_content: signature,
      })
    : signature;

const SAID = {
  text: ({ text, signature }) => defined({ type: "text", text, textSignature: signature }),
  reasoning: (part) => defined({
    type: "thinking", thinking: part.text, thinkingSignature: proof(part), redacted: part.redacted || undefined,
  }),
  tool_call: ({ id = "call_0", name, arguments: given, signature }) =>
    defined({ type: "toolCall", id, name, arguments: given ?? {}, thoughtSignature: signature }),
};
const NO_USAGE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, totalTokens: 0, cost: { ...FREE, total: 0 } };

const messagesOf = (message, model, names) => {
  const { role, parts } = message;
  if (role === "user") return [{ role, content: parts.map(picture), timestamp: 0 }];
  if (role === "tool") {
    return parts.map((part) => ({
      role: "toolResult", toolCallId: part.call_id ?? "call_0", toolName: part.name, content: part.content.map(picture),
      isError: part.is_error ?? false, timestamp: 0,
    }));
  }
  const content = parts.map((part) => {
    if (!SAID[part.type]) throw new Unsupported(`it has no place for a ${part.type}`);
    return SAID[part.type](part);
  });
  return [{
    role, content, api: names[message.protocol] ?? model.api, provider: message.provider || model.provider,
    model: message.model || model.id, usage: NO_USAGE, timestamp: 0,
    stopReason: message.aborted ? "aborted" : parts.some((part) => part.type === "tool_call") ? "toolUse" : "stop",
  }];
};

const NO_ARGUMENTS = { type: "object", properties: {} };
const toolOf = ({ name, description = "", parameters, strict }) => defined({
  name, description, parameters: parameters ?? NO_ARGUMENTS,
  constrainedSampling: strict ? { type: "json_schema", strict: "require" } : undefined,
});

const FINISH = { stop: "stop", length: "length", toolUse: "tool_calls", error: "error", aborted: "error" };
const joined = (content, type, member) => {
  const said = content.filter((block) => block.type === type).map((block) => block[member]);
  return said.length ? said.join("") : null;
};

/** Of responses its ids are the call's and the item's, with a bar between; where none was sent it makes one up. */
const idOf = ({ id, name }) => (id.startsWith(`${name}_`) && /_\d{13}_\d+$/.test(id) ? null : id.split("|")[0]);

const turn = ({ content, stopReason, rawStopReason, usage, responseModel, responseId, model }, { counts }) => ({
  text: joined(content, "text", "text"), reasoning: joined(content, "thinking", "thinking"),
  tool_calls: content.filter((block) => block.type === "toolCall")
    .map((call) => ({ name: call.name, id: idOf(call), arguments: call.arguments })),
  finish: FINISH[stopReason] ?? "other", finish_raw: rawStopReason ?? null,
  usage: {
    input_tokens: usage.input + usage.cacheRead + usage.cacheWrite, output_tokens: usage.output,
    cached_tokens: usage.cacheRead, ...(counts?.reasoning ? { reasoning_tokens: usage.reasoning ?? null } : {}),
  },
  model: responseModel ?? model, id: responseId ?? null,
});

/** The message that ended in an error: pi's functions do not throw, they tell. */
class Ended extends Error {
  constructor(message) {
    super(message.errorMessage ?? "");
    this.told = message;
  }
}

const TIMED_OUT = /timed out|due to timeout/i;

const EVENT = {
  text_delta: ({ delta }) => ({ type: "text", text: delta }),
  thinking_delta: ({ delta }) => ({ type: "reasoning", text: delta }),
  toolcall_start: ({ contentIndex: index, partial }) => {
    const call = partial.content[index];
    return { type: "tool_call_start", index, name: call.name, id: idOf(call) };
  },
  toolcall_delta: ({ contentIndex: index, delta }) => ({ type: "tool_call_delta", index, text: delta }),
};

/** The events of a call. ``pi`` is the package's functions, its names of the protocols, and what it wants beside. */
async function* ask(run, pi) {
  if (!run.stream) throw new Unsupported("it streams only");
  const model = modelOf(run, pi);
  const context = defined({
    systemPrompt: run.call.system, messages: run.call.messages.flatMap((message) => messagesOf(message, model, pi.api)),
    tools: run.call.tools?.length ? run.call.tools.map(toolOf) : undefined,
  });
  for await (const event of pi.streamSimple(model, context, { ...options(run), ...pi.options?.(run) })) {
    const told = EVENT[event.type]?.(event);
    if (told) yield told;
    if (event.type === "done") yield { turn: turn(event.message, pi) };
    if (event.type === "error" && /strict tools are unsupported/.test(event.error.errorMessage)) {
      throw new Unsupported(event.error.errorMessage);
    }
    if (event.type === "error") throw new Ended(event.error);
  }
}

const error = (fault, { isContextOverflow, isRetryable }) => {
  if (!(fault instanceof Ended)) return undefined;
  const retryable = isRetryable?.(fault.told);
  const kind = isContextOverflow(fault.told) ? "context_overflow" : TIMED_OUT.test(fault.message) ? "timeout" : undefined;
  return told(fault, { typed: true, kind, retryable });
};

/** Answer commands by a package of pi's. */
export const answer = (pi) =>
  serve({
    package: pi.package, features: pi.features,
    protocols: Object.fromEntries(Object.keys(pi.api).map((name) => [name, (run) => ask(run, pi)])),
    error: (fault) => error(fault, pi),
  });
