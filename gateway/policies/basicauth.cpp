// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/base64.h"
#include "gateway/base/text.h"
#include "gateway/pipeline/authorization.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/schema/encode.h"
#include "gateway/secrets/digest.h"
#include "gateway/secrets/secret.h"
#include "gateway/secrets/secretref.h"

#include <array>
#include <memory>
#include <string>
#include <utility>

namespace gatehouse {

namespace {

constexpr std::string_view type = "basic-auth";
constexpr std::string_view challenge = "Basic realm=\"gatehouse\", charset=\"UTF-8\"";
constexpr std::size_t longestCredentials = std::size_t{8} << 10; ///< in base64

std::string usernameProblem(std::string_view text)
{
    return text.find(':') == std::string_view::npos
               ? std::string()
               : "must have no colon: it ends the username (RFC 7617 §2)";
}

struct Config
{
    std::string username;
    SecretText password;
    bool forward = false;

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::username>({.key = "username",
                                      .label = "Username",
                                      .help = "The one username that is let pass, to the letter",
                                      .max = 1024,
                                      .required = true,
                                      .problem = &usernameProblem}),
            field<&Config::password>({.key = "password",
                                      .label = "Password",
                                      .help
                                      = "Reference to its password: keychain:NAME, env:NAME or "
                                        "file:PATH",
                                      .required = true,
                                      .secret = true,
                                      .problem = &referenceProblem}),
            field<&Config::forward>(
                {.key = "forward",
                 .label = "Forward",
                 .help = "The header goes on to a provider that has no credential of its own; else "
                         "it is removed"}),
        });
        return rows;
    }
};

/// Asks for a username and its password (RFC 7617).
class BasicAuth final : public Policy
{
public:
    BasicAuth(Config config, Result<std::shared_ptr<const LockedSecret>> password)
        : m_username(std::move(config.username))
        , m_password(std::move(password))
        , m_forward(config.forward)
    {}

    [[nodiscard]] static std::unique_ptr<const Policy> make(Config config, PolicyContext &context)
    {
        if (config.password.text == "none") {
            context.problem({"password"}, "must be keychain:NAME, env:NAME or file:PATH");
            return nullptr;
        }
        auto password = context.secret(config.password);
        return std::make_unique<BasicAuth>(std::move(config), std::move(password));
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>(PolicyPhase::RequestHead);
    }

    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        const auto text = authorization::credentials(exchange, type, "Basic", challenge);
        if (!m_forward) // before anything is decided: `onError: allow` must not let it go on
            authorization::remove(exchange);
        if (!m_password)
            return Undecided{m_password.error().message()};
        if (!text)
            return text.error();
        auto decoded = text->size() <= longestCredentials ? base64Decoded(*text) : std::nullopt;
        const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
        if (colon == std::string::npos)
            return authorization::unauthorized(
                type,
                "malformed",
                "The Authorization header is not Basic and base64 of username:password (RFC 7617)",
                challenge);
        // Both are compared whatever the first says, so that time tells nothing about either.
        const Secret wiped(std::move(*decoded));
        const std::string_view pair = wiped.reveal();
        const bool isName = equalsSecret(m_username, pair.substr(0, colon));
        const bool isPassword = equalsSecret((*m_password)->reveal(), pair.substr(colon + 1));
        if (int(isName) + int(isPassword) != 2)
            return authorization::unauthorized(
                type, "wrong", "Username or password is wrong", challenge);
        return Continue{};
    }

private:
    std::string m_username;
    Result<std::shared_ptr<const LockedSecret>> m_password;
    bool m_forward;
};

// Source: MuleSoft, "Basic Authentication: Simple Policy" (gateway/1.8).
std::optional<Node> translate(FlexConfig &config)
{
    Node node = Node::map();
    const std::string username = config.requiredText("username");
    if (const std::string problem = usernameProblem(username); !problem.empty())
        config.refuse("username", problem);
    node.append("username", encodeText(username));
    node.append("password", config.requiredSecret("password"));
    node.append("forward", Node::scalar("true", false)); // theirs leaves the request as it came
    return config.isRefused() ? std::nullopt : std::optional(std::move(node));
}

constexpr std::array<FlexCounterpart, 1> counterparts{
    {{"http-basic-authentication-flex", &translate}}};

} // namespace

PolicyType basicAuthPolicy()
{
    return describe<Config, BasicAuth>(
        {.id = type,
         .title = "Basic authentication",
         .category = PolicyCategory::Security,
         .summary = "Lets pass what carries one username and its password in Authorization: Basic. "
                    "Refuses all else with 401; a virtual key can come beside it in x-api-key",
         .defaultOrder = 20,
         .flex = counterparts,
         .example = "username: ci\n"
                    "password: env:CI_PASSWORD\n"});
}

} // namespace gatehouse
