// What every driver in JavaScript has in common: the loop over stdin and stdout, and the mapping of errors.
//
// The words are those of driver.py. A driver gives serve a function for each protocol; it returns a turn, or is
// an async generator that yields events and at last may yield {turn: {…}}:
//
//     serve({ package: "openai", protocols: { "openai-completions": chat }, errors: [OpenAI.OpenAIError], error });
//
// What is undefined is left out: the client has no place for it. null says that it has one and found nothing.
import { createInterface } from "node:readline";
import { readFileSync, writeSync, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PROTOCOL = 1;
const FINISH = {
  stop: "stop", end_turn: "stop", stop_sequence: "stop", completed: "stop", STOP: "stop", COMPLETE: "stop", eos: "stop",
  length: "length", max_tokens: "length", max_output_tokens: "length", incomplete: "length", MAX_TOKENS: "length",
  model_context_window_exceeded: "length", model_length: "length",
  tool_calls: "tool_calls", tool_use: "tool_calls", function_call: "tool_calls", "tool-calls": "tool_calls",
  TOOL_CALL: "tool_calls", content_filter: "content_filter", "content-filter": "content_filter",
  SAFETY: "content_filter", refusal: "refusal", pause_turn: "pause", error: "error",
};

export class Unsupported extends Error {}

/** What a client returned has no answer in it, and the client told no error. */
export class NoAnswer extends Error {
  constructor(value) {
    super("the client returned no answer");
    this.returned = `${value?.constructor?.name ?? typeof value} ${JSON.stringify(value) ?? ""}`.slice(0, 300);
  }
}

/** The finish reason of a vendor's own word: null for none, other for one that nobody knows. */
export const finish = (raw) => (raw === null || raw === undefined ? null : FINISH[raw] ?? "other");

/** The text of a message of a call. */
export const words = (message) =>
  message.parts.filter((part) => part.type === "text").map((part) => part.text).join("");

/** Say that the client has no place for any of these members of a call. */
export const refuse = (call, ...names) => {
  for (const name of names) {
    const value = call[name];
    if (value !== undefined && value !== null && !(Array.isArray(value) && !value.length)) {
      throw new Unsupported(`it has no place for ${name}`);
    }
  }
};

/** An error in the words of the subject protocol; what is null or undefined is left out. */
export const told = (error, { typed, ...more }) => {
  const found = { type: error?.constructor?.name ?? typeof error, message: String(error?.message ?? error).slice(0, 20000), typed, ...more };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== null && value !== undefined));
};

const versionOf = (name) => {
  const require = createRequire(import.meta.url);
  for (const folder of require.resolve.paths(name) ?? []) {
    const path = join(folder, name, "package.json");
    if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")).version;
  }
  return "";
};

const write = (message) => {
  const bytes = Buffer.from(JSON.stringify(message) + "\n");
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(1, bytes, at);
    } catch (fault) {
      if (fault.code !== "EAGAIN") throw fault;
    }
  }
};

/** Answer commands until told to stop. */
export async function serve({ package: pkg, protocols, errors = [], error, name, features = [], language = "javascript" }) {
  for (const each of ["log", "info", "debug", "warn"]) console[each] = console.error;
  process.stdout.write = process.stderr.write.bind(process.stderr);
  process.on("unhandledRejection", (fault) => console.error(fault));
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const command = JSON.parse(line);
    if (command.cmd === "stop") process.exit(0);
    if (command.cmd === "hello") {
      write({ type: "hello", protocol: PROTOCOL, name: name ?? pkg, version: versionOf(pkg), language, protocols: Object.keys(protocols), features });
    } else if (command.cmd === "run") {
      write({ id: command.id, ...(await answer(command, protocols, errors, error)) });
    }
  }
  process.exit(0);
}

async function answer(command, protocols, errors, error) {
  const ask = protocols[command.protocol];
  if (!ask) return { type: "unsupported", reason: `it does not speak ${command.protocol}` };
  const { call } = command;
  const run = { timeout_s: 10, provider: "", hints: {}, ...command, model: call.model, stream: call.stream ?? false };
  const reply = { type: "answer" };
  try {
    const given = await ask(run);
    if (given?.[Symbol.asyncIterator]) {
      reply.events = [];
      for await (const event of given) {
        if ("turn" in event) reply.turn = event.turn;
        else reply.events.push(event);
      }
    } else {
      reply.turn = given;
    }
  } catch (fault) {
    if (fault instanceof Unsupported) return { type: "unsupported", reason: fault.message };
    console.error(fault);
    const own = error?.(fault);
    const typed = errors.some((each) => fault instanceof each);
    reply.error = own ?? told(fault, { typed });
    const raised = String(fault?.stack ?? "").split("\n").find((each) => /^\s+at /.test(each) && !each.includes("<anonymous>")) ?? "";
    const ours = raised.includes(dirname(fileURLToPath(import.meta.url))) && !raised.includes("node_modules");
    if (!own && !typed && ours) Object.assign(reply.error, { in_driver: true, returned: fault.returned ?? "" });
  }
  return reply;
}
