// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"

#include <algorithm>
#include <array>

namespace gatehouse {

namespace {

/// The address to which the rest of a request's path is appended, so each ends where its vendor's SDK
/// starts: openai's asks for {base}/chat/completions, anthropic's for {base}/v1/messages. From the
/// vendors' API references, 2026-11-23; cohere by its OpenAI-compatible interface. Last: those that always
/// tell the usage of a stream; asked, their clients would miss a chunk that they know.
constexpr auto presetTable = std::to_array<ProviderPreset>({
    {"openai", "openai", "https://api.openai.com/v1", {}},
    {"anthropic", "anthropic", "https://api.anthropic.com", {}},
    {"gemini", "gemini", "https://generativelanguage.googleapis.com", {}},
    {"azure-openai", "openai", {}, "api-key"},
    {"mistral", "openai", "https://api.mistral.ai/v1", {}, true},
    {"groq", "openai", "https://api.groq.com/openai/v1", {}, true}, // x_groq.usage
    {"deepseek", "openai", "https://api.deepseek.com", {}},
    {"xai", "openai", "https://api.x.ai/v1", {}},
    {"openrouter", "openai", "https://openrouter.ai/api/v1", {}, true},
    {"together", "openai", "https://api.together.xyz/v1", {}},
    {"cohere", "openai", "https://api.cohere.com/compatibility/v1", {}},
    {"huggingface", "openai", "https://router.huggingface.co/v1", {}},
    {"ollama", "ollama", "http://127.0.0.1:11434", {}},
    {"llama-cpp", "openai", "http://127.0.0.1:8080/v1", {}},
    {"vllm", "openai", "http://127.0.0.1:8000/v1", {}},
    {"lm-studio", "openai", "http://127.0.0.1:1234/v1", {}},
});

} // namespace

std::span<const ProviderPreset> providerPresets()
{
    return presetTable;
}

const ProviderPreset *findProviderPreset(std::string_view name)
{
    const auto found = std::ranges::find(presetTable, name, &ProviderPreset::name);
    return found == presetTable.end() ? nullptr : &*found;
}

} // namespace gatehouse
