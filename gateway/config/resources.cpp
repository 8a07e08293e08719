// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/resources.h"

#include "gateway/config/problems.h"

#include <array>

namespace gatehouse {

namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kib = 1024;
constexpr std::int64_t gib = kib * kib * kib;
constexpr std::int64_t second = 1000;
constexpr std::int64_t hour = 3600 * second;
constexpr std::int64_t day = 24 * hour;

constexpr auto auditContents = std::to_array<std::string_view>({"none", "redacted", "full"});
constexpr auto durabilities = std::to_array<std::string_view>({"process", "power"});

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

} // namespace gatehouse
