// SPDX-License-Identifier: GPL-3.0-or-later
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { useNewNode } from "./lib/node.mjs";

const here = dirname(fileURLToPath(import.meta.url));

const HELP = `node run.mjs [--gateway BIN] [--only NAME]... [--list] [--verbose]
node run.mjs --via URL --key KEY --ports O,A,G,L,F
  runs every scenario directly and through the gateway, and compares the bytes; and what the gateway logs of
  usage and cost with what the answers told.
  --via uses a gateway that is already there: its routes /openai/v1 /anthropic /gemini /ollama /family have to
  lead to the loopback ports given, where the recorders will listen. Its log is not known, nor looked at.`;

async function main() {
  const { values } = parseArgs({
    options: {
      gateway: { type: "string", default: resolve(here, "../../build/release/bin/gatehouse") },
      only: { type: "string", multiple: true, default: [] },
      via: { type: "string" },
      key: { type: "string" },
      ports: { type: "string", default: "" },
      list: { type: "boolean" },
      verbose: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return void console.log(HELP);
  const { Session } = await import("./lib/session.mjs");
  const { startGateway } = await import("./lib/gateway.mjs");
  const { runAll, scenarios } = await import("./lib/suite.mjs");
  const chosen = scenarios.filter((s) => !values.only.length || values.only.some((name) => s.name.includes(name)));
  if (values.list) return void console.log(chosen.map((s) => s.name).join("\n"));
  if (!chosen.length) throw new Error(`no scenario is called ${values.only.join(", ")}`);

  const dir = mkdtempSync(join(tmpdir(), "gatehouse-clients-"));
  const session = await Session.open({ dir, ports: values.ports.split(",").filter(Boolean).map(Number) });
  let gateway;
  try {
    gateway = values.via
      ? { port: Number(new URL(values.via).port), key: values.key, ours: false, stop: async () => 0 }
      : await startGateway(resolve(values.gateway), session.recorders, dir);
    const counts = await runAll(session, gateway, chosen, values.verbose);
    if (gateway.alive && !gateway.alive()) {
      console.log(`FAIL gateway: it died during the run; its log is ${gateway.log}`);
      counts.failed++;
    }
    const usage = gateway.usage;
    if (usage) {
      await gateway.stop();
      for (const problem of usage.rest()) {
        console.log(`FAIL gateway: ${problem}`);
        counts.failed++;
      }
      console.log(`usage and cost: ${usage.compared} answers compared, ${usage.wrong} not as told`);
    }
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
    process.exitCode = counts.failed || !counts.passed ? 1 : 0;
  } finally {
    const how = await gateway?.stop();
    await session.close();
    if (how) console.error(`the gateway ended with ${how}`);
    if (process.exitCode) console.error(`kept: ${dir}`);
    else rmSync(dir, { recursive: true, force: true });
  }
}

useNewNode();
main().then(
  () => process.exit(),
  (error) => {
    console.error(error.stack);
    process.exit(3);
  },
);
