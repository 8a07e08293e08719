// SPDX-License-Identifier: GPL-3.0-or-later
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { responsesSocket } from "../answers/responses.mjs";
import { installed, runAgent } from "../lib/agent.mjs";
import { DIALECTS } from "../lib/session.mjs";
import { RawClient } from "../lib/rawclient.mjs";
import { Tap } from "../lib/tap.mjs";

const PROMPT = "Sag „grün“ und sonst nichts.";

function claude({ home, base }, model, env, args = []) {
  const program = installed("@anthropic-ai", "claude-code-linux-x64", "claude");
  const quiet = {
    ANTHROPIC_BASE_URL: base,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_TELEMETRY: "1",
    DISABLE_ERROR_REPORTING: "1",
    DISABLE_AUTOUPDATER: "1",
    CLAUDE_CODE_MAX_RETRIES: "1",
    ...env,
  };
  return runAgent(home, program, ["-p", PROMPT, "--model", model, ...args], quiet);
}

/** The last line of stream-json, less its times and ids. */
function lastResult({ code, stdout, stderr }) {
  const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
  const { type, subtype, is_error, result, num_turns, stop_reason, usage } = lines.at(-1);
  return { code, stderr, kinds: lines.map((l) => l.type), type, subtype, is_error, result, num_turns, stop_reason, usage };
}

function codex({ home, base, key }, provider, env = {}) {
  const program = installed("@openai", "codex", "bin", "codex.js");
  installed("@openai", "codex-linux-x64", "package.json");
  const settings = join(home, ".codex");
  mkdirSync(settings, { recursive: true });
  const common = ['model = "gpt-5.1-codex"', 'approval_policy = "never"', 'sandbox_mode = "danger-full-access"', "check_for_update_on_startup = false"];
  const custom = [
    'model_provider = "recorded"',
    ...common,
    "[model_providers.recorded]",
    'name = "Recorded"',
    `base_url = "${base}"`,
    'env_key = "RECORDED_KEY"',
    'wire_api = "responses"',
    "request_max_retries = 1",
    "stream_max_retries = 1",
  ];
  const builtIn = [`openai_base_url = "${base}"`, ...common];
  const quiet = ["[analytics]", "enabled = false", "[otel]", 'exporter = "none"', "[history]", 'persistence = "none"'];
  writeFileSync(join(settings, "config.toml"), [...(provider === "custom" ? custom : builtIn), ...quiet, ""].join("\n"));
  const args = [program, "exec", "--skip-git-repo-check", "--json", PROMPT];
  return runAgent(home, process.execPath, args, { CODEX_HOME: settings, RECORDED_KEY: key, CODEX_API_KEY: key, ...env });
}

function codexResult({ code, stdout, stderr }) {
  const events = stdout.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const items = events.filter((e) => e.type === "item.completed").map(({ item }) => ({ type: item.type, text: item.text, output: item.aggregated_output }));
  return { code, kinds: events.map((e) => e.type), items, usage: events.find((e) => e.usage)?.usage, failed: code ? stderr.slice(-500) : undefined };
}

export const agents = [
  {
    name: "claude-code-api-key",
    dialect: "anthropic",
    run: async (ctx) => claude(ctx, "claude-opus-5-5", { ANTHROPIC_API_KEY: ctx.key }),
  },
  {
    name: "claude-code-tool-turns",
    dialect: "anthropic",
    run: async (ctx) =>
      lastResult(
        await claude(ctx, "claude-opus-5-5~agent", { ANTHROPIC_AUTH_TOKEN: ctx.key }, [
          "--output-format", "stream-json", "--verbose", "--allowedTools", "Bash(echo:*)",
        ]),
      ),
  },
  {
    name: "claude-code-hello",
    dialect: "anthropic",
    // sent before anything else when its other traffic is on; played here, for with that on it would go past loopback
    async run(ctx) {
      const client = await RawClient.open(ctx.origin);
      const hello = (more) => {
        const head = [
          `HEAD ${ctx.prefix}/api/hello HTTP/1.1`, "Connection: keep-alive", "User-Agent: Bun/1.4.4", "Accept: */*",
          `Host: ${new URL(ctx.origin).host}`, "Accept-Encoding: gzip, deflate, br, zstd", ...more, "", "",
        ];
        return client.send("HEAD", head.join("\r\n"));
      };
      const keyed = await hello([`x-api-key: ${ctx.key}`]);
      const { complete } = await hello([]);
      client.close();
      return { keyed, complete };
    },
  },
  {
    name: "codex-custom-provider",
    dialect: "openai",
    run: async (ctx) => codexResult(await codex(ctx, "custom")),
  },
  {
    name: "codex-built-in-websocket",
    dialect: "openai",
    run: async (ctx) => codexResult(await codex(ctx, "built-in")),
  },
  {
    name: "codex-built-in-fallback",
    dialect: "openai",
    async run(ctx) {
      responsesSocket.refuse = 426;
      try {
        return codexResult(await codex(ctx, "built-in"));
      } finally {
        responsesSocket.refuse = 0;
      }
    },
  },
].map((scenario) => ({ seconds: 110, ...scenario }));

/** With a wrong key an agent has to give up soon and say why. */
const wrongKey = (name, dialect, start, atMost) => ({
  name,
  gatewayOnly: true,
  async run({ gateway, session, problems }) {
    const tap = await Tap.open(gateway.port);
    const home = join(session.dir, "home");
    rmSync(home, { recursive: true, force: true });
    const base = `http://127.0.0.1:${tap.port}${DIALECTS[dialect].prefix}`;
    const { code, stdout, stderr } = await start({ home, base, key: `ghk_${"Z".repeat(36)}` });
    await tap.close();
    const said = `${stdout}${stderr}`;
    if (code === 0) problems.push(`it ended with 0: ${said.slice(-300)}`);
    if (!/401|api key|unauthori[sz]ed|authenticat/i.test(said)) problems.push(`it does not say that the key is wrong: ${said.slice(-300)}`);
    if (tap.exchanges.length > atMost) problems.push(`it asked ${tap.exchanges.length} times: ${tap.exchanges.map((e) => e.request.start).join(", ")}`);
    if (session.recorders[dialect].take().exchanges.length) problems.push("the provider was asked");
  },
});
agents.push(
  wrongKey("wrong-key-claude-code", "anthropic", (ctx) => claude(ctx, "claude-opus-5-5", { ANTHROPIC_API_KEY: ctx.key }), 2),
  // the built-in provider tries its socket seven times whatever a 401 says
  wrongKey("wrong-key-codex", "openai", (ctx) => codex(ctx, "custom"), 2),
  wrongKey("wrong-key-codex-built-in", "openai", (ctx) => codex(ctx, "built-in"), 16),
);
