// OpenAI's own SDK for JavaScript: chat completions.
import OpenAI from "openai";
import { finish, serve, told } from "./driver.mjs";
import * as shapes from "./shapes.mjs";

const chat = async (run) => {
  const client = new OpenAI({ apiKey: run.key, baseURL: run.base_url, maxRetries: 0, timeout: run.timeout_s * 1000 });
  const body = { ...shapes.chat(run), ...(run.call.extra_body ?? {}) };
  const reply = await client.chat.completions.create(body, { headers: Object.fromEntries(run.call.extra_headers ?? []) });
  return run.stream ? chunks(reply) : completion(reply);
};

const usageOf = (usage) =>
  usage ? { input_tokens: usage.prompt_tokens, output_tokens: usage.completion_tokens } : null;

const completion = (reply) => {
  const { message, finish_reason: raw } = reply.choices[0];
  return {
    text: message.content ?? null,
    tool_calls: (message.tool_calls ?? []).map((call) => ({
      name: call.function.name, id: call.id, arguments_raw: call.function.arguments,
    })),
    finish: finish(raw), finish_raw: raw, usage: usageOf(reply.usage), model: reply.model, id: reply.id,
    refusal: message.refusal ?? null,
  };
};

async function* chunks(stream) {
  let text = null, refusal = null, usage = null, raw = null, first = null;
  const calls = new Map();
  for await (const chunk of stream) {
    first ??= chunk;
    usage = chunk.usage ?? usage;
    for (const choice of chunk.choices) {
      if (choice.index) continue;
      raw = choice.finish_reason ?? raw;
      const { delta } = choice;
      if (typeof delta.content === "string") {
        text = (text ?? "") + delta.content;
        yield { type: "text", text: delta.content };
      }
      if (delta.refusal) refusal = (refusal ?? "") + delta.refusal;
      for (const piece of delta.tool_calls ?? []) {
        if (!calls.has(piece.index)) {
          calls.set(piece.index, { name: piece.function?.name ?? "", id: piece.id ?? null, arguments_raw: "" });
          yield { type: "tool_call_start", index: piece.index, name: piece.function?.name ?? "", id: piece.id ?? null };
        }
        const more = piece.function?.arguments ?? "";
        calls.get(piece.index).arguments_raw += more;
        yield { type: "tool_call_delta", index: piece.index, text: more };
      }
    }
  }
  yield {
    turn: {
      text, refusal, tool_calls: [...calls.values()], finish: finish(raw), finish_raw: raw, usage: usageOf(usage),
      model: first?.model ?? null, id: first?.id ?? null,
    },
  };
}

const error = (fault) => {
  if (fault instanceof OpenAI.APIConnectionTimeoutError) return told(fault, { typed: true, kind: "timeout" });
  if (fault instanceof OpenAI.APIConnectionError) return told(fault, { typed: true, kind: "connection" });
  if (fault instanceof OpenAI.APIError) {
    return told(fault, { typed: true, status: fault.status ?? 200, code: fault.code ?? fault.type, request_id: fault.requestID });
  }
  return undefined;
};

serve({
  package: "openai", protocols: { "openai-completions": chat }, errors: [OpenAI.OpenAIError], error,
  features: ["no_retries"],
});
