// The AI SDK with its package for Vertex AI: generateContent with an access token.
import { createGoogleVertex } from "@ai-sdk/google-vertex";
import { OAuth2Client } from "google-auth-library";
import { drive, nothing, numbered } from "./ai_sdk.mjs";

const signedIn = (token) => {
  const client = new OAuth2Client();
  client.setCredentials({ access_token: token });
  return client;
};

drive({
  package: "@ai-sdk/google-vertex",
  models: {
    "google-vertex": (run) =>
      createGoogleVertex({
        baseURL: `${run.base_url}/publishers/google`, project: "test-project", location: "us-central1",
        generateId: numbered(), googleAuthOptions: { authClient: signedIn(run.key) },
      })(run.model),
  },
  options: nothing,
  kept: (part) => (part.signature ? { googleVertex: { thoughtSignature: part.signature } } : undefined),
});
