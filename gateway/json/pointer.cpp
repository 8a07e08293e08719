// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/pointer.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <charconv>

namespace gatehouse::json {

namespace {

/// RFC 6901 §4: digits without a leading zero.
std::optional<std::size_t> readIndex(std::string_view token)
{
    if (token.empty() || !std::ranges::all_of(token, isDigit)
        || (token.size() > 1 && token.front() == '0'))
        return {};
    std::size_t index = 0;
    const auto [rest, problem] = std::from_chars(token.data(), token.data() + token.size(), index);
    if (problem != std::errc())
        return {};
    return index;
}

} // namespace

Result<Pointer::Step, std::string_view> Pointer::parseStep(std::string_view token)
{
    Step step{.name = {}, .index = readIndex(token), .isWildcard = token == "*"};
    for (std::size_t at = 0; at < token.size(); ++at) {
        if (token[at] != '~') {
            step.name += token[at];
            continue;
        }
        ++at;
        if (at == token.size() || (token[at] != '0' && token[at] != '1'))
            return Unexpected<std::string_view>("must have ~0 for ~ and ~1 for / in a name");
        step.name += token[at] == '0' ? '~' : '/';
    }
    return step;
}

Result<Pointer, std::string_view> Pointer::parse(std::string_view text)
{
    Pointer pointer;
    if (text.empty())
        return pointer;
    if (text.front() != '/')
        return Unexpected<std::string_view>("must begin with /");
    for (const std::string_view token : split(text.substr(1), '/')) {
        if (pointer.m_steps.size() == mostSteps)
            return Unexpected<std::string_view>("must have no more than 64 steps");
        auto step = parseStep(token);
        if (!step)
            return Unexpected(step.error());
        pointer.m_steps.push_back(std::move(*step));
    }
    return pointer;
}

std::optional<Value> Pointer::child(Value value, const Step &step)
{
    if (value.isArray())
        return step.index ? value.at(*step.index) : std::nullopt;
    return value.find(step.name);
}

std::optional<Value> Pointer::first(Value value) const
{
    std::optional<Value> found;
    forEach(value, [&found](Value selected) {
        if (!found)
            found = selected;
    });
    return found;
}

} // namespace gatehouse::json
