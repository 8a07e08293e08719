// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/pipeline/authorization.h"
#include "gateway/pipeline/errand.h"
#include "gateway/pipeline/introspection.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/schema/encode.h"
#include "gateway/secrets/digest.h"
#include "gateway/secrets/secretref.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

namespace gatehouse {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view type = "oauth2-introspection";
constexpr std::string_view missingChallenge = "Bearer realm=\"gatehouse\"";
constexpr std::string_view inactiveChallenge
    = "Bearer realm=\"gatehouse\", error=\"invalid_token\"";
constexpr std::string_view scopeChallenge
    = "Bearer realm=\"gatehouse\", error=\"insufficient_scope\"";
constexpr std::size_t longestToken = std::size_t{16} << 10;
constexpr std::size_t longestAnswer = std::size_t{64} << 10;

constexpr auto scopeMatches = std::to_array<std::string_view>({"all", "any"});

struct Config
{
    std::string url;
    SecretText authorization;
    std::vector<std::string> scopes;
    std::string scopeMatch = "all";
    milliseconds cacheTtl{60'000};
    std::int64_t cacheEntries = 10'000;
    milliseconds timeout{5'000};
    std::string clientClaim;
    bool forward = false;

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields();
};

std::span<const Field> Config::fields()
{
    static constexpr auto rows = std::to_array<Field>({
        field<&Config::url>(
            {.key = "url",
             .label = "URL",
             .help = "The introspection endpoint of the authorization server (RFC 7662)",
             .required = true}),
        field<&Config::authorization>(
            {.key = "authorization",
             .label = "Authorization",
             .help
             = "Reference to the whole Authorization value with which the gateway asks, such as "
               "Basic … or Bearer …",
             .secret = true,
             .problem = &referenceProblem}),
        field<&Config::scopes>({.key = "scopes",
                                .label = "Scopes",
                                .help = "What the token must be good for; none named: anything"}),
        choice<&Config::scopeMatch>(
            {.key = "scopeMatch",
             .label = "Scope match",
             .help = "Whether all of the scopes are needed, or any one of them",
             .choices = [] { return std::span<const std::string_view>(scopeMatches); }}),
        field<&Config::cacheTtl>(
            {.key = "cacheTtl",
             .label = "Cache time",
             .help
             = "How long an answer is believed, and so how late a revocation is noticed; never "
               "beyond the token's expiry. 0s asks for each request",
             .unit = Unit::Milliseconds,
             .max = 86'400'000}),
        field<&Config::cacheEntries>(
            {.key = "cacheEntries",
             .label = "Cache entries",
             .help = "Tokens remembered; the one not used for longest goes first",
             .min = 1,
             .max = 1'000'000}),
        field<&Config::timeout>({.key = "timeout",
                                 .label = "Timeout",
                                 .help = "How long asking may take",
                                 .unit = Unit::Milliseconds,
                                 .min = 100,
                                 .max = 60'000}),
        field<&Config::clientClaim>(
            {.key = "clientClaim",
             .label = "Client claim",
             .help = "Member of the answer that names the Client who asks, such as client_id"}),
        field<&Config::forward>({.key = "forward",
                                 .label = "Forward",
                                 .help
                                 = "The token goes on to a provider that has no credential of "
                                   "its own; else it is removed"}),
    });
    return rows;
}

/// application/x-www-form-urlencoded (URL standard §5.2), a subset that all readers take alike.
std::string formEncoded(std::string_view text)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    constexpr std::string_view plain = "-._";
    std::string encoded;
    encoded.reserve(text.size());
    for (const char c : text) {
        if (isAlphanumeric(c) || plain.find(c) != std::string_view::npos) {
            encoded += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        encoded.append({'%', digits[byte >> 4], digits[byte & 0xf]});
    }
    return encoded;
}

/// b64token of RFC 6750 §2.1.
bool isBearerToken(std::string_view text)
{
    constexpr std::string_view others = "-._~+/";
    const std::size_t end = std::min(text.find('='), text.size());
    return end > 0 && text.size() <= longestToken
           && text.find_first_not_of('=', end) == std::string_view::npos
           && std::ranges::all_of(text.substr(0, end), [&](char c) {
                  return isAlphanumeric(c) || others.find(c) != std::string_view::npos;
              });
}

/// Asks the authorization server about each token (RFC 7662), and remembers what it said.
class OAuth2Introspection final : public Policy
{
public:
    [[nodiscard]] static std::unique_ptr<const Policy> make(Config config, PolicyContext &context);

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>(PolicyPhase::RequestHead);
    }
    [[nodiscard]] bool mayNameClient() const override { return m_clientClaim.has_value(); }
    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override;

private:
    using Answer = IntrospectionCache::Answer;

    void ask(Services &services, std::string_view token, const Sha256 &digest) const;
    [[nodiscard]] Verdict decide(Exchange &exchange, const Answer &answer) const;
    [[nodiscard]] bool hasScopes(const Introspection &answer) const;

    Config m_config;
    std::shared_ptr<const Endpoint> m_endpoint;
    std::shared_ptr<const LockedSecret> m_authorization; ///< null: asks without
    std::string m_problem; ///< why there is no authorization though there should be
    std::optional<ClaimPath> m_clientClaim;
    std::shared_ptr<IntrospectionCache> m_cache;
};

std::unique_ptr<const Policy> OAuth2Introspection::make(Config config, PolicyContext &context)
{
    auto policy = std::make_unique<OAuth2Introspection>();
    auto endpoint = context.endpoint(config.url);
    if (!endpoint) {
        context.problem({"url"}, endpoint.error().context);
        return nullptr;
    }
    policy->m_endpoint = std::move(*endpoint);
    if (config.authorization.text != "none") {
        auto secret = context.secret(config.authorization);
        if (secret)
            policy->m_authorization = std::move(*secret);
        else
            policy->m_problem = secret.error().message();
    }
    if (!config.clientClaim.empty()) {
        auto path = ClaimPath::parse(config.clientClaim);
        if (!path) {
            context.problem({"clientClaim"}, std::string(path.error()));
            return nullptr;
        }
        policy->m_clientClaim = std::move(*path);
    }
    // What another server said, or said of another member, is no answer to this question.
    policy->m_cache = context.state<IntrospectionCache>(
        config.url + "\n" + config.authorization.text + "\n" + config.clientClaim);
    policy->m_config = std::move(config);
    return policy;
}

Verdict OAuth2Introspection::onRequestHead(Exchange &exchange) const
{
    const auto token = authorization::credentials(exchange, type, "Bearer", missingChallenge);
    if (!m_config.forward) // before anybody is asked: `onError: allow` must not let it go on
        authorization::remove(exchange);
    if (!m_problem.empty())
        return Undecided{m_problem};
    if (!token)
        return token.error();
    if (!isBearerToken(*token))
        return authorization::unauthorized(
            type,
            "malformed",
            "The Authorization header holds no token (RFC 6750 §2.1) "
            "of at most 16 KiB",
            inactiveChallenge);
    Services &services = exchange.services();
    const Sha256 digest = sha256(*token);
    if (const auto known = m_cache->find(digest, services.now()))
        return decide(exchange, known);
    // The exchange, and this policy with it, live as long as the resume is awaited.
    auto take = [this, &exchange, resume = exchange.pause()](const Answer &answer) {
        if (resume.isAwaited())
            resume(decide(exchange, answer));
    };
    if (m_cache->join(digest, {services.poster(), std::move(take)}))
        ask(services, *token, digest);
    return Pause{};
}

void OAuth2Introspection::ask(Services &services,
                              std::string_view token,
                              const Sha256 &digest) const
{
    FetchRequest request{.endpoint = m_endpoint,
                         .method = "POST",
                         .headers = {{"content-type", "application/x-www-form-urlencoded"},
                                     {"accept", "application/json"}},
                         .body = "token=" + formEncoded(token) + "&token_type_hint=access_token",
                         .timeout = m_config.timeout,
                         .limit = longestAnswer};
    if (m_authorization)
        request.headers.push_back({"authorization", std::string(m_authorization->reveal())});
    const IntrospectionCache::Keeping keeping{m_config.cacheTtl,
                                              static_cast<std::size_t>(m_config.cacheEntries)};
    // Others may wait for this answer when this policy and its snapshot are gone.
    auto errand = std::make_shared<Errand>([cache = m_cache, digest] {
        cache->settle(digest, Unexpected(std::string("asking was given up")), {}, {});
    });
    services.fetch(std::move(request),
                   [cache = m_cache, errand, digest, keeping, claim = m_clientClaim, &services](
                       const Result<FetchResponse> &response) {
                       errand->done();
                       cache->settle(
                           digest, readIntrospection(response, claim), services.now(), keeping);
                   });
}

Verdict OAuth2Introspection::decide(Exchange &exchange, const Answer &answer) const
{
    if (!answer)
        return Undecided{answer.error()};
    const Introspection &said = **answer;
    const std::chrono::duration<double> now = exchange.services().wallNow().time_since_epoch();
    if (!said.isActive || (said.expiry && *said.expiry <= now.count()))
        return authorization::unauthorized(type,
                                           "inactive",
                                           "The token is not known, has expired or was revoked",
                                           inactiveChallenge);
    if (!hasScopes(said))
        return Reply{.status = 403,
                     .reason = std::string(type) + ":scope",
                     .message = "The token is not good for this: it lacks a scope",
                     .headers = {{"www-authenticate", std::string(scopeChallenge)}}};
    if (m_clientClaim) {
        if (auto refusal = authorization::setClient(exchange, type, said.client))
            return std::move(*refusal);
    }
    return Continue{};
}

bool OAuth2Introspection::hasScopes(const Introspection &answer) const
{
    const auto has = [&answer](const std::string &scope) {
        return std::ranges::find(answer.scopes, scope) != answer.scopes.end();
    };
    if (m_config.scopeMatch == "all")
        return std::ranges::all_of(m_config.scopes, has);
    return m_config.scopes.empty() || std::ranges::any_of(m_config.scopes, has);
}

// Source: MuleSoft, "OAuth 2.0 Token Introspection Policy" (gateway/1.8).
std::optional<Node> translate(FlexConfig &config)
{
    Node node = Node::map();
    node.append("url", encodeText(config.requiredText("introspectionURL")));
    node.items.back().place = config.placeOf("introspectionURL");
    node.append("authorization", config.requiredSecret("authorizationValue"));
    Node scopes = Node::list();
    const std::string words = config.text("scopes");
    for (const std::string_view word : split(words, ' ')) {
        if (!word.empty())
            scopes.items.push_back(encodeText(word));
    }
    node.append("scopes", std::move(scopes));
    const std::string criteria = config.text("scopeValidationCriteria", "AND");
    if (criteria != "AND" && criteria != "OR")
        config.refuse("scopeValidationCriteria", "must be AND or OR");
    node.append("scopeMatch", encodeText(criteria == "OR" ? "any" : "all"));
    const auto number = [&config](std::string_view key, std::int64_t fallback) {
        return std::to_string(config.integer(key, fallback));
    };
    node.append("cacheTtl", encodeText(number("validatedTokenTTL", 600) + "s"));
    node.append("cacheEntries", Node::scalar(number("maxCacheEntries", 1'000), false));
    node.append("timeout", encodeText(number("authenticationTimeout", 10'000) + "ms"));
    const std::string consumer = config.text("consumerBy", "client_id");
    if (!config.boolean("skipClientIdValidation", false))
        node.append("clientClaim", encodeText(consumer));
    if (config.boolean("exposeHeaders", false))
        config.refuse("exposeHeaders",
                      "what the server said of a token is not put into headers here");
    node.append("forward", Node::scalar("true", false)); // theirs leaves the request as it came
    return config.isRefused() ? std::nullopt : std::optional(std::move(node));
}

constexpr std::array<FlexCounterpart, 1> counterparts{
    {{"oauth2-token-introspection-flex", &translate}}};

} // namespace

PolicyType oauth2IntrospectionPolicy()
{
    return describe<Config, OAuth2Introspection>(
        {.id = type,
         .title = "OAuth 2.0 token introspection",
         .category = PolicyCategory::Security,
         .summary = "Lets pass what carries a token that its authorization server says is active. "
                    "Refuses other tokens with 401, those without the scopes and unknown clients "
                    "with 403, and all with 503 while the server does not answer",
         .defaultOrder = 20,
         .flex = counterparts,
         .example = "url: https://login.example.com/oauth2/introspect\n"
                    "authorization: env:INTROSPECTION_AUTHORIZATION\n"
                    "scopes: [llm]\n"});
}

} // namespace gatehouse
