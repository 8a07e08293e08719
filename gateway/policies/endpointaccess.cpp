// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/http/text.h"
#include "gateway/match/glob.h"
#include "gateway/pipeline/methodoverride.h"
#include "gateway/pipeline/pathreadings.h"
#include "gateway/pipeline/policytype.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gatehouse {

namespace {

/// Longer lists are not told in an answer.
constexpr std::size_t longestList = 200;

std::string methodsProblem(std::string_view text)
{
    for (const std::string_view method : split(text, '|')) {
        if (!http::isToken(method)
            || std::ranges::any_of(method, [](char c) { return c >= 'a' && c <= 'z'; }))
            return "must be methods in capitals, separated by |: GET|POST";
    }
    return {};
}

/// Requests are compared in every form that a server may take them for, so patterns have only one.
std::string pathProblem(std::string_view text)
{
    if (!text.starts_with('/') && !text.starts_with('*'))
        return "must begin with a slash, below the base path of the route: /chat/completions";
    if (text.size() > 1 && text.ends_with('/'))
        return "must not end with a slash; paths are compared with and without one";
    if (text.find("//") != std::string_view::npos)
        return "must not have two slashes in a row";
    if (text.find_first_of("%;\\") != std::string_view::npos)
        return "must be a plain path, without escapes and parameters";
    const auto glob = Glob::parse(text, Glob::Kind::Path);
    return glob ? std::string() : glob.error().context;
}

struct EntryConfig
{
    std::string methods;
    std::string path;

    bool operator==(const EntryConfig &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&EntryConfig::methods>({.key = "methods",
                                          .label = "Methods",
                                          .help
                                          = "Separated by |: GET|POST. None: all; GET is HEAD "
                                            "too",
                                          .max = 256,
                                          .problem = &methodsProblem}),
            field<&EntryConfig::path>(
                {.key = "path",
                 .label = "Path",
                 .help = "Below the base path of the route, percent-decoded, in its case. * is "
                         "anything up to the next slash, ** anything at all, ? one character",
                 .required = true,
                 .problem = &pathProblem}),
        });
        return rows;
    }
};

struct Config
{
    std::vector<EntryConfig> allow;
    std::vector<EntryConfig> deny;

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::allow>({.key = "allow",
                                   .label = "Allowed endpoints",
                                   .help = "None: all that are not denied. A path that servers may "
                                           "read in several ways has to be allowed in each of them",
                                   .max = 1000}),
            field<&Config::deny>({.key = "deny",
                                  .label = "Denied endpoints",
                                  .help = "They count before the allowed ones. A path that servers "
                                          "may read in several ways is denied if one of them is; "
                                          "/files/** denies /files too",
                                  .max = 1000}),
        });
        return rows;
    }
};

using Texts = std::vector<std::string>;

/// The paths that servers may take the request's for: its decoded one first, and mostly alone.
Texts readingsOf(const Exchange &exchange)
{
    Texts paths = otherPathReadings(exchange);
    if (!exchange.path().empty()) // else it is "/" for all
        paths.emplace(paths.begin(), exchange.decodedPath());
    return paths;
}

/// The methods likewise.
Texts methodsOf(const Exchange &exchange)
{
    Texts methods = overridingMethods(exchange);
    methods.emplace(methods.begin(), exchange.method());
    return methods;
}

/// One line of a list, compiled.
class Entry
{
public:
    Entry(const EntryConfig &config, bool coversParent)
    {
        if (!config.methods.empty()) {
            for (const std::string_view method : split(config.methods, '|'))
                m_methods.emplace_back(method);
        }
        addPath(config.path);
        constexpr std::string_view below = "/**";
        if (coversParent && config.path.size() > below.size() && config.path.ends_with(below))
            addPath(std::string_view(config.path).substr(0, config.path.size() - below.size()));
    }

    [[nodiscard]] bool matches(std::string_view method, std::string_view path) const
    {
        const auto isMethod = [method](std::string_view listed) {
            return listed == method || (method == "HEAD" && listed == "GET");
        };
        return (m_methods.empty() || std::ranges::any_of(m_methods, isMethod))
               && std::ranges::any_of(m_paths,
                                      [path](const Glob &glob) { return glob.matches(path); });
    }

private:
    void addPath(std::string_view text)
    {
        if (auto glob = Glob::parse(text, Glob::Kind::Path)) // was looked at as a field
            m_paths.push_back(std::move(*glob));
    }

    Texts m_methods; ///< empty: all
    std::vector<Glob> m_paths;
};

std::string allowedText(const std::vector<EntryConfig> &allow)
{
    std::string text;
    for (const EntryConfig &entry : allow) {
        text.append(text.empty() ? "; allowed are: " : ", ").append(entry.methods);
        text.append(entry.methods.empty() ? "" : " ").append(entry.path);
    }
    return text.size() > longestList ? std::string() : text;
}

/// Lets requests go to the endpoints that are meant for them, known or not.
class EndpointAccess final : public Policy
{
public:
    explicit EndpointAccess(const Config &config)
        : m_allowedText(allowedText(config.allow))
    {
        for (const EntryConfig &entry : config.allow)
            m_allow.emplace_back(entry, false);
        for (const EntryConfig &entry : config.deny)
            m_deny.emplace_back(entry, true);
    }

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &)
    {
        return std::make_unique<EndpointAccess>(config);
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>(PolicyPhase::RequestHead);
    }

    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        const Texts methods = methodsOf(exchange);
        const Texts paths = readingsOf(exchange);
        bool isAllowed = true;
        for (const std::string &method : methods) {
            for (const std::string &path : paths) {
                const auto matches
                    = [&](const Entry &entry) { return entry.matches(method, path); };
                if (std::ranges::any_of(m_deny, matches))
                    return refuse("denied", methods.front(), paths.front(), " is denied here");
                isAllowed = isAllowed && (m_allow.empty() || std::ranges::any_of(m_allow, matches));
            }
        }
        if (!isAllowed)
            return refuse(
                "unlisted", methods.front(), paths.front(), " is not allowed here" + m_allowedText);
        return Continue{};
    }

private:
    static Reply refuse(std::string_view detail,
                        std::string_view method,
                        std::string_view path,
                        std::string_view why)
    {
        return {.reason = "endpoint-access:" + std::string(detail),
                .message = std::string(method) + ' ' + inQuotes(path) + std::string(why)};
    }

    std::vector<Entry> m_allow;
    std::vector<Entry> m_deny;
    std::string m_allowedText;
};

} // namespace

PolicyType endpointAccessPolicy()
{
    return describe<Config, EndpointAccess>(
        {.id = "endpoint-access",
         .title = "Endpoint access",
         .category = PolicyCategory::Security,
         .summary
         = "Lets requests go only to the endpoints that are allowed and not denied, by method and "
           "path; endpoints that the gateway does not know and upgrades to WebSocket are requests "
           "like all others. Refuses with 403",
         .example = "allow:\n"
                    "  - {methods: POST, path: /chat/completions}\n"
                    "  - {methods: GET, path: /models}\n"
                    "deny:\n"
                    "  - {path: \"/files/**\"}\n"});
}

} // namespace gatehouse
