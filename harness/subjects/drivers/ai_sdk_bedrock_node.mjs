// The AI SDK with its package for Bedrock: Converse, and Anthropic's messages through InvokeModel.
import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createAmazonBedrockAnthropic } from "@ai-sdk/amazon-bedrock/anthropic";
import { drive, nothing } from "./ai_sdk.mjs";
import { refuse } from "./driver.mjs";

const settings = (run) => ({ baseURL: run.base_url, apiKey: run.key, region: "us-east-1" });

drive({
  package: "@ai-sdk/amazon-bedrock",
  models: {
    "bedrock-converse": (run) => createAmazonBedrock(settings(run))(run.model),
    "bedrock-invoke": (run) => createAmazonBedrockAnthropic(settings(run))(run.model),
  },
  options: (call, run) => {
    nothing(call);
    if (run.protocol === "bedrock-invoke") refuse(call, "structured"); // it forces a tool instead
  },
  kept: (part) => {
    if (part.type !== "reasoning" || !part.signature) return undefined;
    const proof = part.redacted ? { redactedData: part.signature } : { signature: part.signature };
    return { amazonBedrock: proof, anthropic: proof };
  },
});
