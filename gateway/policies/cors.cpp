// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/http/corsrequest.h"
#include "gateway/http/text.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/schema/encode.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace gatehouse {

namespace {

using Texts = std::vector<std::string>;

constexpr std::string_view any = "*";
constexpr std::int64_t day = std::int64_t{24} * 3600 * 1000;

std::string methodProblem(std::string_view text)
{
    const bool isMethod = text == any || std::ranges::all_of(text, [](char c) {
                              return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
                          });
    return isMethod ? std::string() : "must be a method in capitals, such as POST, or *";
}

std::string fieldNameProblem(std::string_view text)
{
    return http::isToken(text) ? std::string()
                               : "must be the name of a header, such as content-type, or *";
}

constexpr FieldInfo originsInfo{
    .key = "origins",
    .label = "Origins",
    .help = "Web pages of these origins may send requests and read the answers; "
            "https://*.example.com stands for all names below example.com, * for every origin but "
            "null",
    .min = 1,
    .max = 1000,
    .required = true,
    .problem = &http::listedOriginProblem};
constexpr FieldInfo methodsInfo{
    .key = "methods",
    .label = "Methods",
    .help = "Methods that these pages may use; GET covers HEAD, * is any method",
    .max = 100,
    .problem = &methodProblem};
constexpr FieldInfo headersInfo{
    .key = "headers",
    .label = "Request headers",
    .help = "Headers that these pages may send beside those that browsers always allow; * is any",
    .max = 1000,
    .problem = &fieldNameProblem};
constexpr FieldInfo exposedInfo{
    .key = "exposedHeaders",
    .label = "Exposed headers",
    .help = "Headers of answers that these pages may read beside those that browsers always show; "
            "* is any, but not where credentials are allowed",
    .max = 1000,
    .problem = &fieldNameProblem};
constexpr FieldInfo maxAgeInfo{.key = "maxAge",
                               .label = "Preflight lifetime",
                               .help = "How long a browser need not ask again",
                               .unit = Unit::Milliseconds,
                               .max = day};

/// Origins and what their pages may do.
struct Group
{
    Texts origins;
    Texts methods{"GET", "POST", "PUT", "PATCH", "DELETE"};
    Texts headers{"*"};
    Texts exposedHeaders;
    std::chrono::milliseconds maxAge = std::chrono::minutes(10);

    bool operator==(const Group &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Group::origins>(originsInfo),
            field<&Group::methods>(methodsInfo),
            field<&Group::headers>(headersInfo),
            field<&Group::exposedHeaders>(exposedInfo),
            field<&Group::maxAge>(maxAgeInfo),
        });
        return rows;
    }
};

struct Config
{
    Texts origins;
    Texts methods = Group{}.methods;
    Texts headers = Group{}.headers;
    Texts exposedHeaders;
    bool credentials = false;
    std::chrono::milliseconds maxAge = Group{}.maxAge;
    std::vector<Group> groups;

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::origins>(originsInfo),
            field<&Config::methods>(methodsInfo),
            field<&Config::headers>(headersInfo),
            field<&Config::exposedHeaders>(exposedInfo),
            field<&Config::credentials>(
                {.key = "credentials",
                 .label = "Credentials",
                 .help = "Browsers may add cookies and client certificates; not with the origin *. "
                         "A virtual key that the page sends itself needs no such leave"}),
            field<&Config::maxAge>(maxAgeInfo),
            field<&Config::groups>(
                {.key = "groups",
                 .label = "Further origins",
                 .help = "Origins with methods, headers and a lifetime of their own; the first "
                         "group that names an origin holds, those that say * come last",
                 .max = 100}),
        });
        return rows;
    }
};

bool contains(const Texts &texts, std::string_view text)
{
    return std::ranges::find(texts, text) != texts.end();
}

std::string joined(const Texts &texts)
{
    std::string text;
    for (const std::string &item : texts)
        text.append(text.empty() ? "" : ", ").append(item);
    return text;
}

bool names(const Group &group, std::string_view origin)
{
    return std::ranges::any_of(group.origins, [origin](std::string_view listed) {
        return http::namesOrigin(listed, origin);
    });
}

bool takesMethod(const Group &group, std::string_view method)
{
    return contains(group.methods, any)
           || contains(group.methods, method == "HEAD" ? "GET" : method);
}

/// What the answer to an exchange says to browsers.
struct Grant final : PolicyState
{
    std::vector<Header> headers; ///< empty: no web page asked
};

