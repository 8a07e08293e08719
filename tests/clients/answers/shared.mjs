// SPDX-License-Identifier: GPL-3.0-or-later
import { constants, createGzip, gzipSync } from "node:zlib";
import { headerValue } from "../lib/wire.mjs";

/** Headers as front ends of real providers send them: mixed case, repeated names, their own order. */
const COMMON = [
  ["Date", "Mon, 23 Nov 2026 12:00:00 GMT"],
  ["Server", "cloudflare"],
  ["Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload"],
  ["Set-Cookie", "__cf_bm=Zm9v.1; path=/; HttpOnly; Secure; SameSite=None"],
  ["X-Content-Type-Options", "nosniff"],
  ["set-cookie", "_cfuvid=YmFy; path=/; HttpOnly"],
  ["CF-RAY", "9a0b1c2d3e4f5a6b-FRA"],
  ["alt-svc", 'h3=":443"; ma=86400'],
  ["x-eMPTY", ""],
];

const REASONS = {
  200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict",
  413: "Payload Too Large", 422: "Unprocessable Entity", 426: "Upgrade Required", 429: "Too Many Requests",
  500: "Internal Server Error", 503: "Service Unavailable", 529: "Site is overloaded",
};

export function head(status, headers, { common = true } = {}) {
  const lines = [`HTTP/1.1 ${status} ${REASONS[status] ?? ""}`];
  for (const [name, value] of [...(common ? COMMON.slice(0, 3) : []), ...headers]) lines.push(`${name}: ${value}`);
  for (const [name, value] of common ? COMMON.slice(3) : []) lines.push(`${name}: ${value}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

export function whole(out, status, headers, body) {
  const bytes = Buffer.from(body);
  out.raw(head(status, [...headers, ["Content-Length", bytes.length]]));
  if (bytes.length) out.raw(bytes);
}

export const json = (out, status, value, headers = []) =>
  whole(out, status, [["Content-Type", "application/json"], ...headers], JSON.stringify(value));

export const chunk = (data) => {
  const bytes = Buffer.from(data);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
};

export const named = (event, data) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
export const data = (value) => `data: ${JSON.stringify(value)}\n\n`;

export function bodyJson(request) {
  try {
    return JSON.parse(request.body.toString());
  } catch {
    return {};
  }
}

/** "gpt-5~stall" is the model gpt-5 played in the manner "stall". */
export const manner = (model) => String(model ?? "").split("~")[1] ?? "";

function startStream(out, shape, extra = []) {
  out.raw(
    head(200, [["Content-Type", shape.streamType], ["Cache-Control", "no-cache"], ...(shape.headers ?? []), ...extra, ["Transfer-Encoding", "chunked"]]),
  );
}

function normal(out, shape) {
  if (!shape.stream) return json(out, 200, shape.json, shape.headers);
  startStream(out, shape);
  for (const piece of shape.stream) out.raw(chunk(piece));
  out.raw("0\r\n\r\n");
}

/** Cuts the stream into pieces of 1 to 7 bytes, so that boundaries fall inside UTF-8 sequences and line ends. */
async function slow(out, shape) {
  const bytes = Buffer.from(shape.stream.join(""));
  startStream(out, shape);
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const length = 1 + ((n * 5) % 7);
    out.raw(chunk(bytes.subarray(at, at + length)));
    at += length;
    if (n % 8 === 7) await out.pause(1);
  }
  out.raw("0\r\n\r\n");
}

async function gzipStream(out, shape) {
  startStream(out, shape, [["Content-Encoding", "gzip"]]);
  const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
  gzip.on("data", (piece) => out.raw(chunk(piece)));
  const done = new Promise((resolve) => gzip.on("end", resolve));
  for (const piece of shape.stream) await new Promise((resolve) => gzip.write(piece, resolve));
  gzip.end();
  await done;
  out.raw("0\r\n\r\n");
}

const MANNERS = {
  slow,
  async stall(out, shape) {
    startStream(out, shape);
    for (const piece of shape.stream.slice(0, 3)) out.raw(chunk(piece));
    await out.gone;
  },
  async "stall-head"(out) {
    await out.gone;
  },
  async "mid-error"(out, shape) {
    startStream(out, shape);
    for (const piece of [...shape.stream.slice(0, 3), shape.midError]) out.raw(chunk(piece));
    out.raw("0\r\n\r\n");
  },
  async cut(out, shape) {
    startStream(out, shape);
    for (const piece of shape.stream.slice(0, 2)) out.raw(chunk(piece));
    out.raw(chunk(shape.stream[2]).subarray(0, 12));
    await out.cut();
  },
  async "cut-between"(out, shape) {
    startStream(out, shape);
    for (const piece of shape.stream.slice(0, 3)) out.raw(chunk(piece));
    await out.cut();
  },
  async "cut-json"(out, shape) {
    const bytes = Buffer.from(JSON.stringify(shape.json));
    out.raw(head(200, [["Content-Type", "application/json"], ["Content-Length", bytes.length]]));
    out.raw(bytes.subarray(0, bytes.length >> 1));
    await out.cut();
  },
  async gzip(out, shape, request) {
    if (!/gzip/.test(headerValue(request.headers, "accept-encoding") ?? "")) return normal(out, shape);
    if (shape.stream) return gzipStream(out, shape);
    const headers = [["Content-Type", "application/json"], ["Content-Encoding", "gzip"], ["Vary", "Accept-Encoding"]];
    whole(out, 200, headers, gzipSync(JSON.stringify(shape.json)));
  },
  async hints(out, shape) {
    out.raw("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\nX-Hint: 1\r\n\r\n");
    await out.pause(20);
    normal(out, shape);
  },
  async trailers(out, shape) {
    const body = JSON.stringify(shape.json);
    out.raw(head(200, [["Content-Type", "application/json"], ["Trailer", "X-Checksum"], ["Transfer-Encoding", "chunked"]]));
    out.raw(chunk(body.slice(0, 10)));
    out.raw(chunk(body.slice(10)));
    out.raw("0\r\nX-Checksum: abc123\r\n\r\n");
  },
  async close(out, shape) {
    out.raw(head(200, [["Content-Type", "application/json"], ["Connection", "close"]]));
    out.raw(JSON.stringify(shape.json, null, 2));
    out.end();
  },
  async big(out, shape) {
    json(out, 200, { ...shape.json, padding: "füllen ".repeat(300_000) });
  },
};

/** Plays shape {json, stream, streamType, headers, midError, error(status)} in the manner asked for. */
export async function play(kind, shape, request, out, state) {
  const failing = /^(flaky|err)-(\d{3})$/.exec(kind);
  if (failing?.[1] === "flaky") {
    const seen = (state[kind] = (state[kind] ?? 0) + 1);
    if (seen > 1) return normal(out, shape);
  }
  if (failing) {
    const status = Number(failing[2]);
    const { headers = [], body } = shape.error(status);
    const again = failing[1] === "flaky" ? [["Retry-After-Ms", "5"], ["Retry-After", "0"]] : status === 429 ? [["retry-after", "31"]] : [];
    return json(out, status, body, [...headers, ...again]);
  }
  return MANNERS[kind] ? MANNERS[kind](out, shape, request) : normal(out, shape);
}
