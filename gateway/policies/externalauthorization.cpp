// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/pipeline/fieldrules.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/schema/encode.h"
#include "gateway/secrets/virtualkey.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view type = "external-authorization";
constexpr std::size_t largestAnswer = std::size_t{64} << 10; ///< of its body, which nobody reads
constexpr std::string_view originalMethod = "x-original-method";
constexpr std::string_view originalUri = "x-original-uri";
constexpr std::string_view clientName = "x-gatehouse-client";

/// Of headers to the service: the gateway's own cannot be the client's word.
std::string sentNameProblem(std::string_view name)
{
    for (const std::string_view own : {originalMethod, originalUri, clientName}) {
        if (equalsIgnoreCase(name, own))
            return "must not be a header that the gateway itself sends";
    }
    return fieldNameProblem(name);
}

/// Of headers of a refusal, whose body is the gateway's.
std::string refusalNameProblem(std::string_view name)
{
    if (equalsIgnoreCase(name, "content-type"))
        return "must not be content-type: the body is the gateway's error";
    return fieldNameProblem(name);
}

std::string valueProblem(std::string_view value)
{
    return isFieldValue(value) ? std::string() : "must be the value of a header";
}

struct ServiceHeader
{
    std::string name;
    std::string value;

    bool operator==(const ServiceHeader &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&ServiceHeader::name>({.key = "name",
                                         .label = "Name",
                                         .help = "Name of the header",
                                         .required = true,
                                         .problem = &sentNameProblem}),
            field<&ServiceHeader::value>({.key = "value",
                                          .label = "Value",
                                          .help = "Its value",
                                          .required = true,
                                          .problem = &valueProblem}),
        });
        return rows;
    }
};