Reply refuse(int status, std::string_view detail, std::string message)
{
    return {.status = status,
            .reason = "cors:" + std::string(detail),
            .message = std::move(message),
            .headers = {{"vary", "origin"}}};
}

/// Says to browsers which web pages may use the route, and answers their preflights. Never gives leave to
/// reach a private network (Access-Control-Request-Private-Network).
class Cors final : public Policy
{
public:
    Cors(std::vector<Group> groups, bool credentials)
        : m_groups(std::move(groups))
        , m_credentials(credentials)
    {}

    static std::unique_ptr<const Policy> make(Config config, PolicyContext &context)
    {
        std::vector<Group> groups{{std::move(config.origins),
                                   std::move(config.methods),
                                   std::move(config.headers),
                                   std::move(config.exposedHeaders),
                                   config.maxAge}};
        std::ranges::move(config.groups, std::back_inserter(groups));
        bool isValid = true;
        for (std::size_t i = 0; i < groups.size() && config.credentials; ++i) {
            const auto report = [&](std::string_view key, std::string message) {
                isValid = false;
                if (i == 0)
                    context.problem({key}, std::move(message));
                else
                    context.problem({"groups", i - 1, key}, std::move(message));
            };
            if (contains(groups[i].origins, any))
                report("origins", "must name each origin where credentials are allowed, not *");
            if (contains(groups[i].exposedHeaders, any))
                report("exposedHeaders",
                       "must name each header where credentials are allowed, not *");
        }
        return isValid ? std::make_unique<Cors>(std::move(groups), config.credentials) : nullptr;
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return PolicyPhase::RequestHead | PolicyPhase::ResponseHead;
    }

    [[nodiscard]] bool listsOrigin(std::string_view origin) const override
    {
        return find(origin) != nullptr;
    }

    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        const http::CorsRequest asked = http::readCorsRequest(exchange.request());
        if (!asked.origin)
            return Continue{};
        if (asked.isMalformed)
            return refuse(400, "request", "The fields of a browser's CORS request are malformed");
        const Group *group = find(*asked.origin);
        if (group == nullptr)
            return refuse(403,
                          "origin",
                          "Web pages of the origin " + inQuotes(*asked.origin)
                              + " may not use this route; a policy of type cors has to list it");
        std::vector<Header> headers{
            {"access-control-allow-origin",
             std::string(names(*group, *asked.origin) ? *asked.origin : any)}};
        if (m_credentials)
            headers.push_back({"access-control-allow-credentials", "true"});
        if (exchange.method() == "OPTIONS" && asked.method)
            return preflight(*group, asked, std::move(headers));
        if (!group->exposedHeaders.empty())
            headers.push_back({"access-control-expose-headers", joined(group->exposedHeaders)});
        // Browsers send a plain GET or POST without asking first.
        if (!takesMethod(*group, exchange.method())) {
            Reply reply = refuse(403,
                                 "method",
                                 "Web pages of this origin may not use the method "
                                     + std::string(exchange.method()) + " here");
            std::ranges::move(headers, std::back_inserter(reply.headers));
            return reply;
        }
        exchange.state<Grant>().headers = std::move(headers);
        return Continue{};
    }

    void onResponseHead(Exchange &exchange) const override
    {
        exchange.removeResponseHeaders([](std::string_view name) {
            constexpr std::string_view prefix = "access-control-";
            return equalsIgnoreCase(name.substr(0, prefix.size()), prefix);
        });
        if (const Grant *grant = exchange.findState<Grant>()) {
            for (const Header &header : grant->headers)
                exchange.setResponseHeader(header.name, header.value);
        }
        // Also where no browser asked: a cache must not give that answer to one that does.
        const bool isThere = !http::forEachListElement(
            exchange.responseHeader("vary").value_or(""),
            [](std::string_view name) { return name != any && !equalsIgnoreCase(name, "origin"); });
        if (!isThere)
            exchange.addResponseHeader("vary", "origin");
    }

