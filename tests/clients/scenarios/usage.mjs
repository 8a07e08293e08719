// SPDX-License-Identifier: GPL-3.0-or-later
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { collect, geminiMidError } from "./common.mjs";

/**
 * What each vendor tells of usage in a way of its own, and where an answer can end. As with every other scenario the
 * bytes are compared, and the gateway's log with the usage that they tell.
 */

const messages = [{ role: "user", content: "hi" }];
const openai = ({ base, key }, path = "") => new OpenAI({ baseURL: base + path, apiKey: key, maxRetries: 0 });
const anthropic = ({ base, key }) => new Anthropic({ baseURL: base, apiKey: key, authToken: null, maxRetries: 0 });
const gemini = ({ base, key }) => new GoogleGenAI({ apiKey: key, vertexai: false, httpOptions: { baseUrl: base } });
const bearer = (key) => (key ? { Authorization: `Bearer ${key}` } : {});
const plain = (value) => JSON.parse(JSON.stringify(value, (name, v) => (name === "sdkHttpResponse" ? undefined : v)));

/** The events of a stream up to the first that isLast, where the client goes away. open(signal) starts it. */
function abortAt(ctx, open, isLast) {
  const controller = new AbortController();
  const seen = [];
  const broken = ctx.attempt(async () => {
    for await (const event of await open(controller.signal)) {
      seen.push(plain(event));
      if (isLast(event)) controller.abort();
    }
    return "ended";
  });
  return broken.then((how) => ({ seen, how }));
}

