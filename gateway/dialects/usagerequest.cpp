// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "gateway/json/document.h"

#include <algorithm>
#include <cstring>

namespace gatehouse {

namespace {

constexpr std::string_view asked = R"("include_usage":true)";

bool contains(std::string_view text, std::string_view part)
{
    return memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

/// Azure refuses the member in versions of its API before 2024-09-01-preview (Azure/azure-rest-api-specs,
/// issues 29157 and 30810).
bool isOldAzure(std::string_view query)
{
    constexpr std::string_view name = "api-version=";
    constexpr std::string_view first = "2024-09-01";
    while (!query.empty()) {
        const std::string_view parameter = query.substr(0, query.find('&'));
        if (parameter.starts_with(name) && parameter.substr(name.size()).starts_with('2'))
            return parameter.substr(name.size(), first.size()) < first;
        query.remove_prefix(std::min(parameter.size() + 1, query.size()));
    }
    return false;
}

UsageSplice replacement(const json::Value &value, std::string text)
{
    return {
        .offset = value.source().offset, .length = value.source().length, .text = std::move(text)};
}

/// \a text as the first member of \a object.
UsageSplice insertion(const json::Value &object, std::string text)
{
    if (object.size() > 0)
        text += ',';
    return {.offset = object.source().offset + 1, .length = 0, .text = std::move(text)};
}

std::string askingOptions()
{
    return "{" + std::string(asked) + "}";
}

} // namespace

bool mayAskForUsage(std::string_view method, std::string_view target)
{
    const std::string_view path = target.substr(0, target.find('?'));
    return method == "POST" && path.ends_with("/completions")
           && !isOldAzure(target.substr(std::min(path.size() + 1, target.size())));
}

std::optional<UsageSplice> askForUsage(const json::Value &body)
{
    const auto stream = body.find("stream");
    // Azure refuses the options together with data of one's own (Azure/azure-sdk-for-js, issue 30751).
    if (!stream || stream->boolean() != true || body.find("data_sources"))
        return {};
    const auto options = body.find("stream_options");
    if (!options)
        return insertion(body, R"("stream_options":)" + askingOptions());
    if (options->kind() == json::Kind::Null)
        return replacement(*options, askingOptions());
    if (!options->isObject())
        return {};
    const auto usage = options->find("include_usage");
    if (!usage)
        return insertion(*options, std::string(asked));
    if (usage->kind() == json::Kind::Null || usage->boolean() == false)
        return replacement(*usage, "true");
    return {};
}

std::optional<UsageSplice> askForUsage(std::string_view body)
{
    // A name may be written with escapes; this is how those of its letters begin.
    if (!contains(body, R"("stream")") && !contains(body, R"(\u00)"))
        return {};
    json::Document document;
    if (!document.parse(body))
        return {};
    return askForUsage(document.root());
}

} // namespace gatehouse
