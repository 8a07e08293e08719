// SPDX-License-Identifier: GPL-3.0-or-later
import zlib from "node:zlib";
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
/** "gpt-5~~100-20" is answered as ever and with the counts 100 and 20, whatever each answer makes of them. */
export const numbers = (model) => String(model ?? "").split("~")[2]?.split("-").map(Number) ?? null;

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

const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH, ZSTD_e_flush } = zlib.constants;
/** How a stream of each coding is made, flushed behind each piece, and how a whole body. */
const CODINGS = {
  gzip: [() => zlib.createGzip({ flush: Z_SYNC_FLUSH }), zlib.gzipSync],
  deflate: [() => zlib.createDeflate({ flush: Z_SYNC_FLUSH }), zlib.deflateSync],
  br: [() => zlib.createBrotliCompress({ flush: BROTLI_OPERATION_FLUSH }), zlib.brotliCompressSync],
  zstd: [() => zlib.createZstdCompress({ flush: ZSTD_e_flush }), zlib.zstdCompressSync],
};

/** Sends the pieces, and the end of the coding only where it is not to be cut. */
async function codedStream(out, shape, coding, pieces = shape.stream) {
  startStream(out, shape, [["Content-Encoding", coding]]);
  const coder = CODINGS[coding][0]();
  coder.on("data", (piece) => out.raw(chunk(piece)));
  const done = new Promise((resolve) => coder.on("end", resolve));
  for (const piece of pieces) await new Promise((resolve) => coder.write(piece, resolve));
  if (pieces !== shape.stream) return out.gone;
  coder.end();
  await done;
  out.raw("0\r\n\r\n");
}

async function coded(out, shape, request, coding) {
  if (!(headerValue(request.headers, "accept-encoding") ?? "").includes(coding)) return normal(out, shape);
  if (shape.stream) return codedStream(out, shape, coding);
  const headers = [["Content-Type", "application/json"], ["Content-Encoding", coding], ["Vary", "Accept-Encoding"]];
  whole(out, 200, headers, CODINGS[coding][1](JSON.stringify(shape.json)));
}

/** The first pieces of a stream, and then nothing more. */
function begin(out, shape, pieces) {
  startStream(out, shape);
  for (const piece of shape.stream.slice(0, pieces)) out.raw(chunk(piece));
}

const MANNERS = {
  slow,
  async stall(out, shape) {
    begin(out, shape, 3);
    await out.gone;
  },
  async "stall-head"(out) {
    await out.gone;
  },
  async "mid-error"(out, shape) {
    begin(out, shape, 3);
    out.raw(chunk(shape.midError));
    out.raw("0\r\n\r\n");
  },
  async cut(out, shape) {
    begin(out, shape, 2);
    out.raw(chunk(shape.stream[2]).subarray(0, 12));
    await out.cut();
  },
  async "cut-between"(out, shape) {
    begin(out, shape, 3);
    await out.cut();
  },
  async "cut-json"(out, shape) {
    const bytes = Buffer.from(JSON.stringify(shape.json));
    out.raw(head(200, [["Content-Type", "application/json"], ["Content-Length", bytes.length]]));
    out.raw(bytes.subarray(0, bytes.length >> 1));
    await out.cut();
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

/** "stall4", "cut4", "gzipstall4": the first four pieces of the stream, and no more; -1 is all but the last one. */
async function broken(how, out, shape, pieces) {
  if (how === "gzipstall") return codedStream(out, shape, "gzip", shape.stream.slice(0, pieces));
  begin(out, shape, pieces);
  return how === "stall" ? out.gone : out.cut();
}

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
  const [, how, count] = /^(stall|cut|gzipstall)(-?\d+)$/.exec(kind) ?? [];
  if (how) return broken(how, out, shape, Number(count));
  if (CODINGS[kind]) return coded(out, shape, request, kind);
  return MANNERS[kind] ? MANNERS[kind](out, shape, request) : normal(out, shape);
}