const post = ({ base, key }, target, body, headers = {}) =>
  fetch(base + target, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", ...bearer(key), ...headers } });

/** Runs one call after another; their order is that of the recorder's exchanges. */
async function each(list, call) {
  const results = {};
  for (const item of list) results[item] = await call(item);
  return results;
}

/** Names that would be another line of a log, or other words of one. */
const ODD_MODELS = [
  "gpt\n00000000000000000001: openai gpt-5 input 9, cost 9 USD", "gpt\r\u001b[2Kgone", "gpt-5 input 1 output 1, cost 0 USD", 'a"b', "größe 世界 ".repeat(9), "ü/@:x",
];

/** Prompt, cached, written, completion, reasoning: steps of the price, nothing but rounding, and large sums. */
const COUNTS = [
  "0-0-0-0-0", "1-0-0-0-0", "1-1-0-0-0", "1-0-1-1-0", "13-13-0-1-1", "1000-0-0-1-0", "1001-0-0-1-0", "1001-500-501-7-7", "272000-100000-0-999-1",
  "272001-100000-0-999-1", "272001-0-272001-0-0", "272001-272001-0-0-0", "999999999999-1-2-3-3", "4503599627370496-4503599627370495-1-1-0",
];

const chats = [
  {
    name: "usage-chat-prices",
    async run(ctx) {
      const chat = openai(ctx).chat.completions;
      const json = await each(COUNTS, (n) => chat.create({ model: `gpt-5.5-steps~~${n}`, messages }));
      const more = { stream: true, stream_options: { include_usage: true } };
      const streams = await each(COUNTS, async (n) => collect(await chat.create({ model: `gpt-5.5-steps~~${n}`, messages, ...more })));
      const dated = await chat.create({ model: "gpt-5-2026-01-31", messages });
      const unknown = await chat.create({ model: "nobody-knows", messages });
      const odd = await each(ODD_MODELS, (model) => chat.create({ model, messages }));
      return { json, streams, dated, unknown, odd };
    },
  },
  {
    name: "usage-chat-broken",
    async run(ctx) {
      const chat = openai(ctx).chat.completions;
      const stream = (model, options) => chat.create({ model, messages, stream: true, stream_options: { include_usage: true } }, options);
      const stop = (model, isLast) => abortAt(ctx, (signal) => stream(model, { signal }), isLast);
      return {
        first: await stop("gpt-5~stall1", () => true),
        text: await stop("gpt-5~stall-3", (e) => e.choices[0]?.delta.content === "."),
        finished: await stop("gpt-5~stall-2", (e) => e.choices[0]?.finish_reason),
        told: await stop("gpt-5~stall-1", (e) => e.usage),
        cut: await each(["cut2", "cut-2", "cut-1"], (how) => ctx.attempt(async () => collect(await stream(`gpt-5~${how}`)))),
      };
    },
  },
  {
    name: "usage-responses",
    async run(ctx) {
      const api = openai(ctx);
      const create = (model, more) => api.responses.create({ model, input: "hi", ...more });
      const models = ["gpt-5~incomplete", "gpt-5~failed", "gpt-5~long", "gpt-5~slow", "gpt-5.5-steps~~1001-10-20-30-29", "gpt-5.5-steps~gzip~1001-10-20-30-29"];
      const stop = (model, isLast) => abortAt(ctx, (signal) => api.responses.create({ model, input: "hi", stream: true }, { signal }), isLast);
      return {
        streams: await each(models, async (model) => collect(await create(model, { stream: true }))),
        json: await each(models.filter((model) => !model.includes("slow")), (model) => create(model)),
        untold: await stop("gpt-5~stall-1", (e) => e.type === "response.output_item.done"),
        told: await stop("gpt-5~stall99", (e) => e.type === "response.completed"),
        cut: await each(["cut3", "cut-1", "cut99"], (how) => ctx.attempt(async () => collect(await create(`gpt-5~${how}`, { stream: true })))),
        // what another request used, and what a request would use
        retrieved: await api.responses.retrieve("resp_1"),
        counted: await api.responses.inputTokens.count({ model: "gpt-5", input: "hi" }),
      };
    },
  },
].map((scenario) => ({ dialect: "openai", ...scenario }));

const FAMILY = {
  groq: "/api.groq.com/openai/v1", deepseek: "/api.deepseek.com", xai: "/api.x.ai/v1", openrouter: "/openrouter.ai/api/v1",
  mistral: "/api.mistral.ai/v1", google: "/generativelanguage.googleapis.com/v1beta/openai", vllm: "/vllm/v1", azure: "/res.openai.azure.com/openai/v1",
};
/** 10^-10 USD: what is a millionth, and what is not. */
const TICKS = ["0", "1", "9999", "10000", "10001", "37756001", "9007199254740991"];
/** 10^-9 USD, that the answer has as a decimal fraction. */
const NANOS = ["0", "1", "999", "1000", "1001", "140000", "123456789", "5000000001"];

const families = [
  ...Object.entries(FAMILY).map(([vendor, path]) => ({
    name: `usage-${vendor}`,
    async run(ctx) {
      const chat = openai(ctx, path).chat.completions;
      const stream = (model) => chat.create({ model, messages, stream: true, stream_options: { include_usage: true } }).then(collect);
      return {
        json: await chat.create({ model: "m-large", messages }),
        streams: await each(["m-large", "m-large~slow", "m-large~gzip"], stream),
        broken: await each(["cut4", "cut-2", "cut-1"], (how) => ctx.attempt(() => stream(`m-large~${how}`))),
      };
    },
  })),
  {
    name: "usage-told-costs",
    async run(ctx) {
      const ask = (path) => (n) => openai(ctx, path).chat.completions.create({ model: `m~~${n}`, messages });
      return { xai: await each(TICKS, ask(FAMILY.xai)), openrouter: await each(NANOS, ask(FAMILY.openrouter)) };
    },
  },
  {
    name: "usage-vllm-abort",
    // it tells in each chunk what was used by then
    run: (ctx) =>
      abortAt(
        ctx,
        (signal) => {
          const more = { stream: true, stream_options: { include_usage: true, continuous_usage_stats: true } };
          return openai(ctx, FAMILY.vllm).chat.completions.create({ model: "m~stall3", messages, ...more }, { signal });
        },
        (e) => e.usage?.completion_tokens === 3,
      ),
  },
  {
    name: "usage-cohere",
    // as cohere-ai 8.1 asks
    async run(ctx) {
      const ask = async (target, body) => (await post(ctx, `/api.cohere.com/v2/${target}`, body)).text();
      const models = ["command-a", "command-a~slow", "command-a~gzip"];
      return {
        json: await ask("chat", { model: "command-a", messages }),
        streams: await each(models, (model) => ask("chat", { model, messages, stream: true })),
        cut: await ctx.attempt(() => ask("chat", { model: "command-a~cut-1", messages, stream: true })),
        embed: await ask("embed", { model: "embed-v4", texts: ["eins"], input_type: "search_query" }),
        rerank: await ask("rerank", { model: "rerank-v4", query: "?", documents: ["a"] }),
      };
    },
  },
].map((scenario) => ({ dialect: "family", ...scenario }));

/** Input, written for 5 minutes, for an hour, read, output, thinking: below and above the step of the price. */
const CACHES = ["7-0-0-0-1-1", "25-100-200-4000-15-9", "1-0-456-0-300-2", "1-2-0-5997-3-1", "1-2-1-5997-3-1", "0-6001-0-1-3-3"];

const anthropics = [
  {
    name: "usage-anthropic-cache",
    async run(ctx) {
      const api = anthropic(ctx);
      const ask = { max_tokens: 64, messages };
      return {
        json: await each(CACHES, (n) => api.messages.create({ ...ask, model: `claude-cache~~${n}` })),
        streams: await each(CACHES, async (n) => collect(await api.messages.create({ ...ask, model: `claude-cache~~${n}`, stream: true }))),
        gzip: await api.messages.create({ ...ask, model: `claude-cache~gzip~${CACHES[1]}`, stream: true }).then(collect),
      };
    },
  },
  {
    name: "usage-anthropic-broken",
    async run(ctx) {
      const api = anthropic(ctx);
      const stream = (how, options) =>
        api.messages.create({ max_tokens: 64, messages, model: `claude-cache~${how}~${CACHES[1]}`, stream: true }, options);
      const stop = (how, isLast) => abortAt(ctx, (signal) => stream(how, { signal }), isLast);
      return {
        started: await stop("stall1", (e) => e.type === "message_start"),
        text: await stop("stall6", (e) => e.delta?.text === "naïve "),
        stopped: await stop("stall-1", (e) => e.type === "message_delta"),
        cut: await each(["cut0", "cut1", "cut5", "cut-2", "cut-1", "cut99", "mid-error"], (how) => ctx.attempt(async () => collect(await stream(how)))),
      };
    },
  },
].map((scenario) => ({ dialect: "anthropic", ...scenario }));

/** Prompt, cached, candidates, thoughts, what tools brought. */
const THOUGHTS = ["1100-1000-20-50-7", "30-0-5-0-0", "8-8-5-0-0", "1-0-9-1000001-0"];

const geminis = [
  {
    name: "usage-gemini-thoughts",
    async run(ctx) {
      const { models } = gemini(ctx);
      const ask = (model) => ({ model, contents: "hi" });
      return {
        json: plain(await each(THOUGHTS, (n) => models.generateContent(ask(`gemini-2.5-flash~~${n}`)))),
        streams: plain(await each(THOUGHTS, async (n) => collect(await models.generateContentStream(ask(`gemini-2.5-flash~~${n}`))))),
        blocked: plain(await collect(await models.generateContentStream(ask("gemini-2.5-flash~blocked")))),
        alias: plain(await models.generateContent(ask("gemini-thinks-too"))),
      };
    },
  },
  {
    name: "usage-gemini-broken",
    async run(ctx) {
      const { models } = gemini(ctx);
      const stream = (how, config) => models.generateContentStream({ model: `gemini-2.5-flash~${how}~${THOUGHTS[0]}`, contents: "hi", config });
      const stop = (how, isLast) => abortAt(ctx, (abortSignal) => stream(how, { abortSignal }), isLast);
      const target = (how) => `/v1beta/models/gemini-2.5-flash~${how}~${THOUGHTS[0]}:streamGenerateContent?key=${ctx.key}`;
      const array = async (how) => (await fetch(ctx.base + target(how), { method: "POST", body: "{}" })).text();
      return {
        text: await stop("stall2", (e) => e.usageMetadata.candidatesTokenCount === 17),
        stopped: await stop("stall99", (e) => e.candidates[0].finishReason),
        cut: await each(["cut0", "cut1", "cut-1", "cut99"], (how) => ctx.attempt(async () => plain(await collect(await stream(how))))),
        error: await geminiMidError(ctx, () => stream("mid-error"), `${target("mid-error")}&alt=sse`),
        array: await each(["cut0", "cut1", "cut-1", "mid-error", "gzip"], (how) => ctx.attempt(() => array(how))),
      };
    },
  },
].map((scenario) => ({ dialect: "gemini", ...scenario }));

/** The SDK ends with the last line; this client goes away before the answer's end, which comes behind it. */
async function lines({ base, key }, model, signal) {
  const body = JSON.stringify({ model, messages, stream: true });
  const answer = await fetch(`${base}/api/chat`, { method: "POST", body, signal, headers: { "content-type": "application/json", ...bearer(key) } });
  return answer.body.pipeThrough(new TextDecoderStream());
}

const ollamas = [
  {
    name: "usage-ollama",
    async run(ctx) {
      const api = new Ollama({ host: ctx.base, headers: bearer(ctx.key) });
      const ask = async (model) => collect(await api.chat({ model, messages, stream: true }));
      return {
        streams: await each(["llama~~5-70", "llama~~0-70", "llama~gzip~5-70"], ask),
        json: await api.chat({ model: "llama~~5-70", messages, stream: false }),
        cut: await each(["cut0", "cut3", "cut-1"], (how) => ctx.attempt(() => ask(`llama~${how}~5-70`))),
        told: (await abortAt(ctx, (signal) => lines(ctx, "llama~stall99~5-70", signal), (text) => text.includes('"done":true'))).how,
      };
    },
  },
].map((scenario) => ({ dialect: "ollama", ...scenario }));

const coded = [
  {
    name: "usage-codings",
    dialect: "openai",
    async run(ctx) {
      const results = {};
      for (const coding of ["gzip", "deflate", "br", "zstd"]) {
        const ask = async (more) => {
          const body = { model: `gpt-5~${coding}~100-20-3-40-5`, messages, ...more };
          return (await post(ctx, "/chat/completions", body, { "accept-encoding": coding })).text();
        };
        results[coding] = [await ask({}), await ask({ stream: true, stream_options: { include_usage: true } }), await ask({ stream: true })];
      }
      return results;
    },
  },
  {
    name: "usage-gzip-abort",
    dialect: "anthropic",
    run: (ctx) =>
      abortAt(
        ctx,
        (signal) => anthropic(ctx).messages.create({ model: `claude-cache~gzipstall2~${CACHES[1]}`, max_tokens: 64, messages, stream: true }, { signal }),
        (e) => e.type === "content_block_start", // the last that comes
      ).then(({ how }) => how),
  },
];

export const usage = [...chats, ...families, ...anthropics, ...geminis, ...ollamas, ...coded];
