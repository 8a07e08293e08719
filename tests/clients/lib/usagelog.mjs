// SPDX-License-Identifier: GPL-3.0-or-later
import { closeSync, openSync, readSync } from "node:fs";
import { usageLine, usageOf } from "./usage.mjs";
import { headerValue } from "./wire.mjs";

const LINE = /^gatehouse\.usage: ([0-9a-z]+): (.*)$/;

/** Gives what a file has got more with each call. */
export function fileTail(path) {
  let at = 0;
  return () => {
    const file = openSync(path, "r");
    const parts = [];
    const part = Buffer.alloc(65536);
    for (let n; (n = readSync(file, part, 0, part.length, at)); at += n) parts.push(Buffer.from(part.subarray(0, n)));
    closeSync(file);
    return Buffer.concat(parts);
  };
}

/**
 * The lines that an exchange may have: of an answer that came whole, the one of all its bytes; of one that its
 * provider or its client broke off, that of any part that is not less than what the client got. null is no line.
 */
function candidates(dialect, { request, response }, received) {
  if (!response) return new Set([null]);
  const { status, headers, body, complete } = response;
  const least = received === null ? 0 : Math.min(received.length, body.length);
  const whole = received === null || received.complete || received.length > body.length;
  const from = complete && whole ? body.length : least;
  const lines = new Set();
  for (let length = from; length <= body.length; length++) {
    const isWhole = complete && length === body.length;
    lines.add(usageLine(dialect, usageOf({ dialect, request, status, headers }, body.subarray(0, length), isWhole)));
  }
  return lines;
}

/** The gateway's log of usage, compared with what the recorders sent. read() gives the bytes that are new. */
export class UsageLog {
  constructor(read) {
    Object.assign(this, { read, pending: Buffer.alloc(0), lines: [], open: [], compared: 0, wrong: 0 });
  }

  pull() {
    const all = Buffer.concat([this.pending, this.read()]);
    const end = all.lastIndexOf(10) + 1;
    this.pending = all.subarray(end);
    for (const text of all.subarray(0, end).toString().split("\n")) {
      const [, id, line] = LINE.exec(text) ?? [];
      if (id) this.lines.push({ id, line });
    }
  }

  expect(dialect, [outer, inner]) {
    const where = (outer ?? inner).request.start.split(" ").slice(0, 2).join(" ").slice(0, 90);
    const id = outer?.response && headerValue(outer.response.headers, "x-gatehouse-request-id");
    const received = outer && { length: Buffer.concat(outer.response?.parts ?? []).length, complete: outer.response?.complete === true };
    const lines = inner ? candidates(dialect, inner, received ?? null) : new Set([null]);
    return { where, id, lines, isSure: !lines.has(null) };
  }

  /** Takes the lines of an expectation; one without an id takes any with its text. */
  take({ id, lines }) {
    const mine = id ? this.lines.filter((l) => l.id === id) : this.lines.filter(({ line }) => lines.has(line)).slice(0, 1);
    this.lines = this.lines.filter((l) => !mine.includes(l));
    return mine.map(({ line }) => line);
  }

  has({ id, lines }) {
    return this.lines.some((l) => (id ? l.id === id : lines.has(l.line)));
  }

  /**
   * Compares the exchanges of a scenario, as pairs of what the client and the provider saw (the former may be unknown),
   * with their lines. fail(where, what); gives how many were compared.
   */
  async check(dialect, pairs, fail, ms = 3000) {
    const expected = pairs.map((pair) => this.expect(dialect, pair));
    const until = Date.now() + ms;
    for (this.pull(); !expected.every((e) => !e.isSure || this.has(e)) && Date.now() < until; this.pull()) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    let compared = 0;
    const wrong = (where, what) => {
      this.wrong++;
      fail(where, what);
    };
    for (const expectation of expected) {
      const found = this.take(expectation);
      const told = [...expectation.lines].map((line) => line ?? "no line").join(" or ").slice(0, 600);
      if (!found.length && expectation.isSure) wrong(expectation.where, `usage: expected ${told}, got no line`);
      if (found.length > 1) wrong(expectation.where, `usage: ${found.length} lines for one exchange: ${found.join(" | ")}`);
      for (const line of found) if (!expectation.lines.has(line)) wrong(expectation.where, `usage: expected ${told}, got ${line}`);
      if (!found.length) this.open.push(expectation);
      compared += found.length;
    }
    this.compared += compared;
    return { compared };
  }

  /** After the gateway's end: what was logged and belongs to no exchange, but for lines that were late. */
  rest() {
    this.pull();
    const late = ({ id, line }) => {
      const at = this.open.findIndex((e) => (!e.id || e.id === id) && e.lines.has(line));
      return at >= 0 && this.open.splice(at, 1).length > 0;
    };
    return this.lines.filter((l) => !late(l)).map(({ id, line }) => `usage: a line for nothing that was told: ${id}: ${line}`);
  }
}
