// SPDX-License-Identifier: GPL-3.0-or-later
import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installed, runAgent } from "../lib/agent.mjs";
import { credentials } from "../lib/compare.mjs";
import { DIALECTS } from "../lib/session.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const PROMPT = "Sag „grün“ und sonst nichts.";
const QUIET = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  DISABLE_TELEMETRY: "1",
  DISABLE_ERROR_REPORTING: "1",
  DISABLE_AUTOUPDATER: "1",
};
/** Keys that the caller has: none of them may be seen by what runs under gatehouse exec. */
const OWN_KEYS = Object.fromEntries(
  ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY", "GROQ_API_KEY"].map((name) => [name, `sk-own-${name}`]),
);

/** A program under gatehouse exec, told by its environment alone, has to reach the provider with the real key. */
const underExec = (name, dialects, command, expected) => ({
  name,
  gatewayOnly: true,
  needs: (gateway) => (gateway.ours ? null : "only with a gateway that this program started"),
  async run({ gateway, session, problems }) {
    for (const recorder of Object.values(session.recorders)) recorder.take();
    const home = join(session.dir, "home");
    rmSync(home, { recursive: true, force: true });
    const args = ["exec", "--data", gateway.data, "--", ...command(home)];
    const { code, stdout, stderr } = await runAgent(home, gateway.binary, args, { ...QUIET, ...OWN_KEYS });
    if (code !== 0 || !stdout.includes(expected)) problems.push(`ended with ${code}: ${stdout.slice(-300)} ${stderr.slice(-500)}`);
    if (/sk-own|both .*set/i.test(stdout + stderr)) problems.push(`it was given keys that are in its way: ${(stdout + stderr).slice(-300)}`);
    for (const dialect of dialects) {
      const { realKey } = DIALECTS[dialect];
      const { exchanges, bytes } = session.recorders[dialect].take();
      const pairs = exchanges.map((exchange) => [undefined, exchange]);
      await gateway.usage.check(dialect, pairs, (where, what) => problems.push(`${dialect}: ${where}: ${what}`));
      if (!exchanges.length) problems.push(`${dialect}: the provider was not asked`);
      for (const { request } of exchanges) {
        const carried = credentials(request);
        const right = realKey ? carried.length && carried.every((value) => value === realKey || value === `Bearer ${realKey}`) : !carried.length;
        if (!right) problems.push(`${dialect}: ${request.start.slice(0, 60)} came with ${JSON.stringify(carried)}`);
      }
      if (bytes.includes("ghk_")) problems.push(`${dialect}: a virtual key reached the provider`);
    }
    const left = existsSync(join(gateway.data, "sessions")) ? readdirSync(join(gateway.data, "sessions")) : ["no directory"];
    if (left.length) problems.push(`left in sessions: ${left.join(", ")}`);
  },
});

export const environment = [
  underExec(
    "exec-sdks",
    ["openai", "anthropic", "gemini", "ollama"],
    () => [process.execPath, join(here, "../lib/environmentclients.mjs")],
    "all answered",
  ),
  underExec(
    "exec-claude-code",
    ["anthropic"],
    () => [installed("@anthropic-ai", "claude-code-linux-x64", "claude"), "-p", PROMPT, "--model", "claude-opus-5-5"],
    "",
  ),
  underExec(
    "exec-codex",
    ["openai"],
    () => {
      installed("@openai", "codex-linux-x64", "package.json");
      const program = installed("@openai", "codex", "bin", "codex.js");
      const script = 'exec "$0" "$1" -c "openai_base_url=$OPENAI_BASE_URL" exec --skip-git-repo-check "$2" </dev/null';
      return ["sh", "-c", script, process.execPath, program, PROMPT];
    },
    "",
  ),
];
