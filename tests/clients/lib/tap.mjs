// SPDX-License-Identifier: GPL-3.0-or-later
import net from "node:net";
import { Reader } from "./wire.mjs";

/** A transparent TCP tap in front of a client: passes every byte on and keeps what it saw. */
export class Tap {
  static async open(targetPort) {
    const tap = new Tap();
    tap.exchanges = [];
    tap.toClient = [];
    tap.sockets = new Set();
    tap.server = net.createServer({ allowHalfOpen: true }, (client) => tap.accept(client, targetPort));
    await new Promise((resolve) => tap.server.listen(0, "127.0.0.1", resolve));
    tap.port = tap.server.address().port;
    return tap;
  }

  accept(client, targetPort) {
    const far = net.connect({ host: "127.0.0.1", port: targetPort, allowHalfOpen: true });
    for (const socket of [client, far]) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("close", () => this.sockets.delete(socket));
    }
    const waiting = [];
    let current = null;
    const requests = new Reader("request", {
      onHead: (request) => {
        const exchange = { request, response: null, up: [], down: [] };
        this.exchanges.push(exchange);
        waiting.push(exchange);
      },
    });
    const responses = new Reader("response", {
      nextMethod: () => (current = waiting.shift())?.request.method,
      onHead: (response) => current && (current.response = response),
    });
    const tunnelled = () => current?.response?.status === 101;

    this.join(client, far, (data) => (tunnelled() ? current.up.push(data) : requests.feed(data)), requests);
    this.join(
      far,
      client,
      (data) => {
        this.toClient.push(data);
        responses.feed(data);
        if (tunnelled()) current.down = current.response.parts;
      },
      responses,
    );
  }

  join(from, to, see, reader) {
    from.on("data", (data) => {
      see(data);
      if (!to.write(data)) {
        from.pause();
        to.once("drain", () => from.resume());
      }
    });
    from.on("end", () => {
      reader.end();
      to.end();
    });
    from.on("error", () => to.destroy());
    from.on("close", () => {
      reader.end();
      // after an end() the other side still flushes; after a reset there is nothing to flush
      if (from.readableEnded) to.end();
      else to.destroy();
    });
  }

  /** Waits for the ends of answers: a client that has its last event does not wait for what is behind it. */
  async settle(ms = 1000) {
    const until = Date.now() + ms;
    const isOpen = ({ response }) => response && response.framing !== "tunnel" && !response.ended;
    while (this.exchanges.some(isOpen) && Date.now() < until) await new Promise((r) => setTimeout(r, 5));
  }

  async close() {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
