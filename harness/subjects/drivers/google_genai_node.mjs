// Google's own SDK for JavaScript: generateContent of the Gemini API and of Vertex AI, and interactions.
import { ApiError, GoogleGenAI } from "@google/genai";
import { OAuth2Client } from "google-auth-library";
import { Unsupported, finish, refuse, serve, told } from "./driver.mjs";
import * as interactions from "./interactions.mjs";
import * as shapes from "./shapes.mjs";

const FINISH = {
  RECITATION: "content_filter", BLOCKLIST: "content_filter", PROHIBITED_CONTENT: "content_filter", SPII: "content_filter",
  IMAGE_SAFETY: "content_filter", MALFORMED_FUNCTION_CALL: "error",
};
const ONCE = { attempts: 1 };

const httpOptions = (run, baseUrl) => ({
  baseUrl, timeout: run.timeout_s * 1000, retryOptions: ONCE, headers: shapes.headersOf(run.call),
  ...(run.call.extra_body ? { extraBody: run.call.extra_body } : {}),
});

const clientOf = (run) => {
  const [, baseUrl, apiVersion] = run.base_url.match(/^(.*)\/([^/]*)$/);
  return new GoogleGenAI({ apiKey: run.key, apiVersion, httpOptions: httpOptions(run, baseUrl) });
};

const gemini = (run) => generated(run, clientOf(run));

const vertex = (run) => {
  const found = run.base_url.match(/^(.*)\/(v\w+)\/projects\/([^/]+)\/locations\/([^/]+)$/);
  if (!found) throw new Unsupported("it asks Vertex AI at a project and a location only");
  const [, baseUrl, apiVersion, project, location] = found;
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: run.key });
  return generated(run, new GoogleGenAI({
    vertexai: true, project, location, apiVersion, googleAuthOptions: { authClient }, httpOptions: httpOptions(run, baseUrl),
  }));
};

const interact = async (run) => {
  const options = { maxRetries: 0, timeout: run.timeout_s * 1000 };
  const body = { ...interactions.body(run.call), ...run.call.extra_body };
  const { interactions: place } = clientOf(run);
  return run.stream
    ? interactions.events(await place.create({ ...body, stream: true }, options))
    : interactions.turn(await place.create(body, options));
};

const generated = async (run, { models }) => {
  refuse(run.call, "parallel_tool_calls", "user");
  const request = { model: run.model, contents: run.call.messages.map(content), config: settings(run.call) };
  return run.stream ? events(await models.generateContentStream(request)) : turn([await models.generateContent(request)]);
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
const turn = (replies) => {
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

async function* events(stream) {
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

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const error = (fault) => {
  if (fault instanceof interactions.InStream) return told(fault, { typed: true, status: 200, code: fault.code });
  if (fault instanceof ApiError) {
    const code = parsed(fault.message)?.error;
    return told(fault, { typed: true, status: fault.status, code: code?.status ?? code?.code });
  }
  // interactions have classes of their own, which the package does not export
  const name = fault?.constructor?.name;
  if (name === "APIConnectionTimeoutError") return told(fault, { typed: false, kind: "timeout" });
  if (name === "APIConnectionError") return told(fault, { typed: false, kind: "connection" });
  return undefined;
};

serve({
  package: "@google/genai",
  protocols: { "google-generative-ai": gemini, "google-vertex": vertex, "google-interactions": interact },
  errors: [ApiError], error, features: ["no_retries"],
});
