"""The fields of a generateContent request, message by message, as the reference lists them.

A kind is ``string``, ``bytes``, ``int``, ``number``, ``bool``, ``any`` (any JSON), ``object`` (any object),
an enum of this table, or a message of it; ``[]`` before it says repeated, ``{}`` a map. Names are the JSON
names; the reader also takes them in snake case.

Sources: https://ai.google.dev/api/generate-content and
https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/Content (read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Mapping

ENUMS: Mapping[str, tuple[str, ...]] = {
    "Mode": ("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"),
    "Type": ("TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"),
    "ThinkingLevel": ("THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH"),
}

MESSAGES: Mapping[str, Mapping[str, str]] = {
    "GenerateContentRequest": {
        "model": "string",
        "contents": "[]Content",
        "systemInstruction": "Content",
        "tools": "[]Tool",
        "toolConfig": "ToolConfig",
        "safetySettings": "[]SafetySetting",
        "generationConfig": "GenerationConfig",
        "cachedContent": "string",
        "serviceTier": "string",
    },
    "Content": {"role": "string", "parts": "[]Part"},
    "Part": {
        "text": "string",
        "thought": "bool",
        "thoughtSignature": "bytes",
        "inlineData": "Blob",
        "fileData": "FileData",
        "functionCall": "FunctionCall",
        "functionResponse": "FunctionResponse",
        "executableCode": "object",
        "codeExecutionResult": "object",
        "toolCall": "object",
        "toolResponse": "object",
        "videoMetadata": "object",
        "mediaResolution": "object",
        "partMetadata": "object",
    },
    "Blob": {"mimeType": "string", "data": "bytes", "displayName": "string"},
    "FileData": {"mimeType": "string", "fileUri": "string", "displayName": "string"},
    "FunctionCall": {
        "id": "string",
        "name": "string",
        "args": "object",
        "partialArgs": "[]object",
        "willContinue": "bool",
    },
    "FunctionResponse": {
        "id": "string",
        "name": "string",
        "response": "object",
        "parts": "[]FunctionResponsePart",
        "willContinue": "bool",
        "scheduling": "string",
    },
    "FunctionResponsePart": {"inlineData": "Blob", "fileData": "FileData"},
    "Tool": {
        "functionDeclarations": "[]FunctionDeclaration",
        "googleSearch": "object",
        "googleSearchRetrieval": "object",
        "googleMaps": "object",
        "codeExecution": "object",
        "urlContext": "object",
        "fileSearch": "object",
        "computerUse": "object",
        "retrieval": "object",
        "enterpriseWebSearch": "object",
    },
    "FunctionDeclaration": {
        "name": "string",
        "description": "string",
        "behavior": "string",
        "parameters": "Schema",
        "parametersJsonSchema": "any",
        "response": "Schema",
        "responseJsonSchema": "any",
    },
    "Schema": {
        "type": "Type",
        "format": "string",
        "title": "string",
        "description": "string",
        "nullable": "bool",
        "enum": "[]string",
        "maxItems": "int",
        "minItems": "int",
        "properties": "{}Schema",
        "required": "[]string",
        "minProperties": "int",
        "maxProperties": "int",
        "minLength": "int",
        "maxLength": "int",
        "pattern": "string",
        "example": "any",
        "anyOf": "[]Schema",
        "propertyOrdering": "[]string",
        "default": "any",
        "items": "Schema",
        "minimum": "number",
        "maximum": "number",
    },
    "ToolConfig": {
        "functionCallingConfig": "FunctionCallingConfig",
        "retrievalConfig": "object",
        "includeServerSideToolInvocations": "bool",
    },
    "FunctionCallingConfig": {
        "mode": "Mode",
        "allowedFunctionNames": "[]string",
        "streamFunctionCallArguments": "bool",
    },
    "SafetySetting": {"category": "string", "threshold": "string", "method": "string"},
    "GenerationConfig": {
        "stopSequences": "[]string",
        "responseMimeType": "string",
        "responseSchema": "Schema",
        "responseJsonSchema": "any",
        "responseModalities": "[]string",
        "candidateCount": "int",
        "maxOutputTokens": "int",
        "temperature": "number",
        "topP": "number",
        "topK": "number",
        "seed": "int",
        "presencePenalty": "number",
        "frequencyPenalty": "number",
        "responseLogprobs": "bool",
        "logprobs": "int",
        "enableEnhancedCivicAnswers": "bool",
        "speechConfig": "object",
        "thinkingConfig": "ThinkingConfig",
        "imageConfig": "object",
        "mediaResolution": "string",
        "audioTimestamp": "bool",
        "routingConfig": "object",
    },
    "ThinkingConfig": {
        "includeThoughts": "bool",
        "thinkingBudget": "int",
        "thinkingLevel": "ThinkingLevel",
    },
}

# What only Vertex AI knows at the top level.
VERTEX_FIELDS: Mapping[str, str] = {"labels": "{}string", "modelArmorConfig": "object"}

# The data of a part; a part has exactly one of them.
DATA = (
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
)
