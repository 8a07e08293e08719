// SPDX-License-Identifier: GPL-3.0-or-later
import zlib from "node:zlib";
import { money, costOf } from "./prices.mjs";
import { FrameReader } from "./websocket.mjs";
import { headerValue } from "./wire.mjs";

/**
 * What an answer says that it used, read here from the vendors' documents and from no code of the gateway: the bar
 * that its own reading is measured by. An answer is {kind, events: [{type, json}], isWhole}; kind is the vendor's
 * interface, an object that the answer's end cut off has the member CUT. A reading is {input, cacheRead,
 * cacheWrite5m, cacheWrite1h, output, reasoning: BigInt where it was told; told: the cost; model; isFinal}.
 */

const CUT = "\u0000cut";
const count = (value) => (Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined);
const first = (...values) => values.find((value) => value !== undefined);
const whole = (object) => (object && typeof object === "object" && !(CUT in object) ? object : null);
const model = (events, of) => events.map(({ json }) => of(json)).find((name) => typeof name === "string" && name !== "") ?? "";
const last = (events, of) => events.map(({ json }) => whole(of(json))).filter(Boolean).at(-1);

/** Dollars as JSON writes them, in 10^-6 USD, rounded up. */
function microUsd(number) {
  const [, digits, decimals = "", exponent = "0"] = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(number));
  const zeros = 6 + Number(exponent) - decimals.length;
  const value = BigInt(digits + decimals);
  if (zeros >= 0) return value * 10n ** BigInt(zeros);
  const unit = 10n ** BigInt(-zeros);
  return (value + unit - 1n) / unit;
}

/** OpenAI and its family, chat and Responses: the prompt has what is cached in it, the output the reasoning. */
function openaiCounts(u, kind) {
  const prompt = count(first(u.prompt_tokens, u.input_tokens));
  const within = u.prompt_tokens_details ?? u.input_tokens_details ?? {};
  const cacheRead = count(kind === "deepseek" ? u.prompt_cache_hit_tokens : within.cached_tokens);
  const cacheWrite5m = count(within.cache_write_tokens);
  const reasoning = count((u.completion_tokens_details ?? u.output_tokens_details ?? {}).reasoning_tokens);
  let output = count(first(u.completion_tokens, u.output_tokens));
  if (kind === "xai") output += reasoning; // its completion is without
  if (kind === "google") output = count(u.total_tokens) - prompt; // thoughts are in the sum alone
  const told = kind === "xai" && u.cost_in_usd_ticks !== undefined ? (BigInt(u.cost_in_usd_ticks) + 9999n) / 10000n : undefined;
  const cost = kind === "openrouter" && u.cost !== undefined ? microUsd(u.cost) : told;
  const input = prompt === undefined ? undefined : prompt - (cacheRead ?? 0n) - (cacheWrite5m ?? 0n);
  return { input, cacheRead, cacheWrite5m, output, reasoning, told: cost };
}

function chat({ kind, events, isStream, isWhole }) {
  const counted = (json) => (kind === "groq" && json.x_groq?.usage) || json.usage;
  const usage = last(events, counted);
  const isEnd = ({ data, json }) => data === "[DONE]" || (whole(counted(json)) && !(CUT in json) && (json.choices ?? []).every((c) => c.finish_reason));
  return {
    ...(usage ? openaiCounts(usage, kind) : {}),
    model: model(events, (json) => json.model),
    isFinal: isStream ? events.some(isEnd) : isWhole,
  };
}

function responses({ events, isStream, isWhole }) {
  const of = (json) => (isStream ? json.response : json);
  const usage = last(events, (json) => of(json)?.usage);
  const ends = ["response.completed", "response.incomplete", "response.failed"];
  return {
    ...(usage ? openaiCounts(usage) : {}),
    model: model(events, (json) => of(json)?.model),
    isFinal: isStream ? events.some(({ json }) => ends.includes(json.type) && !(CUT in json)) : isWhole,
  };
}

