// Groq's own SDK for JavaScript: chat completions. It puts /openai/v1 before the path by itself.
import Groq from "groq-sdk";
import { events, turn } from "./completions.mjs";
import { serve, told } from "./driver.mjs";
import * as shapes from "./shapes.mjs";

const OWN = { reasoning: "reasoning", refusal: false, counted: (chunk) => chunk.usage ?? chunk.x_groq?.usage };

const chat = async (run) => {
  const client = new Groq({
    apiKey: run.key, baseURL: run.base_url.replace(/\/openai\/v1$/, ""), maxRetries: 0, timeout: run.timeout_s * 1000,
  });
  const body = { ...shapes.chat(run), ...run.call.extra_body };
  const reply = await client.chat.completions.create(body, { headers: shapes.headersOf(run.call) });
  return run.stream ? events(reply, OWN) : turn(reply, OWN);
};

const error = (fault) => {
  if (fault instanceof Groq.APIConnectionTimeoutError) return told(fault, { typed: true, kind: "timeout" });
  if (fault instanceof Groq.APIConnectionError) return told(fault, { typed: true, kind: "connection" });
  if (fault instanceof Groq.APIError) {
    const { code, type } = fault.error?.error ?? {};
    return told(fault, { typed: true, status: fault.status ?? 200, code: code ?? type });
  }
  return undefined;
};

serve({
  package: "groq-sdk", protocols: { "openai-completions": chat }, errors: [Groq.GroqError], error, features: ["no_retries"],
});
