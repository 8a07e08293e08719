// SPDX-License-Identifier: GPL-3.0-or-later
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { DIALECTS, attempt } from "../lib/session.mjs";
import { Tap } from "../lib/tap.mjs";
import { headerValue } from "../lib/wire.mjs";

/** One call of each SDK with its default number of retries, or none. */
const CALLS = {
  openai: (baseURL, apiKey, options) =>
    new OpenAI({ baseURL, apiKey, ...options }).chat.completions.create({ model: "gpt-5", messages: [] }),
  anthropic: (baseURL, apiKey, options) =>
    new Anthropic({ baseURL, apiKey, authToken: null, ...options }).messages.create({ model: "claude", max_tokens: 1, messages: [] }),
  gemini: (baseUrl, apiKey) =>
    new GoogleGenAI({ apiKey, vertexai: false, httpOptions: { baseUrl } }).models.generateContent({ model: "gemini", contents: "hi" }),
  ollama: (host, key) =>
    new Ollama({ host, headers: key ? { Authorization: `Bearer ${key}` } : {} }).chat({ model: "llama", messages: [] }),
};
const STAINLESS = { 401: "AuthenticationError", 404: "NotFoundError", 502: "InternalServerError", 503: "InternalServerError" };
const classFor = (dialect, status) => ({ gemini: "ApiError", ollama: "ResponseError" })[dialect] ?? STAINLESS[status];

/** call(origin) has to be refused by the gateway with one of the statuses, as the SDK's own class, at once. */
async function refused({ gateway, problems, session }, dialect, what, call, statuses) {
  const tap = await Tap.open(gateway.port);
  const { value, error } = await attempt(() => call(`http://127.0.0.1:${tap.port}`));
  await tap.close();
  const status = error?.status ?? error?.status_code;
  const got = value ? "an answer" : `${error.class} ${status}: ${error.message}`;
  if (!statuses.includes(status) || error?.class !== classFor(dialect, status)) {
    problems.push(`${what}: expected ${classFor(dialect, statuses[0])} ${statuses.join("/")}, got ${got}`);
  } else if (/undefined|\[object|status code \(no body\)/.test(error.message) || !error.message) {
    problems.push(`${what}: the SDK finds no message in the answer: ${got}`);
  }
  const answers = tap.exchanges.map((e) => e.response).filter(Boolean);
  if (tap.exchanges.length !== 1) problems.push(`${what}: the SDK asked ${tap.exchanges.length} times`);
  if (!answers.every((a) => headerValue(a.headers, "x-gatehouse-reason"))) problems.push(`${what}: no x-gatehouse-reason`);
  const repeat = answers.map((a) => headerValue(a.headers, "x-should-retry"));
  if (statuses[0] < 500 && !repeat.every((v) => v === "false")) problems.push(`${what}: no x-should-retry: false`);
  if (session.recorders[dialect].take().exchanges.length) problems.push(`${what}: the provider was asked`);
}

const needsOurs = (gateway) => (gateway.ours ? null : "only with a gateway that this program configured");

const wrongKey = (dialect) => ({
  name: `wrong-key-${dialect}`,
  gatewayOnly: true,
  async run(ctx) {
    const { prefix } = DIALECTS[dialect];
    const { key } = ctx.gateway;
    const flipped = key.slice(0, 10) + (key[10] === "a" ? "b" : "a") + key.slice(11);
    const keys = { unknown: `ghk_${"Z".repeat(36)}`, flipped, foreign: "sk-not-ours", real: DIALECTS[dialect].realKey ?? "x" };
    for (const [what, wrong] of Object.entries(keys)) {
      await refused(ctx, dialect, `${what} key`, (origin) => CALLS[dialect](origin + prefix, wrong), [401]);
    }
    if (dialect === "ollama") await refused(ctx, dialect, "no key", (origin) => CALLS[dialect](origin + prefix, ""), [401]);
  },
});

const unknownRoute = (dialect) => ({
  name: `unknown-route-${dialect}`,
  gatewayOnly: true,
  run: (ctx) =>
    refused(ctx, dialect, "unknown route", (origin) => CALLS[dialect](`${origin}/nowhere`, ctx.gateway.key), [404]),
});

const providerDown = (dialect) => ({
  name: `provider-down-${dialect}`,
  gatewayOnly: true,
  needs: needsOurs,
  run(ctx) {
    const call = (origin) => CALLS[dialect](`${origin}/down${DIALECTS[dialect].prefix}`, ctx.gateway.key, { maxRetries: 0 });
    return refused(ctx, dialect, "provider down", call, [502, 503]);
  },
});

const dialects = Object.keys(CALLS);
export const refusals = [...dialects.map(wrongKey), ...dialects.map(unknownRoute), ...dialects.map(providerDown)];
