// Mistral's own SDK for JavaScript: chat. It puts /v1 before the path by itself.
import { Mistral } from "@mistralai/mistralai";
import * as errors from "@mistralai/mistralai/models/errors";
import { Unsupported, finish, refuse, serve, told, words } from "./driver.mjs";
import * as shapes from "./shapes.mjs";

const chat = async (run) => {
  refuse(run.call, "user", "extra_body");
  const client = new Mistral({ apiKey: run.key, serverURL: run.base_url.replace(/\/v1$/, ""), retryConfig: { strategy: "none" } });
  const options = {
    timeoutMs: run.timeout_s * 1000, retries: { strategy: "none" }, fetchOptions: { headers: shapes.headersOf(run.call) },
  };
  return run.stream ? events(await client.chat.stream(request(run), options)) : turn(await client.chat.complete(request(run), options));
};

const request = ({ call }) => {
  const { tools, response_format: format, tool_choice: choice, reasoning_effort: effort } = shapes.chatSettings(call);
  return shapes.defined({
    model: call.model, messages: [...messages(call)], maxTokens: call.max_output_tokens, temperature: call.temperature,
    topP: call.top_p, randomSeed: call.seed, stop: call.stop?.length ? call.stop : undefined,
    parallelToolCalls: call.parallel_tool_calls, toolChoice: choice === "required" ? "any" : choice,
    tools: tools?.map(({ type, function: made }) => ({
      type, function: { ...made, parameters: made.parameters ?? { type: "object", properties: {} } },
    })),
    reasoningEffort: effort && (effort === "none" ? "none" : "high"),
    responseFormat: format && shapes.defined({ type: format.type, jsonSchema: schemaOf(format.json_schema) }),
  });
};

const schemaOf = (given) => {
  if (!given) return undefined;
  const { schema: schemaDefinition, ...more } = given;
  return { ...more, schemaDefinition };
};

const PART = {
  text: ({ text }) => ({ type: "text", text }),
  image: (part) => ({ type: "image_url", imageUrl: shapes.imageUrl(part) }),
};
const partOf = (part) => {
  if (!PART[part.type]) throw new Unsupported(`it has no place for a ${part.type}`);
  return PART[part.type](part);
};

function* messages(call) {
  if (call.system) yield { role: "system", content: call.system };
  for (const { role, parts } of call.messages) {
    if (role === "tool") {
      for (const part of parts) yield { role, name: part.name, toolCallId: part.call_id ?? "", content: shapes.result(part) };
    } else if (role === "user") {
      const plain = parts.every((part) => part.type === "text");
      yield { role, content: plain ? words({ parts }) : parts.map(partOf) };
    } else {
      const calls = parts.filter((part) => part.type === "tool_call").map((part, number) => ({
        id: part.id ?? `call_${number}`,
        function: { name: part.name, arguments: part.arguments_raw || JSON.stringify(part.arguments ?? {}) },
      }));
      const thought = parts.filter((part) => part.type === "reasoning").map((part) => part.text).join("");
      const said = words({ parts });
      const chunks = [{ type: "thinking", thinking: [{ type: "text", text: thought }] }, ...(said ? [{ type: "text", text: said }] : [])];
      yield { role, content: thought ? chunks : said, ...(calls.length ? { toolCalls: calls } : {}) };
    }
  }
}

/** Pairs of reasoning or text, and words, of a content: a text or a list of chunks. */
const saidBy = (content) => {
  if (typeof content === "string") return [["text", content]];
  return (content ?? []).flatMap((chunk) => {
    if (chunk.type === "text") return [["text", chunk.text]];
    return chunk.type === "thinking"
      ? chunk.thinking.filter((part) => part.type === "text").map((part) => ["reasoning", part.text])
      : [];
  });
};

/** Arguments as the SDK gives them, a text or an object, as a text. */
const given = (value) => (typeof value === "string" ? value : JSON.stringify(value ?? {}));

const callOf = ({ id, function: made }) => ({ name: made.name, id, arguments_raw: given(made.arguments) });

const counts = (usage) => (usage ? { input_tokens: usage.promptTokens, output_tokens: usage.completionTokens } : null);

const turn = (reply) => {
  const [{ message, finishReason: raw }] = reply.choices;
  const said = { text: null, reasoning: null };
  for (const [name, text] of saidBy(message.content)) said[name] = (said[name] ?? "") + text;
  return {
    ...said, tool_calls: (message.toolCalls ?? []).map(callOf), finish: finish(raw), finish_raw: raw,
    usage: counts(reply.usage), model: reply.model, id: reply.id,
  };
};

async function* events(stream) {
  const said = { text: null, reasoning: null };
  const calls = [];
  const places = new Map();
  let usage, raw = null, model = null, id = null;
  for await (const { data } of stream) {
    model ??= data.model ?? null;
    id ??= data.id ?? null;
    usage = data.usage ?? usage;
    for (const { delta, finishReason } of data.choices) {
      raw = finishReason ?? raw;
      for (const [name, text] of saidBy(delta.content)) {
        said[name] = (said[name] ?? "") + text;
        yield { type: name, text };
      }
      for (const piece of delta.toolCalls ?? []) {
        const place = piece.index ?? piece.id;
        const more = given(piece.function.arguments);
        if (!places.has(place)) {
          places.set(place, calls.length);
          calls.push({ name: piece.function.name, id: piece.id, arguments_raw: "" });
          yield { type: "tool_call_start", index: places.get(place), name: piece.function.name, id: piece.id };
        }
        const index = places.get(place);
        calls[index].arguments_raw += more;
        yield { type: "tool_call_delta", index, text: more };
      }
    }
  }
  yield { turn: { ...said, tool_calls: calls, finish: finish(raw), finish_raw: raw, usage: counts(usage), model, id } };
}

const error = (fault) => {
  if (fault instanceof errors.RequestTimeoutError) return told(fault, { typed: true, kind: "timeout" });
  if (fault instanceof errors.ConnectionError) return told(fault, { typed: true, kind: "connection" });
  if (fault instanceof errors.HTTPClientError) return told(fault, { typed: true });
  if (fault instanceof errors.ResponseValidationError || fault instanceof errors.SDKValidationError) {
    return told(fault, { typed: true, kind: "protocol" });
  }
  if (fault instanceof errors.MistralError) return told(fault, { typed: true, status: fault.statusCode });
  return undefined;
};

serve({ package: "@mistralai/mistralai", protocols: { "mistral-chat": chat }, error, features: ["no_retries"] });
