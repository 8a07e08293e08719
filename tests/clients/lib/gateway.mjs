// SPDX-License-Identifier: GPL-3.0-or-later
import { execFile, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync, openSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { priceDocuments } from "./prices.mjs";
import { DIALECTS } from "./session.mjs";
import { UsageLog, fileTail } from "./usagelog.mjs";

const run = promisify(execFile);
const READY = /^gatehouse: ready http:\/\/127\.0\.0\.1:(\d+)/m;

/** A port that refuses connections. */
async function closedPort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function documents(dir, recorders, downPort) {
  const documents = [
    { kind: "Gateway", metadata: { name: "default" }, spec: { listeners: [{ name: "default", address: "127.0.0.1:0" }], admin: "none" } },
  ];
  const provider = (name, dialect, baseUrl, credential) =>
    documents.push({ kind: "Provider", metadata: { name }, spec: { dialect, baseUrl, credential } });
  const route = (name, basePath, providerName, dialect, usage) =>
    documents.push({
      kind: "Route",
      metadata: { name },
      spec: { listener: "default", basePath, provider: providerName, dialect, usage },
    });
  for (const [name, { prefix, providerPrefix, realKey, dialect = name }] of Object.entries(DIALECTS)) {
    const secret = join(dir, `${name}.key`);
    if (realKey) writeFileSync(secret, realKey, { mode: 0o600 });
    const credential = realKey ? `file:${secret}` : "none";
    provider(name, dialect, `http://127.0.0.1:${recorders[name].port}${providerPrefix}`, credential);
    provider(`${name}-down`, dialect, `http://127.0.0.1:${downPort}${providerPrefix}`, credential);
    route(name, prefix, name, dialect, "observe");
    route(`${name}-down`, `/down${prefix}`, `${name}-down`, dialect, "observe");
  }
  documents.push(...priceDocuments());
  // JSON is YAML: nothing has to be quoted by hand
  return documents.map((d) => JSON.stringify({ apiVersion: "gatehouse/v1", ...d })).join("\n---\n");
}

/** Starts the real gateway on a free port with a private configuration, and makes a virtual key. */
export async function startGateway(binary, recorders, dir) {
  const config = join(dir, "config");
  const data = join(dir, "data");
  for (const folder of [config, data]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(config, "clients-test.yaml"), `${documents(dir, recorders, await closedPort())}\n`);
  const places = ["--config", config, "--data", data];
  const { stdout } = await run(binary, ["client", "add", "tester", ...places]);
  const key = stdout.trim();
  if (!/^ghk_[0-9A-Za-z]{36}$/.test(key)) throw new Error(`"client add" printed no virtual key: ${JSON.stringify(stdout)}`);

  const log = join(dir, "gateway.log");
  const errors = openSync(log, "w");
  const env = { ...process.env, QT_LOGGING_RULES: "gatehouse.usage.info=true" };
  const child = spawn(binary, ["run", ...places], { env, stdio: ["ignore", "pipe", errors] });
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));
  let printed = "";
  const port = await new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("not ready within 20 s")), 20_000).unref();
    child.once("error", reject);
    ended.then((how) => reject(new Error(`ended with ${how} before it was ready: ${readFileSync(log, "utf8").slice(-2000)}`)));
    child.stdout.on("data", (bytes) => {
      printed += bytes;
      const port = READY.exec(printed)?.[1];
      if (port) resolve(Number(port));
    });
  }).catch((error) => {
    child.kill("SIGKILL");
    throw new Error(`the gateway: ${error.message}`);
  });
  return {
    port,
    key,
    binary,
    data,
    ours: true,
    log,
    usage: new UsageLog(fileTail(log)),
    alive: () => child.exitCode === null && child.signalCode === null,
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
      const how = await ended;
      clearTimeout(timer);
      return how;
    },
  };
}
