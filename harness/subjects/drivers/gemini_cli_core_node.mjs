// The core of Google's Gemini CLI: its server class for Code Assist, given a login's token and project.
//
// Its answers have the trace's id where others have the answer's, which is no place for that one. It repeats
// what failed, and cannot be told not to.
import { CodeAssistServer } from "@google/gemini-cli-core";
import { OAuth2Client } from "google-auth-library";
import { refuse, serve, told } from "./driver.mjs";
import * as gemini from "./gemini.mjs";
import * as shapes from "./shapes.mjs";

const serverOf = (run) => {
  process.env.CODE_ASSIST_ENDPOINT = run.base_url; // read at every call, and the only place for an address
  const login = new OAuth2Client();
  login.setCredentials({ access_token: run.key });
  return new CodeAssistServer(login, run.hints.project, { headers: shapes.headersOf(run.call) });
};

const withoutId = ({ id: _, ...turn }) => turn;

async function* events(stream) {
  for await (const event of gemini.events(stream)) yield event.turn ? { turn: withoutId(event.turn) } : event;
}

const ask = async (run) => {
  refuse(run.call, "extra_body");
  const request = gemini.requestOf(run);
  request.config.abortSignal = AbortSignal.timeout(run.timeout_s * 1000);
  const server = serverOf(run);
  return run.stream
    ? events(await server.generateContentStream(request, run.id))
    : withoutId(gemini.turn([await server.generateContent(request, run.id)]));
};

const ABORTED = new Set(["AbortError", "TimeoutError"]); // nobody aborts but the time limit

/** Errors are those of the HTTP client below it, whose answer it leaves as it came. */
const error = (fault) => {
  if (ABORTED.has(fault?.name) || ABORTED.has(fault?.cause?.name)) return told(fault, { typed: true, kind: "timeout" });
  const status = fault?.response?.status;
  return status ? told(fault, { typed: true, status, code: fault.response.data?.error?.status }) : undefined;
};

serve({
  package: "@google/gemini-cli-core", protocols: { "google-gemini-cli": ask }, error,
});