struct Config
{
    std::string url;
    milliseconds timeout{5'000};
    std::vector<std::string> sendHeaders;
    std::vector<ServiceHeader> serviceHeaders;
    std::vector<std::string> addHeaders;
    std::vector<std::string> appendHeaders;
    std::vector<std::string> responseHeaders;
    std::vector<std::string> refusalHeaders;
    bool appendPath = false;

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields();
};

std::span<const Field> Config::fields()
{
    static constexpr auto rows = std::to_array<Field>({
        field<&Config::url>({.key = "url",
                             .label = "URL",
                             .help
                             = "The service that is asked, with GET, about each request; what "
                               "is asked for stands in x-original-method, x-original-uri and "
                               "x-gatehouse-client",
                             .required = true}),
        field<&Config::timeout>({.key = "timeout",
                                 .label = "Timeout",
                                 .help = "How long its answer may take",
                                 .unit = Unit::Milliseconds,
                                 .min = 10,
                                 .max = 60'000}),
        field<&Config::sendHeaders>(
            {.key = "sendHeaders",
             .label = "Send headers",
             .help = "Headers of the request that the service sees, such as a token's; none named: "
                     "none. Virtual keys are never sent",
             .max = 100,
             .problem = &sentNameProblem}),
        field<&Config::serviceHeaders>({.key = "serviceHeaders",
                                        .label = "Service headers",
                                        .help = "Headers that the gateway adds for the service",
                                        .max = 100}),
        field<&Config::addHeaders>(
            {.key = "addHeaders",
             .label = "Add headers",
             .help
             = "Headers of the service's answer that go into the request. The client's own of "
               "these names are removed, so that they are the service's word",
             .max = 100,
             .problem = &fieldNameProblem}),
        field<&Config::appendHeaders>({.key = "appendHeaders",
                                       .label = "Append headers",
                                       .help = "Likewise, beside those that the client sent",
                                       .max = 100,
                                       .problem = &fieldNameProblem}),
        field<&Config::responseHeaders>(
            {.key = "responseHeaders",
             .label = "Response headers",
             .help = "Headers of the service's answer that go into the answer to the client",
             .max = 100,
             .problem = &fieldNameProblem}),
        field<&Config::refusalHeaders>(
            {.key = "refusalHeaders",
             .label = "Refusal headers",
             .help = "Headers of its answer that go into a refusal, besides www-authenticate and "
                     "retry-after",
             .max = 100,
             .problem = &refusalNameProblem}),
        field<&Config::appendPath>(
            {.key = "appendPath",
             .label = "Append path",
             .help
             = "Asks with the request's own method, and with its path and query behind url, as "
               "services made for Envoy expect it. Only for a service that does nothing else: "
               "clients choose what is asked of it"}),
    });
    return rows;
}

bool isAmong(const std::vector<std::string> &names, std::string_view name)
{
    return std::ranges::any_of(
        names, [name](std::string_view listed) { return equalsIgnoreCase(listed, name); });
}

/// What the answer to the client gets.
struct Kept : PolicyState
{
    std::vector<Header> headers;
};

/// Asks a service of the owner's about each request.
class ExternalAuthorization final : public Policy
{
public:
    ExternalAuthorization(Config config, std::shared_ptr<const Endpoint> endpoint)
        : m_config(std::move(config))
        , m_endpoint(std::move(endpoint))
    {}

    [[nodiscard]] static std::unique_ptr<const Policy> make(Config config, PolicyContext &context)
    {
        auto endpoint = context.endpoint(config.url);
        if (!endpoint) {
            context.problem({"url"}, endpoint.error().context);
            return nullptr;
        }
        if (config.appendPath && (*endpoint)->target.find('?') != std::string::npos) {
            context.problem({"url"}, "must have no query where appendPath is set");
            return nullptr;
        }
        return std::make_unique<ExternalAuthorization>(std::move(config), std::move(*endpoint));
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return m_config.responseHeaders.empty()
                   ? static_cast<std::uint8_t>(PolicyPhase::RequestHead)
                   : PolicyPhase::RequestHead | PolicyPhase::ResponseHead;
    }

    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        FetchRequest asked = question(exchange);
        // Before it is asked: `onError: allow` must not let the client's own stand for its word.
        if (!m_config.addHeaders.empty())
            exchange.removeRequestHeaders(
                [this](std::string_view name) { return isAmong(m_config.addHeaders, name); });
        // The exchange, and this policy with it, live as long as the resume is awaited.
        auto take
            = [this, &exchange, resume = exchange.pause()](const Result<FetchResponse> &response) {
                  if (resume.isAwaited())
                      resume(decide(exchange, response));
              };
        exchange.services().fetch(std::move(asked), std::move(take));
        return Pause{};
    }

    void onResponseHead(Exchange &exchange) const override
    {
        for (const std::string &name : m_config.responseHeaders) {
            const auto isMeant
                = [&name](std::string_view other) { return equalsIgnoreCase(name, other); };
            bool isRemoved = false;
            for (const Header &header : exchange.state<Kept>().headers) {
                if (!isMeant(header.name))
                    continue;
                if (!isRemoved)
                    exchange.removeResponseHeaders(isMeant);
                isRemoved = true;
                exchange.addResponseHeader(header.name, header.value);
            }
        }
    }

private:
    [[nodiscard]] FetchRequest question(const Exchange &exchange) const;
    [[nodiscard]] Verdict decide(Exchange &exchange, const Result<FetchResponse> &response) const;
    [[nodiscard]] Reply refusal(const FetchResponse &response) const;
    void apply(Exchange &exchange, const FetchResponse &response) const;

    Config m_config;
    std::shared_ptr<const Endpoint> m_endpoint;
};

FetchRequest ExternalAuthorization::question(const Exchange &exchange) const
{
    std::string uri(exchange.request().path);
    uri.append(exchange.query());
    FetchRequest request{
        .endpoint = m_endpoint, .timeout = m_config.timeout, .limit = largestAnswer};
    if (m_config.appendPath) {
        std::string prefix = m_endpoint->target;
        if (prefix.ends_with('/'))
            prefix.pop_back();
        request.endpoint
            = std::make_shared<const Endpoint>(Endpoint{m_endpoint->origin, prefix + uri});
        request.method = exchange.method();
    } else {
        request.headers.push_back({std::string(originalMethod), std::string(exchange.method())});
        request.headers.push_back({std::string(originalUri), std::move(uri)});
    }
    if (exchange.client() != nullptr)
        request.headers.push_back({std::string(clientName), exchange.client()->name});
    for (const ServiceHeader &header : m_config.serviceHeaders)
        request.headers.push_back({header.name, header.value});
    for (const http::Field &field : exchange.request().fields) {
        const bool holdsKey = field.value.find(virtualkey::prefix) != std::string_view::npos;
        if (isAmong(m_config.sendHeaders, field.name) && !holdsKey)
            request.headers.push_back({std::string(field.name), std::string(field.value)});
    }
    return request;
}

Verdict ExternalAuthorization::decide(Exchange &exchange,
                                      const Result<FetchResponse> &response) const
{
    if (!response)
        return Undecided{"the authorization service does not answer: "
                         + response.error().message()};
    if (response->status < 200 || response->status >= 500)
        return Undecided{"the authorization service answered with status "
                         + std::to_string(response->status)};
    if (response->status >= 300)
        return refusal(*response);
    apply(exchange, *response);
    return Continue{};
}

Reply ExternalAuthorization::refusal(const FetchResponse &response) const
{
    // A redirect is no way for an API's client, and 407 is about a proxy that this is not.
    const bool isPlain = response.status >= 400 && response.status != 407;
    Reply reply{.status = isPlain ? response.status : 403,
                .reason = std::string(type) + ":denied",
                .message = "The authorization service does not let this request pass",
                .retryable = response.status == 429};
    for (const Header &header : response.headers) {
        const bool isKept = equalsIgnoreCase(header.name, "www-authenticate")
                            || equalsIgnoreCase(header.name, "retry-after")
                            || isAmong(m_config.refusalHeaders, header.name);
        if (isKept && isFieldValue(header.value))
            reply.headers.push_back(header);
    }
    return reply;
}

void ExternalAuthorization::apply(Exchange &exchange, const FetchResponse &response) const
{
    for (const Header &header : response.headers) {
        if (!isFieldValue(header.value))
            continue;
        if (isAmong(m_config.addHeaders, header.name)
            || isAmong(m_config.appendHeaders, header.name))
            exchange.addRequestHeader(header.name, header.value);
        if (isAmong(m_config.responseHeaders, header.name))
            exchange.state<Kept>().headers.push_back(header);
    }
}

// Source: MuleSoft, "External Authorization Policy" (gateway/1.8), and Envoy's HTTP service for ext_authz.
std::optional<Node> translate(FlexConfig &config)
{
    Node node = Node::map();
    if (config.text("serverType", "grpc") != "http")
        config.refuse("serverType", "must be http: services that speak gRPC are not asked");
    for (const std::string_view ignored : {"serverApiVersion", "serverVersion"})
        (void)config.take(ignored); // of the gRPC protocol
    if (config.boolean("includePeerCertificate", false))
        config.refuse("includePeerCertificate", "certificates are not sent to the service");
    const std::string uri = config.requiredText("uri");
    const std::size_t path = uri.find('/', uri.find("://") + 3);
    if (path != std::string::npos && path + 1 != uri.size())
        config.refuse("uri", "must end with the port: a path belongs into pathPrefix");
    node.append("url", encodeText(uri.substr(0, path) + config.text("pathPrefix")));
    node.items.back().place = config.placeOf("uri");
    node.append("appendPath", Node::scalar("true", false));
    node.append("timeout",
                encodeText(std::to_string(config.integer("requestTimeout", 5'000)) + "ms"));
    Node headers = Node::list();
    for (FlexConfig *header : config.records("serviceRequestHeadersToAdd")) {
        Node entry = Node::map();
        entry.append("name", encodeText(header->requiredText("key")));
        entry.append("value", encodeText(header->requiredText("value")));
        entry.place = header->place();
        if (entry.items.back().text.starts_with("#["))
            header->refuse("value", "an expression is not evaluated here");
        headers.items.push_back(std::move(entry));
    }
    node.append("serviceHeaders", std::move(headers));
    node.append("sendHeaders", config.list("allowedHeaders"));
    node.append("addHeaders", config.list("serviceResponseUpstreamHeaders"));
    node.append("appendHeaders", config.list("serviceResponseUpstreamHeadersToAppend"));
    node.append("refusalHeaders", config.list("serviceResponseClientHeaders"));
    node.append("responseHeaders", config.list("serviceResponseClientHeadersOnSuccess"));
    return config.isRefused() ? std::nullopt : std::optional(std::move(node));
}

constexpr std::array<FlexCounterpart, 1> counterparts{{{"native-ext-authz-flex", &translate}}};

} // namespace

PolicyType externalAuthorizationPolicy()
{
    return describe<Config, ExternalAuthorization>(
        {.id = type,
         .title = "External authorization",
         .category = PolicyCategory::Security,
         .summary = "Asks an HTTP service whether a request may pass. 2xx lets it pass; any other "
                    "answer below 500 refuses it, 4xx with the same status, else with 403; and 503 "
                    "while the service fails or does not answer",
         .defaultOrder = 30,
         .flex = counterparts,
         .example = "url: https://authz.example.com/check\n"
                    "sendHeaders: [authorization]\n"
                    "addHeaders: [x-user]\n"});
}

} // namespace gatehouse
