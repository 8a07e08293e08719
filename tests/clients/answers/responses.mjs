// SPDX-License-Identifier: GPL-3.0-or-later
import { json, manner, named, numbers, play } from "./shared.mjs";
import { openaiError } from "./openai.mjs";

const WORDS = ["Fertig", ": ", "ça va, ", "日本", "語 ", "✅"];
const USAGE = {
  input_tokens: 120,
  input_tokens_details: { cached_tokens: 100, cache_write_tokens: 0 },
  output_tokens: 9,
  output_tokens_details: { reasoning_tokens: 2 },
  total_tokens: 129,
};

/** "~~input-cached-written-output-reasoning" in the place of these. */
function usageOf(model) {
  const counts = numbers(model);
  if (!counts) return USAGE;
  const [input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens] = counts;
  const input_tokens_details = { cached_tokens, cache_write_tokens };
  return { input_tokens, input_tokens_details, output_tokens, output_tokens_details: { reasoning_tokens }, total_tokens: input_tokens + output_tokens };
}

function response(body, output, status) {
  return {
    id: "resp_1", object: "response", created_at: 1795435200, status, background: false, error: null, incomplete_details: null,
    instructions: null, max_output_tokens: null, model: body.model, output, parallel_tool_calls: true, previous_response_id: null,
    reasoning: { effort: null, summary: null }, store: false, temperature: 1, text: { format: { type: "text" } }, tool_choice: "auto",
    tools: [], top_p: 1, truncation: "disabled", usage: status === "in_progress" || status === "failed" ? null : usageOf(body.model), metadata: {},
  };
}

const message = (words) => ({
  id: "msg_1", type: "message", status: "completed", role: "assistant",
  content: [{ type: "output_text", text: words.join(""), annotations: [], logprobs: [] }],
});

/** An agent's first turn is answered with a tool call, the turn that brings its output with text. */
function toolCall(body) {
  const has = (name) => (body.tools ?? []).some((tool) => tool.name === name);
  const answered = (body.input ?? []).some?.((item) => item.type === "function_call_output");
  if (answered || typeof body.input === "string") return null;
  if (has("exec_command")) return ["exec_command", JSON.stringify({ cmd: "echo grün" })];
  if (has("get_weather")) return ["get_weather", '{"city":"Zürich"}'];
  return null;
}

export function responseEvents(body) {
  const call = toolCall(body);
  const kind = manner(body.model);
  const words = kind === "long" ? Array.from({ length: 4000 }, (_, i) => WORDS[i % WORDS.length]) : WORDS;
  const end = kind === "incomplete" || kind === "failed" ? kind : "completed";
  const item = call
    ? { id: "fc_1", type: "function_call", status: "completed", arguments: call[1], call_id: "call_1", name: call[0] }
    : message(words);
  const events = [];
  const add = (type, fields) => events.push({ type, sequence_number: events.length, ...fields });
  add("response.created", { response: response(body, [], "in_progress") });
  add("response.in_progress", { response: response(body, [], "in_progress") });
  if (call) {
    add("response.output_item.added", { output_index: 0, item: { ...item, status: "in_progress", arguments: "" } });
    for (const delta of [call[1].slice(0, 5), call[1].slice(5)]) {
      add("response.function_call_arguments.delta", { item_id: item.id, output_index: 0, delta });
    }
    add("response.function_call_arguments.done", { item_id: item.id, output_index: 0, arguments: call[1], name: call[0] });
  } else {
    const at = { item_id: item.id, output_index: 0, content_index: 0 };
    const part = (text) => ({ type: "output_text", text, annotations: [], logprobs: [] });
    add("response.output_item.added", { output_index: 0, item: { ...item, status: "in_progress", content: [] } });
    add("response.content_part.added", { ...at, part: part("") });
    for (const delta of words) add("response.output_text.delta", { ...at, delta, logprobs: [] });
    add("response.output_text.done", { ...at, text: words.join(""), logprobs: [] });
    add("response.content_part.done", { ...at, part: part(words.join("")) });
  }
  add("response.output_item.done", { output_index: 0, item });
  add(`response.${end}`, { response: response(body, [item], end) });
  return events;
}

export async function responses(body, request, out, state, headers) {
  const events = responseEvents(body);
  const shape = {
    json: events.at(-1).response,
    stream: body.stream ? events.map((event) => named(event.type, event)) : null,
    streamType: "text/event-stream; charset=utf-8",
    headers,
    midError: named("error", { type: "error", code: "server_error", message: "Recorded failure", param: null, sequence_number: 3 }),
    error: openaiError,
  };
  await play(manner(body.model), shape, request, out, state);
}

/** Responses over a WebSocket. A scenario that wants the upgrade refused sets responsesSocket.refuse to a status. */
export function responsesSocket(out) {
  const refusal = responsesSocket.refuse;
  if (refusal) {
    json(out, refusal, openaiError(refusal).body);
    return null;
  }
  const extra = [["x-request-id", "req_ws"], ["x-models-etag", '"1"']].map(([n, v]) => `${n}: ${v}`);
  return out.websocket((text, send) => {
    if (!text.startsWith("{")) return send(text);
    const body = JSON.parse(text);
    const warm = body.generate === false;
    const events = responseEvents(warm ? { ...body, tools: [] } : body);
    const shown = warm ? [events[0], { ...events.at(-1), response: { ...events.at(-1).response, output: [] }, sequence_number: 1 }] : events;
    for (const event of shown) send(JSON.stringify(event));
  }, extra);
}
responsesSocket.refuse = 0;
