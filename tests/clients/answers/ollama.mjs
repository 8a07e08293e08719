// SPDX-License-Identifier: GPL-3.0-or-later
import { bodyJson, head, json, manner, numbers, play } from "./shared.mjs";

const WORDS = ["Hej", " på", " dig", ", ", "世界", " 🐑"];
const DONE = {
  done: true, done_reason: "stop", total_duration: 5043500667, load_duration: 5025959, prompt_eval_count: 26,
  prompt_eval_duration: 325953000, eval_count: 290, eval_duration: 4709213000,
};

/** "~~prompt-output" in the place of these; a prompt of 0 tokens is in the cache, and not told. */
function doneOf(model) {
  const [prompt_eval_count, eval_count] = numbers(model) ?? [DONE.prompt_eval_count, DONE.eval_count];
  return { ...DONE, prompt_eval_count: prompt_eval_count || undefined, eval_count };
}

function shapes(path, body) {
  const done = doneOf(body.model);
  const base = { model: body.model, created_at: "2026-11-23T12:00:00.123456Z" };
  const generate = path === "/api/generate";
  const tools = !generate && body.tools?.length;
  const part = (text, extra = {}) => (generate ? { response: text } : { message: { role: "assistant", content: text, ...extra } });
  const call = { tool_calls: [{ function: { name: "get_weather", arguments: { city: "Zürich" } } }] };
  const parts = tools ? [part("", call)] : WORDS.map((word) => part(word));
  const lines = [...parts.map((p) => ({ ...base, ...p, done: false })), { ...base, ...part(""), ...done }];
  return {
    json: { ...base, ...(tools ? part("", call) : part(WORDS.join(""))), ...done },
    stream: body.stream === false ? null : lines.map((line) => `${JSON.stringify(line)}\n`),
    streamType: "application/x-ndjson",
    midError: `${JSON.stringify({ error: "llama runner process has terminated: exit status 2" })}\n`,
    error: (status) => ({ body: { error: status === 404 ? `model '${body.model}' not found` : `Recorded failure ${status} – ümlaut` } }),
  };
}

export async function ollama(request, out, state) {
  const path = request.target.split("?")[0];
  const body = bodyJson(request);
  if (request.method === "HEAD") return out.raw(head(200, [["Content-Type", "text/plain; charset=utf-8"], ["Content-Length", 17]]));
  switch (`${request.method} ${path}`) {
    case "POST /api/chat":
    case "POST /api/generate":
      return void (await play(manner(body.model), shapes(path, body), request, out, state));
    case "POST /api/embed":
      return json(out, 200, { model: body.model, embeddings: [[0.010071, -0.0017594, 1e-9]], total_duration: 14143917, prompt_eval_count: 8 });
    case "GET /api/tags":
      return json(out, 200, { models: [{ name: "llama3.2:1b", model: "llama3.2:1b", size: 1321098329, digest: "ab12" }] });
    case "POST /api/show":
      return json(out, 200, { license: "…", details: { family: "llama" }, capabilities: ["completion", "tools"] });
    case "GET /api/version":
      return json(out, 200, { version: "0.13.0" });
    default:
      return json(out, 404, { error: "path not found" });
  }
}
