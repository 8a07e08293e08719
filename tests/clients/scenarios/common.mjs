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
