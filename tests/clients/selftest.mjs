// SPDX-License-Identifier: GPL-3.0-or-later
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { useNewNode } from "./lib/node.mjs";

useNewNode();
const { DIALECTS, Session } = await import("./lib/session.mjs");
const { openStandIn } = await import("./lib/standin.mjs");
const { runAll, scenarios } = await import("./lib/suite.mjs");

const KEY = `ghk_${"A".repeat(36)}`;
/** The agents take longer: they are run only if they are named. */
const names = process.argv.slice(2);

/** Replaces text in bytes; latin1 keeps every other byte as it is. */
const swap = (from, to) => (bytes) => Buffer.from(bytes.toString("latin1").replace(from, to), "latin1");
const down = (from, to) => ({ corrupt: (bytes, way) => (way === "down" ? swap(from, to)(bytes) : bytes) });
const up = (from, to) => ({ corrupt: (bytes, way) => (way === "up" ? swap(from, to)(bytes) : bytes) });
const line = (from, to) => ({ head: (lines) => lines.map((l) => l.replace(from, to)) });
const insert = (text) => ({ head: (lines) => [lines[0], text, ...lines.slice(1)] });

/** Each of these is one thing that a gateway must not do, with a scenario that has to notice. */
const FAULTS = [
  ["an answer's body changed by a byte", "openai-chat-stream", down("finish_reason", "finish_reasoN")],
  ["an answer's body with a space more", "openai-chat", down(/Content-Length: (\d+)([^]*?)\{"id"/, (_, n, rest) => `Content-Length: ${Number(n) + 1}${rest}{ "id"`)],
  ["an answer's header in lower case", "anthropic-messages", down("CF-RAY", "cf-ray")],
  ["an answer's header dropped", "gemini-generate", down(/alt-svc: [^\r]*\r\n/, "")],
  ["an answer's repeated header joined", "gemini-generate", down("Vary: Origin\r\nVary: X-Origin", "Vary: Origin, X-Origin")],
  ["an answer's header added", "ollama-chat", down("Server:", "Via: 1.1 x\r\nServer:")],
  ["another reason phrase", "openai-errors", down("429 Too Many Requests", "429 Slow Down")],
  ["no early hints", "raw-early-hints", down(/HTTP\/1.1 103[^]*?\r\n\r\n/, "")],
  ["no trailers", "raw-trailers", down("X-Checksum: abc123\r\n\r\n", "\r\n")],
  ["no content-encoding", "gemini-generate", down("Content-Encoding: gzip\r\n", "")],
  ["a request's body changed by a byte", "openai-responses", up("input_text", "inpuT_text")],
  ["a changed multipart body", "openai-files-audio", up("whisper-1", "whisper-2")],
  ["a request's header in capitals", "openai-chat", line(/^user-agent/, "User-Agent")],
  ["a request's header moved", "anthropic-messages", { head: (l) => [...l.slice(0, 3), l[4], l[3], ...l.slice(5)] }],
  ["a request's header added", "openai-chat", insert("X-Forwarded-For: 127.0.0.1")],
  ["a request's header dropped", "anthropic-messages", { head: (l) => l.filter((x) => !x.startsWith("anthropic-beta")) }],
  ["bytes of a header value decoded", "raw-odd-headers", line("gr\xfc\xdfe", "gr\xc3\xbc\xc3\x9fe")],
  ["a normalised target", "raw-odd-targets", line("a%2Fb%3Ac", "a/b:c")],
  ["a reordered query", "raw-odd-targets", line("&empty=&", "&empty&")],
  ["the virtual key let through", "openai-chat", insert(`x-leak: ${KEY}`)],
  ["another real key", "openai-chat", line(DIALECTS.openai.realKey, "sk-another")],
  ["the real key shown to the client", "openai-chat", down("Server: cloudflare", `Server: ${DIALECTS.openai.realKey}`)],
  ["a provider that is not told of an abort", "openai-chat-abort", { keepProvider: true }],
  ["a cut stream that ends cleanly", "anthropic-errors", { mendCut: true }],
  ["a WebSocket frame changed", "raw-websocket", down("output_text.delta", "output_text.Delta")],
];

/** What is logged of an answer with usage, changed. */
const logged = (change) => ({ log: (text, id) => (text ? [change(`${id}: ${text}`)].flat() : []) });

/** And these are wrong records of what was used. What each replaces was worked out by hand: it has to be there. */
FAULTS.push(
  ["usage that is not recorded", "openai-chat", logged(() => [])],
  ["usage recorded twice", "openai-chat", logged((l) => [l, l])],
  ["usage of another exchange", "openai-chat", logged((l) => l.replace(/^test/, "other"))],
  ["usage of an answer that told none", "openai-chat-stream", { log: (text, id) => [`${id}: ${text ?? "openai gpt-5 input 1, cost 0 USD"}`] }],
  ["a token too many", "anthropic-messages", logged((l) => l.replace("output 17", "output 18"))],
  ["a cached token billed as another", "gemini-generate", logged((l) => l.replace("input 20 cache-read 10", "input 30"))],
  ["reasoning beside the output", "usage-xai", logged((l) => l.replace("output 100", "output 9"))],
  ["a cost that is rounded down", "usage-chat-prices", logged((l) => l.replace("cost 0.000001 USD", "cost 0 USD"))],
  ["a millionth too much", "usage-told-costs", logged((l) => l.replace("cost 0.003776 USD", "cost 0.003777 USD"))],
  ["a price that is not known any more", "ollama-chat", logged((l) => l.replace("cost 0 USD", "price unknown"))],
  ["the prices of the other step", "usage-anthropic-cache", logged((l) => l.replace("cost 0.001855 USD", "cost 0.003687 USD"))],
  ["another model", "usage-responses", logged((l) => l.replace("gpt-5~long", "gpt-5"))],
  ["another provider", "usage-groq", logged((l) => l.replace(": family", ": openai"))],
  ["the usage of a whole answer that was broken off", "usage-vllm-abort", logged((l) => l.replace("output 3", "output 5"))],
  ["a broken answer that is recorded as whole", "anthropic-abort", logged((l) => l.replace(", so far", ""))],
  ["a whole answer that is recorded as broken", "usage-ollama", logged((l) => `${l}, so far`)],
  ["a coded answer read wrongly", "usage-codings", logged((l) => l.replace("output 40", "output 39"))],
);

const dir = mkdtempSync(join(tmpdir(), "gatehouse-selftest-"));
const session = await Session.open({ dir });
const counts = { passed: 0, failed: 0, skipped: 0 };

const honest = await openStandIn(session.recorders, { key: KEY });
const agents = /claude|codex/;
const chosen = scenarios.filter((s) => names.some((n) => s.name.includes(n)) || !agents.test(s.name)).filter((s) => !s.needs);
Object.assign(counts, await runAll(session, honest, chosen, true));
await honest.stop();
for (const problem of honest.usage.rest()) {
  console.log(`FAIL stand-in: ${problem}`);
  counts.failed++;
}

for (const [fault, name, options] of FAULTS) {
  const gateway = await openStandIn(session.recorders, { key: KEY, ...options });
  const scenario = scenarios.filter((s) => s.name === name);
  const lines = [];
  let { failed } = await runAll(session, gateway, scenario, false, (text) => lines.push(text.trim()));
  await gateway.stop();
  const rest = gateway.usage.rest();
  if (!failed && rest.length) lines.splice(0, lines.length, rest[0]);
  failed ||= rest.length;
  counts[failed ? "passed" : "failed"]++;
  console.log(failed ? `pass noticed: ${fault} (${(lines[1] ?? lines[0]).slice(0, 110)})` : `FAIL not noticed: ${fault} in ${name}`);
}

await session.close();
rmSync(dir, { recursive: true, force: true });
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed ? 1 : 0);
