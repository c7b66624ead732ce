// A call in the words of the wire formats that clients take from their users. The same as shapes.py.
import { Unsupported, words } from "./driver.mjs";

const given = (call, names) =>
  Object.fromEntries(
    Object.entries(names).filter(([name]) => call[name] !== undefined && call[name] !== null)
      .map(([name, as]) => [as, call[name]]),
  );
const raw = (part) => part.arguments_raw || JSON.stringify(part.arguments ?? {});
const result = (part) => part.content.map((each) => each.text ?? "").join("");

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
    type: "function", function: JSON.parse(JSON.stringify({ name, description, parameters, strict })),
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
      ? { type: "json_schema", json_schema: JSON.parse(JSON.stringify({ name, schema, strict })) }
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
