// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/pipeline/expression.h"
#include "gateway/pipeline/fieldrules.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/schema/encode.h"
#include "gateway/secrets/virtualkey.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gatehouse {

namespace {

std::string valueProblem(std::string_view text)
{
    if (const auto expression = Expression::parse(text); !expression)
        return expression.error().context;
    if (virtualkey::isWithin(text))
        return "must not hold a virtual key";
    return isFieldValue(text) ? std::string() : "must not begin or end with a blank";
}

std::string requestNameProblem(std::string_view name)
{
    return isCredentialField(name)
               ? "must not be a header that carries a key: the Provider's credential is its place"
               : fieldNameProblem(name);
}

struct HeaderSpec
{
    std::string name;
    std::string value;

    bool operator==(const HeaderSpec &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&HeaderSpec::name>({.key = "name",
                                      .label = "Name",
                                      .help = "Name of the header",
                                      .max = 256,
                                      .required = true,
                                      .problem = &fieldNameProblem}),
            field<&HeaderSpec::value>(
                {.key = "value",
                 .label = "Value",
                 .help = "A text, or an expression on the request such as "
                         "#[attributes.headers['user-agent']]; nothing is injected where a part of "
                         "the expression is not there",
                 .max = 8192,
                 .required = true,
                 .problem = &valueProblem}),
        });
        return rows;
    }
};

constexpr auto existingChoices = std::to_array<std::string_view>({"replace", "add"});

struct Config
{
    std::vector<HeaderSpec> request;
    std::vector<HeaderSpec> response;
    std::string existing = "replace";

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::request>(
                {.key = "request",
                 .label = "Request headers",
                 .help = "Put into the request to the provider; keys belong into the provider's "
                         "credential, not here",
                 .max = 100}),
            field<&Config::response>({.key = "response",
                                      .label = "Response headers",
                                      .help = "Put into every answer, the gateway's own too",
                                      .max = 100}),
            choice<&Config::existing>(
                {.key = "existing",
                 .label = "Headers of the same name",
                 .help = "replace takes them out, also where nothing is injected, so that nobody "
                         "else can set them; add leaves them beside the new one",
                 .choices = [] { return std::span<const std::string_view>(existingChoices); }}),
        });
        return rows;
    }
};

struct Injection
{
    std::string name;
    Expression value;
    bool replaces;
    bool isLiteral = false;
    std::optional<std::string> literal = {}; ///< null: it is no value of a header
};

/// Fields of which a message has one, whatever `existing` says; as MuleSoft has it.
bool isSingle(std::string_view name)
{
    return http::fieldId(name) == http::FieldId::ContentType
           || equalsIgnoreCase(name, "access-control-allow-origin");
}

/// The values for the answer, taken from the request while it is there; as many as the policy has.
struct ResponseValues final : PolicyState
{
    std::vector<std::optional<std::string>> values;
};

class HeaderInjection final : public Policy
{
public:
    HeaderInjection(std::vector<Injection> request, std::vector<Injection> response)
        : m_request(std::move(request))
        , m_response(std::move(response))
    {}

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &context)
    {
        bool isValid = true;
        const auto read = [&](std::string_view key, const std::vector<HeaderSpec> &specs) {
            std::vector<Injection> injections;
            for (std::size_t i = 0; i < specs.size(); ++i) {
                auto value = Expression::parse(specs[i].value);
                isValid = isValid && value;
                if (!value) {
                    context.problem({key, i, "value"}, value.error().context);
                    continue;
                }
                Injection injection{specs[i].name,
                                    std::move(value).value(),
                                    config.existing == "replace" || isSingle(specs[i].name)};
                if (!readLiteral(injection)) {
                    isValid = false;
                    context.problem({key, i, "value"}, "must not hold a virtual key");
                }
                injections.push_back(std::move(injection));
            }
            return injections;
        };
        auto request = read("request", config.request);
        auto response = read("response", config.response);
        for (std::size_t i = 0; i < config.request.size(); ++i) {
            const std::string problem = requestNameProblem(config.request[i].name);
            isValid = isValid && problem.empty();
            if (!problem.empty())
                context.problem({"request", i, "name"}, problem);
        }
        if (!isValid)
            return nullptr;
        return std::make_unique<HeaderInjection>(std::move(request), std::move(response));
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return m_response.empty() ? static_cast<std::uint8_t>(PolicyPhase::RequestHead)
                                  : PolicyPhase::RequestHead | PolicyPhase::ResponseHead;
    }

    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        // All values first: one must not see what another has put in.
        Values request;
        Values response;
        if (!evaluate(m_request, exchange, request) || !evaluate(m_response, exchange, response))
            return Reply{.status = 400,
                         .reason = "header-injection:key",
                         .message = "The request's virtual key would be copied into another "
                                    "header; an expression of the policy takes it from the header "
                                    "that carries the key"};
        for (std::size_t i = 0; i < m_request.size(); ++i) {
            const Injection &injection = m_request[i];
            const std::optional<std::string> &value = valueOf(injection, request[i]);
            if (injection.replaces && !value)
                exchange.removeRequestHeaders(named(injection.name));
            else if (injection.replaces)
                exchange.setRequestHeader(injection.name, *value);
            else if (value)
                exchange.addRequestHeader(injection.name, *value);
        }
        if (!m_response.empty())
            exchange.state<ResponseValues>().values = std::move(response);
        return Continue{};
    }

    void onResponseHead(Exchange &exchange) const override
    {
        const Values &values = exchange.state<ResponseValues>().values;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const Injection &injection = m_response[i];
            const std::optional<std::string> &value = valueOf(injection, values[i]);
            if (injection.replaces && !value)
                exchange.removeResponseHeaders(named(injection.name));
            else if (injection.replaces)
                exchange.setResponseHeader(injection.name, *value);
            else if (value)
                exchange.addResponseHeader(injection.name, *value);
        }
    }

