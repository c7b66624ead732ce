// A call in the words of the wire formats that clients take from their users: chat, responses, messages. The
// same as shapes.py.
import { Unsupported, refuse, words } from "./driver.mjs";

const given = (call, names) =>
  Object.fromEntries(
    Object.entries(names).filter(([name]) => call[name] !== undefined && call[name] !== null)
      .map(([name, as]) => [as, call[name]]),
  );
/** A copy without what is undefined. */
export const set = (value) => JSON.parse(JSON.stringify(value));
/** A copy without the members that are undefined. */
export const defined = (value) => Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined));
/** The headers that the caller adds, as an object. */
export const headersOf = (call) => Object.fromEntries(call.extra_headers ?? []);
const raw = (part) => part.arguments_raw || JSON.stringify(part.arguments ?? {});
/** The text of a tool's result. */
export const result = (part) => part.content.map((each) => each.text ?? "").join("");

/** A picture as a URL. */
export const imageUrl = (part) => part.url ?? `data:${part.media_type ?? "image/png"};base64,${part.data}`;

const chatPart = (part) => {
  if (part.type === "text") return { type: "text", text: part.text };
  if (part.type === "image") return { type: "image_url", image_url: { url: imageUrl(part) } };
  throw new Unsupported(`it has no place for a ${part.type}`);
};

const CHAT = {
  user: (message) =>
    message.parts.every((part) => part.type === "text")
      ? [{ role: "user", content: words(message) }]
      : [{ role: "user", content: message.parts.map(chatPart) }],
  assistant: (message) => {
    const calls = message.parts.filter((part) => part.type === "tool_call").map((part, number) => ({
      id: part.id ?? `call_${number}`, type: "function", function: { name: part.name, arguments: raw(part) },
    }));
    const told = { role: "assistant", content: words(message) || (calls.length ? null : "") };
    return [calls.length ? { ...told, tool_calls: calls } : told];
  },
  tool: (message) =>
    message.parts.map((part) => ({ role: "tool", tool_call_id: part.call_id ?? "", content: result(part) })),
};

/** The messages of a chat completion, the system instruction first. */
export const chatMessages = (call) => [
  ...(call.system ? [{ role: "system", content: call.system }] : []),
  ...call.messages.flatMap((message) => CHAT[message.role](message)),
];

/** The tools of a chat completion. */
export const chatTools = (call) =>
  (call.tools ?? []).map(({ name, description, parameters, strict }) => ({
    type: "function", function: set({ name, description, parameters, strict }),
  }));

/** What a chat completion is told beside its messages: tools and settings, without the output limit. */
export const chatSettings = (call) => {
  const told = given(call, {
    temperature: "temperature", top_p: "top_p", seed: "seed", stop: "stop",
    parallel_tool_calls: "parallel_tool_calls", user: "user",
  });
  if (call.tools?.length) told.tools = chatTools(call);
  const choice = call.tool_choice;
  if (choice) told.tool_choice = choice.name ? { type: "function", function: { name: choice.name } } : choice;
  if (call.thinking) told.reasoning_effort = call.thinking.effort ?? "medium";
  if (call.structured) {
    const { name = "answer", schema, strict } = call.structured;
    told.response_format = schema
      ? { type: "json_schema", json_schema: set({ name, schema, strict }) }
      : { type: "json_object" };
  }
  return told;
};

/** Every argument of a chat completion. */
export const chat = (run) => {
  const { call, hints } = run;
  const told = { model: call.model, messages: chatMessages(call), ...chatSettings(call) };
  if (call.max_output_tokens !== undefined) told[hints.max_tokens_field ?? "max_tokens"] = call.max_output_tokens;
  if (run.stream) told.stream = true;
  if (run.stream && hints.stream_usage) told.stream_options = { include_usage: true };
  return told;
};

const ITEM = {
  text: (part, role) => ({
    type: "message", role,
    content: [role === "user" ? { type: "input_text", text: part.text } : { type: "output_text", text: part.text, annotations: [] }],
  }),
  image: (part) => ({
    type: "message", role: "user", content: [{ type: "input_image", image_url: imageUrl(part), detail: "auto" }],
  }),
  tool_call: (part) => ({ type: "function_call", call_id: part.id ?? "call_0", name: part.name, arguments: raw(part) }),
  tool_result: (part) => ({ type: "function_call_output", call_id: part.call_id ?? "call_0", output: result(part) }),
  reasoning: (part) =>
    part.id && part.signature
      ? {
          type: "reasoning", id: part.id, encrypted_content: part.signature,
          summary: part.text ? [{ type: "summary_text", text: part.text }] : [],
        }
      : null,
};

const known = (kinds, part) => {
  if (!kinds[part.type]) throw new Unsupported(`it has no place for a ${part.type}`);
  return kinds[part.type];
};

