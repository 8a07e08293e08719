// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/dialects/dialect.h"

#include <string>
#include <string_view>

namespace gatehouse {

constexpr std::string_view eventStream = "text/event-stream; charset=utf-8";
constexpr std::string_view jsonText = "application/json";
constexpr std::string_view jsonLines = "application/x-ndjson";

/// What is known, as "in 1 read 2 write 3 write1h 4 out 5 reasoning 6 cost 7 model x complete"; parts that
/// are not are left out.
inline std::string described(const UsageReader &reader)
{
    const Usage &usage = reader.usage();
    std::string text;
    const auto add = [&text](std::string_view name, const auto &value) {
        if (value)
            text += std::string(name) + ' ' + std::to_string(*value) + ' ';
    };
    add("in", usage.input);
    add("read", usage.cacheRead);
    add("write", usage.cacheWrite5m);
    add("write1h", usage.cacheWrite1h);
    add("out", usage.output);
    add("reasoning", usage.reasoning);
    add("cost", usage.reportedMicroUsd);
    if (!usage.model.empty())
        text += "model " + usage.model + ' ';
    text += reader.isComplete() ? "complete" : "open";
    return text;
}

/// Of \a body cut at \a cut, and behind it into pieces of \a size, each gone when the next one comes.
inline std::string readInPieces(std::string_view dialect,
                                std::string_view contentType,
                                std::string_view body,
                                std::size_t cut,
                                std::size_t size)
{
    const auto reader = findDialect(dialect)->usageReader(contentType);
    if (!reader)
        return "no reader";
    reader->take(std::string(body.substr(0, cut)));
    reader->take({});
    for (std::size_t at = cut; at < body.size(); at += size)
        reader->take(std::string(body.substr(at, size)));
    reader->end();
    return described(*reader);
}

/// The same however it is cut, or where it was not.
inline std::string
readUsageOf(std::string_view dialect, std::string_view contentType, std::string_view body)
{
    const std::string expected = readInPieces(dialect, contentType, body, 0, body.size() + 1);
    for (std::size_t cut = 1; cut <= body.size(); ++cut) {
        const std::string got = readInPieces(dialect, contentType, body, cut, body.size() + 1);
        if (got != expected)
            return "cut at " + std::to_string(cut) + ": " + got + ", but at once: " + expected;
    }
    for (std::size_t size = 1; size <= 3; ++size) {
        const std::string got = readInPieces(dialect, contentType, body, 0, size);
        if (got != expected)
            return "by " + std::to_string(size) + ": " + got + ", but at once: " + expected;
    }
    return expected;
}

} // namespace gatehouse
