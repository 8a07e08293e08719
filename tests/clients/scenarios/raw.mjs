// SPDX-License-Identifier: GPL-3.0-or-later
import { RawClient } from "../lib/rawclient.mjs";

const head = ({ origin, prefix, key }, method, target, headers = [], length) =>
  [
    `${method} ${prefix}${target} HTTP/1.1`,
    `Host: ${new URL(origin).host}`,
    `Authorization: Bearer ${key}`,
    ...headers,
    ...(length === undefined ? [] : [`Content-Length: ${length}`]),
    "",
    "",
  ].join("\r\n");

const chat = (model, more = {}) => JSON.stringify({ model, messages: [{ role: "user", content: "hi" }], ...more });
const chunked = (parts) => `${parts.map((p) => `${p.length.toString(16)}\r\n${p}\r\n`).join("")}0\r\n\r\n`;

/** Posts a chat for each model on one connection. */
const post = (...models) =>
  async function run(ctx) {
    const client = await RawClient.open(ctx.origin);
    const answers = [];
    for (const model of models) {
      const body = chat(model);
      answers.push(await client.send("POST", head(ctx, "POST", "/chat/completions", ["Content-Type: application/json"], body.length) + body));
    }
    client.close();
    return answers;
  };

/** Runs one raw exchange and gives its answer. */
const exchange = (build) => async (ctx) => {
  const client = await RawClient.open(ctx.origin);
  try {
    return await build(ctx, client);
  } finally {
    client.close();
  }
};

export const raw = [
  { name: "raw-early-hints", run: post("gpt-5~hints", "gpt-5") },
  { name: "raw-trailers", run: post("gpt-5~trailers", "gpt-5") },
  { name: "raw-close-delimited", run: post("gpt-5~close") },
  {
    name: "raw-odd-headers",
    run: exchange((ctx, client) => {
      const body = chat("gpt-5");
      const odd = [
        "x-zULU: 1", "ACCEPT: a/b;q=0.5, c/d", "X-Dup: first", "x-alpha:no-space", "x-dup: second", "X-Empty:", "X-Tab:\ta\tb \t",
        "x-latin: gr\xfc\xdfe", `X-Long: ${"v".repeat(6000)}`, "content-TYPE: application/json", "Cookie: a=1; b=2", "x_under.score!: #$%&'*+-.^`|~",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Accept-Encoding: zstd;q=1, identity;q=0.1", "Via: 1.1 mine",
        "X-Forwarded-For: 192.0.2.1", "openai-beta: a=v1, b=v2",
      ];
      return client.send("POST", head(ctx, "POST", "/chat/completions", odd, body.length) + body);
    }),
  },
  {
    name: "raw-odd-targets",
    run: exchange(async (ctx, client) => {
      const answers = [];
      const targets = [
        "/models?q=%7B%22a%22%3A1%7D&x=a+b&&empty=&~!$'()*,;:@/?&last", "/models/a%2Fb%3Ac", "/models/x:y@1.0,(2)?", "/models?%E4%B8%96=%e4%b8%96", "/models/trailing/",
      ];
      for (const target of targets) answers.push(await client.send("GET", head(ctx, "GET", target)));
      answers.push(await client.send("PATCH", `${head(ctx, "PATCH", "/anything", [], 2)}{}`));
      answers.push(await client.send("DELETE", head(ctx, "DELETE", "/files/file-1")));
      answers.push(await client.send("POST", head(ctx, "POST", "/uploads/upload_1/cancel", [], 0)));
      return answers;
    }),
  },
  {
    name: "raw-head-request",
    run: exchange(async (ctx, client) => [
      await client.send("HEAD", head(ctx, "HEAD", "/models")),
      await client.send("GET", head(ctx, "GET", "/models")),
    ]),
  },
  {
    name: "raw-chunked-upload",
    run: exchange((ctx, client) => {
      const body = chat("gpt-5", { user: "x".repeat(3000) });
      const parts = [body.slice(0, 1), body.slice(1, 20), body.slice(20, 1500), body.slice(1500)];
      const headers = ["Content-Type: application/json", "Transfer-Encoding: chunked"];
      const wire = chunked(parts);
      return client.send("POST", head(ctx, "POST", "/chat/completions", headers), wire.slice(0, 10), wire.slice(10, 700), wire.slice(700));
    }),
  },
  {
    name: "raw-byte-by-byte",
    run: exchange((ctx, client) => {
      const body = chat("gpt-5~slow", { stream: true });
      const wire = head(ctx, "POST", "/chat/completions", ["Content-Type: application/json"], body.length) + body;
      return client.send("POST", ...wire.match(/[^]{1,3}/g));
    }),
  },
  {
    name: "raw-pipelined",
    run: exchange(async (ctx, client) => {
      const body = chat("gpt-5", { stream: true });
      const one = head(ctx, "POST", "/chat/completions", ["Content-Type: application/json"], body.length) + body;
      const first = client.send("POST", one + head(ctx, "GET", "/models") + one);
      client.methods.push("GET", "POST");
      return [await first, await client.answer(), await client.answer()];
    }),
  },
  {
    name: "raw-expect-continue",
    run: exchange((ctx, client) => {
      const body = chat("gpt-5", { user: "y".repeat(20_000) });
      const headers = ["Content-Type: application/json", "Expect: 100-continue"];
      return client.send("POST", head(ctx, "POST", "/chat/completions", headers, body.length), body);
    }),
  },
  {
    name: "raw-websocket",
    websocket: true,
    async run(ctx) {
      const url = `${ctx.base.replace("http", "ws")}/responses?x=1`;
      const socket = new WebSocket(url, { headers: { authorization: `Bearer ${ctx.key}`, "openai-beta": "responses_websockets=2026-02-06" } });
      const got = [];
      const done = await new Promise((resolve) => {
        socket.onerror = () => resolve(false);
        socket.onopen = () => {
          socket.send("grüße 世界");
          socket.send("x".repeat(70_000));
          socket.send(JSON.stringify({ type: "response.create", model: "gpt-5", input: "hi" }));
        };
        socket.onmessage = ({ data }) => {
          got.push(data);
          if (data.includes("response.completed")) resolve(true);
        };
      });
      if (!done) return "refused";
      const closed = new Promise((resolve) => (socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean })));
      socket.close(4001, "fertig");
      return { got, closed: await closed };
    },
  },
].map((scenario) => ({ dialect: "openai", ...scenario }));
