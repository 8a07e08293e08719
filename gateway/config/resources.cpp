// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/resources.h"

#include "gateway/config/problems.h"
#include "gateway/secrets/secretref.h"

#include <array>

namespace gatehouse {

namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kib = 1024;
constexpr std::int64_t gib = kib * kib * kib;
constexpr std::int64_t second = 1000;
constexpr std::int64_t hour = 3600 * second;
constexpr std::int64_t day = 24 * hour;

/// The choices of a field as the function that FieldInfo asks for.
template<const auto &Words>
std::span<const std::string_view> choicesOf()
{
    return Words;
}

constexpr auto auditContents = std::to_array<std::string_view>({"none", "redacted", "full"});
constexpr auto durabilities = std::to_array<std::string_view>({"process", "power"});
constexpr auto credentialHeaders
    = std::to_array<std::string_view>({"bearer", "x-api-key", "api-key", "x-goog-api-key"});
constexpr auto usages = std::to_array<std::string_view>({"inject", "observe"});

consteval FieldInfo
timeout(std::string_view key, std::string_view label, std::string_view help, std::int64_t min = 10)
{
    return {.key = key,
            .label = label,
            .help = help,
            .unit = Unit::Milliseconds,
            .min = min,
            .max = day};
}

} // namespace

std::span<const Field> Metadata::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&Metadata::name>({.key = "name",
                                .label = "Name",
                                .help = "What others call this; unique within its kind",
                                .required = true,
                                .problem = nameProblem}),
        field<&Metadata::labels>({.key = "labels",
                                  .label = "Labels",
                                  .help = "Words by which policies and reports group",
                                  .max = 64}),
    });
    return table;
}

std::span<const Field> TlsSpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&TlsSpec::certificate>({.key = "certificate",
                                      .label = "Certificate",
                                      .help = "The certificate and its chain: a PEM file, or PEM",
                                      .required = true,
                                      .multiline = true}),
        field<&TlsSpec::key>({.key = "key",
                              .label = "Key",
                              .help = "The certificate's private key: a PEM file, or PEM",
                              .required = true,
                              .secret = true,
                              .multiline = true}),
        field<&TlsSpec::clientCa>(
            {.key = "clientCa",
             .label = "Client CA",
             .help = "PEM file, or PEM; clients must show a certificate that it signed",
             .multiline = true}),
    });
    return table;
}

std::span<const Field> ListenerSpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&ListenerSpec::name>({.key = "name",
                                    .label = "Name",
                                    .help = "What routes call this listener",
                                    .required = true,
                                    .problem = nameProblem}),
        field<&ListenerSpec::address>({.key = "address",
                                       .label = "Address",
                                       .help = "IP address or localhost, and port; port 0 is any",
                                       .required = true,
                                       .problem = listenAddressProblem}),
        field<&ListenerSpec::tls>(
            {.key = "tls", .label = "TLS", .help = "Certificate with which this listener answers"}),
        field<&ListenerSpec::insecure>(
            {.key = "insecure",
             .label = "Open without TLS",
             .help = "Allows an address that other machines reach without TLS"}),
    });
    return table;
}

std::span<const Field> AuditSpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        choice<&AuditSpec::content>({.key = "content",
                                     .label = "Content",
                                     .help = "What of prompts and answers is kept",
                                     .choices = choicesOf<auditContents>}),
        choice<&AuditSpec::durability>({.key = "durability",
                                        .label = "Durability",
                                        .help
                                        = "What a record survives: the end of the process, or "
                                          "a loss of power too",
                                        .choices = choicesOf<durabilities>}),
        field<&AuditSpec::retention>({.key = "retention",
                                      .label = "Retention",
                                      .help = "How long records are kept",
                                      .unit = Unit::Milliseconds,
                                      .min = hour,
                                      .max = 36525 * day}),
        field<&AuditSpec::maxSize>({.key = "maxSize",
                                    .label = "Largest size",
                                    .help = "Room on disk for all records",
                                    .unit = Unit::Bytes,
                                    .min = 16 * kib * kib}),
    });
    return table;
}

