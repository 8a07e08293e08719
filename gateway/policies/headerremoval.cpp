// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/http/head.h"
#include "gateway/match/pattern.h"
#include "gateway/pipeline/fieldrules.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/schema/encode.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gatehouse {

namespace {

/// No letter of it has a meaning of its own in a regular expression.
bool isPlainName(std::string_view text)
{
    return std::ranges::all_of(text,
                               [](char c) { return isAlphanumeric(c) || c == '-' || c == '_'; });
}

std::string entryProblem(std::string_view text)
{
    if (isPlainName(text))
        return fieldNameProblem(text);
    const auto pattern = Pattern::compile(text, {.ignoreCase = true});
    return pattern ? std::string() : pattern.error().context;
}

struct Config
{
    std::vector<std::string> request;
    std::vector<std::string> response;
    std::vector<std::string> keep;

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::request>(
                {.key = "request",
                 .label = "Request headers",
                 .help = "Names, or regular expressions on whole names, in any case: x-internal-.* "
                         "takes out all that begin so",
                 .max = 100,
                 .problem = &entryProblem}),
            field<&Config::response>({.key = "response",
                                      .label = "Response headers",
                                      .help = "The same for every answer, the gateway's own too",
                                      .max = 100,
                                      .problem = &entryProblem}),
            field<&Config::keep>(
                {.key = "keep",
                 .label = "Kept headers",
                 .help = "Names that stay although an expression matches them. Headers that frame "
                         "or encode the message and the gateway's own always stay",
                 .max = 100,
                 .problem = &fieldNameProblem}),
        });
        return rows;
    }
};

/// Names and patterns of fields. Copies share the patterns.
class NameSet
{
public:
    /// False where an entry is no pattern, which is reported at \a key.
    bool add(std::string_view key, const std::vector<std::string> &entries, PolicyContext &context)
    {
        bool isValid = true;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (isPlainName(entries[i])) {
                m_names.push_back(entries[i]);
                continue;
            }
            auto pattern = Pattern::compile(entries[i], {.ignoreCase = true});
            isValid = isValid && pattern;
            if (pattern)
                m_patterns.push_back(std::move(pattern).value());
            else
                context.problem({key, i}, pattern.error().context);
        }
        return isValid;
    }

    [[nodiscard]] bool isEmpty() const { return m_names.empty() && m_patterns.empty(); }
    [[nodiscard]] bool contains(std::string_view name) const
    {
        return std::ranges::any_of(
                   m_names,
                   [name](const std::string &listed) { return equalsIgnoreCase(listed, name); })
               || std::ranges::any_of(m_patterns, [name](const Pattern &pattern) {
                      return pattern.matchesWhole(name);
                  });
    }

private:
    std::vector<std::string> m_names;
    std::vector<Pattern> m_patterns;
};

class HeaderRemoval final : public Policy
{
public:
    HeaderRemoval(NameSet request, NameSet response, std::vector<std::string> keep)
        : m_request(std::move(request))
        , m_response(std::move(response))
        , m_keep(std::move(keep))
    {}

    static std::unique_ptr<const Policy> make(Config config, PolicyContext &context)
    {
        NameSet request;
        NameSet response;
        const bool isRequestValid = request.add("request", config.request, context);
        if (!response.add("response", config.response, context) || !isRequestValid)
            return nullptr;
        return std::make_unique<HeaderRemoval>(
            std::move(request), std::move(response), std::move(config.keep));
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return m_response.isEmpty() ? static_cast<std::uint8_t>(PolicyPhase::RequestHead)
                                    : PolicyPhase::RequestHead | PolicyPhase::ResponseHead;
    }

    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        if (!m_request.isEmpty())
            exchange.removeRequestHeaders(
                [this](std::string_view name) { return m_request.contains(name) && mayGo(name); });
        return Continue{};
    }

    void onResponseHead(Exchange &exchange) const override
    {
        exchange.removeResponseHeaders(
            [this](std::string_view name) { return m_response.contains(name) && mayGo(name); });
    }

private:
    [[nodiscard]] bool mayGo(std::string_view name) const
    {
        return http::fieldId(name) != http::FieldId::ContentEncoding
               && std::ranges::none_of(m_keep, [name](const std::string &kept) {
                      return equalsIgnoreCase(kept, name);
                  });
    }

    NameSet m_request;
    NameSet m_response;
    std::vector<std::string> m_keep;
};

/// Theirs never removes these; the fields that frame the message are kept here too.
constexpr auto keptByFlex = std::to_array<std::string_view>({"accept", "content-type", "date"});

Node translateNames(FlexConfig &config, std::string_view key)
{
    Node names = config.list(key);
    std::erase_if(names.items, [&](const Node &item) {
        const bool stays = isPlainName(item.text) && !fieldNameProblem(item.text).empty();
        if (stays)
            config.warn(key, inQuotes(item.text) + " is never removed");
        return stays;
    });
    for (const Node &item : names.items) {
        if (item.text.starts_with("#["))
            config.refuse(key, "an expression is not evaluated as the name of a header");
        else if (const std::string problem = entryProblem(item.text); !problem.empty())
            config.refuse(key, problem);
    }
    return names;
}

std::optional<Node> translate(FlexConfig &config)
{
    Node keep = Node::list();
    for (const std::string_view name : keptByFlex)
        keep.items.push_back(encodeText(name));
    Node node = Node::map();
    node.append("request", translateNames(config, "inboundHeaders"));
    node.append("response", translateNames(config, "outboundHeaders"));
    node.append("keep", std::move(keep));
    return config.isRefused() ? std::nullopt : std::optional(std::move(node));
}

constexpr std::array<FlexCounterpart, 1> counterparts{{{"header-removal-flex", &translate}}};

} // namespace

PolicyType headerRemovalPolicy()
{
    return describe<Config, HeaderRemoval>(
        {.id = "header-removal",
         .title = "Header removal",
         .category = PolicyCategory::Transformation,
         .summary
         = "Takes headers out of the request to the provider and out of answers, by name or "
           "by pattern. Refuses nothing",
         .flex = counterparts,
         .example = "request: [user-agent, x-stainless-.*]\n"
                    "response: [server, openai-organization]\n"});
}

} // namespace gatehouse
