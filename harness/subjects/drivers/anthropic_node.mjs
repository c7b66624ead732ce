// Anthropic's own SDK for JavaScript: messages.
import Anthropic from "@anthropic-ai/sdk";
import { finish, NoAnswer, serve, told } from "./driver.mjs";
import * as shapes from "./shapes.mjs";

const messages = async (run) => {
  const client = new Anthropic({
    apiKey: run.key, baseURL: run.base_url.replace(/\/v1$/, ""), maxRetries: 0, timeout: run.timeout_s * 1000,
  });
  const body = { ...shapes.messages(run), ...run.call.extra_body };
  const options = { headers: shapes.headersOf(run.call) };
  return run.stream ? events(client.messages.stream(body, options)) : turn(await client.messages.create(body, options));
};

const joined = (message, kind) => {
  const said = message.content.filter((block) => block.type === kind).map((block) => block[kind]);
  return said.length ? said.join("") : null;
};

const turn = (message) => {
  if (!Array.isArray(message?.content)) throw new NoAnswer(message);
  const { usage, stop_reason: raw } = message;
  return {
    text: joined(message, "text"), reasoning: joined(message, "thinking"),
    tool_calls: message.content.filter((block) => block.type === "tool_use")
      .map(({ name, id, input }) => ({ name, id, arguments: input })),
    finish: finish(raw), finish_raw: raw,
    usage: usage
      ? {
          input_tokens: usage.input_tokens, output_tokens: usage.output_tokens,
          cached_tokens: usage.cache_read_input_tokens ?? null,
        }
      : null,
    model: message.model, id: message.id,
  };
};

async function* events(stream) {
  for await (const { type, index, content_block: block, delta } of stream) {
    if (type === "content_block_start" && block.type === "tool_use") {
      yield { type: "tool_call_start", index, name: block.name, id: block.id };
    } else if (type === "content_block_delta") {
      if (delta.type === "text_delta") yield { type: "text", text: delta.text };
      if (delta.type === "thinking_delta") yield { type: "reasoning", text: delta.thinking };
      if (delta.type === "input_json_delta") yield { type: "tool_call_delta", index, text: delta.partial_json };
    }
  }
  yield { turn: turn(await stream.finalMessage()) };
}

const error = (fault) => {
  if (fault instanceof Anthropic.APIConnectionTimeoutError) return told(fault, { typed: true, kind: "timeout" });
  if (fault instanceof Anthropic.APIConnectionError) return told(fault, { typed: true, kind: "connection" });
  if (fault instanceof Anthropic.APIError) {
    return told(fault, {
      typed: true, status: fault.status ?? 200, code: fault.error?.error?.type ?? fault.type, request_id: fault.requestID,
    });
  }
  return undefined;
};

serve({
  package: "@anthropic-ai/sdk", protocols: { "anthropic-messages": messages }, errors: [Anthropic.AnthropicError],
  error, features: ["no_retries", "ordered"],
});
