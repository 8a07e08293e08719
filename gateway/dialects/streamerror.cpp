// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/dialects/dialect.h"

#include <algorithm>
#include <array>

namespace gatehouse {

namespace {

struct StreamPath
{
    std::string_view ending;
    std::string_view dialect;
};

/// Which vendor's events answer it, whoever serves them.
constexpr auto streamPaths = std::to_array<StreamPath>({
    {"/chat/completions", "openai"},
    {"/completions", "openai"},
    {"/responses", "openai"},
    {"/messages", "anthropic"},
    {":streamRawPredict", "anthropic"}, // Vertex
    {":streamGenerateContent", "gemini"},
});

const Dialect &dialectOf(std::string_view path, const Dialect &own)
{
    const auto found = std::ranges::find_if(
        streamPaths, [path](const StreamPath &row) { return path.ends_with(row.ending); });
    if (found != streamPaths.end())
        return *findDialect(found->dialect);
    return own.name() == "ollama" ? *findDialect("openai") : own; // Ollama's own are lines
}

} // namespace

std::string Dialect::errorEvent(std::string_view /*path*/,
                                int status,
                                std::string_view reason,
                                std::string_view message) const
{
    return "data: " + errorBody(status, reason, message) + "\n\n";
}

std::string Dialect::streamErrorEvent(std::string_view path,
                                      std::string_view contentType,
                                      int status,
                                      std::string_view reason,
                                      std::string_view message) const
{
    path = path.substr(0, path.find('?'));
    switch (streamKindOf(contentType)) {
    case StreamKind::Events:
        return dialectOf(path, *this).errorEvent(path, status, reason, message);
    case StreamKind::Lines:
        return findDialect("ollama")->errorBody(status, reason, message) + '\n';
    case StreamKind::Text:
    case StreamKind::Other:
        break;
    }
    return {};
}

Dialect::StreamKind Dialect::streamKindOf(std::string_view contentType)
{
    std::string_view type = contentType.substr(0, contentType.find(';'));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t'))
        type.remove_suffix(1);
    const auto is = [type](std::string_view name) { return equalsIgnoreCase(type, name); };
    if (is("text/event-stream"))
        return StreamKind::Events;
    if (is("application/x-ndjson") || is("application/ndjson") || is("application/jsonl"))
        return StreamKind::Lines;
    if (is("application/json") || toLowerAscii(type).ends_with("+json"))
        return StreamKind::Text;
    return StreamKind::Other;
}

} // namespace gatehouse
