// Interactions of Google's SDK: how a call is told, and how their steps and events are read. As interactions.py.
import { finish, refuse, words } from "./driver.mjs";
import { defined } from "./shapes.mjs";

const STATUS = {
  requires_action: "tool_calls", incomplete: "length", budget_exceeded: "length", failed: "error", cancelled: "other",
};

const file = (mediaType) => ({ type, url, data, media_type: form = mediaType }) =>
  ({ type, mime_type: form, ...(data === undefined ? { uri: url } : { data }) });
const CONTENT = {
  text: ({ text }) => ({ type: "text", text }), image: file("image/png"), document: file("application/pdf"),
};
const STEP = {
  text: ({ text }) => ({ type: "model_output", content: [{ type: "text", text }] }),
  reasoning: ({ text, signature }) =>
    defined({ type: "thought", signature, summary: text ? [{ type: "text", text }] : undefined }),
  tool_call: ({ name, id, arguments: given }) => ({ type: "function_call", id: id ?? "call_0", name, arguments: given ?? {} }),
  tool_result: ({ name, call_id: id, content, is_error: failed }) => ({
    type: "function_result", call_id: id ?? "call_0", name, result: words({ parts: content }), ...(failed ? { is_error: true } : {}),
  }),
};
const steps = ({ role, parts }) =>
  role === "user"
    ? [{ type: "user_input", content: parts.map((part) => CONTENT[part.type](part)) }]
    : parts.map((part) => STEP[part.type](part));

const choice = (value) =>
  value?.name ? { allowed_tools: { mode: "any", tools: [value.name] } } : value === "required" ? "any" : value;
const LEVEL = { none: "minimal", xhigh: "high" };

/** The body of an interaction. */
export const body = (call) => {
  refuse(call, "parallel_tool_calls", "user");
  const effort = call.thinking && (call.thinking.effort ?? "medium");
  const config = defined({
    max_output_tokens: call.max_output_tokens, temperature: call.temperature, top_p: call.top_p, seed: call.seed,
    stop_sequences: call.stop?.length ? call.stop : undefined, tool_choice: choice(call.tool_choice),
    thinking_level: effort && (LEVEL[effort] ?? effort), thinking_summaries: effort && effort !== "none" ? "auto" : undefined,
  });
  return defined({
    model: call.model, input: call.messages.flatMap(steps), system_instruction: call.system,
    tools: call.tools?.length
      ? call.tools.map(({ name, description, parameters }) =>
          defined({ type: "function", name, description: description || undefined, parameters }))
      : undefined,
    generation_config: Object.keys(config).length ? config : undefined,
    response_format: call.structured
      ? defined({ type: "text", mime_type: "application/json", schema: call.structured.schema })
      : undefined,
  });
};

/** What a step says: pairs of text or reasoning, and words. */
const saidBy = (step) => {
  const parts = step.type === "model_output" ? step.content : step.type === "thought" ? step.summary : [];
  const name = step.type === "thought" ? "reasoning" : "text";
  return (parts ?? []).filter((part) => part.type === "text").map((part) => [name, part.text]);
};

const end = (reply) => {
  const { usage, status } = reply;
  return {
    finish: STATUS[status] ?? finish(status), finish_raw: status ?? null, model: reply.model ?? null, id: reply.id ?? null,
    usage: usage?.total_input_tokens === undefined
      ? null
      : {
          input_tokens: usage.total_input_tokens,
          output_tokens: (usage.total_output_tokens ?? 0) + (usage.total_thought_tokens ?? 0),
        },
  };
};

/** The turn of a whole interaction. */
export const turn = (reply) => {
  const said = { text: null, reasoning: null };
  for (const [name, text] of (reply.steps ?? []).flatMap(saidBy)) said[name] = (said[name] ?? "") + text;
  const calls = (reply.steps ?? []).filter((step) => step.type === "function_call")
    .map(({ name, id, arguments: given }) => ({ name, id, arguments: given }));
  return { ...said, tool_calls: calls, ...end(reply) };
};

/** What an event told, in which the SDK sees a failure that only its user can tell. */
export class InStream extends Error {
  constructor({ message, code }) {
    super(message);
    this.code = code;
  }
}

const pieces = (delta) => {
  if (delta.type === "text") return [["text", delta.text]];
  if (delta.type === "thought_summary" && delta.content?.type === "text") return [["reasoning", delta.content.text]];
  return [];
};

/** The events of a stream, and the turn that its user would gather from them. */
export async function* events(stream) {
  const said = { text: null, reasoning: null };
  const calls = new Map();
  let last;
  for await (const event of stream) {
    const { event_type: type, index, step, delta } = event;
    let more, spoken = [];
    if (type === "interaction.completed") last = event.interaction;
    else if (type === "error") throw new InStream(event.error);
    else if (type === "step.start" && step.type === "function_call") {
      calls.set(index, { name: step.name, id: step.id, arguments_raw: "" });
      yield { type: "tool_call_start", index, name: step.name, id: step.id };
      if (step.arguments && Object.keys(step.arguments).length) more = JSON.stringify(step.arguments);
    } else if (type === "step.start") spoken = saidBy(step);
    else if (type === "step.delta" && delta.type === "arguments_delta") more = delta.arguments ?? "";
    else if (type === "step.delta") spoken = pieces(delta);
    if (more !== undefined) {
      calls.get(index).arguments_raw += more;
      yield { type: "tool_call_delta", index, text: more };
    }
    for (const [name, text] of spoken) {
      said[name] = (said[name] ?? "") + text;
      yield { type: name, text };
    }
  }
  const ended = last ? end(last) : { finish: null, finish_raw: null, usage: null };
  yield { turn: { ...said, tool_calls: [...calls.values()], ...ended } };
}
