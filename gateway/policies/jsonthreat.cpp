// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/policytype.h"
#include "gateway/pipeline/requestedmodels.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gatehouse {

namespace {

constexpr auto deepest = static_cast<std::int64_t>(json::Limits{}.maxDepth);

struct Config
{
    std::int64_t maxDepth = 64;
    std::int64_t maxEntries = 10'000;
    std::int64_t maxNameLength = 1024;
    std::int64_t maxElements = 100'000;
    ByteSize maxString{std::uint64_t{8} << 20};

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::maxDepth>(
                {.key = "maxDepth",
                 .label = "Depth",
                 .help
                 = "Objects and arrays in one another. Schemas of tools rarely need more than "
                   "20; 0 sets no limit below 512, the most that is ever read",
                 .max = deepest}),
            field<&Config::maxEntries>(
                {.key = "maxEntries",
                 .label = "Entries of an object",
                 .help = "Members that one object may have; 0 sets no limit"}),
            field<&Config::maxNameLength>({.key = "maxNameLength",
                                           .label = "Length of a name",
                                           .help = "Bytes of a member's name; 0 sets no limit"}),
            field<&Config::maxElements>(
                {.key = "maxElements",
                 .label = "Elements of an array",
                 .help = "The default leaves room for a text that is sent as its tokens; 0 sets no "
                         "limit"}),
            field<&Config::maxString>(
                {.key = "maxString",
                 .label = "Length of a text",
                 .help = "Bytes of a text that is a value. The default leaves room for an image or "
                         "a recording in base64; 0 sets no limit",
                 .unit = Unit::Bytes}),
        });
        return rows;
    }
};

Reply refuse(std::string_view detail, std::string message, int status = 400)
{
    return {.status = status,
            .reason = "json-threat:" + std::string(detail),
            .message = std::move(message)};
}

Reply refuseProblem(const json::Problem &problem)
{
    using Kind = json::Problem::Kind;
    std::string message
        = "The body of this request is not JSON that all readers take alike: " + problem.message();
    switch (problem.kind) {
    case Kind::TooDeep:
        return refuse("depth", std::move(message));
    case Kind::TooManyValues:
        return refuse("elements", std::move(message));
    case Kind::DuplicateName:
        return refuse("duplicate", std::move(message));
    default: // broken in one way or another
        return refuse("malformed", std::move(message));
    }
}

/// The body cannot be read at all.
Reply refuseError(const Error &error)
{
    return refuse(error.code == ErrorCode::BodyNotInspectable ? "size" : "encoding",
                  error.message(),
                  error.info().status);
}

/// True where there is one Content-Type, and it is another.
bool saysOtherThanJson(const http::RequestHead &head)
{
    const http::Field *type = head.find(http::FieldId::ContentType);
    return type != nullptr && !type->value.empty() && !RequestBody::isJsonType(type->value)
           && std::ranges::count(head.fields, http::FieldId::ContentType, &http::Field::id) == 1;
}

/// Keeps JSON from the provider that is made to wear a parser out, or to be read in two ways.
class JsonThreat final : public Policy
{
public:
    explicit JsonThreat(const Config &config)
        : m_config(config)
    {}

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &)
    {
        return std::make_unique<JsonThreat>(config);
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>(PolicyPhase::RequestBody);
    }

    /// All but uploads: bytes may be JSON whatever their type says, but where a file is stored nobody
    /// reads them so, and files are larger than what can be gathered.
    [[nodiscard]] bool readsBody(const Exchange &exchange) const override
    {
        const auto &finder = exchange.route().modelFinder;
        return finder == nullptr || !finder->storesBytes(exchange)
               || !saysOtherThanJson(exchange.request());
    }

    [[nodiscard]] Verdict onRequestBody(Exchange &exchange) const override
    {
        if (!readsBody(exchange))
            return Continue{};
        RequestBody &body = exchange.body();
        const auto kind = body.kind();
        if (!kind)
            return refuseError(kind.error());
        if (*kind != BodyKind::Json)
            return Continue{};
        const auto document = body.json();
        if (!document) {
            const auto problem = body.jsonProblem();
            return problem ? refuseProblem(*problem) : refuseError(document.error());
        }
        return check((*document)->measures());
    }

private:
    struct Limit
    {
        std::size_t measured;
        std::uint64_t allowed; ///< 0: any
        std::string_view detail;
        std::string_view what;
    };

    [[nodiscard]] Verdict check(const json::Measures &found) const
    {
        const auto count = [](std::int64_t number) { return static_cast<std::uint64_t>(number); };
        const auto limits = std::to_array<Limit>(
            {{found.depth, count(m_config.maxDepth), "depth", "objects and arrays in one another"},
             {found.entries, count(m_config.maxEntries), "entries", "members in one object"},
             {found.longestName, count(m_config.maxNameLength), "name", "bytes in a name"},
             {found.elements, count(m_config.maxElements), "elements", "elements in one array"},
             {found.longestString, m_config.maxString.bytes, "string", "bytes in one text"}});
        for (const Limit &limit : limits) {
            if (limit.allowed != 0 && limit.measured > limit.allowed)
                return refuse(limit.detail,
                              "The JSON of this request has " + std::to_string(limit.measured) + ' '
                                  + std::string(limit.what) + "; " + std::to_string(limit.allowed)
                                  + " are allowed here");
        }
        return Continue{};
    }

    Config m_config;
};

/// MuleSoft's -1, also its default, sets no limit, which is our 0; a limit of 0 would let no JSON pass
/// that is any use.
std::int64_t limitUnder(FlexConfig &config, std::string_view key)
{
    const std::int64_t limit = config.integer(key, -1);
    if (limit < -1 || limit == 0)
        config.refuse(key, "must be at least 1, or -1 for no limit");
    return limit == -1 ? 0 : limit;
}

/// docs.mulesoft.com/gateway/1.5/policies-included-json-threat-protection, 2026-11-23.
std::optional<Node> translate(FlexConfig &config)
{
    struct Key
    {
        std::string_view from;
        std::string_view to;
    };
    constexpr auto keys = std::to_array<Key>({{"maxContainerDepth", "maxDepth"},
                                              {"maxObjectEntryCount", "maxEntries"},
                                              {"maxObjectEntryNameLength", "maxNameLength"},
                                              {"maxArrayElementCount", "maxElements"},
                                              {"maxStringValueLength", "maxString"}});
    Node node = Node::map();
    for (const auto &[from, to] : keys) {
        std::int64_t limit = limitUnder(config, from);
        if (to == "maxDepth" && limit > deepest) {
            config.warn(from, "deeper JSON than " + std::to_string(deepest) + " is refused anyway");
            limit = deepest;
        }
        Node number = Node::scalar(std::to_string(limit), false);
        number.place = config.placeOf(from);
        node.append(to, std::move(number));
    }
    return config.isRefused() ? std::nullopt : std::optional(std::move(node));
}

constexpr std::array<FlexCounterpart, 1> counterparts{
    {{"json-threat-protection-flex", &translate}}};

} // namespace

PolicyType jsonThreatPolicy()
{
    return describe<Config, JsonThreat>(
        {.id = "json-threat",
         .title = "JSON threat protection",
         .category = PolicyCategory::Security,
         .summary
         = "Refuses JSON that is deeper, wider or longer than real requests are, and JSON that two "
           "readers could take differently (a name that comes twice, bad UTF-8), with 400. Bodies "
           "that are no JSON pass; forms and files are not looked into",
         .flex = counterparts,
         .example = "maxDepth: 20\nmaxEntries: 500\nmaxElements: 2000\n"});
}

} // namespace gatehouse
