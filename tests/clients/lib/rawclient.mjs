// SPDX-License-Identifier: GPL-3.0-or-later
import net from "node:net";
import { Reader } from "./wire.mjs";

/** Sends bytes as they are written here, and gives the answers as they come. */
export class RawClient {
  static async open(origin) {
    const client = new RawClient();
    client.methods = [];
    client.answers = [];
    client.waiting = [];
    client.socket = net.connect(Number(new URL(origin).port), "127.0.0.1");
    client.socket.setNoDelay(true);
    const reader = new Reader("response", {
      nextMethod: () => client.methods.shift(),
      onMessage: (message) => client.arrived(message),
    });
    client.socket.on("data", (data) => reader.feed(data));
    client.socket.on("error", () => {});
    client.socket.on("close", () => {
      reader.end();
      client.closed = true;
      for (const { reject } of client.waiting.splice(0)) reject(new Error("the connection was closed without an answer"));
    });
    await new Promise((resolve, reject) => client.socket.once("connect", resolve).once("error", reject));
    return client;
  }

  arrived(message) {
    const next = this.waiting.shift();
    if (next) next.resolve(message);
    else this.answers.push(message);
  }

  /** Writes the parts one after another, with a little time between them, and waits for one answer. */
  async send(method, ...parts) {
    this.methods.push(method);
    for (const [i, part] of parts.entries()) {
      if (i) await new Promise((resolve) => setTimeout(resolve, 5));
      this.socket.write(part, "latin1");
    }
    return this.answer();
  }

  async answer() {
    const message = this.answers.shift() ?? (await this.next());
    const { start, body, complete, trailers } = message;
    return { start, length: body.length, complete, trailers, interim: message.interim.map((i) => i.start) };
  }

  next() {
    if (this.closed) throw new Error("the connection was closed without an answer");
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  close() {
    this.socket.destroy();
  }
}
