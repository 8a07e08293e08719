// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/jsonstring.h"
#include "gateway/dialects/dialect.h"

namespace gatehouse {

namespace {

class Ollama final : public Dialect
{
public:
    [[nodiscard]] std::string_view name() const override { return "ollama"; }

    /// A local Ollama asks for none; ollama.com and proxies before one do.
    [[nodiscard]] CredentialHeader credentialHeader(std::string_view /*credential*/) const override
    {
        return {.name = "Authorization", .prefix = "Bearer "};
    }

    /// github.com/ollama/ollama, docs/api.md and api/types.go, 2026-11-23.
    [[nodiscard]] std::string
    errorBody(int /*status*/, std::string_view /*reason*/, std::string_view message) const override
    {
        return R"({"error":)" + jsonString(message) + "}";
    }
};

} // namespace

const Dialect &ollamaDialect()
{
    static const Ollama dialect;
    return dialect;
}

} // namespace gatehouse