std::span<const Field> LimitsSpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&LimitsSpec::head>({.key = "head",
                                  .label = "Head",
                                  .help = "Bytes of a request's or response's head",
                                  .unit = Unit::Bytes,
                                  .min = kib,
                                  .max = kib * kib}),
        field<&LimitsSpec::target>({.key = "target",
                                    .label = "Target",
                                    .help = "Bytes of a request's path and query",
                                    .unit = Unit::Bytes,
                                    .min = 64,
                                    .max = kib * kib}),
        field<&LimitsSpec::body>({.key = "body",
                                  .label = "Body",
                                  .help = "Bytes of a request's body",
                                  .unit = Unit::Bytes,
                                  .min = 1,
                                  .max = 1024 * gib}),
        field<&LimitsSpec::connections>({.key = "connections",
                                         .label = "Connections",
                                         .help = "Client connections at a time",
                                         .unit = Unit::Connections,
                                         .min = 1,
                                         .max = 1'000'000}),
        field<&LimitsSpec::headTimeout>(
            timeout("headTimeout", "Head", "From the first byte of a request's head to its end")),
        field<&LimitsSpec::bodyTimeout>(
            timeout("bodyTimeout", "Body", "For a body, beside 1 s for each 64 KiB of it")),
        field<&LimitsSpec::idleTimeout>(
            timeout("idleTimeout", "Idle", "How long a connection waits for its next request")),
        field<&LimitsSpec::connectTimeout>(
            timeout("connectTimeout", "Connect", "To resolve, connect and agree on TLS")),
        field<&LimitsSpec::firstByteTimeout>(timeout(
            "firstByteTimeout", "First byte", "From the request's end to the answer's first byte")),
        field<&LimitsSpec::streamTimeout>(
            timeout("streamTimeout", "Stream", "Between two pieces of an answer")),
        field<&LimitsSpec::policyTimeout>(
            timeout("policyTimeout",
                    "Policy",
                    "How long one policy may hold a request; then it counts as unable to decide")),
        field<&LimitsSpec::drainTimeout>(
            timeout("drainTimeout", "Drain", "For answers in flight when the gateway stops", 0)),
    });
    return table;
}

std::span<const Field> GatewaySpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&GatewaySpec::listeners>({.key = "listeners",
                                        .label = "Listeners",
                                        .help = "Addresses on which clients are answered",
                                        .min = 1,
                                        .max = 64}),
        field<&GatewaySpec::admin>({.key = "admin",
                                    .label = "Administration",
                                    .help = "Loopback address of health and metrics, or none",
                                    .problem = adminAddressProblem}),
        field<&GatewaySpec::workers>({.key = "workers",
                                      .label = "Workers",
                                      .help = "Threads that serve; 0 is one less than the cores",
                                      .unit = Unit::Threads,
                                      .max = 256}),
        field<&GatewaySpec::hosts>({.key = "hosts",
                                    .label = "Hosts",
                                    .help = "Host names answered to, without port; others get 421",
                                    .min = 1,
                                    .max = 1000,
                                    .problem = hostProblem}),
        field<&GatewaySpec::origins>({.key = "origins",
                                      .label = "Origins",
                                      .help = "Browser origins allowed; others get 403",
                                      .max = 1000,
                                      .problem = originProblem}),
        field<&GatewaySpec::timezone>({.key = "timezone",
                                       .label = "Time zone",
                                       .help = "Where a day begins: local, UTC or an IANA name",
                                       .problem = timezoneProblem}),
        field<&GatewaySpec::audit>(
            {.key = "audit", .label = "Audit", .help = "What is recorded and how long"}),
        field<&GatewaySpec::limits>(
            {.key = "limits", .label = "Limits", .help = "Sizes and deadlines of one exchange"}),
    });
    return table;
}

