// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/http/text.h"
#include "gateway/pipeline/authorization.h"
#include "gateway/pipeline/fieldrules.h"
#include "gateway/pipeline/jsonwebtoken.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/pipeline/tokenverifier.h"
#include "gateway/secrets/secretref.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <utility>

namespace gatehouse {

/// In jwtflex.cpp: what MuleSoft's JWT Validation means here.
std::optional<Node> translateJwtValidation(FlexConfig &config);

namespace {

using std::chrono::milliseconds;

constexpr std::string_view type = "jwt";
constexpr std::string_view missingChallenge = "Bearer realm=\"gatehouse\"";
constexpr std::string_view challenge = "Bearer realm=\"gatehouse\", error=\"invalid_token\"";

std::string algorithmProblem(std::string_view text)
{
    if (signatureAlgorithm(text))
        return {};
    std::string problem = "must be one of";
    for (const std::string_view name : signatureAlgorithmNames())
        problem.append(" ").append(name);
    return problem + "; unsigned tokens (none) are never accepted";
}

struct Config
{
    std::string issuer;
    std::string jwksUrl;
    std::string publicKey;
    SecretText secret;
    std::vector<std::string> algorithms;
    std::vector<std::string> audiences;
    bool requireAud = true;
    bool requireExp = true;
    bool requireNbf = false;
    std::map<std::string, std::string> claims;
    std::map<std::string, std::string> claimsIfPresent;
    std::string clientClaim;
    std::string header;
    bool forward = false;
    milliseconds leeway{30'000};
    milliseconds jwksTtl{3'600'000};
    milliseconds timeout{5'000};

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields();
};

std::span<const Field> Config::fields()
{
    static constexpr auto rows = std::to_array<Field>({
        field<&Config::issuer>(
            {.key = "issuer",
             .label = "Issuer",
             .help = "What the claim iss must be, to the letter; absent: anything"}),
        field<&Config::jwksUrl>(
            {.key = "jwksUrl",
             .label = "JWKS URL",
             .help
             = "Where the issuer publishes its keys (RFC 7517); several addresses with commas "
               "between. One of jwksUrl, publicKey and secret must be set"}),
        field<&Config::publicKey>(
            {.key = "publicKey",
             .label = "Public key",
             .help = "PEM public key or certificate of the issuer, or file:PATH",
             .multiline = true}),
        field<&Config::secret>({.key = "secret",
                                .label = "Secret",
                                .help
                                = "Reference to the secret shared with the issuer, for HS256 and "
                                  "its like; at least 32 bytes",
                                .secret = true,
                                .problem = &referenceProblem}),
        field<&Config::algorithms>(
            {.key = "algorithms",
             .label = "Algorithms",
             .help = "Signature algorithms accepted; none named: all that fit the kind of key",
             .problem = &algorithmProblem}),
        field<&Config::audiences>(
            {.key = "audiences",
             .label = "Audiences",
             .help
             = "The claim aud must have one of these. None named: tokens that the issuer made "
               "for other services pass too"}),
        field<&Config::requireAud>(
            {.key = "requireAud",
             .label = "Require audience",
             .help = "Where audiences are named, a token without aud is refused"}),
        field<&Config::requireExp>(
            {.key = "requireExp",
             .label = "Require expiry",
             .help = "A token without exp is refused: it would be good for ever"}),
        field<&Config::requireNbf>({.key = "requireNbf",
                                    .label = "Require not-before",
                                    .help = "A token without nbf is refused"}),
        field<&Config::claims>(
            {.key = "claims",
             .label = "Claims",
             .help
             = "Claims that must be there with this value. A key that begins with a slash is a "
               "JSON pointer; * in it is any element of a list: /realm_access/roles/*"}),
        field<&Config::claimsIfPresent>({.key = "claimsIfPresent",
                                         .label = "Claims if present",
                                         .help = "Claims that must have this value or be absent"}),
        field<&Config::clientClaim>(
            {.key = "clientClaim",
             .label = "Client claim",
             .help = "Claim that names the Client who asks, as if its virtual key had come"}),
        field<&Config::header>({.key = "header",
                                .label = "Header",
                                .help = "Header whose whole value is the token; absent: "
                                        "Authorization: Bearer",
                                .problem = &fieldNameProblem}),
        field<&Config::forward>({.key = "forward",
                                 .label = "Forward",
                                 .help
                                 = "The token goes on to a provider that has no credential of "
                                   "its own; else it is removed"}),
        field<&Config::leeway>({.key = "leeway",
                                .label = "Leeway",
                                .help = "How far the issuer's clock may be off",
                                .unit = Unit::Milliseconds,
                                .max = 600'000}),
        field<&Config::jwksTtl>(
            {.key = "jwksTtl",
             .label = "JWKS time to live",
             .help
             = "How long fetched keys are good. They are fetched again before that, and at once "
               "for a key that is not known yet; while the issuer cannot be reached, they stay "
               "good as long once more",
             .unit = Unit::Milliseconds,
             .min = 30'000,
             .max = 604'800'000}),
        field<&Config::timeout>({.key = "timeout",
                                 .label = "Timeout",
                                 .help = "How long fetching the keys may take",
                                 .unit = Unit::Milliseconds,
                                 .min = 100,
                                 .max = 60'000}),
    });
    return rows;
}

using AlgorithmSet = std::bitset<signatureAlgorithmCount>;

/// Holds requests to a signed token (RFC 7519, RFC 8725) and lets it say who asks.
class Jwt final : public Policy
{
public:
    [[nodiscard]] static std::unique_ptr<const Policy> make(const Config &config,
                                                            PolicyContext &context);

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>(PolicyPhase::RequestHead);
    }
    [[nodiscard]] bool mayNameClient() const override { return m_clientClaim.has_value(); }
    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override;

private:
    [[nodiscard]] bool readAlgorithms(const Config &config, PolicyContext &context);
    [[nodiscard]] bool readClaims(const Config &config, PolicyContext &context);
    [[nodiscard]] Verdict decide(Exchange &exchange,
                                 const JsonWebToken &token,
                                 const TokenVerifier::Finding &finding) const;

    AlgorithmSet m_algorithms;
    ClaimRules m_rules;
    std::optional<ClaimPath> m_clientClaim;
    std::string m_header;
    bool m_forward = false;
    std::optional<TokenVerifier> m_verifier;
};

/// A key of the configuration, which \a field names.
std::optional<TokenVerifier> verifierOf(Result<VerificationKey> key,
                                        std::string_view field,
                                        const AlgorithmSet &algorithms,
                                        PolicyContext &context)
{
    if (!key) {
        context.problem({field}, key.error().context);
        return {};
    }
    bool isUseful = false;
    for (std::size_t i = 0; i < algorithms.size(); ++i)
        isUseful = isUseful
                   || (algorithms.test(i) && key->isGoodFor(static_cast<SignatureAlgorithm>(i)));
    if (!isUseful) {
        context.problem({"algorithms"},
                        "must have one that this key is for and is long enough for");
        return {};
    }
    return TokenVerifier(std::move(*key));
}

std::optional<TokenVerifier>
verifierOfSecret(const Config &config, const AlgorithmSet &algorithms, PolicyContext &context)
{
    auto secret = context.secret(config.secret);
    if (!secret)
        return TokenVerifier(secret.error().message());
    return verifierOf(
        VerificationKey::fromSecret(std::move(*secret)), "secret", algorithms, context);
}

std::optional<TokenVerifier>
verifierOfPublicKey(const Config &config, const AlgorithmSet &algorithms, PolicyContext &context)
{
    const auto pem = context.text(config.publicKey);
    return verifierOf(pem ? VerificationKey::fromPem(*pem)
                          : Result<VerificationKey>(Unexpected(pem.error())),
                      "publicKey",
                      algorithms,
                      context);
}

std::optional<TokenVerifier> verifierOfSources(const Config &config, PolicyContext &context)
{
    std::vector<TokenVerifier::Source> sources;
    for (const std::string_view part : split(config.jwksUrl, ',')) {
        const std::string_view url = http::trimmed(part);
        auto endpoint = context.endpoint(url);
        if (!endpoint) {
            context.problem({"jwksUrl"}, endpoint.error().context);
            return {};
        }
        sources.push_back({context.state<KeySource>(std::string("jwks ").append(url)),
                           {std::move(*endpoint), config.jwksTtl, config.timeout}});
    }
    return TokenVerifier(std::move(sources));
}

std::unique_ptr<const Policy> Jwt::make(const Config &config, PolicyContext &context)
{
    const bool hasSecret = config.secret.text != "none";
    if (int(!config.jwksUrl.empty()) + int(!config.publicKey.empty()) + int(hasSecret) != 1) {
        context.problem({}, "must have one of jwksUrl, publicKey and secret, and no other");
        return nullptr;
    }
    auto policy = std::make_unique<Jwt>();
    policy->m_header = config.header;
    policy->m_forward = config.forward;
    if (!policy->readAlgorithms(config, context) || !policy->readClaims(config, context))
        return nullptr;
    if (hasSecret)
        policy->m_verifier = verifierOfSecret(config, policy->m_algorithms, context);
    else if (config.publicKey.empty())
        policy->m_verifier = verifierOfSources(config, context);
    else
        policy->m_verifier = verifierOfPublicKey(config, policy->m_algorithms, context);
    if (!policy->m_verifier)
        return nullptr;
    return policy;
}

bool Jwt::readAlgorithms(const Config &config, PolicyContext &context)
{
    const bool wantsSymmetric = config.secret.text != "none";
    for (const std::string_view name : signatureAlgorithmNames()) {
        const SignatureAlgorithm algorithm = *signatureAlgorithm(name);
        const bool isNamed = std::ranges::find(config.algorithms, name) != config.algorithms.end();
        if (isNamed && isSymmetric(algorithm) != wantsSymmetric) {
            context.problem({"algorithms"},
                            wantsSymmetric
                                ? "must be HS256, HS384 or HS512: the key is a secret"
                                : "must not be HS256, HS384 or HS512: those need a secret, "
                                  "and a public key is none");
            return false;
        }
        if (isNamed || (config.algorithms.empty() && isSymmetric(algorithm) == wantsSymmetric))
            m_algorithms.set(static_cast<std::size_t>(algorithm));
    }
    return true;
}

bool Jwt::readClaims(const Config &config, PolicyContext &context)
{
    m_rules = {.issuer = config.issuer,
               .audiences = config.audiences,
               .requireAudience = config.requireAud,
               .requireExpiry = config.requireExp,
               .requireNotBefore = config.requireNbf,
               .leeway = config.leeway};
    bool isFine = true;
    const auto read = [&](std::string_view text, std::initializer_list<PathStep> place) {
        auto path = ClaimPath::parse(text);
        if (!path)
            context.problem(place, std::string(path.error()));
        isFine = isFine && path.has_value();
        return path;
    };
    for (const auto &[name, value] : config.claims) {
        if (auto path = read(name, {"claims", std::string_view(name)}))
            m_rules.claims.push_back({std::move(*path), value, true});
    }
    for (const auto &[name, value] : config.claimsIfPresent) {
        if (auto path = read(name, {"claimsIfPresent", std::string_view(name)}))
            m_rules.claims.push_back({std::move(*path), value, false});
    }
    if (!config.clientClaim.empty()) {
        if (auto path = read(config.clientClaim, {"clientClaim"}))
            m_clientClaim = std::move(*path);
    }
    return isFine;
}

Reply refuse(const TokenProblem &problem)
{
    return authorization::unauthorized(type, problem.detail, problem.message, challenge);
}

Verdict Jwt::onRequestHead(Exchange &exchange) const
{
    const auto text = m_header.empty()
                          ? authorization::credentials(exchange, type, "Bearer", missingChallenge)
                          : authorization::valueOf(exchange, type, m_header, missingChallenge);
    if (!text)
        return text.error();
    auto token = JsonWebToken::parse(*text);
    if (!token)
        return refuse(token.error());
    if (!m_algorithms.test(static_cast<std::size_t>(token->algorithm())))
        return refuse({"algorithm", "The token's signature algorithm is not accepted here"});
    // Claims that would be refused whoever signed them cost no signature, and no question to the issuer.
    if (const auto problem = m_rules.check(token->claims(), exchange.services().wallNow()))
        return refuse(*problem);
    if (!m_forward) // before anybody is asked: `onError: allow` must not let it go on
        authorization::remove(exchange, m_header.empty() ? "authorization" : m_header);
    if (const auto finding = m_verifier->verifyNow(exchange.services(), *token))
        return decide(exchange, *token, *finding);
    const auto shared = std::make_shared<const JsonWebToken>(std::move(*token));
    // The exchange, and this policy with it, live as long as the resume is awaited.
    const auto take = [this, &exchange, shared, resume = exchange.pause()](
                          const TokenVerifier::Finding &finding) {
        if (resume.isAwaited())
            resume(decide(exchange, *shared, finding));
    };
    m_verifier->verifyLater(exchange.services(), shared, take);
    return Pause{};
}

Verdict Jwt::decide(Exchange &exchange,
                    const JsonWebToken &token,
                    const TokenVerifier::Finding &finding) const
{
    if (finding.outcome != KeySet::Outcome::Verified) {
        if (!finding.problem.empty())
            return Undecided{"the keys to verify tokens with cannot be had: " + finding.problem};
        if (finding.outcome == KeySet::Outcome::BadSignature)
            return refuse({"signature", "The token's signature is wrong"});
        return refuse({"key", "The issuer has no key that fits the token's kid and alg"});
    }
    if (m_clientClaim) {
        const auto name = m_clientClaim->textIn(token.claims());
        if (auto refusal = authorization::setClient(exchange, type, name))
            return std::move(*refusal);
    }
    return Continue{};
}

constexpr std::array<FlexCounterpart, 1> counterparts{
    {{"jwt-validation-flex", &translateJwtValidation}}};

} // namespace

PolicyType jwtPolicy()
{
    return describe<Config, Jwt>(
        {.id = type,
         .title = "JSON Web Token",
         .category = PolicyCategory::Security,
         .summary
         = "Lets pass what carries a token signed by its issuer. Refuses with 401 what has "
           "none, or one that is unsigned, expired or meant for others, with 403 clients "
           "that are not configured, and with 503 while the issuer's keys cannot be had",
         .defaultOrder = 20,
         .flex = counterparts,
         .example = "issuer: https://login.example.com/\n"
                    "jwksUrl: https://login.example.com/.well-known/jwks.json\n"
                    "audiences: [gatehouse]\n"
                    "clientClaim: client_id\n"});
}

} // namespace gatehouse
