// Reads chat completions: those of several clients have OpenAI's members, and some of their own.
//
// reasoning is the name of the member that a client keeps what the model thought in, undefined where it has no
// place for that; counted(chunk) is where a chunk has its counts.
import { finish, NoAnswer } from "./driver.mjs";

/** Token counts as OpenAI names them. */
export const counts = (usage) =>
  usage
    ? {
        input_tokens: usage.prompt_tokens, output_tokens: usage.completion_tokens,
        cached_tokens: usage.prompt_tokens_details?.cached_tokens ?? null,
        reasoning_tokens: usage.completion_tokens_details?.reasoning_tokens ?? null,
      }
    : null;

/** The turn of a whole answer. */
export const turn = (reply, { reasoning, refusal = true, usage = counts } = {}) => {
  if (!reply?.choices?.[0]?.message) throw new NoAnswer(reply);
  const { message, finish_reason: raw } = reply.choices[0];
  return {
    text: message.content ?? null,
    tool_calls: (message.tool_calls ?? []).map((call) => ({
      name: call.function.name, id: call.id, arguments_raw: call.function.arguments,
    })),
    finish: finish(raw), finish_raw: raw, usage: usage(reply.usage), model: reply.model, id: reply.id,
    ...(reasoning ? { reasoning: message[reasoning] ?? null } : {}),
    ...(refusal ? { refusal: message.refusal ?? null } : {}),
  };
};

/** The events of a stream, and the turn that its user would gather from them. */
export async function* events(chunks, { reasoning, refusal = true, usage = counts, counted = (chunk) => chunk.usage } = {}) {
  const said = { text: null, ...(reasoning ? { reasoning: null } : {}), ...(refusal ? { refusal: null } : {}) };
  const places = [["reasoning", reasoning], ["text", "content"]].filter(([, member]) => member);
  const calls = new Map();
  let last, raw = null, model = null, id = null;
  for await (const chunk of chunks) {
    model ||= chunk.model ?? null;
    id ||= chunk.id ?? null;
    last = counted(chunk) ?? last;
    for (const choice of chunk.choices ?? []) {
      if (choice.index) continue;
      raw = choice.finish_reason ?? raw;
      const { delta } = choice;
      for (const [name, member] of places) {
        if (typeof delta[member] !== "string") continue;
        said[name] = (said[name] ?? "") + delta[member];
        yield { type: name, text: delta[member] };
      }
      if (refusal && delta.refusal) said.refusal = (said.refusal ?? "") + delta.refusal;
      for (const piece of delta.tool_calls ?? []) {
        const { index, id = null, function: { name = "", arguments: more = "" } = {} } = piece;
        if (!calls.has(index)) {
          calls.set(index, { name: "", id: null, arguments_raw: "" });
          yield { type: "tool_call_start", index, name: name ?? "", id };
        }
        const call = calls.get(index);
        call.id ||= id;
        call.name ||= name ?? "";
        call.arguments_raw += more ?? "";
        yield { type: "tool_call_delta", index, text: more ?? "" };
      }
    }
  }
  yield {
    turn: {
      ...said, tool_calls: [...calls.values()], finish: finish(raw), finish_raw: raw, usage: usage(last),
      model, id,
    },
  };
}
