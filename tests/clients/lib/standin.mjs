// SPDX-License-Identifier: GPL-3.0-or-later
import net from "node:net";
import { DIALECTS } from "./session.mjs";
import { usageLine, usageOf } from "./usage.mjs";
import { UsageLog } from "./usagelog.mjs";
import { Reader, headerValue } from "./wire.mjs";

/**
 * A stand-in for the gateway, to prove the harness: routes by prefix, swaps the key, and passes all other
 * bytes on. To show that the comparison can fail, corrupt(bytes, direction) and head(lines) may change what
 * passes, keepProvider does not tell the provider that the client went, mendCut ends a cut stream cleanly, and
 * log(line, id) gives the lines that are logged in the place of an answer's.
 */
export async function openStandIn(recorders, options) {
  const { key, corrupt = (bytes) => bytes, head = (lines) => lines, keepProvider = false, mendCut = false } = options;
  const { log = (line, id) => (line ? [`${id}: ${line}`] : []) } = options;
  const logged = [];
  const sockets = new Set();
  const routes = Object.entries(DIALECTS).map(([name, d]) => ({ ...d, name, port: recorders[name].port }));

  const refuse = (client, status, dialect) => {
    const message = "refused by the stand-in";
    const body = JSON.stringify({ error: dialect === "openai" || dialect === "anthropic" ? { message } : message });
    client.end(
      `HTTP/1.1 ${status} X\r\ncontent-type: application/json\r\nx-gatehouse-reason: test\r\nx-should-retry: false\r\n` +
        `connection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  };

  const rewrite = (text, route) => {
    const [start, ...lines] = text.split("\r\n");
    const [method, target, version] = start.split(" ");
    const swapped = lines
      .map((line) => line.replace(key, route.realKey ?? ""))
      .filter((line) => route.realKey || !/^authorization:/i.test(line));
    const path = (route.providerPrefix + target.slice(route.prefix.length)).replace(key, route.realKey ?? "");
    return head([`${method} ${path} ${version}`, ...swapped]).join("\r\n");
  };

  const server = net.createServer((client) => {
    let far = null;
    let pending = Buffer.alloc(0);
    let body = null;
    const asked = [];
    sockets.add(client);
    client.on("error", () => {});
    client.on("close", () => !keepProvider && far?.destroy());

    const connect = (route) => {
      far = net.connect(route.port, "127.0.0.1");
      sockets.add(far);
      far.on("error", () => client.destroy());
      const watch = watchUsage(route, asked, (line, id) => logged.push(...log(line, id).map((text) => `gatehouse.usage: ${text}\n`)));
      far.on("data", (data) => {
        const marked = withRequestId(data);
        watch.feed(marked);
        client.write(corrupt(marked, "down"));
      });
      far.on("end", () => client.end(mendCut ? "0\r\n\r\n" : ""));
      far.on("close", () => {
        watch.end();
        setTimeout(() => client.destroy(), 20);
      });
    };
    const step = () => {
      if (body) {
        const bytes = pending;
        const rest = body.feed(bytes);
        pending = rest ?? Buffer.alloc(0);
        if (bytes.length) far.write(corrupt(bytes.subarray(0, bytes.length - pending.length), "up"));
        if (rest) body = null;
        return rest !== null && rest.length > 0;
      }
      const at = pending.indexOf("\r\n\r\n");
      if (at < 0) return false;
      const text = pending.subarray(0, at + 4).toString("latin1");
      pending = pending.subarray(at + 4);
      const target = text.split(" ")[1];
      const route = routes.find((r) => target.startsWith(r.prefix));
      if (!route) return refuse(client, 404, null);
      if (!text.includes(key)) return refuse(client, 401, route.name);
      if (!far) connect(route);
      const rewritten = rewrite(text, route);
      const [method, path] = rewritten.split(" ");
      asked.push({ method, target: path });
      far.write(rewritten, "latin1");
      body = bodyOf(text);
      if (body.over) body = null;
      return true;
    };
    client.on("data", (data) => {
      pending = pending.length ? Buffer.concat([pending, data]) : data;
      while (step());
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: server.address().port,
    key,
    ours: false,
    usage: new UsageLog(() => Buffer.from(logged.splice(0).join(""))),
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

let lastId = 0;

/** As the gateway does. An answer's head comes at the start of a read, save with pipelining. */
function withRequestId(data) {
  const text = data.toString("latin1");
  if (!/^HTTP\/1\.1 (?!103)/.test(text)) return data;
  return Buffer.from(text.replace("\r\n", `\r\nx-gatehouse-request-id: test${++lastId}\r\n`), "latin1");
}

/** Reads the answers of one connection; tell(line, id) once each is over, line is null where it told no usage. */
function watchUsage(route, asked, tell) {
  let request;
  return new Reader("response", {
    nextMethod: () => (request = asked.shift())?.method,
    onMessage({ status, headers, body, complete }) {
      const reading = request && usageOf({ dialect: route.name, request, status, headers }, body, complete);
      tell(usageLine(route.name, reading), headerValue(headers, "x-gatehouse-request-id"));
    },
  });
}

/** Follows one request's framing: feed() gives back what came after its end, or null while it goes on. */
function bodyOf(headText) {
  const reader = new Reader("request", { onMessage: () => (reader.state = "stopped") });
  reader.read_stopped = () => false;
  const tunnel = /\r\nupgrade:/i.test(headText);
  reader.feed(Buffer.from(headText, "latin1"));
  return {
    over: reader.state === "stopped" && !tunnel,
    feed(bytes) {
      if (tunnel) return null;
      reader.feed(bytes);
      return reader.state === "stopped" ? reader.pending : null;
    },
  };
}