/** The parts of the input do not overlap; message_delta restates what has changed, and alone tells the output. */
function anthropic({ events, isStream, isWhole }) {
  const reading = { model: model(events, (json) => (isStream ? json.message?.model : json.model)), isFinal: !isStream && isWhole };
  const told = events.filter(({ json }) => !isStream || json.type === "message_start" || json.type === "message_delta");
  for (const { json } of told) {
    const usage = whole(json.type === "message_start" ? json.message?.usage : json.usage) ?? {};
    const take = (name, value) => value !== undefined && (reading[name] = value);
    take("input", count(usage.input_tokens));
    take("cacheRead", count(usage.cache_read_input_tokens));
    take("cacheWrite5m", count(usage.cache_creation?.ephemeral_5m_input_tokens));
    take("cacheWrite1h", count(usage.cache_creation?.ephemeral_1h_input_tokens));
    const written = count(usage.cache_creation_input_tokens);
    if (written !== undefined) reading.cacheWrite5m = written - (reading.cacheWrite1h ?? 0n);
    if (json.type === "message_start") continue;
    take("output", count(usage.output_tokens));
    take("reasoning", count(usage.output_tokens_details?.thinking_tokens));
  }
  const isEnd = ({ json }) => !(CUT in json) && (json.type === "message_stop" || (json.type === "message_delta" && json.delta?.stop_reason));
  reading.isFinal ||= isStream && events.some(isEnd);
  return reading;
}

/** Each part of a stream tells all by now. The prompt has what is cached in it, but not what tools brought. */
function gemini({ events, isStream, isWhole }) {
  const parts = events.flatMap(({ json }) => (Array.isArray(json) ? json : [json])).map((json) => ({ json }));
  const usage = last(parts, (json) => json.usageMetadata);
  const [prompt, tools, cacheRead, candidates, reasoning] = ["promptTokenCount", "toolUsePromptTokenCount", "cachedContentTokenCount", "candidatesTokenCount", "thoughtsTokenCount"]
    .map((name) => count(usage?.[name]));
  const input = prompt === undefined ? undefined : prompt - (cacheRead ?? 0n) + (tools ?? 0n);
  const output = candidates === undefined ? reasoning : candidates + (reasoning ?? 0n);
  const isEnd = ({ json }) => !(CUT in json) && (json.candidates?.some((c) => c.finishReason) || json.promptFeedback?.blockReason);
  return { input, cacheRead, output, reasoning, model: model(parts, (json) => json.modelVersion), isFinal: isStream ? events.some(isEnd) : isWhole };
}

function ollama({ events, isStream, isWhole }) {
  const of = (name) => events.map(({ json }) => count(json[name])).findLast((n) => n !== undefined);
  const isEnd = ({ json }) => json.done === true && !(CUT in json);
  return {
    input: of("prompt_eval_count"),
    output: of("eval_count"),
    model: model(events, (json) => json.model),
    isFinal: isStream ? events.some(isEnd) : isWhole,
  };
}

/** What is billed comes before what was counted. It does not name its model. */
function cohere({ events, isStream, isWhole }) {
  const units = last(events, (json) => (isStream ? json.delta?.usage : (json.usage ?? json.meta)));
  const { input_tokens, output_tokens } = units?.billed_units ?? units?.tokens ?? {};
  const isEnd = ({ json }) => json.type === "message-end" && !(CUT in json);
  return { input: count(input_tokens), output: count(output_tokens), model: "", isFinal: isStream ? events.some(isEnd) : isWhole };
}

const VENDORS = {
  "api.groq.com": "groq", "api.deepseek.com": "deepseek", "api.x.ai": "xai", "openrouter.ai": "openrouter", "api.cohere.com": "cohere",
  "generativelanguage.googleapis.com": "google",
};
const READERS = { responses, anthropic, gemini, ollama, cohere };

/** The interface that a request is for. */
function kindOf(dialect, target) {
  if (dialect === "openai") return /^\/v1\/responses(\?|$)/.test(target) ? "responses" : "chat";
  return dialect === "family" ? (VENDORS[target.split("/")[1]] ?? "chat") : dialect;
}

/** JSON that may be cut anywhere: what is complete of it, with CUT in each object that is not. */
export function parseCut(text) {
  try {
    return JSON.parse(text);
  } catch {
    // below
  }
  const open = [];
  let at = 0; // the last place where the text could end, if it were closed there
  let closers = "";
  const mark = (end) => {
    at = end;
    closers = open.map((bracket, i) => (bracket === "[" ? "]" : `${i === open.length - 1 && text[end - 1] === "{" ? "" : ","}${JSON.stringify(CUT)}:1}`)).reverse().join("");
  };
  for (const { 0: token, 1: quote, index } of text.matchAll(/"(?:[^"\\]|\\.|\\$)*("|$)|[[\]{},]|[^\s"[\]{},:]+/gs)) {
    if (token[0] === '"') {
      if (!quote) break;
      const isName = open.at(-1) === "{" && !/:\s*$/.test(text.slice(at, index));
      if (!isName) mark(index + token.length);
    } else if (token === ",") mark(index);
    else if ("]}".includes(token)) {
      open.pop();
      mark(index + 1);
    } else if ("[{".includes(token)) {
      open.push(token);
      mark(index + 1);
    }
  }
  try {
    return JSON.parse(text.slice(0, at) + closers);
  } catch {
    return {};
  }
}

