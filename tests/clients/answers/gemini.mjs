// SPDX-License-Identifier: GPL-3.0-or-later
import { bodyJson, data, head, json, manner, numbers, play } from "./shared.mjs";

const HEADERS = [
  ["Vary", "Origin"],
  ["Vary", "X-Origin"],
  ["Vary", "Referer"],
  ["Server-Timing", "gfet4t7; dur=512"],
];
const STATUS = {
  400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL", 503: "UNAVAILABLE",
};

function geminiError(status) {
  const details = status === 429 ? [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "31s" }] : [];
  return { body: { error: { code: status, message: `Recorded failure ${status} – ümlaut`, status: STATUS[status] ?? "UNKNOWN", details } } };
}

function contentShape(body, model) {
  const tools = (body.tools ?? []).some((tool) => tool.functionDeclarations);
  const texts = ["Grüezi", " 世", "界 ", "🎈", "!"];
  const usageMetadata = {
    promptTokenCount: 30, cachedContentTokenCount: 10, candidatesTokenCount: 5, thoughtsTokenCount: 7, totalTokenCount: 42,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: 30 }],
  };
  /** "~~prompt-cached-candidates-thoughts-tools" in the place of these; a stream tells a candidate more each time. */
  const counted = (left) => {
    const [promptTokenCount, cachedContentTokenCount, candidates, thoughtsTokenCount, toolUsePromptTokenCount] = numbers(model) ?? [];
    if (promptTokenCount === undefined) return usageMetadata;
    const totalTokenCount = promptTokenCount + candidates - left + thoughtsTokenCount + toolUsePromptTokenCount;
    return { promptTokenCount, cachedContentTokenCount, candidatesTokenCount: candidates - left, thoughtsTokenCount, toolUsePromptTokenCount, totalTokenCount };
  };
  const answer = (parts, finishReason, left = 0) => ({
    candidates: [{ content: { parts, role: "model" }, ...(finishReason ? { finishReason } : {}), index: 0 }],
    usageMetadata: counted(left),
    modelVersion: model,
    responseId: "resp-1",
  });
  const call = { functionCall: { name: "get_weather", args: { city: "Zürich" } } };
  const stream = tools
    ? [answer([{ text: "Moment." }]), answer([{ ...call, thoughtSignature: "c2ln" }]), answer([], "STOP")]
    : texts.map((text, i) => answer([{ text }], i === texts.length - 1 ? "STOP" : null, texts.length - 1 - i));
  return { whole: answer(tools ? [call] : [{ text: texts.join("") }], "STOP"), stream };
}

function blockedShape(model) {
  const whole = { promptFeedback: { blockReason: "SAFETY" }, usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 }, modelVersion: model };
  return { whole, stream: [whole] };
}

export async function gemini(request, out, state) {
  const [path, query = ""] = request.target.split("?");
  const body = bodyJson(request);
  if (request.method === "HEAD") return out.raw(head(200, [["Content-Length", 0]]));
  const [, , rest = ""] = /^\/(v1|v1beta)\/(.*)$/.exec(path) ?? [];
  const [, model, verb] = /^models\/([^:]+):(\w+)$/.exec(rest) ?? [];
  const { whole, stream } = manner(model) === "blocked" ? blockedShape(model) : contentShape(body, model);
  const kind = manner(decodeURIComponent(model ?? ""));
  const shape = { json: whole, stream: null, headers: HEADERS, error: geminiError };
  switch (`${request.method} ${verb ?? rest}`) {
    case "POST generateContent":
      return void (await play(kind, shape, request, out, state));
    case "POST streamGenerateContent": {
      const sse = /(^|&)alt=sse(&|$)/.test(query);
      const last = stream.length - 1;
      // Google's servers end SSE lines with CRLF, and stream a plain request as one JSON array
      shape.stream = sse
        ? stream.map((part) => data(part).replace("\n\n", "\r\n\r\n"))
        : stream.map((part, i) => `${i ? ",\r\n" : "["}${JSON.stringify(part, null, 2)}${i === last ? "]" : ""}`);
      shape.streamType = sse ? "text/event-stream" : "application/json; charset=UTF-8";
      shape.midError = sse ? `${JSON.stringify(geminiError(503).body)}\r\n` : `,\r\n${JSON.stringify(geminiError(503).body)}]`;
      return void (await play(kind, shape, request, out, state));
    }
    case "POST countTokens":
      return json(out, 200, { totalTokens: 31, promptTokensDetails: [{ modality: "TEXT", tokenCount: 31 }] }, HEADERS);
    case "POST batchEmbedContents":
      return json(out, 200, { embeddings: (body.requests ?? []).map(() => ({ values: [0.0125, -1e-7, 1] })) }, HEADERS);
    case "GET models":
      return json(out, 200, { models: [{ name: "models/gemini-2.5-flash", version: "001", inputTokenLimit: 1048576 }] }, HEADERS);
    default:
      return json(out, 404, geminiError(404).body);
  }
}
