// SPDX-License-Identifier: GPL-3.0-or-later
import { openaiError } from "./openai.mjs";
import { bodyJson, data, json, manner, named, numbers, play } from "./shared.mjs";

/**
 * Providers of OpenAI's family that tell their usage each in a way of their own. The first segment of the path is the
 * host that the rest would be asked of. The counts are those of provider-apis, section 1.7.
 */

const TEXT = ["Grüße", ", ", "世界", " \"usage\":{\"prompt_tokens\":1} ", "."];
const chunk = (body, choices, more = {}) => data({ id: "chatcmpl-f", object: "chat.completion.chunk", created: 1795435200, model: body.model, choices, ...more });
const delta = (content, finish_reason = null) => [{ index: 0, delta: { content }, logprobs: null, finish_reason }];
const DONE = "data: [DONE]\n\n";

/** Chunks with text; first: comments before them; last: the members of the one that finishes; behind: one more. */
function shape(body, usage, { first = [], each = () => ({}), last = {}, behind = null } = {}) {
  const chunks = TEXT.map((text, i) => chunk(body, delta(text), each(i + 1)));
  const stream = [...first, ...chunks, chunk(body, delta("", "stop"), last), ...(behind ? [chunk(body, [], behind)] : []), DONE];
  const choices = [{ index: 0, message: { role: "assistant", content: TEXT.join("") }, logprobs: null, finish_reason: "stop" }];
  return { json: { id: "chatcmpl-f", object: "chat.completion", created: 1795435200, model: body.model, choices, usage }, stream };
}

const VENDORS = {
  "api.groq.com"(body) {
    const usage = { queue_time: 0.04, prompt_tokens: 43, prompt_time: 0.002, completion_tokens: 9, completion_time: 0.02, total_tokens: 52, total_time: 0.03 };
    return shape(body, usage, { last: { x_groq: { id: "req_1", usage } } });
  },
  "api.deepseek.com"(body) {
    const usage = { prompt_tokens: 100, completion_tokens: 5, total_tokens: 105, prompt_cache_hit_tokens: 64, prompt_cache_miss_tokens: 36 };
    return shape(body, usage, { first: [": keep-alive\n\n", ": keep-alive\n\n"], last: { usage } });
  },
  "api.x.ai"(body) {
    const [ticks] = numbers(body.model) ?? [37_756_001];
    const usage = {
      prompt_tokens: 32, completion_tokens: 9, total_tokens: 132, prompt_tokens_details: { text_tokens: 32, cached_tokens: 5 },
      completion_tokens_details: { reasoning_tokens: 91 }, num_sources_used: 2, cost_in_usd_ticks: ticks,
    };
    return shape(body, usage, { behind: { usage } });
  },
  "openrouter.ai"(body) {
    const [nanos] = numbers(body.model) ?? [140_000];
    const usage = { prompt_tokens: 14, completion_tokens: 4, total_tokens: 18, cost: nanos / 1e9, is_byok: false, cost_details: { upstream_inference_cost: null } };
    return shape(body, usage, { first: [": OPENROUTER PROCESSING\n\n"], behind: { usage } });
  },
  "api.mistral.ai"(body) {
    const usage = { prompt_audio_seconds: null, prompt_tokens: 18, total_tokens: 30, completion_tokens: 12, prompt_tokens_details: { cached_tokens: 0 } };
    return shape(body, usage, { last: { usage } });
  },
  "generativelanguage.googleapis.com"(body) {
    const usage = { completion_tokens: 102, prompt_tokens: 758, total_tokens: 1725 }; // thoughts are in the sum alone
    return shape(body, usage, { last: { usage } });
  },
  /** Tells all by now in each chunk, if it is asked for that. */
  vllm(body) {
    const usage = (n) => ({ prompt_tokens: 7, total_tokens: 7 + n, completion_tokens: n });
    return shape(body, usage(TEXT.length), { each: (n) => ({ usage: usage(n) }), last: { usage: usage(TEXT.length) }, behind: { usage: usage(TEXT.length) } });
  },
  "res.openai.azure.com"(body) {
    const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 };
    return shape(body, usage, { first: [data({ choices: [], model: "", prompt_filter_results: [{ prompt_index: 0 }] })], behind: { usage } });
  },
  "api.cohere.com"() {
    const usage = { billed_units: { input_tokens: 3, output_tokens: 9 }, tokens: { input_tokens: 69, output_tokens: 10 }, cached_tokens: 16 };
    const event = (type, fields) => named(type, { type, ...fields });
    const stream = [
      event("message-start", { id: "2", delta: { message: { role: "assistant" } } }),
      ...TEXT.map((text) => event("content-delta", { index: 0, delta: { message: { content: { text } } } })),
      event("content-end", { index: 0 }),
      event("message-end", { delta: { finish_reason: "COMPLETE", usage } }),
    ];
    return { json: { id: "2", finish_reason: "COMPLETE", message: { role: "assistant", content: [{ type: "text", text: TEXT.join("") }] }, usage }, stream };
  },
};

export async function family(request, out, state) {
  const [, host, ...rest] = request.target.split("?")[0].split("/");
  const path = rest.join("/");
  const body = bodyJson(request);
  if (path.endsWith("/embed")) return json(out, 200, { id: "e", embeddings: { float: [[0.1]] }, meta: { api_version: {}, billed_units: { input_tokens: 2 } } });
  if (path.endsWith("/rerank")) return json(out, 200, { id: "r", results: [], meta: { billed_units: { search_units: 1 } } });
  if (!VENDORS[host] || !/chat(\/completions)?$/.test(path)) return json(out, 404, openaiError(404).body);
  const { json: whole, stream } = VENDORS[host](body);
  const shown = { json: whole, stream: body.stream ? stream : null, streamType: "text/event-stream", error: openaiError };
  return void (await play(manner(body.model), { ...shown, midError: data({ error: { code: 502, message: "Upstream" } }) }, request, out, state));
}
