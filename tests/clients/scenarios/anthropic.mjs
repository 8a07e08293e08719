// SPDX-License-Identifier: GPL-3.0-or-later
import Anthropic from "@anthropic-ai/sdk";
import { PROMPT, collect, tool } from "./common.mjs";

const client = ({ base, key }, options = {}) =>
  new Anthropic({ baseURL: base, apiKey: key, authToken: null, maxRetries: 0, ...options });
const messages = [{ role: "user", content: [{ type: "text", text: PROMPT, cache_control: { type: "ephemeral" } }] }];
const tools = [{ name: tool.name, description: tool.description, input_schema: tool.parameters }];
const ask = { model: "claude-opus-5-5", max_tokens: 512, messages };

export const anthropic = [
  {
    name: "anthropic-messages",
    async run(ctx) {
      const api = client(ctx);
      const { data, request_id } = await api.messages.create({ ...ask, system: "Kurz." }).withResponse();
      const thinking = await api.messages.create({ ...ask, thinking: { type: "adaptive" } });
      const used = await api.messages.create({ ...ask, tools, tool_choice: { type: "auto" } });
      const turn = [
        ...messages,
        { role: "assistant", content: used.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_01", content: "−3 °C" }] },
      ];
      const after = await api.messages.create({ ...ask, messages: turn, tools });
      const beta = await api.beta.messages.create({ ...ask, betas: ["context-1m-2025-08-07", "interleaved-thinking-2025-05-14"] });
      return { data, request_id, thinking, used, after, beta };
    },
  },
  {
    name: "anthropic-stream",
    async run(ctx) {
      const api = client(ctx);
      const stream = (more) => api.messages.create({ ...ask, stream: true, ...more }).then(collect);
      return {
        plain: await stream({ thinking: { type: "enabled", budget_tokens: 1024 } }),
        tools: await stream({ tools }),
        slow: await stream({ model: "claude-opus-5-5~slow" }),
        gzip: await stream({ model: "claude-opus-5-5~gzip" }),
        final: await api.messages.stream({ ...ask, tools }).finalMessage(),
      };
    },
  },
  {
    name: "anthropic-abort",
    async run(ctx) {
      const stream = client(ctx).messages.stream({ ...ask, model: "claude-opus-5-5~stall" });
      const seen = [];
      const broken = await ctx.attempt(async () => {
        for await (const event of stream) {
          seen.push(event.type);
          if (seen.length === 2) setTimeout(() => stream.abort(), 100);
        }
        return "ended";
      });
      return { seen, broken };
    },
  },
  {
    name: "anthropic-errors",
    async run(ctx) {
      const api = client(ctx);
      const results = {};
      for (const status of [400, 401, 403, 404, 413, 429, 500, 529]) {
        results[status] = await ctx.attempt(() => api.messages.create({ ...ask, model: `claude~err-${status}` }));
      }
      for (const kind of ["mid-error", "cut", "cut-between"]) {
        results[kind] = await ctx.attempt(async () => collect(await api.messages.create({ ...ask, model: `claude~${kind}`, stream: true })));
      }
      results.retried = await ctx.attempt(() => client(ctx, { maxRetries: 1 }).messages.create({ ...ask, model: "claude~flaky-529" }));
      return results;
    },
  },
  {
    name: "anthropic-other-endpoints",
    async run(ctx) {
      const api = client(ctx);
      return {
        count: await api.messages.countTokens({ model: ask.model, messages, tools }),
        models: (await api.models.list({ limit: 20 })).data,
        batch: await api.messages.batches.retrieve("batch_1"),
        // batches.results() would follow the provider's own absolute results_url, past any gateway
        results: await api.get("/v1/messages/batches/batch_1/results", { __binaryResponse: true }).then((r) => r.text()),
        zipped: await api.messages.create({ ...ask, model: "claude~gzip" }),
        unknown: await ctx.attempt(() => api.get("/v1/something/new", { query: { a: "ä b", "c[]": "1" } })),
      };
    },
  },
  {
    name: "anthropic-x-api-key",
    async run(ctx) {
      const old = { "x-api-key": ctx.key, Authorization: null, "anthropic-version": "2023-06-01" };
      const api = client(ctx, { defaultHeaders: old });
      return { json: await api.messages.create(ask), stream: await api.messages.create({ ...ask, stream: true }).then(collect) };
    },
  },
].map((scenario) => ({ dialect: "anthropic", ...scenario }));
