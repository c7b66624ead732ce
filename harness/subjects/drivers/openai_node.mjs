// OpenAI's own SDK for JavaScript: chat completions and responses, of OpenAI and of Azure, and Codex.
import OpenAI, { AzureOpenAI } from "openai";
import { events, turn } from "./completions.mjs";
import { finish, NoAnswer, serve, told } from "./driver.mjs";
import * as shapes from "./shapes.mjs";

const clientOf = (run, more) => {
  const options = { ...more, apiKey: run.key, baseURL: run.base_url, maxRetries: 0, timeout: run.timeout_s * 1000 };
  return run.provider.startsWith("azure-")
    ? new AzureOpenAI({ ...options, apiVersion: "v1" })
    : new OpenAI(options);
};

const asked = (run, shape) => [{ ...shape(run), ...run.call.extra_body }, { headers: shapes.headersOf(run.call) }];

const chat = async (run) => {
  const reply = await clientOf(run).chat.completions.create(...asked(run, shapes.chat));
  return run.stream ? events(reply) : turn(reply);
};

const responses = async (run) => {
  const reply = await clientOf(run).responses.create(...asked(run, shapes.responses));
  return run.stream ? responseEvents(reply) : response(reply);
};

/** A streamed response of Codex, by a client that is given its address and account. */
const codex = async (run) =>
  responseEvents(await clientOf(run, { defaultHeaders: shapes.codexAccount(run.key) }).responses.create(...asked(run, shapes.codex)));

const join = (before, more) => (before ?? "") + more;

const response = (reply) => {
  if (!Array.isArray(reply?.output)) throw new NoAnswer(reply);
  const said = { text: null, reasoning: null, tool_calls: [], refusal: null };
  for (const item of reply.output) {
    if (item.type === "message") {
      for (const part of item.content) {
        if (part.type === "output_text") said.text = join(said.text, part.text);
        if (part.type === "refusal") said.refusal = join(said.refusal, part.refusal);
      }
    } else if (item.type === "function_call") {
      said.tool_calls.push({ name: item.name, id: item.call_id, arguments_raw: item.arguments });
    } else if (item.type === "reasoning") {
      const thought = item.content?.length ? item.content : item.summary ?? [];
      said.reasoning = join(said.reasoning, thought.map((each) => each.text).join(""));
    }
  }
  const raw = reply.incomplete_details?.reason ?? reply.status;
  const ended = raw === "completed" && said.tool_calls.length ? "tool_calls" : finish(raw);
  const { usage } = reply;
  return {
    ...said, finish: raw === "completed" && said.refusal ? "refusal" : ended, finish_raw: raw,
    usage: usage
      ? {
          input_tokens: usage.input_tokens, output_tokens: usage.output_tokens,
          cached_tokens: usage.input_tokens_details?.cached_tokens ?? null,
          reasoning_tokens: usage.output_tokens_details?.reasoning_tokens ?? null,
        }
      : null,
    model: reply.model, id: reply.id,
  };
};

/** What the events told, in which the SDK sees a failure that only its user can tell. */
class InStream extends Error {
  constructor({ message, code }) {
    super(message);
    this.code = code;
  }
}

async function* responseEvents(stream) {
  const begun = new Set();
  let last;
  for await (const event of stream) {
    const { type, output_index: index } = event;
    if (type === "response.output_text.delta") yield { type: "text", text: event.delta };
    else if (/^response\.reasoning(_summary)?_text\.delta$/.test(type)) yield { type: "reasoning", text: event.delta };
    else if (type === "response.output_item.added" && event.item.type === "function_call") {
      yield { type: "tool_call_start", index, name: event.item.name, id: event.item.call_id };
    } else if (type === "response.function_call_arguments.delta") {
      begun.add(index);
      yield { type: "tool_call_delta", index, text: event.delta };
    } else if (type === "response.function_call_arguments.done" && !begun.has(index)) {
      yield { type: "tool_call_delta", index, text: event.arguments };
    } else if (/^response\.(completed|incomplete|failed)$/.test(type)) last = event.response;
    else if (type === "error") throw new InStream(event);
  }
  if (last?.status === "failed") throw new InStream(last.error);
  if (last) yield { turn: response(last) };
}

const error = (fault) => {
  if (fault instanceof InStream) return told(fault, { typed: true, status: 200, code: fault.code });
  if (fault instanceof OpenAI.APIConnectionTimeoutError) return told(fault, { typed: true, kind: "timeout" });
  if (fault instanceof OpenAI.APIConnectionError) return told(fault, { typed: true, kind: "connection" });
  if (fault instanceof OpenAI.APIError) {
    return told(fault, { typed: true, status: fault.status ?? 200, code: fault.code ?? fault.type, request_id: fault.requestID });
  }
  return undefined;
};

serve({
  package: "openai",
  protocols: {
    "openai-completions": chat, "openai-responses": responses, "azure-openai-responses": responses,
    "openai-codex-responses": codex,
  },
  errors: [OpenAI.OpenAIError], error, features: ["no_retries"],
});
