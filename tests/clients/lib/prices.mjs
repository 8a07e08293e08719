// SPDX-License-Identifier: GPL-3.0-or-later
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const TABLE = join(dirname(fileURLToPath(import.meta.url)), "../../../resources/prices.yaml");

/**
 * The test gateway's own prices, which come before the built-in ones: for all models but those that are recorded
 * under their plain names. Some are so small that only the rounding is left of them.
 */
export const OWN_PRICES = {
  openai: {
    "gpt-5~*": { input: "1.25 USD", cacheRead: "0.125 USD", output: "10 USD" },
    "gpt-5.5-steps*": {
      input: "0.000001 USD", cacheRead: "0.075 USD", cacheWrite5m: "1.333333 USD", output: "3 USD",
      longContext: [
        { above: 1000, input: "2.10 USD", output: "6.70 USD", cacheRead: "0.21 USD" },
        { above: 272000, input: "5 USD", output: "22.50 USD", cacheWrite5m: "6.25 USD", cacheWrite1h: "10 USD" },
      ],
    },
  },
  anthropic: {
    "claude-opus-5-5~*": { input: "4 USD", cacheRead: "0.20 USD", cacheWrite5m: "5 USD", cacheWrite1h: "8 USD", output: "20 USD" },
    "claude-cache*": {
      input: "3.30 USD", cacheRead: "0.30 USD", cacheWrite5m: "3.75 USD", cacheWrite1h: "6 USD", output: "15.015 USD",
      longContext: [{ above: 6000, input: "6 USD", cacheRead: "0.60 USD", cacheWrite5m: "7.50 USD", cacheWrite1h: "12 USD", output: "22.50 USD" }],
    },
    "claude~*": { input: "0.77 USD", output: "3.85 USD" },
  },
  gemini: {
    "gemini-2.5-flash~*": { input: "0.30 USD", cacheRead: "0.03 USD", output: "2.50 USD" },
    "gemini-thinks": { input: "1.25 USD", cacheRead: "0.31 USD", output: "10 USD", aliases: ["gemini-thinks-too"] },
  },
  family: { "*": { input: "0.59 USD", cacheRead: "0.07 USD", output: "0.79 USD" } },
};

export const priceDocuments = () =>
  Object.entries(OWN_PRICES).map(([provider, models]) => ({ kind: "Prices", metadata: { name: provider }, spec: { provider, models } }));

/** "0.075 USD" for a million tokens, in 10^-12 USD for one: the same number as in 10^-6 USD for the million. */
function picoPerToken(text) {
  const [, dollars, decimals = ""] = /^(\d+)(?:\.(\d{1,6}))? USD$/.exec(text);
  return BigInt(dollars + decimals.padEnd(6, "0"));
}

/** The rows of one provider in resources/prices.yaml: their braces are JSON but for the quotes. */
function builtInRows(provider) {
  const text = readFileSync(TABLE, "utf8").replace(/^ *#.*\n/gm, "");
  const section = text.split(/^ {2}- provider: /m).find((part) => part.startsWith(`${provider}\n`)) ?? "";
  const rows = {};
  for (const [, name, braces] of section.matchAll(/^ {6}"?([^\s"]+?)"?:\s*(\{[^]*?\})(?=\n {6}\S|\n {0,4}\S|\s*$)/gm)) {
    rows[name] = JSON.parse(
      braces.replace(/(\w+):/g, '"$1":').replace(/([\d.]+ USD)/g, '"$1"').replace(/"aliases": \[(.*?)\]/gs, (_, names) => `"aliases": ${JSON.stringify(names.split(/,\s*/))}`),
    );
  }
  return rows;
}

const tables = new Map();
function rowsOf(provider) {
  if (!tables.has(provider)) tables.set(provider, [OWN_PRICES[provider] ?? {}, builtInRows(provider)]);
  return tables.get(provider);
}

function rowFor(provider, model) {
  const name = model.toLowerCase().replace(/^models\//, "");
  const undated = name.replace(/(-latest|-20\d\d-\d\d-\d\d|[-@]20\d{6})$/, "");
  for (const rows of rowsOf(provider)) {
    const named = (wanted) => Object.entries(rows).find(([key, row]) => key === wanted || row.aliases?.includes(wanted))?.[1];
    const begins = Object.keys(rows).filter((key) => key.endsWith("*") && name.startsWith(key.slice(0, -1)));
    const longest = begins.sort((a, b) => b.length - a.length)[0];
    const row = named(name) ?? named(undated) ?? rows[longest];
    if (row) return row;
  }
  return null;
}

/** What usage() of usage.mjs costs, in 10^-6 USD and rounded up once; null where the price is not known. */
export function costOf(provider, usage) {
  if (usage.told !== undefined) return usage.told;
  const row = rowFor(provider, usage.model);
  if (!row) return null;
  const tokens = (name) => usage[name] ?? 0n;
  const all = ["input", "cacheRead", "cacheWrite5m", "cacheWrite1h"].reduce((sum, name) => sum + tokens(name), 0n);
  const steps = (row.longContext ?? []).filter((step) => all > BigInt(step.above)).sort((a, b) => b.above - a.above);
  const { input, output, cacheRead = input, cacheWrite5m = input, cacheWrite1h = cacheWrite5m } = steps[0] ?? row;
  const price = Object.entries({ input, output, cacheRead, cacheWrite5m, cacheWrite1h }).map(([name, text]) => [name, picoPerToken(text)]);
  if (price.some(([name, pico]) => (name === "input" || name === "output") && pico > 0n && usage[name] === undefined)) return null;
  const sum = price.reduce((total, [name, pico]) => total + tokens(name) * pico, 0n);
  return (sum + 999_999n) / 1_000_000n;
}

/** "0.50 USD": cents where there are any, and as many decimals more as it needs. */
export function money(micro) {
  const decimals = String(micro % 1_000_000n).padStart(6, "0").replace(/0{1,4}$/, "");
  return `${micro / 1_000_000n}${decimals === "00" ? "" : `.${decimals}`} USD`;
}
