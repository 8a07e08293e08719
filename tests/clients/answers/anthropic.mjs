// SPDX-License-Identifier: GPL-3.0-or-later
import { bodyJson, head, json, manner, named, numbers, play, whole } from "./shared.mjs";

const WORDS = ["Voilà", ", ", "naïve ", "你好", " 🧪", "\n\n", "done."];
const HEADERS = [
  ["request-id", "req_011CTest"],
  ["anthropic-organization-id", "00000000-0000-4000-8000-000000000000"],
  ["Anthropic-RateLimit-Requests-Limit", "4000"],
  ["anthropic-ratelimit-requests-remaining", "3999"],
  ["anthropic-ratelimit-input-tokens-reset", "2026-11-23T12:00:01Z"],
];
const TYPES = {
  400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
  413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error",
};

function anthropicError(status) {
  const error = { type: TYPES[status] ?? "api_error", message: `Recorded failure ${status} – ümlaut` };
  return {
    headers: [HEADERS[0], ["x-should-retry", status === 529 || status === 429 ? "true" : "false"]],
    body: { type: "error", error, request_id: "req_011CTest" },
  };
}

/** "~~input-5m-1h-read-output-thinking" in the place of these. A stream begins with less read than it ends with. */
function usageOf(model, isStart) {
  const [input_tokens, ephemeral_5m_input_tokens, ephemeral_1h_input_tokens, read, output, thinking_tokens] = numbers(model) ?? [12, 0, 0, 2048, 17];
  return {
    input_tokens,
    cache_creation_input_tokens: ephemeral_5m_input_tokens + ephemeral_1h_input_tokens,
    cache_read_input_tokens: isStart && thinking_tokens ? read - 1 : read,
    cache_creation: { ephemeral_5m_input_tokens, ephemeral_1h_input_tokens },
    output_tokens: isStart ? 1 : output,
    ...(thinking_tokens && !isStart ? { output_tokens_details: { thinking_tokens }, server_tool_use: { web_search_requests: 1 } } : {}),
    service_tier: "standard",
  };
}

/** What message_delta tells: the output, and with counts of one's own all that has changed. */
function deltaUsage(model) {
  const { output_tokens, ...rest } = usageOf(model, false);
  const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens_details } = rest;
  return numbers(model)
    ? { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens, output_tokens_details }
    : { output_tokens, cache_read_input_tokens: null };
}

/** What the agent is told to do first: a tool that it offers, until the tool's result is in the conversation. */
function toolUse(body) {
  const tool = (name) => (body.tools ?? []).some((t) => t.name === name);
  const results = JSON.stringify(body.messages ?? []).includes('"type":"tool_result"');
  if (results) return null;
  if (tool("get_weather")) return { name: "get_weather", input: { city: "Zürich", days: 2 } };
  if (tool("Bash") && manner(body.model) === "agent") return { name: "Bash", input: { command: "echo grün", description: "Say a word" } };
  return null;
}

function messageShape(body) {
  const use = toolUse(body);
  const blocks = [{ type: "thinking", thinking: "Überlegen …", signature: "c2lnbmF0dXJl" }];
  if (body.thinking === undefined || body.thinking.type === "disabled") blocks.pop();
  blocks.push({ type: "text", text: WORDS.join("") });
  if (use) blocks.push({ type: "tool_use", id: "toolu_01", ...use });
  const stop = use ? "tool_use" : "end_turn";
  const message = {
    id: "msg_01Test", type: "message", role: "assistant", model: body.model, content: blocks,
    stop_reason: stop, stop_sequence: null, usage: usageOf(body.model, false),
  };
  const stream = [];
  const add = (type, fields = {}) => stream.push(named(type, { type, ...fields }));
  add("message_start", { message: { ...message, content: [], stop_reason: null, usage: usageOf(body.model, true) } });
  blocks.forEach((block, index) => {
    const delta = (d) => add("content_block_delta", { index, delta: d });
    if (block.type === "thinking") {
      add("content_block_start", { index, content_block: { type: "thinking", thinking: "", signature: "" } });
      delta({ type: "thinking_delta", thinking: block.thinking });
      delta({ type: "signature_delta", signature: block.signature });
    } else if (block.type === "text") {
      add("content_block_start", { index, content_block: { type: "text", text: "" } });
      add("ping");
      for (const text of WORDS) delta({ type: "text_delta", text });
    } else {
      add("content_block_start", { index, content_block: { ...block, input: {} } });
      const text = JSON.stringify(block.input);
      for (const part of ["", text.slice(0, 9), text.slice(9)]) delta({ type: "input_json_delta", partial_json: part });
    }
    add("content_block_stop", { index });
  });
  add("message_delta", { delta: { stop_reason: stop, stop_sequence: null }, usage: deltaUsage(body.model) });
  add("message_stop");
  return {
    json: message,
    stream: body.stream ? stream : null,
    streamType: "text/event-stream; charset=utf-8",
    headers: HEADERS,
    midError: named("error", { type: "error", error: { type: "overloaded_error", message: "Overloaded" }, request_id: "req_011CTest" }),
    error: anthropicError,
  };
}

const MODEL = { type: "model", id: "claude-opus-5-5", display_name: "Claude Opus 5.5", created_at: "2026-09-01T00:00:00Z" };
const RESULTS = ["a", "b"].map((id) => JSON.stringify({ custom_id: id, result: { type: "canceled" } })).join("\n");

export async function anthropic(request, out, state) {
  const path = request.target.split("?")[0];
  const body = bodyJson(request);
  if (request.method === "HEAD") return out.raw(head(200, [["Content-Type", "application/json"], ["Content-Length", 17]]));
  switch (`${request.method} ${path}`) {
    case "POST /v1/messages":
      return void (await play(manner(body.model), messageShape(body), request, out, state));
    case "POST /v1/messages/count_tokens":
      return json(out, 200, { input_tokens: 2060 }, HEADERS);
    case "GET /v1/models":
      return json(out, 200, { data: [MODEL], has_more: false, first_id: MODEL.id, last_id: MODEL.id }, HEADERS);
    case "GET /v1/messages/batches/batch_1":
      return json(out, 200, { id: "batch_1", type: "message_batch", processing_status: "ended", results_url: "unused" }, HEADERS);
    case "GET /v1/messages/batches/batch_1/results":
      return whole(out, 200, [["Content-Type", "application/x-jsonl"]], `${RESULTS}\n`);
    default:
      return json(out, 404, anthropicError(404).body);
  }
}