const parsed = (text) => parseCut(text) ?? {};

/** Events of text/event-stream; the last one counts even if its blank line is missing. */
function eventsOf(text) {
  return text
    .split(/\r\n\r\n|\n\n|\r\r/)
    .map((block) => block.split(/\r\n|\n|\r/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).replace(/^ /, "")).join("\n"))
    .filter((data) => data !== "")
    .map((data) => ({ data, json: data === "[DONE]" ? {} : parsed(data) }));
}

/** Takes codings off, as far as the bytes go. */
function decoded(body, coding) {
  const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH, ZSTD_e_flush } = zlib.constants;
  try {
    if (coding === "gzip" || coding === "deflate") return zlib.unzipSync(body, { finishFlush: Z_SYNC_FLUSH });
    if (coding === "br") return zlib.brotliDecompressSync(body, { finishFlush: BROTLI_OPERATION_FLUSH });
    if (coding === "zstd") return zlib.zstdDecompressSync(body, { finishFlush: ZSTD_e_flush });
  } catch {
    return Buffer.alloc(0); // not even its head is there
  }
  return body;
}

/** Each response of a WebSocket tells its own usage when it ends; all of them are one answer. */
function overWebSocket(bytes) {
  const texts = [];
  const reader = new FrameReader(({ opcode, payload }) => opcode === 1 && texts.push(payload.toString()));
  reader.feed(bytes);
  const events = texts.map((text) => ({ json: parsed(text) }));
  const ended = events.filter(({ json }) => whole(json.response?.usage));
  if (!ended.length) return null;
  const sum = (a, b) => (b === undefined ? a : (a ?? 0n) + b);
  const reading = { model: "", isFinal: false };
  for (const { json } of events) {
    const name = json.response?.model;
    if (name) Object.assign(reading, { model: name, isFinal: Boolean(whole(json.response.usage)) });
    if (!whole(json.response?.usage)) continue;
    for (const [part, tokens] of Object.entries(openaiCounts(json.response.usage))) reading[part] = sum(reading[part], tokens);
    reading.isFinal = true;
  }
  return reading;
}

/** What the bytes of an answer tell, or null where they tell nothing: {…} as above. */
export function usageOf({ dialect, request, status, headers }, body, isWhole) {
  if (status === 101) return overWebSocket(body);
  if (request.method !== "POST" || status < 200 || status > 299) return null;
  const type = (headerValue(headers, "content-type") ?? "").split(";")[0].trim().toLowerCase();
  const text = decoded(body, headerValue(headers, "content-encoding")).toString();
  const isStream = type === "text/event-stream" || type === "application/x-ndjson";
  if (!isStream && type !== "application/json") return null;
  const lines = () => text.split("\n").filter((line) => line.trim() !== "").map((line) => ({ json: parsed(line) }));
  const events = type === "text/event-stream" ? eventsOf(text) : isStream ? lines() : [{ json: parsed(text) }];
  const kind = kindOf(dialect, request.target);
  const reading = (READERS[kind] ?? chat)({ kind, events, isStream, isWhole });
  const isTold = [reading.input, reading.output, reading.cacheRead, reading.told].some((n) => n !== undefined);
  return isTold ? reading : null;
}

const PARTS = { input: "input", cacheRead: "cache-read", cacheWrite5m: "cache-write-5m", cacheWrite1h: "cache-write-1h", output: "output", reasoning: "reasoning" };

/** A model's name that could pass for another part of the log is in quotes, without its control characters. */
function shown(name) {
  if (!/[\x00-\x20\x7f"]/.test(name)) return name || "-";
  const bytes = Buffer.from(name);
  let size = Math.min(bytes.length, 60);
  while (size < bytes.length && (bytes[size] & 0xc0) === 0x80) size--;
  return `"${bytes.subarray(0, size).toString().replace(/[\x00-\x1f\x7f]/g, "?")}${size < bytes.length ? "…" : ""}"`;
}

/** The line of the gateway's log that a reading makes, without the request's id; null where it makes none. */
export function usageLine(provider, reading) {
  if (!reading) return null;
  const parts = Object.entries(PARTS).filter(([name]) => reading[name] !== undefined).map(([name, word]) => ` ${word} ${reading[name]}`);
  const cost = costOf(provider, reading);
  return `${provider} ${shown(reading.model)}${parts.join("")}, ${cost === null ? "price unknown" : `cost ${money(cost)}`}${reading.isFinal ? "" : ", so far"}`;
}
