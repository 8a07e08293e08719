// SPDX-License-Identifier: GPL-3.0-or-later
// Asks with each SDK as it comes: the environment alone says where and with which key.
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import { Ollama } from "ollama";
import OpenAI from "openai";

const messages = [{ role: "user", content: "hi" }];
const { OLLAMA_HOST: host, OLLAMA_API_KEY: ollamaKey } = process.env;

await new OpenAI().chat.completions.create({ model: "gpt-5", messages });
await new Anthropic().messages.create({ model: "claude-opus-5-5", max_tokens: 16, messages });
await new GoogleGenAI({}).models.generateContent({ model: "gemini-2.5-flash", contents: "hi" });
// the one SDK that takes neither from the environment itself
await new Ollama({ host, headers: { Authorization: `Bearer ${ollamaKey}` } }).chat({ model: "llama3.2", messages });
console.log("all answered");
