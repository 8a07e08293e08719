// SPDX-License-Identifier: GPL-3.0-or-later
import { anthropic } from "../scenarios/anthropic.mjs";
import { agents } from "../scenarios/agents.mjs";
import { environment } from "../scenarios/environment.mjs";
import { gemini } from "../scenarios/gemini.mjs";
import { ollama } from "../scenarios/ollama.mjs";
import { openai } from "../scenarios/openai.mjs";
import { raw } from "../scenarios/raw.mjs";
import { refusals } from "../scenarios/refusals.mjs";
import { usage } from "../scenarios/usage.mjs";
import { Skip } from "./session.mjs";

export const scenarios = [...openai, ...anthropic, ...gemini, ...ollama, ...usage, ...raw, ...refusals, ...agents, ...environment];

async function judge(session, gateway, scenario) {
  if (scenario.needs) {
    const missing = scenario.needs(gateway);
    if (missing) throw new Skip(missing);
  }
  if (scenario.gatewayOnly) {
    const problems = [];
    await scenario.run({ gateway, session, problems });
    return { problems, note: "gateway only" };
  }
  const report = await session.compare(scenario, gateway);
  if (scenario.websocket && report.refused.length) {
    throw new Skip(`the gateway does not pass WebSocket upgrades on (${report.refused.join("; ")})`);
  }
  const notes = [`${report.exchanges} exchanges`];
  if (report.usage?.compared) notes.push(`${report.usage.compared} usages`);
  if (report.masked) notes.push(`${report.masked} words masked`);
  if (report.sorted) notes.push(`${report.sorted} JSON maps sorted`);
  if (report.refused.length) notes.push(`refused by the gateway: ${report.refused.join("; ")}`);
  return { problems: report.problems, note: notes.join(", ") };
}

/** Says what several exchanges have in common once, with the first place. */
function grouped(problems) {
  const groups = new Map();
  for (const problem of problems) {
    const what = problem.slice(problem.indexOf(": ") + 2);
    groups.set(what, [...(groups.get(what) ?? []), problem]);
  }
  return [...groups.values()].map(([first, ...more]) => (more.length ? `${first} (and ${more.length} times more)` : first));
}

/** Runs the scenarios one after another, prints a line for each, and counts. */
export async function runAll(session, gateway, chosen, verbose, write = console.log) {
  // what is quoted may be any bytes
  const print = (text) => write(text.replace(/[\x00-\x1f\x7f-\x9f]/g, "·"));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const scenario of chosen) {
    const started = Date.now();
    try {
      const { problems, note } = await judge(session, gateway, scenario);
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      if (!problems.length) {
        counts.passed++;
        print(`pass ${scenario.name} (${note}, ${seconds} s)`);
        continue;
      }
      counts.failed++;
      const all = grouped(problems);
      const shown = verbose ? all : all.slice(0, 6);
      print(`FAIL ${scenario.name} (${note}, ${seconds} s): ${problems.length} differences`);
      for (const problem of shown) print(`     ${problem}`);
      if (shown.length < all.length) print(`     … and ${all.length - shown.length} more (--verbose)`);
    } catch (error) {
      if (error instanceof Skip) {
        counts.skipped++;
        print(`SKIP ${scenario.name}: ${error.message}`);
      } else {
        counts.failed++;
        print(`FAIL ${scenario.name}: ${verbose ? error.stack : error.message}`);
      }
    }
  }
  return counts;
}
