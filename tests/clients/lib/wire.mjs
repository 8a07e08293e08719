// SPDX-License-Identifier: GPL-3.0-or-later

/** Raw HTTP/1.1 messages: nothing is lower-cased, merged, sorted or decoded but the transfer coding. */

const CRLF = Buffer.from("\r\n");
const END_OF_HEAD = Buffer.from("\r\n\r\n");

export function headerValues(headers, name) {
  const wanted = name.toLowerCase();
  return headers.filter(([n]) => n.toLowerCase() === wanted).map(([, v]) => v);
}

export function headerValue(headers, name) {
  return headerValues(headers, name)[0];
}

function parseFields(lines) {
  return lines.map((line) => {
    const colon = line.indexOf(":");
    if (colon <= 0) throw new Error(`not a header line: ${JSON.stringify(line.slice(0, 80))}`);
    return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "")];
  });
}

/**
 * Reads the messages of one direction of one connection as their bytes come.
 * onHead(message) once the head is there, onMessage(message) once it is complete (or cut, see end()).
 * For responses, nextMethod() tells the method of the request that is answered.
 */
export class Reader {
  constructor(kind, { onHead, onMessage, onTunnel, nextMethod } = {}) {
    Object.assign(this, { kind, onHead, onMessage, onTunnel, nextMethod });
    this.pending = Buffer.alloc(0);
    this.state = "head";
    this.interim = [];
    this.message = null;
    this.broken = null;
  }

  feed(data) {
    if (this.broken) return;
    this.pending = this.pending.length ? Buffer.concat([this.pending, data]) : data;
    try {
      while (this.pending.length && this[`read_${this.state}`]()) {
        // one step of the state machine at a time
      }
    } catch (error) {
      this.broken = error;
      if (this.message) this.message.broken = String(error.message);
      this.end();
    }
  }

  /** The connection ended: what was under way is complete only if its end is the end of the connection. */
  end() {
    const message = this.message;
    if (!message) return;
    message.body = Buffer.concat(message.parts);
    if (this.state === "close" && !this.broken) this.finish();
    else if (this.state !== "tunnel") {
      this.message = null;
      message.ended = true;
      this.onMessage?.(message);
    }
  }

  take(length) {
    const taken = this.pending.subarray(0, length);
    this.pending = this.pending.subarray(length);
    return taken;
  }

  takeLine() {
    const at = this.pending.indexOf(CRLF);
    if (at < 0) return null;
    const line = this.take(at + 2).subarray(0, at).toString("latin1");
    return line;
  }

  read_head() {
    if (this.kind === "request" && this.pending[0] === 13 && this.pending[1] === 10) this.take(2);
    const at = this.pending.indexOf(END_OF_HEAD);
    if (at < 0) return false;
    const lines = this.take(at + 4).subarray(0, at).toString("latin1").split("\r\n");
    const message = {
      kind: this.kind,
      start: lines[0],
      headers: parseFields(lines.slice(1)),
      interim: [],
      parts: [],
      body: Buffer.alloc(0),
      trailers: [],
      complete: false,
      ended: false,
      framing: "none",
    };
    if (this.kind === "request") {
      [message.method, message.target] = lines[0].split(" ");
    } else {
      message.status = Number(lines[0].split(" ")[1]);
      if (message.status < 200 && message.status !== 101) {
        this.interim.push({ start: message.start, headers: message.headers });
        return true;
      }
      message.interim = this.interim;
      this.interim = [];
      message.method = this.nextMethod?.();
    }
    this.message = message;
    this.chooseFraming(message);
    this.onHead?.(message);
    if (message.framing === "none") this.finish();
    return true;
  }

  chooseFraming(message) {
    const coding = headerValue(message.headers, "transfer-encoding");
    const length = headerValue(message.headers, "content-length");
    const bodiless =
      message.kind === "response" &&
      (message.method === "HEAD" || message.status === 204 || message.status === 304);
    if (message.status === 101) this.setState("tunnel", "tunnel");
    else if (bodiless) message.framing = "none";
    else if (coding && /chunked\s*$/i.test(coding)) this.setState("chunk_size", "chunked");
    else if (length !== undefined) {
      if (!/^\d+$/.test(length)) throw new Error(`content-length ${length}`);
      this.left = Number(length);
      if (this.left > 0) this.setState("length", "length");
    } else if (message.kind === "response") this.setState("close", "close");
  }

  setState(state, framing) {
    this.state = state;
    this.message.framing = framing;
  }

  read_length() {
    const part = this.take(Math.min(this.left, this.pending.length));
    this.message.parts.push(part);
    this.left -= part.length;
    if (this.left === 0) this.finish();
    return true;
  }

  read_chunk_size() {
    const line = this.takeLine();
    if (line === null) return false;
    if (!/^[0-9a-fA-F]+(;.*)?$/.test(line)) throw new Error(`chunk size ${JSON.stringify(line)}`);
    this.left = parseInt(line, 16);
    this.state = this.left === 0 ? "trailers" : "chunk_data";
    return true;
  }

  read_chunk_data() {
    if (this.left > 0) {
      const part = this.take(Math.min(this.left, this.pending.length));
      this.message.parts.push(part);
      this.left -= part.length;
      return true;
    }
    if (this.pending.length < 2) return false;
    if (!this.take(2).equals(CRLF)) throw new Error("chunk data without its CRLF");
    this.state = "chunk_size";
    return true;
  }

  read_trailers() {
    const line = this.takeLine();
    if (line === null) return false;
    if (line === "") this.finish();
    else this.message.trailers.push(...parseFields([line]));
    return true;
  }

  read_close() {
    this.message.parts.push(this.take(this.pending.length));
    return true;
  }

  read_tunnel() {
    const bytes = this.take(this.pending.length);
    this.message.parts.push(bytes);
    this.onTunnel?.(bytes);
    return true;
  }

  finish() {
    const message = this.message;
    message.body = Buffer.concat(message.parts);
    message.complete = true;
    message.ended = true;
    this.message = null;
    this.state = "head";
    this.onMessage?.(message); // may stop the reader by setting another state
  }
}

/** Parses bytes that are all there. */
export function parseAll(kind, bytes, method) {
  const messages = [];
  const reader = new Reader(kind, { onHead: (m) => messages.push(m), nextMethod: () => method });
  reader.feed(bytes);
  reader.end();
  return messages;
}