private:
    using Values = std::vector<std::optional<std::string>>;

    static std::function<bool(std::string_view)> named(std::string_view wanted)
    {
        return [wanted](std::string_view name) { return equalsIgnoreCase(name, wanted); };
    }

    /// The same for all requests, so looked at once. False where it holds a virtual key.
    static bool readLiteral(Injection &injection)
    {
        const auto literal = injection.value.literal();
        injection.isLiteral = literal.has_value();
        if (literal && isFieldValue(*literal))
            injection.literal = std::string(*literal);
        return !injection.literal || !virtualkey::isWithin(*injection.literal);
    }

    static const std::optional<std::string> &valueOf(const Injection &injection,
                                                     const std::optional<std::string> &evaluated)
    {
        return injection.isLiteral ? injection.literal : evaluated;
    }

    /// False where a value holds a virtual key. Literals are left out.
    static bool
    evaluate(const std::vector<Injection> &injections, const Exchange &exchange, Values &values)
    {
        values.reserve(injections.size());
        for (const Injection &injection : injections) {
            values.push_back(injection.isLiteral ? std::nullopt
                                                 : injection.value.evaluate(exchange));
            if (values.back() && !isFieldValue(*values.back()))
                values.back().reset();
            if (values.back() && virtualkey::isWithin(*values.back()))
                return false;
        }
        return true;
    }

    std::vector<Injection> m_request;
    std::vector<Injection> m_response;
};

Node translateHeaders(FlexConfig &config,
                      std::string_view key,
                      std::string (*nameProblem)(std::string_view name))
{
    Node headers = Node::list();
    for (FlexConfig *header : config.records(key)) {
        // Documents of both spellings are about: releases up to 1.8 document `key`, later ones `name`.
        const std::string_view nameKey = header->take("key") != nullptr ? "key" : "name";
        const std::string name = header->requiredText(nameKey);
        const std::string value = header->requiredText("value");
        if (name.starts_with("#["))
            header->refuse(nameKey, "a name that is an expression is not evaluated here");
        else if (const std::string problem = nameProblem(name); !problem.empty())
            header->refuse(nameKey, problem);
        if (const std::string problem = valueProblem(value); !problem.empty())
            header->refuse("value", problem);
        Node entry = Node::map();
        entry.append("name", encodeText(name));
        entry.append("value", encodeText(value));
        entry.place = header->place();
        headers.items.push_back(std::move(entry));
    }
    return headers;
}

/// Theirs adds a header beside those of its name.
std::optional<Node> translate(FlexConfig &config)
{
    Node node = Node::map();
    node.append("request", translateHeaders(config, "inboundHeaders", &requestNameProblem));
    node.append("response", translateHeaders(config, "outboundHeaders", &fieldNameProblem));
    node.append("existing", encodeText("add"));
    return config.isRefused() ? std::nullopt : std::optional(std::move(node));
}

constexpr std::array<FlexCounterpart, 1> counterparts{{{"header-injection-flex", &translate}}};

} // namespace

PolicyType headerInjectionPolicy()
{
    return describe<Config, HeaderInjection>(
        {.id = "header-injection",
         .title = "Header injection",
         .category = PolicyCategory::Transformation,
         .summary = "Puts headers into the request to the provider and into answers, with fixed "
                    "values or values taken from the request. Refuses nothing, but with 400 a "
                    "request whose virtual key would be copied into another header",
         .flex = counterparts,
         .example = "request:\n"
                    "  - {name: x-team, value: platform}\n"
                    "  - {name: x-caller, value: \"#[attributes.remoteAddress]\"}\n"
                    "response:\n"
                    "  - {name: cache-control, value: no-store}\n"});
}

} // namespace gatehouse
