// SPDX-License-Identifier: GPL-3.0-or-later
import { frameLines } from "./websocket.mjs";
import { headerValue } from "./wire.mjs";

const HOP_BY_HOP = new Set(
  ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "expect"],
);
const CREDENTIALS = new Set(["authorization", "x-api-key", "x-goog-api-key", "api-key"]);

/** The values of every place in which a request can carry a key. */
export function credentials(request) {
  const values = request.headers.filter(([name]) => CREDENTIALS.has(name.toLowerCase())).map(([, value]) => value);
  const inQuery = /[?&]key=([^&]*)/.exec(request.target)?.[1];
  return inQuery === undefined ? values : [...values, inQuery];
}
const GATEWAY_ADDS = "x-gatehouse-request-id";

const text = (bytes) => bytes.toString("latin1");
const show = (value) => (value === undefined ? "nothing" : JSON.stringify(value.length > 160 ? `${value.slice(0, 160)}…` : value));
const words = (value) => value.match(/[A-Za-z0-9_+/=.-]+|[^A-Za-z0-9_+/=.-]/g) ?? [];

function sortKeys(value) {
  if (typeof value === "string" && value.startsWith("{")) return sorted(value);
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sortKeys(value[key])]));
}

/** JSON in each line with its keys sorted: some clients write their maps in a random order. */
function sorted(value) {
  return value
    .split("\n")
    .map((line) => {
      const at = line.indexOf("{");
      try {
        return line.slice(0, at) + JSON.stringify(sortKeys(JSON.parse(line.slice(at))));
      } catch {
        return line;
      }
    })
    .join("\n");
}

/** Collects what differs and what had to be masked for it. */
export class Report {
  constructor() {
    this.problems = [];
    this.masked = 0;
    this.sorted = 0;
    this.refused = [];
  }

  fail(where, what) {
    this.problems.push(`${where}: ${what}`);
  }

  /**
   * a and b must be the same. again is a second value made like a: words in which these two differ are the
   * client's own random ids and times, and only those words may differ in b. Where the two have no common
   * shape because a map's order is random, the keys are sorted first.
   */
  same(where, a, b, again = a) {
    if (a === b) return;
    let problem = difference(a, b);
    if (a !== undefined && b !== undefined && again !== undefined && a !== again) {
      const plain = masked(a, b, again);
      const best = plain.masked === undefined ? masked(...[a, b, again].map(sorted)) : plain;
      if (best.masked !== undefined) {
        this.masked += best.masked;
        this.sorted += best === plain ? 0 : 1;
        return;
      }
      problem = best.problem ?? plain.problem ?? problem;
    }
    this.fail(where, problem);
  }
}

/** Compares all words but those that differ between a and again; tells how many these are, or what is wrong. */
function masked(a, b, again) {
  const [wa, wb, wr] = [a, b, again].map(words);
  if (wa.length !== wr.length || wa.length !== wb.length) return {};
  const at = wa.findIndex((word, i) => word === wr[i] && word !== wb[i]);
  if (at < 0) return { masked: wa.filter((word, i) => word !== wr[i]).length };
  const near = (list) => show(list.slice(Math.max(0, at - 8), at + 12).join(""));
  return { problem: `expected …${near(wa)}… got …${near(wb)}…` };
}

function difference(a, b) {
  if (a === undefined || b === undefined || Math.max(a.length, b.length) < 160) return `expected ${show(a)} got ${show(b)}`;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const near = (value) => show(value.slice(Math.max(0, at - 30), at + 60));
  return `differs at byte ${at} (lengths ${a.length} and ${b.length}): expected …${near(a)}… got …${near(b)}…`;
}

const withoutKey = (target) =>
  target.replace(/([?&])key=[^&\s]*&?/, "$1").replace(/[?&](?=\s|$)/, "");

