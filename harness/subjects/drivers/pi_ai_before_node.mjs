// pi-ai before it lost Code Assist: that protocol alone, of the package it was in.
//
// It repeats what failed, and cannot be told not to; it has a signal in the place of a time limit.
import { getModel, isContextOverflow, streamSimple } from "@mariozechner/pi-ai";
import { answer } from "./pi.mjs";

/** Its key is the login's token and project, as JSON. */
const options = (run) => ({
  apiKey: JSON.stringify({ token: run.key, projectId: run.hints.project }),
  signal: AbortSignal.timeout(run.timeout_s * 1000),
});

answer({
  package: "@mariozechner/pi-ai", api: { "google-gemini-cli": "google-gemini-cli" }, options,
  getModel, streamSimple, isContextOverflow, features: ["normalises", "ordered", "repairs", "usage_total"],
});