/** Every argument of a response. */
export const responses = (run) => {
  const { call } = run;
  refuse(call, "stop", "seed");
  const told = {
    model: call.model,
    input: call.messages.flatMap(({ role, parts }) => parts.map((part) => known(ITEM, part)(part, role))).filter(Boolean),
    ...given(call, {
      system: "instructions", temperature: "temperature", top_p: "top_p", max_output_tokens: "max_output_tokens",
      parallel_tool_calls: "parallel_tool_calls", user: "user",
    }),
  };
  if (call.tools?.length) {
    told.tools = call.tools.map(({ name, description, parameters, strict }) => set({
      type: "function", name, description, parameters: parameters ?? { type: "object", properties: {} },
      strict: strict ?? false,
    }));
  }
  const choice = call.tool_choice;
  if (choice) told.tool_choice = choice.name ? { type: "function", name: choice.name } : choice;
  if (call.thinking) told.reasoning = { effort: call.thinking.effort ?? "medium" };
  if (call.structured) {
    const { name = "answer", schema, strict } = call.structured;
    told.text = { format: schema ? set({ type: "json_schema", name, schema, strict }) : { type: "json_object" } };
  }
  if (run.stream) told.stream = true;
  return told;
};

/** The field that names the account of a login, as its token does: a JWT with the account in a claim. */
export const codexAccount = (key) => {
  const told = JSON.parse(Buffer.from(key.split(".")[1], "base64url"));
  return { "chatgpt-account-id": told["https://api.openai.com/auth"].chatgpt_account_id };
};

/** Every argument of a response of ChatGPT's Codex, which stores nothing and takes no limit. */
export const codex = (run) => {
  refuse(run.call, "temperature", "top_p", "user");
  const { max_output_tokens: _, ...told } = responses(run);
  if (run.call.thinking) told.include = ["reasoning.encrypted_content"]; // what is not stored is sent back
  return { instructions: "You are a helpful assistant.", ...told, store: false };
};

/** How many tokens a budget of reasoning has, by the effort that stands for it. */
export const EFFORTS = { minimal: 1024, low: 1024, medium: 4096, high: 16384, xhigh: 32768 };

const BLOCK = {
  text: (part) => (part.text ? { type: "text", text: part.text } : null),
  image: (part) => ({
    type: "image",
    source: part.url
      ? { type: "url", url: part.url }
      : { type: "base64", media_type: part.media_type ?? "image/png", data: part.data },
  }),
  tool_call: (part) => ({ type: "tool_use", id: part.id ?? "toolu_0", name: part.name, input: part.arguments ?? {} }),
  tool_result: (part) => {
    const content = part.content.map((each) => known(BLOCK, each)(each)).filter(Boolean);
    return {
      type: "tool_result", tool_use_id: part.call_id ?? "toolu_0",
      ...(content.length ? { content } : {}), ...(part.is_error ? { is_error: true } : {}),
    };
  },
  reasoning: (part) =>
    part.redacted
      ? { type: "redacted_thinking", data: part.signature }
      : { type: "thinking", thinking: part.text, signature: part.signature ?? "" },
};

const message = ({ role, parts }) => {
  const blocks = parts.map((part) => known(BLOCK, part)(part)).filter(Boolean);
  const plain = blocks.length === 1 && blocks[0].type === "text" && role !== "tool";
  return { role: role === "assistant" ? role : "user", content: plain ? blocks[0].text : blocks };
};

/** Every argument of a message of Anthropic's API. */
export const messages = (run) => {
  const { call } = run;
  refuse(call, "seed", "structured");
  const told = {
    model: call.model, max_tokens: call.max_output_tokens ?? 1024, messages: call.messages.map(message),
    ...given(call, { system: "system", temperature: "temperature", top_p: "top_p", stop: "stop_sequences" }),
  };
  if (call.tools?.length) {
    told.tools = call.tools.map(({ name, description, parameters, strict }) => set({
      name, description: description || undefined, strict, input_schema: parameters ?? { type: "object", properties: {} },
    }));
  }
  const choice = call.tool_choice;
  if (choice) told.tool_choice = choice.name ? { type: "tool", name: choice.name } : { type: choice === "required" ? "any" : choice };
  if (call.thinking) {
    const budget = call.thinking.budget_tokens ?? EFFORTS[call.thinking.effort ?? "medium"] ?? 1024;
    told.thinking = { type: "enabled", budget_tokens: Math.max(1024, Math.min(budget, told.max_tokens - 1)) };
  }
  return told;
};

/** A prompt of words alone, and watsonx.ai's parameters of its generation. */
export const generation = ({ call }) => {
  refuse(call, "tools", "thinking", "structured", "extra_body", "user");
  if (call.messages.length > 1 || call.messages[0].parts.some(({ type }) => type !== "text")) {
    throw new Unsupported("it has a place for the words of one prompt");
  }
  const sampling = given(call, { temperature: "temperature", top_p: "top_p", seed: "random_seed" });
  const parameters = { ...given(call, { max_output_tokens: "max_new_tokens" }), ...sampling };
  if (Object.keys(sampling).length) parameters.decoding_method = "sample";
  if (call.stop?.length) Object.assign(parameters, { stop_sequences: call.stop, include_stop_sequence: false });
  const said = call.messages[0].parts.map(({ text }) => text).join("\n");
  return { input: [...(call.system ? [call.system] : []), said].join("\n\n"), parameters };
};
