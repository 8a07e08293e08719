// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/cachecontrol.h"

#include "gateway/base/text.h"
#include "gateway/pipeline/exchange.h"

#include <algorithm>
#include <array>

namespace gatehouse {

namespace {

/// What is of that one answer, or of the gateway, and says nothing to the next who gets it.
bool isOfOnce(std::string_view name)
{
    constexpr auto others = std::to_array<std::string_view>(
        {"age", "content-type", "retry-after", "x-gatehouse-cache", "x-should-retry"});
    return !Exchange::isChangeable(name)
           || toLowerAscii(name).find("ratelimit") != std::string::npos
           || std::ranges::any_of(
               others, [name](std::string_view other) { return equalsIgnoreCase(other, name); });
}

} // namespace

bool hasCacheDirective(const std::vector<http::Field> &fields, std::string_view directive)
{
    const auto isIt = [directive](std::string_view part) {
        part = part.substr(0, part.find('='));
        while (!part.empty() && (part.front() == ' ' || part.front() == '\t'))
            part.remove_prefix(1);
        while (!part.empty() && (part.back() == ' ' || part.back() == '\t'))
            part.remove_suffix(1);
        return equalsIgnoreCase(part, directive);
    };
    return std::ranges::any_of(fields, [&isIt](const http::Field &field) {
        return equalsIgnoreCase(field.name, "cache-control")
               && std::ranges::any_of(split(field.value, ','), isIt);
    });
}

// What providers say by `private`, `no-cache` and `max-age` they say of all their answers, and mean caches that
// know nothing of clients. Who sets a cache up here means these very answers, for as long as it says.
std::optional<KeptAnswer> keepableHead(const std::vector<http::Field> &fields)
{
    if (hasCacheDirective(fields, "no-store"))
        return std::nullopt;
    KeptAnswer answer;
    for (const http::Field &field : fields) {
        const bool variesWithAll = equalsIgnoreCase(field.name, "vary")
                                   && field.value.find('*') != std::string_view::npos;
        if (variesWithAll || equalsIgnoreCase(field.name, "set-cookie"))
            return std::nullopt;
        if (equalsIgnoreCase(field.name, "content-type"))
            answer.contentType = field.value;
        else if (!isOfOnce(field.name))
            answer.headers.push_back({std::string(field.name), std::string(field.value)});
    }
    return answer;
}

std::string codingsOf(const KeptAnswer &answer)
{
    std::string codings;
    for (const Header &header : answer.headers) {
        if (equalsIgnoreCase(header.name, "content-encoding"))
            codings += (codings.empty() ? "" : ",") + header.value;
    }
    return codings;
}

} // namespace gatehouse
