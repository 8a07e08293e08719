// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/http/text.h"
#include "gateway/pipeline/expression.h"
#include "gateway/pipeline/flexconfig.h"
#include "gateway/schema/encode.h"

#include <optional>
#include <string>

namespace gatehouse {

// Source: MuleSoft, "JWT Validation Policy" (gateway/1.8), Flex Gateway Local Mode.
std::optional<Node> translateJwtValidation(FlexConfig &config);

namespace {

Node flag(bool value)
{
    return Node::scalar(value ? "true" : "false", false);
}

/// MuleSoft writes RSA keys as the inside of a PEM file.
std::string asPem(std::string_view text)
{
    if (text.find("-----BEGIN") != std::string_view::npos)
        return std::string(text);
    std::string pem = "-----BEGIN PUBLIC KEY-----\n";
    std::size_t column = 0;
    for (const char c : text) {
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
            continue;
        pem += c;
        if (++column % 64 == 0)
            pem += '\n';
    }
    return pem + "\n-----END PUBLIC KEY-----\n";
}

void translateKey(FlexConfig &config, Node &node)
{
    const std::string method = config.text("signingMethod", "rsa");
    const std::int64_t length = config.integer("signingKeyLength", 256);
    const std::string prefix = method == "rsa" ? "RS" : method == "hmac" ? "HS" : "ES";
    if (method != "rsa" && method != "hmac" && method != "es")
        config.refuse("signingMethod", "must be rsa, hmac or es: unsigned tokens are not accepted");
    if (length != 256 && length != 384 && (length != 512 || method == "es"))
        config.refuse("signingKeyLength", "must be 256, 384 or 512, for es 256 or 384");
    node.append("algorithms", Node::list());
    node.items.back().items.push_back(encodeText(prefix + std::to_string(length)));
    const std::string origin = config.text("jwtKeyOrigin", "text");
    if (origin == "jwks") {
        node.append("jwksUrl", encodeText(config.requiredText("jwksUrl")));
        node.items.back().place = config.placeOf("jwksUrl");
        (void)config.take("textKey");
    } else if (origin != "text") {
        config.refuse("jwtKeyOrigin", "must be text or jwks");
    } else {
        (void)config.take("jwksUrl");
        if (method == "hmac")
            node.append("secret", config.requiredSecret("textKey"));
        else
            node.append("publicKey", encodeText(asPem(config.requiredText("textKey"))));
        node.items.back().place = config.placeOf("textKey");
    }
    node.append("jwksTtl",
                encodeText(std::to_string(config.integer("jwksServiceTimeToLive", 60)) + "m"));
    node.append(
        "timeout",
        encodeText(std::to_string(config.integer("jwksServiceConnectionTimeout", 10'000)) + "ms"));
}

void translateOrigin(FlexConfig &config, Node &node)
{
    const std::string origin = config.text("jwtOrigin", "httpBearerAuthenticationHeader");
    const std::string text = config.text("jwtExpression", "#[attributes.headers['jwt']]");
    if (origin == "httpBearerAuthenticationHeader")
        return;
    if (origin != "customExpression") {
        config.refuse("jwtOrigin", "must be httpBearerAuthenticationHeader or customExpression");
        return;
    }
    const auto expression = Expression::parse(text);
    const auto name = expression ? expression->headerName() : std::nullopt;
    if (name)
        node.append("header", encodeText(*name));
    else
        config.refuse("jwtExpression", "must be a single header, #[attributes.headers['name']]");
}

Node translateClaims(FlexConfig &config, std::string_view key, bool isUsed)
{
    Node claims = Node::map();
    for (FlexConfig *claim : config.records(key)) {
        const std::string name = claim->requiredText("key");
        const std::string value = claim->requiredText("value");
        if (!isUsed)
            continue;
        if (value.starts_with("#["))
            claim->refuse("value", "an expression on claims is not evaluated here");
        else if (claims.find(name) != nullptr || name.starts_with('/'))
            claim->refuse("key", "must be the name of a claim, and come once");
        else
            claims.append(name, encodeText(value));
    }
    return claims;
}

} // namespace

std::optional<Node> translateJwtValidation(FlexConfig &config)
{
    Node node = Node::map();
    translateOrigin(config, node);
    translateKey(config, node);
    const bool checksAudience = config.boolean("validateAudClaim", false);
    const bool requiresAudience = config.boolean("mandatoryAudClaim", false);
    const std::string audiences = config.text("supportedAudiences");
    if (checksAudience) {
        node.append("audiences", Node::list());
        for (const std::string_view audience : split(audiences, ','))
            node.items.back().items.push_back(encodeText(http::trimmed(audience)));
        node.append("requireAud", flag(requiresAudience));
        if (http::trimmed(audiences).empty())
            config.refuse("supportedAudiences", "must name the audiences that are validated");
    }
    node.append("requireExp", flag(config.boolean("mandatoryExpClaim", false)));
    node.append("requireNbf", flag(config.boolean("mandatoryNbfClaim", false)));
    node.append("leeway", encodeText("0s"));
    const bool checksClaims = config.boolean("validateCustomClaim", false);
    node.append("claims", translateClaims(config, "mandatoryCustomClaims", checksClaims));
    node.append("claimsIfPresent",
                translateClaims(config, "nonMandatoryCustomClaims", checksClaims));
    node.append("forward", flag(true)); // theirs leaves the request as it came
    if (!config.boolean("skipClientIdValidation", true))
        config.refuse("skipClientIdValidation", "must be true, as in Local Mode");
    (void)config.take("clientIdExpression");
    if (!config.records("claimsToHeaders").empty())
        config.refuse("claimsToHeaders", "claims are not put into headers here");
    return config.isRefused() ? std::nullopt : std::optional(std::move(node));
}

} // namespace gatehouse
