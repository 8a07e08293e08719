// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/methodoverride.h"

#include "gateway/base/text.h"
#include "gateway/http/form.h"
#include "gateway/pipeline/exchange.h"

#include <algorithm>
#include <array>
#include <span>

namespace gatehouse {

namespace {

constexpr auto fieldNames = std::to_array<std::string_view>(
    {"x-http-method-override", "x-http-method", "x-method-override"});
constexpr auto parameterNames
    = std::to_array<std::string_view>({"$httpMethod", "_method", "x-http-method-override"});

bool isOneOf(std::string_view name, std::span<const std::string_view> names)
{
    return std::ranges::any_of(
        names, [name](std::string_view known) { return equalsIgnoreCase(known, name); });
}

/// As it stands where an escape is malformed: one that no reader decodes names nothing.
std::string decoded(std::string_view text)
{
    return http::percentDecoded(text).value_or(std::string(text));
}

bool isSmallLetter(char c)
{
    return c >= 'a' && c <= 'z';
}

bool hasSmallLetters(std::string_view method)
{
    return std::ranges::any_of(method, isSmallLetter);
}

std::string inCapitals(std::string_view method)
{
    std::string text(method);
    std::ranges::transform(text, text.begin(), [](char c) {
        return isSmallLetter(c) ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return text;
}

void addFromQuery(std::string_view query, std::vector<std::string> &methods)
{
    while (!query.empty()) {
        query.remove_prefix(1);
        const std::string_view pair = query.substr(0, query.find_first_of("&;"));
        query.remove_prefix(pair.size());
        const std::size_t equals = std::min(pair.find('='), pair.size());
        if (isOneOf(decoded(pair.substr(0, equals)), parameterNames))
            methods.push_back(decoded(pair.substr(std::min(equals + 1, pair.size()))));
    }
}

} // namespace

std::vector<std::string> overridingMethods(const Exchange &exchange)
{
    std::vector<std::string> methods;
    for (const http::Field &field : exchange.request().fields) {
        if (field.id == http::FieldId::Other && isOneOf(field.name, fieldNames))
            methods.emplace_back(field.value);
    }
    addFromQuery(exchange.query(), methods);
    for (std::size_t i = 0, count = methods.size(); i < count; ++i) {
        if (hasSmallLetters(methods[i]))
            methods.push_back(inCapitals(methods[i]));
    }
    if (hasSmallLetters(exchange.method()))
        methods.push_back(inCapitals(exchange.method()));
    return methods;
}

} // namespace gatehouse
