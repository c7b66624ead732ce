// IBM's own SDK of watsonx.ai for JavaScript: text generated from one prompt.
import { WatsonXAI } from "@ibm-cloud/watsonx-ai";
import { BearerTokenAuthenticator } from "ibm-cloud-sdk-core";
import { finish, serve, told } from "./driver.mjs";
import * as shapes from "./shapes.mjs";

const clientOf = (run) => WatsonXAI.newInstance({
  version: "2025-02-11", serviceUrl: run.base_url, authenticator: new BearerTokenAuthenticator({ bearerToken: run.key }),
});

const generate = async (run) => {
  const asked = {
    ...shapes.generation(run), modelId: run.model, projectId: run.hints.project, headers: shapes.headersOf(run.call),
    signal: AbortSignal.timeout(run.timeout_s * 1000),
  };
  const client = clientOf(run);
  if (!run.stream) return turn([(await client.generateText(asked)).result]);
  return events(await client.generateTextStream({ ...asked, returnObject: true }));
};

/** An error that came within a stream: the SDK hands it on as it came, and its user looks for it. */
class InStream extends Error {
  constructor({ code, message }) {
    super(message ?? "");
    this.code = code;
  }
}

async function* events(stream) {
  const replies = [];
  for await (const { data } of stream) {
    if (data?.errors?.length) throw new InStream(data.errors[0]);
    replies.push(data);
    for (const { generated_text: text } of data?.results ?? []) if (text) yield { type: "text", text };
  }
  yield { turn: turn(replies) };
}

const NOT_FINISHED = "not_finished";
const ENDED = { eos_token: "stop", stop_sequence: "stop", max_tokens: "length", token_limit: "length", time_limit: "length" };

/** What an answer, or the parts of one, add up to: counts count from the beginning, and the input is told once. */
const turn = (replies) => {
  const results = replies.flatMap((reply) => reply?.results ?? []);
  const raw = results.map(({ stop_reason: why }) => why).findLast((why) => why && why !== NOT_FINISHED) ?? null;
  const most = (name) => results.reduce((most, each) => (each[name] === undefined ? most : Math.max(most ?? 0, each[name])), null);
  const counts = { input_tokens: most("input_token_count"), output_tokens: most("generated_token_count") };
  return {
    text: results.length ? results.map(({ generated_text: text }) => text ?? "").join("") : null,
    finish: ENDED[raw] ?? finish(raw), finish_raw: raw, usage: counts.output_tokens === null ? null : counts,
    model: replies.find((reply) => reply?.model_id)?.model_id ?? null,
  };
};

const ABORTED = new Set(["AbortError", "TimeoutError", "CanceledError"]); // nobody aborts but the time limit

/** Errors are plain ones, with the answer's status and body; what came of the connection has a code alone. */
const error = (fault) => {
  if (ABORTED.has(fault?.name) || fault?.code === "ERR_CANCELED") return told(fault, { typed: true, kind: "timeout" });
  if (fault instanceof InStream) return told(fault, { typed: true, status: 200, code: fault.code });
  if (!Number.isInteger(fault?.status)) return undefined;
  const code = fault.result?.errors?.[0]?.code;
  return { ...told(fault, { typed: true, status: fault.status, code }), message: `${fault.message} ${typeof fault.body === "string" ? fault.body : ""}` };
};

serve({ package: "@ibm-cloud/watsonx-ai", protocols: { "watsonx-generation": generate }, error });
