// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/rules.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <array>

namespace gatehouse {

namespace {

Result<Pattern> compilePattern(std::string_view text, bool ignoreCase, const std::string &where)
{
    auto pattern = Pattern::compile(text, {.ignoreCase = ignoreCase});
    if (!pattern)
        return Unexpected(Error{ErrorCode::ConfigInvalid, where + ": " + pattern.error().context});
    return pattern;
}

} // namespace

std::span<const Field> RuleSpec::fields()
{
    static constexpr auto rows = std::to_array<Field>({
        field<&RuleSpec::path>({.key = "path",
                                .label = "Path",
                                .help
                                = "Regular expression that the whole path below the base path "
                                  "must match, percent-decoded and without the query",
                                .max = 1024}),
        field<&RuleSpec::methods>({.key = "methods",
                                   .label = "Methods",
                                   .help = "Methods, separated by |: GET|POST",
                                   .max = 256}),
        field<&RuleSpec::host>({.key = "host",
                                .label = "Host",
                                .help
                                = "Regular expression that the whole host name must match, in "
                                  "any case and without its port",
                                .max = 1024}),
        field<&RuleSpec::headers>({.key = "headers",
                                   .label = "Headers",
                                   .help = "Regular expressions by header name; a value of that "
                                           "header must match as a whole",
                                   .max = 32}),
    });
    return rows;
}

Result<Rules> Rules::compile(std::span<const RuleSpec> specs)
{
    Rules rules;
    for (std::size_t i = 0; i < specs.size(); ++i) {
        const RuleSpec &spec = specs[i];
        const std::string where = "rule " + std::to_string(i + 1) + ", ";
        Rule rule;
        if (!spec.path.empty()) {
            auto path = compilePattern(spec.path, false, where + "path");
            if (!path)
                return Unexpected(std::move(path).error());
            rule.path = std::move(*path);
        }
        if (!spec.host.empty()) {
            auto host = compilePattern(spec.host, true, where + "host");
            if (!host)
                return Unexpected(std::move(host).error());
            rule.host = std::move(*host);
        }
        for (const auto &[name, value] : spec.headers) {
            auto pattern = compilePattern(value, false, where + "header " + name);
            if (!pattern)
                return Unexpected(std::move(pattern).error());
            rule.headers.emplace_back(name, std::move(*pattern));
        }
        if (!spec.methods.empty()) {
            for (const std::string_view method : split(spec.methods, '|')) {
                if (method.empty())
                    return Unexpected(
                        Error{ErrorCode::ConfigInvalid, where + "methods: an empty method"});
                rule.methods.emplace_back(method);
            }
        }
        rules.m_rules.push_back(std::move(rule));
    }
    return rules;
}

bool Rules::Rule::matches(const http::RequestHead &request,
                          std::string_view requestPath,
                          const OtherReadings &others) const
{
    const auto isNamed = [this](std::string_view method) {
        return std::ranges::find(methods, method) != methods.end();
    };
    const auto isMeant = [this](std::string_view reading) { return path->matchesWhole(reading); };
    if (!methods.empty() && !isNamed(request.method)
        && std::ranges::none_of(others.methods, isNamed))
        return false;
    if (path && !isMeant(requestPath) && std::ranges::none_of(others.paths, isMeant))
        return false;
    if (host && !host->matchesWhole(request.host))
        return false;
    return std::ranges::all_of(headers, [&request](const auto &wanted) {
        return std::ranges::any_of(request.fields, [&wanted](const http::Field &field) {
            return equalsIgnoreCase(field.name, wanted.first)
                   && wanted.second.matchesWhole(field.value);
        });
    });
}

bool Rules::namesMethods() const
{
    return std::ranges::any_of(m_rules, [](const Rule &rule) { return !rule.methods.empty(); });
}

bool Rules::namesPaths() const
{
    return std::ranges::any_of(m_rules, [](const Rule &rule) { return rule.path.has_value(); });
}

bool Rules::matches(const http::RequestHead &request,
                    std::string_view path,
                    const OtherReadings &others) const
{
    return m_rules.empty() || std::ranges::any_of(m_rules, [&](const Rule &rule) {
               return rule.matches(request, path, others);
           });
}

std::optional<std::string> Rules::rewritten(const http::RequestHead &request,
                                            std::string_view path) const
{
    if (m_rules.empty())
        return std::string(path);
    const auto rule = std::ranges::find_if(
        m_rules, [&](const Rule &candidate) { return candidate.matches(request, path, {}); });
    if (rule == m_rules.end())
        return std::nullopt;
    return rule->path ? rule->path->rewritten(path) : std::string(path);
}

} // namespace gatehouse
