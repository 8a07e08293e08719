// SPDX-License-Identifier: GPL-3.0-or-later
import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Skip } from "./session.mjs";

/** Nothing but loopback: what an agent wants from elsewhere fails at once. Port 9 refuses. */
const LOOPBACK_ONLY = Object.fromEntries(
  ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"].map((name) => [name, "http://127.0.0.1:9"]).concat([["NO_PROXY", "127.0.0.1"], ["no_proxy", "127.0.0.1"]]),
);
const modules = join(dirname(fileURLToPath(import.meta.url)), "../node_modules");

/** A program of an installed package; without it the scenario is skipped, and says so. */
export function installed(...path) {
  const file = join(modules, ...path);
  if (!existsSync(file)) throw new Skip(`${path.slice(0, 2).join("/")} is not installed on this machine`);
  return file;
}

/**
 * Runs an agent in a private home with nothing of the caller's environment.
 * Both runs use the same folders, so that paths in the prompts are the same.
 */
export async function runAgent(home, command, args, env, { seconds = 100, input = "" } = {}) {
  const work = join(home, "work");
  mkdirSync(work, { recursive: true });
  const child = spawn(command, args, {
    cwd: work,
    env: {
      ...LOOPBACK_ONLY, HOME: home, PATH: "/usr/bin:/bin", TMPDIR: home, LANG: "C.UTF-8", TERM: "dumb", NO_COLOR: "1", TZ: "UTC", ...env,
    },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  child.stdin.end(input);
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (output[name] += text));
  const timer = setTimeout(() => process.kill(-child.pid, "SIGKILL"), seconds * 1000);
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve(signal ?? status));
  });
  clearTimeout(timer);
  return { code, ...output };
}
