// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/modelrequest.h"

#include <QByteArray>

#include <array>
#include <string>
#include <vector>

// A dialect of the tests' own, and what is found in requests of it.

namespace gatehouse::test {

inline constexpr auto content
    = std::to_array<std::string_view>({"/metadata", "/messages/*/content/*/input", "/schema"});
inline constexpr auto pointers
    = std::to_array<std::string_view>({"/model", "/name", "/session/model"});
inline constexpr auto hidden = std::to_array<std::string_view>({"/preset"});
inline constexpr auto tools = std::to_array<std::string_view>({"image_generation"});
inline constexpr auto parameters = std::to_array<std::string_view>({"deployment"});
inline constexpr auto headers = std::to_array<std::string_view>({"x-deployment"});

inline std::vector<std::string_view> inPath(std::string_view path, bool isReading)
{
    constexpr std::string_view marker = "/models/";
    const std::size_t at = path.find(marker);
    if (isReading || at == std::string_view::npos)
        return {};
    const std::string_view rest = path.substr(at + marker.size());
    return {rest.substr(0, rest.find('/'))};
}

inline std::vector<std::string> spellingsOf(std::string_view model)
{
    return {"full/" + std::string(model)};
}

inline const ModelPlaces places{
    .content = content,
    .pointers = pointers,
    .hidden = hidden,
    .tools = tools,
    .parameters = parameters,
    .headers = headers,
    .inPath = &inPath,
    .spellings = &spellingsOf,
    .needsNone = [](std::string_view path) { return path == "/files" || path == "/x/files"; },
    .mayNameNone = [](std::string_view path) { return path == "/threads"; },
    .hides = [](std::string_view path) { return path == "/batches"; },
    .fixedByUrl = [](std::string_view path) { return path == "/realtime"; },
};

inline QByteArray bytes(const std::string &text)
{
    return {text.data(), static_cast<qsizetype>(text.size())};
}

inline std::string foundIn(const std::string &head, const std::string &body = {})
{
    static const ModelFinder finder(places);
    return ModelRequest(head, body).found(finder);
}

inline const std::string jsonHead = "POST /x\nContent-Type: application/json";

} // namespace gatehouse::test
