// Ollama's own client for JavaScript: chat, and completions of a prompt.
import { Ollama } from "ollama";
import { Unsupported, finish, refuse, serve, told, words } from "./driver.mjs";
import * as shapes from "./shapes.mjs";

const LEVEL = { none: false, minimal: "low", xhigh: "high" };

/** The client has no limit of its own: its user gives it a fetch that has one. */
const limited = (ms) => (url, { signal, ...init } = {}) =>
  fetch(url, { ...init, signal: AbortSignal.any([AbortSignal.timeout(ms), ...(signal ? [signal] : [])]) });

const clientOf = (run) => {
  refuse(run.call, "extra_body", "parallel_tool_calls", "user");
  return new Ollama({
    host: run.base_url, fetch: limited(run.timeout_s * 1000),
    headers: { Authorization: `Bearer ${run.key}`, ...shapes.headersOf(run.call) },
  });
};

/** What a chat and a completion are told alike. */
const common = ({ call, model, stream }) => {
  const effort = call.thinking && (call.thinking.effort ?? "medium");
  const format = call.structured && (call.structured.schema ?? "json");
  return { model, stream, think: effort && (LEVEL[effort] ?? effort), format, options: options(call) };
};

const chat = async (run) => {
  const { call } = run;
  const asked = { ...common(run), messages: [...messages(call)], tools: toolsOf(call) };
  const reply = await clientOf(run).chat(shapes.defined(asked));
  return run.stream ? events(reply) : turn([reply]);
};

/** A completion's part as that of a chat. */
const spoken = ({ response: content, thinking, ...part }) => ({ ...part, message: { content, thinking } });

async function* allSpoken(stream) {
  for await (const part of stream) yield spoken(part);
}

const withoutCalls = ({ tool_calls: _, ...said }) => said;

async function* completions(stream) {
  for await (const event of events(allSpoken(stream))) yield event.turn ? { turn: withoutCalls(event.turn) } : event;
}

const generate = async (run) => {
  const { call } = run;
  refuse(call, "tools");
  const [{ role, content: prompt, images }, ...more] = messages({ messages: call.messages });
  if (more.length || role !== "user") throw new Unsupported("it has a place for one prompt");
  const reply = await clientOf(run).generate(shapes.defined({ ...common(run), prompt, system: call.system, images }));
  return run.stream ? completions(reply) : withoutCalls(turn([spoken(reply)]));
};

const options = (call) => {
  const given = shapes.defined({
    num_predict: call.max_output_tokens, temperature: call.temperature, top_p: call.top_p, seed: call.seed,
    stop: call.stop?.length ? call.stop : undefined,
  });
  return Object.keys(given).length ? given : undefined;
};

const toolsOf = ({ tool_choice: choice, tools = [] }) => {
  if (choice === "required") throw new Unsupported("it has no place for a tool choice");
  const offered = tools.filter(({ name }) => choice !== "none" && (!choice?.name || choice.name === name));
  return offered.length ? shapes.chatTools({ tools: offered }) : undefined;
};

function* messages(call) {
  if (call.system) yield { role: "system", content: call.system };
  for (const { role, parts } of call.messages) {
    if (role === "tool") {
      for (const part of parts) yield { role, tool_name: part.name, content: shapes.result(part) };
    } else {
      const images = parts.filter((part) => part.type === "image");
      if (parts.some((part) => part.type === "document") || images.some((part) => part.url)) {
        throw new Unsupported("it has a place for pictures' data only");
      }
      const thought = parts.filter((part) => part.type === "reasoning").map((part) => part.text).join("");
      const calls = parts.filter((part) => part.type === "tool_call")
        .map(({ name, arguments: given }) => ({ function: { name, arguments: given ?? {} } }));
      yield shapes.defined({
        role, content: words({ parts }), images: images.length ? images.map((part) => part.data) : undefined,
        thinking: thought || undefined, tool_calls: calls.length ? calls : undefined,
      });
    }
  }
}

/** What an answer in one part or several adds up to; the last one has the counts. */
const turn = (replies) => {
  const said = { text: null, reasoning: null };
  const calls = [];
  for (const { message } of replies) {
    if (typeof message?.content === "string") said.text = (said.text ?? "") + message.content;
    if (typeof message?.thinking === "string") said.reasoning = (said.reasoning ?? "") + message.thinking;
    calls.push(...(message?.tool_calls ?? []).map(({ function: made }) => ({ name: made.name, arguments: made.arguments })));
  }
  const { done_reason: raw = null, prompt_eval_count: input, eval_count: output, model = null } = replies.at(-1) ?? {};
  return {
    ...said, tool_calls: calls, finish: finish(raw), finish_raw: raw, model,
    usage: input === undefined || output === undefined ? null : { input_tokens: input, output_tokens: output },
  };
};

async function* events(stream) {
  const replies = [];
  let index = 0;
  for await (const reply of stream) {
    replies.push(reply);
    const { thinking, content, tool_calls: calls } = reply.message ?? {};
    if (thinking) yield { type: "reasoning", text: thinking };
    if (content) yield { type: "text", text: content };
    for (const { function: made } of calls ?? []) {
      yield { type: "tool_call_start", index, name: made.name };
      yield { type: "tool_call_delta", index, text: JSON.stringify(made.arguments) };
      index += 1;
    }
  }
  yield { turn: turn(replies) };
}

const error = (fault) => {
  if (fault?.name === "TimeoutError") return told(fault, { typed: true, kind: "timeout" }); // its user's own
  if (fault?.name === "ResponseError") return told(fault, { typed: true, status: fault.status_code });
  return undefined;
};

serve({ package: "ollama", protocols: { "ollama-chat": chat, "ollama-generate": generate }, error, features: ["no_retries"] });