/** The header fields that have to arrive as they were sent, as "name: value" lines in their order. */
function endToEnd(message, other, allowGatewayHeader) {
  const chunkedInstead = (m) => headerValue(m.headers, "content-length") === undefined && m.framing !== "none";
  const lines = [];
  for (const [name, value] of message.headers) {
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower)) continue;
    if (lower === "content-length" && chunkedInstead(other)) continue;
    if (message.kind === "request" && CREDENTIALS.has(lower)) continue;
    if (allowGatewayHeader && lower === GATEWAY_ADDS) continue;
    // of a body that is there, the reader has checked the length; its bytes are compared for themselves
    if (lower === "content-length" && message.framing === "length") {
      lines.push(`${name}: <length>`);
      continue;
    }
    lines.push(lower === "host" ? `${name}: <host>` : `${name}: ${value}`);
  }
  return lines;
}

function sameHeaders(report, where, a, b, again, options = {}) {
  const wanted = endToEnd(a, b, false);
  const got = endToEnd(b, a, options.gateway);
  const second = again ? endToEnd(again, b, false) : wanted;
  const names = (lines) => lines.map((line) => line.split(":")[0]);
  if (names(wanted).join() !== names(got).join() && names(wanted).join() === names(second).join()) {
    const lost = names(wanted).filter((n) => !names(got).includes(n));
    const added = names(got).filter((n) => !names(wanted).includes(n));
    const at = names(wanted).findIndex((n, i) => n !== names(got)[i]);
    const why = lost.length + added.length
      ? `lost [${lost}], added [${added}]`
      : `order: expected …${names(wanted).slice(at, at + 4)}… got …${names(got).slice(at, at + 4)}…`;
    report.fail(`${where} headers`, why);
    return;
  }
  wanted.forEach((line, i) => report.same(`${where} header`, line, got[i], second[i]));
}

function sameBody(report, where, a, b, again) {
  if (a.framing === "tunnel" || b.framing === "tunnel") return;
  if (a.complete !== b.complete) {
    const word = (m) => (m.complete ? "complete" : "cut off");
    report.fail(where, `the message is ${word(b)}, expected ${word(a)} (${b.body.length} of ${a.body.length} bytes)`);
    return;
  }
  // of a frame that was cut itself, a proxy may hold back the piece
  const cut = !a.complete && a.body.subarray(0, b.body.length).equals(b.body) && a.body.length - b.body.length < 16;
  if (!cut && !a.body.equals(b.body)) report.same(`${where} body`, text(a.body), text(b.body), again && text(again.body));
}

export function sameRequest(report, where, a, b, again) {
  report.same(`${where} request line`, withoutKey(a.start), withoutKey(b.start), again && withoutKey(again.start));
  sameHeaders(report, `${where} request`, a, b, again);
  sameBody(report, `${where} request`, a, b, again);
}

export function sameResponse(report, where, a, b, again) {
  if (!a || !b) {
    if (Boolean(a) !== Boolean(b)) report.fail(where, `expected ${a ? a.start : "no answer"}, got ${b ? b.start : "no answer"}`);
    return;
  }
  report.same(`${where} status line`, a.start, b.start);
  const interim = (m) => m.interim.filter((i) => !/ 100 /.test(i.start)).map((i) => `${i.start} ${i.headers.join(" ")}`);
  report.same(`${where} interim answers`, interim(a).join("\n"), interim(b).join("\n"));
  sameHeaders(report, `${where} answer`, a, b, again, { gateway: true });
  sameBody(report, `${where} answer`, a, b, again);
  report.same(`${where} trailers`, a.trailers.join("\n"), b.trailers.join("\n"));
}

/** The frames of both directions of an upgraded connection, payloads only. */
export function sameTunnel(report, where, a, b, again) {
  for (const side of ["up", "down"]) {
    const lines = (e) => frameLines(Buffer.concat(e[side] ?? [])).join("\n");
    report.same(`${where} frames ${side}`, lines(a), lines(b), again && lines(again));
  }
}

/** Pairs exchanges by method and path, then by equal body, then by order. Agents send several at once. */
export function pair(listA, listB, strip = (target) => target) {
  const keyOf = (e, f) => `${e.request.method} ${withoutKey(f(e.request.target))}`;
  const left = [...listB];
  return listA
    .map((a) => {
      const candidates = left.filter((b) => keyOf(b, (t) => t) === keyOf(a, strip));
      const b = candidates.find((c) => c.request.body.equals(a.request.body)) ?? candidates[0];
      if (b) left.splice(left.indexOf(b), 1);
      return [a, b];
    })
    .concat(left.map((b) => [undefined, b]));
}
