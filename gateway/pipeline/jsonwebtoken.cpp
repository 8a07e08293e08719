// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/jsonwebtoken.h"

#include "gateway/base/base64.h"
#include "gateway/base/text.h"

#include <algorithm>

namespace gatehouse {

namespace {

constexpr json::Limits tokenLimits{.maxDepth = 32, .maxNodes = 4096};
constexpr double latestDate = 253402300799; // the end of year 9999

constexpr TokenProblem malformed{"malformed", "The token is not a well-formed JWS (RFC 7515)"};

bool namesAudience(json::Value claim, const std::vector<std::string> &audiences)
{
    const auto text = claim.text();
    return text && std::ranges::find(audiences, *text) != audiences.end();
}

/// Null where `aud` is neither a text nor a list of texts.
std::optional<bool> isForUs(json::Value claim, const std::vector<std::string> &audiences)
{
    if (!claim.isArray()) {
        if (!claim.text())
            return {};
        return namesAudience(claim, audiences);
    }
    bool isFound = false;
    for (const json::Value element : claim.elements()) {
        if (!element.text())
            return {};
        isFound = isFound || namesAudience(element, audiences);
    }
    return isFound;
}

bool says(json::Value value, std::string_view wanted)
{
    switch (value.kind()) {
    case json::Kind::String:
        return value.text() == wanted;
    case json::Kind::Number:
    case json::Kind::Boolean:
        return value.sourceText() == wanted;
    case json::Kind::Null:
    case json::Kind::Array:
    case json::Kind::Object:
        return false;
    }
    return false;
}

} // namespace

Result<JsonWebToken, TokenProblem> JsonWebToken::parse(std::string_view text)
{
    if (text.size() > longest)
        return Unexpected(TokenProblem{"size", "The token is longer than 16 KiB"});
    const auto parts = split(text, '.');
    if (parts.size() == 5)
        return Unexpected(TokenProblem{"malformed", "Encrypted tokens (JWE) are not accepted"});
    if (parts.size() != 3)
        return Unexpected(malformed);
    const auto header = base64UrlDecoded(parts[0]);
    const auto payload = base64UrlDecoded(parts[1]);
    auto signature = base64UrlDecoded(parts[2]);
    if (!header || !payload || !signature)
        return Unexpected(malformed);
    JsonWebToken token;
    if (const auto problem = token.readHeader(*header))
        return Unexpected(*problem);
    if (!token.m_claims.parse(*payload, tokenLimits) || !token.m_claims.root().isObject())
        return Unexpected(TokenProblem{
            "claims", "The token's payload is not a JSON object without repeated names"});
    token.m_signedPart = text.substr(0, parts[0].size() + 1 + parts[1].size());
    token.m_signature = std::move(*signature);
    return token;
}

std::optional<TokenProblem> JsonWebToken::readHeader(std::string_view header)
{
    json::Document document;
    if (!document.parse(header, tokenLimits) || !document.root().isObject())
        return malformed;
    const json::Value root = document.root();
    if (root.find("crit") || root.find("b64"))
        return TokenProblem{"malformed", "The token asks for an extension (crit, b64)"};
    const auto name = root.find("alg");
    if (!name || !name->text())
        return malformed;
    const auto algorithm = signatureAlgorithm(*name->text());
    if (!algorithm)
        return TokenProblem{"algorithm", "The token's signature algorithm is not accepted here"};
    m_algorithm = *algorithm;
    const auto keyId = root.find("kid");
    if (!keyId)
        return {};
    if (!keyId->text())
        return malformed;
    m_keyId = *keyId->text();
    return {};
}

bool readNumericDate(json::Value object, std::string_view name, std::optional<double> &date)
{
    const auto value = object.find(name);
    if (!value)
        return true;
    date = value->number();
    return date && *date >= 0 && *date <= latestDate;
}

Result<ClaimPath, std::string_view> ClaimPath::parse(std::string_view text)
{
    if (text.empty())
        return Unexpected(std::string_view("must name a claim"));
    ClaimPath path;
    if (!text.starts_with('/')) {
        path.m_name = text;
        return path;
    }
    auto pointer = json::Pointer::parse(text);
    if (!pointer)
        return Unexpected(pointer.error());
    path.m_pointer = std::move(*pointer);
    return path;
}

std::vector<json::Value> ClaimPath::valuesIn(json::Value claims) const
{
    std::vector<json::Value> values;
    if (m_pointer)
        m_pointer->forEach(claims, [&values](json::Value value) { values.push_back(value); });
    else if (const auto value = claims.find(m_name))
        values.push_back(*value);
    return values;
}

std::optional<std::string_view> ClaimPath::textIn(json::Value claims) const
{
    const auto values = valuesIn(claims);
    if (values.size() != 1)
        return {};
    return values.front().text();
}

std::optional<TokenProblem> ClaimRules::check(json::Value all,
                                              std::chrono::system_clock::time_point now) const
{
    constexpr TokenProblem badDate{"claims", "exp, nbf or iat is no date (seconds since 1970)"};
    std::optional<double> expiry;
    std::optional<double> notBefore;
    std::optional<double> issuedAt;
    if (!readNumericDate(all, "exp", expiry) || !readNumericDate(all, "nbf", notBefore)
        || !readNumericDate(all, "iat", issuedAt))
        return badDate;
    using Seconds = std::chrono::duration<double>;
    const double time = Seconds(now.time_since_epoch()).count();
    const double slack = Seconds(leeway).count();
    if (expiry ? time >= *expiry + slack : requireExpiry)
        return TokenProblem{"expired", "The token has expired, or does not say when it does (exp)"};
    if (notBefore ? time + slack < *notBefore : requireNotBefore)
        return TokenProblem{"not-yet",
                            "The token is not valid yet, or does not say from when on (nbf)"};
    if (!issuer.empty()) {
        const auto claim = all.find("iss");
        if (!claim || claim->text() != std::string_view(issuer))
            return TokenProblem{"issuer", "The token was issued by somebody else (iss)"};
    }
    if (!audiences.empty()) {
        const auto claim = all.find("aud");
        const bool isFine = claim ? isForUs(*claim, audiences).value_or(false) : !requireAudience;
        if (!isFine)
            return TokenProblem{"audience", "The token is not meant for this service (aud)"};
    }
    for (const Claim &claim : claims) {
        const auto values = claim.path.valuesIn(all);
        const bool isFine = std::ranges::any_of(
            values, [&claim](json::Value value) { return says(value, claim.value); });
        if (!isFine && (claim.isRequired || !values.empty()))
            return TokenProblem{"claim", "A claim of the token is not what it has to be"};
    }
    return {};
}

} // namespace gatehouse
