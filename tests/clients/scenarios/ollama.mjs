// SPDX-License-Identifier: GPL-3.0-or-later
import { Ollama } from "ollama";
import { PROMPT, collect, tool } from "./common.mjs";

const client = ({ base, key }) => new Ollama({ host: base, headers: key ? { Authorization: `Bearer ${key}` } : {} });
const messages = [{ role: "user", content: PROMPT }];
const ask = { model: "llama3.2:1b", messages };

export const ollama = [
  {
    name: "ollama-chat",
    async run(ctx) {
      const api = client(ctx);
      const tools = [{ type: "function", function: tool }];
      const results = {};
      results.json = await api.chat({ ...ask, stream: false });
      results.stream = await api.chat({ ...ask, stream: true, options: { temperature: 0.1, num_ctx: 4096 } }).then(collect);
      results.slow = await api.chat({ ...ask, model: "llama~slow", stream: true }).then(collect);
      results.tools = await api.chat({ ...ask, tools, stream: true }).then(collect);
      results.generate = await api.generate({ model: ask.model, prompt: PROMPT, stream: true }).then(collect);
      results.image = await api.generate({ model: ask.model, prompt: "?", images: ["iVBORw0KGgo="], stream: false });
      return results;
    },
  },
  {
    name: "ollama-other-endpoints",
    async run(ctx) {
      const api = client(ctx);
      return {
        list: await api.list(),
        embed: await api.embed({ model: "all-minilm", input: ["eins", "zwei"] }),
        show: await api.show({ model: "llama3.2:1b" }),
        version: await api.version(),
      };
    },
  },
  {
    name: "ollama-errors",
    async run(ctx) {
      const api = client(ctx);
      const results = {};
      for (const status of [400, 404, 500, 503]) {
        results[status] = await ctx.attempt(() => api.chat({ ...ask, model: `llama~err-${status}`, stream: status === 404 }));
      }
      for (const kind of ["mid-error", "cut", "cut-between"]) {
        results[kind] = await ctx.attempt(async () => collect(await api.chat({ ...ask, model: `llama~${kind}`, stream: true })));
      }
      return results;
    },
  },
  {
    name: "ollama-abort",
    async run(ctx) {
      const api = client(ctx);
      const seen = [];
      const broken = await ctx.attempt(async () => {
        const stream = await api.chat({ ...ask, model: "llama~stall", stream: true });
        for await (const event of stream) {
          seen.push(event);
          if (seen.length === 3) stream.abort();
        }
        return "ended";
      });
      return { seen, broken };
    },
  },
].map((scenario) => ({ dialect: "ollama", ...scenario }));