std::span<const Field> ProviderSpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        choice<&ProviderSpec::preset>(
            {.key = "preset",
             .label = "Preset",
             .help = "Known provider that gives dialect and address; absent: the resource's name",
             .choices = presetNames}),
        choice<&ProviderSpec::dialect>({.key = "dialect",
                                        .label = "Dialect",
                                        .help = "Wire format that the provider speaks",
                                        .choices = dialectNames}),
        field<&ProviderSpec::baseUrl>({.key = "baseUrl",
                                       .label = "Base URL",
                                       .help = "Address to which the rest of the path is appended",
                                       .problem = baseUrlProblem}),
        field<&ProviderSpec::credential>({.key = "credential",
                                          .label = "Credential",
                                          .help = "keychain:NAME, env:NAME, file:PATH or none",
                                          .secret = true,
                                          .problem = referenceProblem}),
        choice<&ProviderSpec::credentialHeader>(
            {.key = "credentialHeader",
             .label = "Credential header",
             .help = "Header that carries the credential; absent: the dialect's",
             .choices = choicesOf<credentialHeaders>}),
        field<&ProviderSpec::ca>(
            {.key = "ca",
             .label = "CA",
             .help = "PEM file, or PEM, trusted beside the system's certificates",
             .multiline = true}),
        field<&ProviderSpec::insecure>(
            {.key = "insecure",
             .label = "Insecure",
             .help
             = "The provider's certificate is not verified, and credentials go over plain HTTP"}),
    });
    return table;
}

std::span<const Field> RouteSpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&RouteSpec::listener>(
            {.key = "listener", .label = "Listener", .help = "Name of the listener"}),
        field<&RouteSpec::basePath>({.key = "basePath",
                                     .label = "Base path",
                                     .help = "Where the route begins, such as /openai/v1; / is all",
                                     .required = true,
                                     .problem = basePathProblem}),
        field<&RouteSpec::provider>({.key = "provider",
                                     .label = "Provider",
                                     .help = "Name of the provider",
                                     .required = true}),
        field<&RouteSpec::fallbacks>(
            {.key = "fallbacks",
             .label = "Fallbacks",
             .help = "Names of providers that are asked, in this order, where the one before could "
                     "not be reached or answered 429, 502, 503, 504 or 529; a retry policy says "
                     "otherwise how often and after what. They speak the provider's dialect and "
                     "know the models that clients ask for",
             .max = 8}),
        choice<&RouteSpec::dialect>({.key = "dialect",
                                     .label = "Dialect",
                                     .help = "Wire format of the clients; absent: the provider's",
                                     .choices = dialectNames}),
        choice<&RouteSpec::usage>(
            {.key = "usage",
             .label = "Usage",
             .help = "inject asks for the usage of streams and hides it; observe changes no byte",
             .choices = choicesOf<usages>}),
        field<&RouteSpec::isPublic>(
            {.key = "public", .label = "Public", .help = "Answers without a virtual key"}),
        field<&RouteSpec::rules>(
            {.key = "rules",
             .label = "Rules",
             .help
             = "Requests of the base path that it is for, where several routes share one: the "
               "first in the files' order whose rules match; one without rules takes what is left "
               "and comes last. What the groups of a rule's path capture is the path that goes to "
               "the provider",
             .max = 100}),
    });
    return table;
}

std::span<const Field> KeySpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&KeySpec::id>({.key = "id",
                             .label = "Id",
                             .help = "What records call this key; unique within the client",
                             .required = true,
                             .problem = nameProblem}),
        field<&KeySpec::hash>({.key = "hash",
                               .label = "Hash",
                               .help = "Keyed hash of the virtual key, from gatehouse client add",
                               .required = true,
                               .problem = keyHashProblem}),
        field<&KeySpec::created>({.key = "created",
                                  .label = "Created",
                                  .help = "ISO 8601 time",
                                  .problem = instantProblem}),
        field<&KeySpec::expires>(
            {.key = "expires",
             .label = "Expires",
             .help = "ISO 8601 time from which the key is refused; absent: never",
             .problem = instantProblem}),
        field<&KeySpec::revoked>(
            {.key = "revoked", .label = "Revoked", .help = "The key is refused from now on"}),
    });
    return table;
}

std::span<const Field> ClientSpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&ClientSpec::keys>(
            {.key = "keys", .label = "Keys", .help = "Its virtual keys", .max = 1000}),
        field<&ClientSpec::routes>({.key = "routes",
                                    .label = "Routes",
                                    .help = "Names of the routes it may use; none named: all",
                                    .max = 1000}),
        field<&ClientSpec::models>({.key = "models",
                                    .label = "Models",
                                    .help = "Globs of the models it may ask for; none: all",
                                    .max = 1000}),
        field<&ClientSpec::tier>({.key = "tier",
                                  .label = "Tier",
                                  .help = "Service level that policies give limits to",
                                  .problem = nameProblem}),
    });
    return table;
}

} // namespace gatehouse
