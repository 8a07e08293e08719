// SPDX-License-Identifier: GPL-3.0-or-later
import net from "node:net";
import { Reader, headerValue, parseAll } from "./lib/wire.mjs";
import { FrameReader, acceptFor, frame } from "./lib/websocket.mjs";

/** What an answer writes with. Everything written is kept. */
class Out {
  constructor(socket, exchange) {
    Object.assign(this, { socket, exchange });
    this.gone = socket.isGone ??= new Promise((resolve) => socket.once("close", resolve));
  }

  raw(data) {
    const bytes = Buffer.from(data);
    this.exchange.sent.push(bytes);
    if (!this.socket.destroyed) this.socket.write(bytes);
  }

  pause(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** Ends the connection in the middle of what is being sent, after what was written has left. */
  async cut() {
    await this.pause(30);
    this.socket.destroy();
  }

  end() {
    this.socket.end();
  }

  /** Accepts an upgrade; onText(text, send) for each text message. */
  websocket(onText, extraHeaders = []) {
    const key = headerValue(this.exchange.request.headers, "sec-websocket-key") ?? "";
    const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    lines.push(`Sec-WebSocket-Accept: ${acceptFor(key)}`, ...extraHeaders);
    this.raw(`${lines.join("\r\n")}\r\n\r\n`);
    let text = [];
    const frames = new FrameReader(({ opcode, final, payload }) => {
      this.exchange.frames.push({ opcode, payload });
      if (opcode === 8) {
        this.raw(frame(payload, 8));
        this.end();
      } else if (opcode === 9) this.raw(frame(payload, 10));
      else if (opcode < 3) {
        text.push(payload);
        if (!final) return;
        const whole = Buffer.concat(text).toString();
        text = [];
        onText(whole, (message) => this.raw(frame(message)));
      }
    });
    return frames;
  }
}

/**
 * A provider that records the exact bytes of every request and answers canned bytes.
 * answer(request, out, state) may be asynchronous; state is emptied by take().
 */
export class Recorder {
  static async open(answer, port = 0) {
    const recorder = new Recorder();
    Object.assign(recorder, { answer, exchanges: [], state: {}, sockets: new Set(), fromClient: [] });
    recorder.server = net.createServer((socket) => recorder.accept(socket));
    await new Promise((resolve, reject) => recorder.server.once("error", reject).listen(port, "127.0.0.1", resolve));
    recorder.port = recorder.server.address().port;
    return recorder;
  }

  accept(socket) {
    this.sockets.add(socket);
    socket.setNoDelay(true);
    const queue = [];
    let busy = false;
    let frames = null;
    const work = async () => {
      if (busy) return;
      busy = true;
      while (queue.length) {
        const exchange = queue.shift();
        const out = new Out(socket, exchange);
        try {
          frames = (await this.answer(exchange.request, out, this.state)) ?? null;
        } catch (error) {
          exchange.failure = error;
          socket.destroy();
        }
        exchange.answered = true;
      }
      busy = false;
    };
    const open = new Map();
    const reader = new Reader("request", {
      onHead: (request) => {
        const exchange = { request, sent: [], frames: [], answered: false, gone: false };
        open.set(request, exchange);
        this.exchanges.push(exchange);
        if (/100-continue/i.test(headerValue(request.headers, "expect") ?? "")) {
          socket.write("HTTP/1.1 100 Continue\r\n\r\n");
        }
      },
      onMessage: (request) => {
        if (!request.complete) return;
        queue.push(open.get(request));
        void work();
      },
    });
    socket.on("data", (data) => {
      this.fromClient.push(data);
      if (frames) frames.feed(data);
      else reader.feed(data);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      reader.end();
      this.sockets.delete(socket);
      for (const exchange of open.values()) exchange.gone = true;
    });
  }

  /** Hands out what was recorded since the last time, with each answer parsed, and forgets it. */
  take() {
    const exchanges = this.exchanges;
    const bytes = Buffer.concat(this.fromClient);
    Object.assign(this, { exchanges: [], state: {}, fromClient: [] });
    for (const exchange of exchanges) {
      const sent = Buffer.concat(exchange.sent);
      exchange.response = parseAll("response", sent, exchange.request.method)[0] ?? null;
    }
    return { exchanges, bytes };
  }

  /** Waits until every answer is given or its client gone, so that nothing leaks into the next run. */
  async settle(ms = 3000) {
    const until = Date.now() + ms;
    const open = () => this.exchanges.filter((e) => e.request.complete && !e.answered && !e.gone);
    while (open().length && Date.now() < until) await new Promise((r) => setTimeout(r, 10));
    return open().length === 0;
  }

  async close() {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
