// SPDX-License-Identifier: GPL-3.0-or-later
import OpenAI, { toFile } from "openai";
import { PROMPT, collect, tool } from "./common.mjs";

const client = ({ base, key }, options = {}) => new OpenAI({ baseURL: base, apiKey: key, maxRetries: 0, ...options });
const messages = [
  { role: "system", content: "Antworte kurz." },
  { role: "user", content: PROMPT },
];
const tools = [{ type: "function", function: { ...tool, strict: true } }];
const flatTools = [{ type: "function", ...tool, strict: false }];

export const openai = [
  {
    name: "openai-chat",
    async run(ctx) {
      const api = client(ctx);
      const { data, request_id } = await api.chat.completions.create({ model: "gpt-5", messages, seed: 7 }).withResponse();
      const second = await api.chat.completions.create({ model: "gpt-5", messages, tools, parallel_tool_calls: false });
      const parts = [{ type: "text", text: "Bild?" }, { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } }];
      const third = await api.chat.completions.create({ model: "gpt-5", messages: [{ role: "user", content: parts }], temperature: 0.1 });
      return { data, request_id, second, third };
    },
  },
  {
    name: "openai-chat-stream",
    async run(ctx) {
      const api = client(ctx);
      const stream = (more) => api.chat.completions.create({ model: "gpt-5", messages, stream: true, ...more }).then(collect);
      return {
        plain: await stream({}),
        usage: await stream({ stream_options: { include_usage: true } }),
        tools: await stream({ tools }),
        slow: await stream({ model: "gpt-5~slow" }),
        gzip: await stream({ model: "gpt-5~gzip" }),
        final: await api.chat.completions.stream({ model: "gpt-5", messages, tools }).finalChatCompletion(),
      };
    },
  },
  {
    name: "openai-chat-abort",
    async run(ctx) {
      const api = client(ctx);
      const seen = [];
      const controller = new AbortController();
      const broken = await ctx.attempt(async () => {
        const stream = await api.chat.completions.create({ model: "gpt-5~stall", messages, stream: true }, { signal: controller.signal });
        for await (const event of stream) {
          seen.push(event);
          if (seen.length === 3) controller.abort();
        }
        return "ended";
      });
      const late = await ctx.attempt(() =>
        client(ctx, { timeout: 400 }).chat.completions.create({ model: "gpt-5~stall-head", messages }),
      );
      return { seen, broken, late };
    },
  },
  {
    name: "openai-errors",
    async run(ctx) {
      const results = {};
      const api = client(ctx);
      const send = (model, more) => api.chat.completions.create({ model, messages, ...more });
      for (const status of [400, 401, 403, 404, 409, 422, 429, 500, 503]) {
        results[status] = await ctx.attempt(() => send(`gpt-5~err-${status}`, { stream: status % 2 === 1 }));
      }
      for (const kind of ["mid-error", "cut", "cut-between"]) {
        results[kind] = await ctx.attempt(async () => collect(await send(`gpt-5~${kind}`, { stream: true })));
      }
      results.cutJson = await ctx.attempt(() => send("gpt-5~cut-json"));
      return results;
    },
  },
  {
    name: "openai-retries",
    run: async (ctx) => {
      const api = client(ctx, { maxRetries: 2 });
      const send = (model) => ctx.attempt(() => api.chat.completions.create({ model, messages }));
      return { limited: await send("gpt-5~flaky-429"), down: await send("gpt-5~flaky-503") };
    },
  },
  {
    name: "openai-responses",
    async run(ctx) {
      const api = client(ctx);
      const input = [{ role: "user", content: [{ type: "input_text", text: PROMPT }] }];
      const create = (more) => api.responses.create({ model: "gpt-5", input, ...more });
      return {
        json: await create({ store: false, include: ["reasoning.encrypted_content"] }),
        stream: await create({ stream: true }).then(collect),
        tool: await create({ stream: true, tools: flatTools }).then(collect),
        slow: await create({ stream: true, model: "gpt-5~slow" }).then(collect),
        failing: await ctx.attempt(async () => collect(await create({ stream: true, model: "gpt-5~mid-error" }))),
        items: (await api.responses.inputItems.list("resp_1", { limit: 5, order: "asc", after: "a b&c" })).data,
      };
    },
  },
  {
    name: "openai-embeddings-models",
    async run(ctx) {
      const api = client(ctx, { organization: "org-x", project: "proj_y" });
      const vectors = await api.embeddings.create({ model: "text-embedding-3-small", input: ["eins", "zwei"] });
      const floats = await api.embeddings.create({ model: "text-embedding-3-small", input: "drei", encoding_format: "float" });
      const models = [];
      for await (const model of api.models.list()) models.push(model.id);
      const one = await api.models.retrieve("org/über model:1");
      const zipped = await api.chat.completions.create({ model: "gpt-5~gzip", messages });
      return { vectors: vectors.data, floats, models, one, zipped };
    },
  },
  {
    name: "openai-files-audio",
    async run(ctx) {
      const api = client(ctx);
      const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 31) & 255));
      const file = await api.files.create({ file: await toFile(bytes, "prüfung – 1.jsonl"), purpose: "batch" });
      const text = await api.audio.transcriptions.create({ file: await toFile(bytes.subarray(0, 5000), "a.wav"), model: "whisper-1" });
      const speech = await api.audio.speech.create({ model: "tts-1", voice: "alloy", input: PROMPT });
      const content = await api.files.content("file-1");
      const length = async (response) => Buffer.from(await response.arrayBuffer()).toString("base64");
      return { file, text, speech: await length(speech), content: await length(content), gone: await api.files.delete("file-1") };
    },
  },
  {
    name: "openai-big-prompt",
    async run(ctx) {
      const api = client(ctx);
      const content = "0123456789 äöü 世界 ".repeat(8 * 1024 * 1024 / 26 | 0);
      const answer = await api.chat.completions.create({ model: "gpt-5", messages: [{ role: "user", content }] });
      const big = await api.chat.completions.create({ model: "gpt-5~big", messages });
      return { answer, length: big.padding.length };
    },
  },
  {
    name: "openai-concurrent",
    async run(ctx) {
      const api = client(ctx);
      const one = (i) =>
        api.chat.completions.create({ model: i % 2 ? "gpt-5~slow" : "gpt-5", messages: [{ role: "user", content: `Nr. ${i}` }], stream: true }).then(collect);
      return Promise.all(Array.from({ length: 12 }, (_, i) => one(i)));
    },
  },
].map((scenario) => ({ dialect: "openai", ...scenario }));
