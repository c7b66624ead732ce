// Cohere's own SDK for JavaScript: chat, versions 2 and 1.
import { CohereClient, CohereClientV2, CohereError, CohereTimeoutError } from "cohere-ai";
import { Unsupported, finish, refuse, serve, told, words } from "./driver.mjs";
import * as shapes from "./shapes.mjs";

const FINISH = {
  STOP_SEQUENCE: "stop", ERROR: "error", TIMEOUT: "error", ERROR_TOXIC: "content_filter", ERROR_LIMIT: "length",
};

/** A chat by a version of the client: its request, and its readers of a stream and of a whole answer. */
const asking = (Client, request, events, turn) => async (run) => {
  refuse(run.call, "parallel_tool_calls", "user", "extra_body");
  const client = new Client({ token: run.key, baseUrl: run.base_url, environment: run.base_url });
  const options = { maxRetries: 0, timeoutInSeconds: run.timeout_s, headers: shapes.headersOf(run.call) };
  return run.stream
    ? events(await client.chatStream(request(run.call), options))
    : turn(await client.chat(request(run.call), options));
};

const CHOICE = { none: "NONE", required: "REQUIRED" };

/** What both versions are told in the same words. */
const settings = (call) => ({
  model: call.model, maxTokens: call.max_output_tokens, temperature: call.temperature, p: call.top_p, seed: call.seed,
  stopSequences: call.stop?.length ? call.stop : undefined,
});

const request = (call) => {
  const { effort, budget_tokens: tokenBudget } = call.thinking ?? {};
  const named = call.tool_choice?.name;
  const tools = (call.tools ?? []).filter(({ name }) => !named || name === named);
  return shapes.defined({
    ...settings(call), messages: shapes.chatMessages(call).map(camel(call)),
    tools: tools.length ? tools.map(tool) : undefined, toolChoice: named ? "REQUIRED" : CHOICE[call.tool_choice],
    strictTools: tools.some(({ strict }) => strict) || undefined,
    thinking: call.thinking && shapes.defined({ type: effort === "none" ? "disabled" : "enabled", tokenBudget }),
    responseFormat: call.structured && shapes.defined({ type: "json_object", jsonSchema: call.structured.schema }),
  });
};

const tool = ({ name, description, parameters }) => ({
  type: "function", function: shapes.defined({ name, description, parameters: parameters ?? { type: "object", properties: {} } }),
});

/** A message of a chat completion with the SDK's names, and with what the model thought. */
const camel = (call) => {
  const answers = call.messages.filter(({ role }) => role === "assistant").values();
  return ({ role, content, tool_calls: toolCalls, tool_call_id: toolCallId }) => {
    if (role === "user" && Array.isArray(content)) {
      content = content.map(({ image_url: imageUrl, ...part }) => (imageUrl ? { ...part, imageUrl } : part));
    }
    if (role !== "assistant") return shapes.defined({ role, content, toolCallId });
    const { parts } = answers.next().value;
    const thinking = words({ parts: parts.filter(({ type }) => type === "reasoning").map(({ text }) => ({ type: "text", text })) });
    const said = content ? [{ type: "text", text: content }] : [];
    const whole = thinking ? [{ type: "thinking", thinking }, ...said] : content ?? undefined;
    return shapes.defined({ role, content: whole, toolCalls });
  };
};

const counts = (usage) => {
  const counted = usage?.tokens ?? usage?.billedUnits;
  return counted?.inputTokens === undefined
    ? null
    : { input_tokens: counted.inputTokens, output_tokens: counted.outputTokens ?? 0, cached_tokens: usage.cachedTokens ?? null };
};
const ended = (raw = null) => ({ finish: FINISH[raw] ?? finish(raw), finish_raw: raw });
const join = (parts, type) => {
  const said = parts.filter((part) => part.type === type).map((part) => part[type]);
  return said.length ? said.join("") : null;
};

const turn = ({ id, message, finishReason, usage }) => ({
  text: join(message.content ?? [], "text"), reasoning: join(message.content ?? [], "thinking"),
  tool_calls: (message.toolCalls ?? []).map((call) => ({
    name: call.function.name, id: call.id, arguments_raw: call.function.arguments,
  })),
  ...ended(finishReason), usage: counts(usage), id,
});

async function* events(stream) {
  const said = { text: null, reasoning: null };
  const calls = new Map();
  let end = { ...ended(), usage: null }, id = null;
  for await (const { type, index, delta, ...event } of stream) {
    let more = "";
    if (type === "message-start") id = event.id ?? null;
    if (type === "content-start" || type === "content-delta") {
      const { text, thinking } = delta?.message?.content ?? {};
      for (const [name, value] of [["reasoning", thinking], ["text", text]]) {
        if (typeof value !== "string") continue;
        said[name] = (said[name] ?? "") + value;
        yield { type: name, text: value };
      }
    } else if (type === "tool-call-start") {
      const { id: callId, function: made } = delta.message.toolCalls;
      calls.set(index, { name: made.name, id: callId, arguments_raw: "" });
      yield { type: "tool_call_start", index, name: made.name, id: callId };
      more = made.arguments ?? "";
    } else if (type === "tool-call-delta") {
      more = delta.message.toolCalls.function.arguments;
    } else if (type === "message-end") {
      end = { ...ended(delta.finishReason), usage: counts(delta.usage) };
    }
    if (more) {
      calls.get(index).arguments_raw += more;
      yield { type: "tool_call_delta", index, text: more };
    }
  }
  yield { turn: { ...said, tool_calls: [...calls.values()], ...end, id } };
}

const ROLE = { user: "USER", assistant: "CHATBOT" };

const requestV1 = (call) => {
  refuse(call, "thinking", "tools");
  const parts = call.messages.flatMap((message) => message.parts);
  const history = call.messages.map((message) => ({ role: ROLE[message.role], message: words(message) }));
  const last = history.pop();
  if (last.role !== "USER" || parts.some(({ type }) => type !== "text" && type !== "reasoning")) {
    throw new Unsupported("its version 1 is asked with words alone");
  }
  return shapes.defined({
    ...settings(call), message: last.message, chatHistory: history.length ? history : undefined, preamble: call.system,
    responseFormat: call.structured && shapes.defined({ type: "json_object", schema: call.structured.schema }),
  });
};

const turnV1 = ({ text, finishReason, meta, generationId: id }) => ({
  text, ...ended(finishReason), usage: counts(meta), id,
});

async function* eventsV1(stream) {
  let whole;
  for await (const event of stream) {
    if (event.eventType === "text-generation") yield { type: "text", text: event.text };
    if (event.eventType === "stream-end") whole = event.response;
  }
  if (whole) yield { turn: turnV1(whole) };
}

const error = (fault) => {
  if (fault instanceof CohereTimeoutError) return told(fault, { typed: true, kind: "timeout" });
  if (fault instanceof CohereError && fault.statusCode === undefined) return told(fault, { typed: true });
  if (fault instanceof CohereError) return told(fault, { typed: true, status: fault.statusCode });
  return undefined;
};

serve({
  package: "cohere-ai",
  protocols: {
    "cohere-chat": asking(CohereClientV2, request, events, turn),
    "cohere-chat-v1": asking(CohereClient, requestV1, eventsV1, turnV1),
  },
  errors: [CohereError], error, features: ["no_retries"],
});
