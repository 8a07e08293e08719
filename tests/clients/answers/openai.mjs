// SPDX-License-Identifier: GPL-3.0-or-later
import { headerValue } from "../lib/wire.mjs";
import { bodyJson, data, head, json, manner, numbers, play, whole } from "./shared.mjs";
import { responseEvents, responses, responsesSocket } from "./responses.mjs";

const TEXT = ["Grüße", ", ", "世界", " 👩🏽‍💻", " – ", "\"quoted\" \\ \n", "نص", "."];
const USAGE = {
  prompt_tokens: 21,
  completion_tokens: 13,
  total_tokens: 34,
  prompt_tokens_details: { cached_tokens: 16, cache_write_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 4, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
};
/** "~~prompt-cached-written-completion-reasoning" in the place of these. */
function usageOf(model) {
  const counts = numbers(model);
  if (!counts) return USAGE;
  const [prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens, reasoning_tokens] = counts;
  const total_tokens = prompt_tokens + completion_tokens;
  return {
    prompt_tokens, completion_tokens, total_tokens, prompt_tokens_details: { cached_tokens, cache_write_tokens }, completion_tokens_details: { reasoning_tokens },
  };
}
const HEADERS = [
  ["x-request-id", "req_0123456789abcdef"],
  ["openai-processing-ms", "412"],
  ["openai-version", "2020-10-01"],
  ["openai-organization", "org-test"],
  ["X-RateLimit-Limit-Requests", "5000"],
  ["x-ratelimit-remaining-tokens", "159976"],
  ["x-ratelimit-reset-tokens", "6m0s"],
];
const ERRORS = {
  400: ["invalid_request_error", "unsupported_value", "temperature"],
  401: ["invalid_request_error", "invalid_api_key", null],
  403: ["invalid_request_error", "unsupported_country_region_territory", null],
  404: ["invalid_request_error", "model_not_found", "model"],
  429: ["insufficient_quota", "insufficient_quota", null],
};

export function openaiError(status) {
  const [type, code, param] = ERRORS[status] ?? ["server_error", null, null];
  const body = { error: { message: `Recorded failure ${status} – ümlaut`, type, param, code } };
  return { headers: [...HEADERS.slice(0, 2), ...(status === 503 ? [["x-should-retry", "true"]] : [])], body };
}

function chatShape(body) {
  const tools = manner(body.model) === "tools" || (body.tools && body.messages?.at(-1)?.role === "user");
  const usage = usageOf(body.model);
  const base = { id: "chatcmpl-test", created: 1795435200, model: body.model, service_tier: "default", system_fingerprint: "fp_1" };
  const call = { id: "call_abc", type: "function", function: { name: "get_weather", arguments: '{"city":"Zürich","unit":"c"}' } };
  const message = tools
    ? { role: "assistant", content: null, refusal: null, tool_calls: [call] }
    : { role: "assistant", content: TEXT.join(""), refusal: null, annotations: [] };
  const finish = tools ? "tool_calls" : "stop";
  const withUsage = body.stream_options?.include_usage === true;
  const event = (delta, finish_reason = null) =>
    data({
      ...base,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
      ...(withUsage ? { usage: null } : {}),
      obfuscation: "aZ09",
    });
  const deltas = tools
    ? [
        { tool_calls: [{ index: 0, ...call, function: { name: "get_weather", arguments: "" } }] },
        ...['{"city":', '"Zür', 'ich","unit"', ':"c"}'].map((part) => ({ tool_calls: [{ index: 0, function: { arguments: part } }] })),
      ]
    : TEXT.map((content) => ({ content }));
  const stream = [event({ role: "assistant", content: tools ? null : "", refusal: null }), ...deltas.map((d) => event(d)), event({}, finish)];
  if (withUsage) stream.push(data({ ...base, object: "chat.completion.chunk", choices: [], usage }));
  stream.push("data: [DONE]\n\n");
  return {
    json: { ...base, object: "chat.completion", choices: [{ index: 0, message, logprobs: null, finish_reason: finish }], usage },
    stream: body.stream ? stream : null,
    streamType: "text/event-stream; charset=utf-8",
    headers: HEADERS,
    midError: data({ error: { message: "The server had an error", type: "server_error", param: null, code: null } }),
    error: openaiError,
  };
}

function embeddings(body, out) {
  const vector = new Float32Array([0.25, -0.5, 1e-7, 3.4e38]);
  const embedding = body.encoding_format === "base64" ? Buffer.from(vector.buffer).toString("base64") : [...vector];
  const inputs = Array.isArray(body.input) ? body.input : [body.input];
  const list = inputs.map((_, index) => ({ object: "embedding", index, embedding }));
  json(out, 200, { object: "list", data: list, model: body.model, usage: { prompt_tokens: 8, total_tokens: 8 } }, HEADERS);
}

const FILE = { id: "file-1", object: "file", bytes: 12, created_at: 1795435200, filename: "prüfung.jsonl", purpose: "batch", status: "processed" };
const MODEL = { id: "gpt-5", object: "model", created: 1795435200, owned_by: "openai" };
const AUDIO = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7 + (i >> 8)) & 255));

export async function openai(request, out, state) {
  const path = request.target.split("?")[0];
  const body = bodyJson(request);
  if (/websocket/i.test(headerValue(request.headers, "upgrade") ?? "")) return responsesSocket(out);
  if (request.method === "HEAD") return out.raw(head(200, [["Content-Type", "application/json"], ["Content-Length", 4711]]));
  switch (`${request.method} ${path}`) {
    case "POST /v1/chat/completions":
      return void (await play(manner(body.model), chatShape(body), request, out, state));
    case "POST /v1/responses":
      return void (await responses(body, request, out, state, HEADERS));
    case "POST /v1/embeddings":
      return embeddings(body, out);
    case "GET /v1/models":
      return json(out, 200, { object: "list", data: [MODEL, { ...MODEL, id: "gpt-5-mini" }] }, HEADERS);
    case "POST /v1/files":
      return json(out, 200, FILE, HEADERS);
    case "GET /v1/files/file-1/content":
      return whole(out, 200, [["content-type", "application/octet-stream"], ["content-disposition", 'attachment; filename="x.bin"']], AUDIO);
    case "DELETE /v1/files/file-1":
      return json(out, 200, { id: "file-1", object: "file", deleted: true });
    case "POST /v1/audio/transcriptions":
      return json(out, 200, { text: "Hallo, 世界", usage: { type: "duration", seconds: 3 } }, HEADERS);
    case "POST /v1/audio/speech":
      return whole(out, 200, [["content-type", "audio/mpeg"], ...HEADERS], AUDIO);
    case "GET /v1/responses/resp_1":
      return json(out, 200, responseEvents({ model: "gpt-5", input: "" }).at(-1).response, HEADERS);
    case "POST /v1/responses/input_tokens":
      return json(out, 200, { object: "response.input_tokens", input_tokens: 11 }, HEADERS);
    case "GET /v1/responses/resp_1/input_items":
      return json(out, 200, { object: "list", data: [], first_id: null, last_id: null, has_more: false });
    default:
      if (/^\/v1\/models\//.test(path) && request.method === "GET") return json(out, 200, { ...MODEL, id: decodeURIComponent(path.slice(11)) });
      return json(out, 404, openaiError(404).body);
  }
}

