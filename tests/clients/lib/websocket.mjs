// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash } from "node:crypto";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455 §1.3

export const acceptFor = (key) => createHash("sha1").update(key + GUID).digest("base64");

/** One unmasked server frame. */
export function frame(payload, opcode = 1) {
  const body = Buffer.from(payload);
  let head;
  if (body.length < 126) head = Buffer.from([0x80 | opcode, body.length]);
  else if (body.length < 65536) {
    head = Buffer.from([0x80 | opcode, 126, 0, 0]);
    head.writeUInt16BE(body.length, 2);
  } else {
    head = Buffer.from([0x80 | opcode, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    head.writeBigUInt64BE(BigInt(body.length), 2);
  }
  return Buffer.concat([head, body]);
}

/** Gives each whole frame of either side as {opcode, final, payload} with the mask taken off. */
export class FrameReader {
  constructor(onFrame) {
    this.onFrame = onFrame;
    this.pending = Buffer.alloc(0);
  }

  feed(data) {
    this.pending = Buffer.concat([this.pending, data]);
    for (;;) {
      const next = this.next();
      if (!next) return;
      this.onFrame(next);
    }
  }

  next() {
    const p = this.pending;
    if (p.length < 2) return null;
    let at = 2;
    let length = p[1] & 0x7f;
    if (length === 126) {
      if (p.length < 4) return null;
      length = p.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      if (p.length < 10) return null;
      length = Number(p.readBigUInt64BE(2));
      at = 10;
    }
    const masked = (p[1] & 0x80) !== 0;
    const end = at + (masked ? 4 : 0) + length;
    if (p.length < end) return null;
    const payload = Buffer.from(p.subarray(end - length, end));
    if (masked) for (let i = 0; i < length; i++) payload[i] ^= p[at + (i & 3)];
    this.pending = p.subarray(end);
    return { opcode: p[0] & 15, final: (p[0] & 0x80) !== 0, payload };
  }
}

/** The frames in bytes, as comparable lines: masks are random by design, payloads are not. */
export function frameLines(bytes) {
  const lines = [];
  const reader = new FrameReader((f) => lines.push(`${f.opcode}${f.final ? "" : "+"} ${f.payload.toString("latin1")}`));
  reader.feed(bytes);
  if (reader.pending.length) lines.push(`partial ${reader.pending.length}`);
  return lines;
}
