// The AI SDK with its package for Gemini: generateContent, and interactions.
import { createGoogle } from "@ai-sdk/google";
import { drive, nothing, numbered } from "./ai_sdk.mjs";

const provider = (run) => createGoogle({ baseURL: run.base_url, apiKey: run.key, generateId: numbered() });

drive({
  package: "@ai-sdk/google",
  models: {
    "google-generative-ai": (run) => provider(run)(run.model),
    "google-interactions": (run) => provider(run).interactions(run.model),
  },
  options: nothing,
  // generateContent and interactions give it different names
  kept: ({ signature }) => (signature ? { google: { thoughtSignature: signature, signature } } : undefined),
});