private:
    [[nodiscard]] const Group *find(std::string_view origin) const
    {
        const auto isOpen = [](const Group &group) { return contains(group.origins, any); };
        auto found = std::ranges::find_if(
            m_groups, [origin](const Group &group) { return names(group, origin); });
        // "null" is a file, or somebody else's page in a sandbox.
        if (found == m_groups.end() && origin != "null")
            found = std::ranges::find_if(m_groups, isOpen);
        return found == m_groups.end() ? nullptr : &*found;
    }

    /// The browser compares this with what it wants to do, and tells its user what is missing.
    [[nodiscard]] static Reply
    preflight(const Group &group, const http::CorsRequest &asked, std::vector<Header> headers)
    {
        const auto add = [&headers](std::string_view name, std::string value) {
            if (!value.empty())
                headers.push_back({std::string(name), std::move(value)});
        };
        add("access-control-allow-methods",
            contains(group.methods, any) ? std::string(*asked.method) : joined(group.methods));
        add("access-control-allow-headers",
            contains(group.headers, any) ? asked.headers : joined(group.headers));
        add("access-control-max-age",
            std::to_string(std::chrono::floor<std::chrono::seconds>(group.maxAge).count()));
        add("vary", "origin, access-control-request-method, access-control-request-headers");
        return {.status = 204,
                .reason = "cors:preflight",
                .message = "The answer to a browser's preflight",
                .retryable = true,
                .headers = std::move(headers),
                .hasOwnBody = true};
    }

    std::vector<Group> m_groups; ///< the first is the config's own
    bool m_credentials;
};

Node textList(std::initializer_list<std::string_view> texts)
{
    Node list = Node::list();
    for (const std::string_view text : texts)
        list.items.push_back(encodeText(text));
    return list;
}

/// One entry of MuleSoft's originGroups.
Node translateGroup(FlexConfig &group)
{
    Node methods = textList({});
    const auto listed = group.records("allowedMethods");
    for (FlexConfig *method : listed) {
        const std::string name = method->requiredText("methodName");
        if (method->boolean("isAllowed", true))
            methods.items.push_back(encodeText(name));
    }
    if (listed.empty())
        methods = textList({"CONNECT",
                            "DELETE",
                            "GET",
                            "OPTIONS",
                            "PATCH",
                            "POST",
                            "PUT",
                            "TRACE"}); // as documented
    const auto age
        = std::clamp<std::int64_t>(group.integer("accessControlMaxAge", 30), 0, day / 1000);
    Node node = Node::map();
    node.append("origins", group.list("origins"));
    node.append("methods", std::move(methods));
    node.append("headers", group.list("headers"));
    node.append("exposedHeaders", group.list("exposedHeaders"));
    node.append("maxAge", encodeText(std::to_string(age) + "s"));
    return node;
}

std::optional<Node> translate(FlexConfig &config)
{
    const bool isPublic = config.boolean("publicResource", true);
    const bool credentials = config.boolean("supportCredentials", false);
    const auto groups = config.records("originGroups");
    if (isPublic && credentials)
        config.refuse("supportCredentials",
                      "must be false on a public resource: any web page could act with the "
                      "cookies of its visitors");
    if (isPublic && !groups.empty())
        config.refuse("publicResource",
                      "must be set to false where originGroups are listed: it is true by default, "
                      "and then lets every origin in");
    if (!isPublic && groups.empty())
        config.refuse("originGroups", "must list an origin where publicResource is false");
    if (config.isRefused())
        return std::nullopt;
    Node node = Node::map();
    if (isPublic) {
        node.append("origins", textList({any, "null"}));
        node.append("methods", textList({any}));
    } else {
        node = translateGroup(*groups.front());
    }
    Node others = Node::list();
    for (std::size_t i = 1; i < groups.size(); ++i)
        others.items.push_back(translateGroup(*groups[i]));
    node.append("groups", std::move(others));
    node.append("credentials", Node::scalar(credentials ? "true" : "false", false));
    return config.isRefused() ? std::nullopt : std::optional(std::move(node));
}

constexpr std::array<FlexCounterpart, 1> counterparts{{{"cors-flex", &translate}}};

} // namespace

PolicyType corsPolicy()
{
    return describe<Config, Cors>(
        {.id = "cors",
         .title = "CORS",
         .category = PolicyCategory::Compliance,
         .summary
         = "Lets web pages of the listed origins use a route from a browser: answers their "
           "preflights itself, without a key and without asking the provider, and puts the "
           "access-control headers on every answer in place of the provider's own. Pages of "
           "other origins are refused with 403",
         .defaultOrder = 5,
         .flex = counterparts,
         .example = "origins: [\"https://app.example.com\", \"http://localhost:5173\"]\n"
                    "exposedHeaders: [retry-after, x-gatehouse-reason]\n"
                    "maxAge: 10m\n"});
}

} // namespace gatehouse
