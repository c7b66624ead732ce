// Google's own SDK for JavaScript: generateContent of the Gemini API and of Vertex AI, and interactions.
import { ApiError, GoogleGenAI } from "@google/genai";
import { OAuth2Client } from "google-auth-library";
import { Unsupported, serve, told } from "./driver.mjs";
import * as gemini from "./gemini.mjs";
import * as interactions from "./interactions.mjs";
import * as shapes from "./shapes.mjs";

const ONCE = { attempts: 1 };

const httpOptions = (run, baseUrl) => ({
  baseUrl, timeout: run.timeout_s * 1000, retryOptions: ONCE, headers: shapes.headersOf(run.call),
  ...(run.call.extra_body ? { extraBody: run.call.extra_body } : {}),
});

const clientOf = (run) => {
  const [, baseUrl, apiVersion] = run.base_url.match(/^(.*)\/([^/]*)$/);
  return new GoogleGenAI({ apiKey: run.key, apiVersion, httpOptions: httpOptions(run, baseUrl) });
};

const ask = (run) => generated(run, clientOf(run));

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
  const request = gemini.requestOf(run);
  return run.stream
    ? gemini.events(await models.generateContentStream(request))
    : gemini.turn([await models.generateContent(request)]);
};

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
  protocols: { "google-generative-ai": ask, "google-vertex": vertex, "google-interactions": interact },
  errors: [ApiError], error, features: ["no_retries"],
});
