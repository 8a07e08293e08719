// SPDX-License-Identifier: GPL-3.0-or-later

/** Text that only survives if nobody decodes and encodes it again: escapes, a lone CR, BOM, NUL, emoji, RTL. */
export const PROMPT = 'Zeig mir "Zürich" \\ / \u2028 \u0000 \r \uFEFF 👩🏽‍💻 e\u0301 שלום \uFFFD </script> %2F+&=?#';

export const tool = {
  name: "get_weather",
  description: "Wetter für eine Stadt – °C",
  parameters: {
    type: "object",
    properties: { city: { type: "string" }, unit: { type: "string", enum: ["c", "f"] } },
    required: ["city", "unit"],
    additionalProperties: false,
  },
};

export async function collect(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

/**
 * A stream of Gemini that ends in an error. Its SDK tells an error apart only where one read brought nothing else, which is
 * the network's to say: so that it throws is compared, and what it was sent to the byte.
 */
export async function geminiMidError(ctx, open, url) {
  const { error } = await ctx.attempt(async () => collect(await open()));
  const raw = await fetch(ctx.base + url, { method: "POST", body: "{}" });
  return { throws: error !== undefined, raw: await raw.text() };
}
