// SPDX-License-Identifier: GPL-3.0-or-later
import { GoogleGenAI } from "@google/genai";
import { PROMPT, collect, geminiMidError, tool } from "./common.mjs";

const client = ({ base, key }, httpOptions = {}) =>
  new GoogleGenAI({ apiKey: key, vertexai: false, httpOptions: { baseUrl: base, ...httpOptions } });
const model = "gemini-2.5-flash";
const ask = { model, contents: [{ role: "user", parts: [{ text: PROMPT }] }] };
const tools = [{ functionDeclarations: [{ name: tool.name, description: tool.description, parametersJsonSchema: tool.parameters }] }];
// the SDK also hands out the answer's headers; the tap compares those
const plain = (value) => JSON.parse(JSON.stringify(value, (name, v) => (name === "sdkHttpResponse" ? undefined : v)));
// the SDK warns on the console when text is asked for beside a function call
const parsed = (response) => ({ text: response.functionCalls ? null : response.text, calls: response.functionCalls, usage: plain(response.usageMetadata ?? null) });

export const gemini = [
  {
    name: "gemini-generate",
    async run(ctx) {
      const api = client(ctx);
      const first = await api.models.generateContent({ ...ask, config: { systemInstruction: "Kurz.", temperature: 0.2 } });
      const called = await api.models.generateContent({ ...ask, config: { tools } });
      const zipped = await api.models.generateContent({ ...ask, model: `${model}~gzip` });
      const beta = await client(ctx, { apiVersion: "v1beta" }).models.generateContent(ask);
      return [first, called, zipped, beta].map(parsed);
    },
  },
  {
    name: "gemini-stream",
    async run(ctx) {
      const api = client(ctx);
      const results = {};
      for (const kind of ["", "~slow", "~gzip"]) {
        const events = await collect(await api.models.generateContentStream({ ...ask, model: model + kind }));
        results[kind] = events.map(parsed);
      }
      results.tools = (await collect(await api.models.generateContentStream({ ...ask, config: { tools } }))).map(parsed);
      return results;
    },
  },
  {
    name: "gemini-other-endpoints",
    async run(ctx) {
      const api = client(ctx);
      const models = [];
      for await (const item of await api.models.list({ config: { pageSize: 50 } })) models.push(item.name);
      return {
        count: plain(await api.models.countTokens(ask)),
        embed: plain(await api.models.embedContent({ model: "gemini-embedding-001", contents: ["eins", "zwei"] })),
        models,
      };
    },
  },
  {
    name: "gemini-abort",
    async run(ctx) {
      const controller = new AbortController();
      const seen = [];
      const broken = await ctx.attempt(async () => {
        const stream = await client(ctx).models.generateContentStream({
          ...ask,
          model: `${model}~stall`,
          config: { abortSignal: controller.signal },
        });
        for await (const event of stream) {
          seen.push(event.text);
          if (seen.length === 3) controller.abort();
        }
        return "ended";
      });
      return { seen, broken };
    },
  },
  {
    name: "gemini-errors",
    async run(ctx) {
      const api = client(ctx);
      const results = {};
      for (const status of [400, 401, 403, 404, 429, 500, 503]) {
        results[status] = await ctx.attempt(() => api.models.generateContent({ ...ask, model: `${model}~err-${status}` }));
      }
      const stream = (kind) => api.models.generateContentStream({ ...ask, model: `${model}~${kind}` });
      const target = `/v1beta/models/${model}~mid-error:streamGenerateContent?alt=sse&key=${ctx.key}`;
      results["mid-error"] = await geminiMidError(ctx, () => stream("mid-error"), target);
      for (const kind of ["cut", "cut-between"]) {
        results[kind] = await ctx.attempt(async () => (await collect(await stream(kind))).map(parsed));
      }
      return results;
    },
  },
  {
    name: "gemini-plain-fetch",
    // what curl users and old clients do: the key in the query, and the stream as one JSON array
    async run({ base, key }) {
      const body = JSON.stringify({ contents: ask.contents });
      const post = (target) => fetch(base + target, { method: "POST", body, headers: { "content-type": "application/json" } });
      const array = await post(`/v1beta/models/${model}:streamGenerateContent?key=${key}`);
      const sse = await post(`/v1beta/models/${model}:streamGenerateContent?alt=sse&key=${key}&x=%20a%2Fb`);
      const encoded = await post(`/v1/models/gemini%2D2.5-flash%7Eerr-429:generateContent?key=${key}`);
      return [await array.json(), await sse.text(), encoded.status, await encoded.json()];
    },
  },
].map((scenario) => ({ dialect: "gemini", ...scenario }));
