// SPDX-License-Identifier: GPL-3.0-or-later
// The fields of those between whom the gateway stands: providers, routes and clients.
#include "gateway/config/problems.h"
#include "gateway/config/resources.h"
#include "gateway/secrets/secretref.h"

#include <array>

namespace gatehouse {

namespace {

constexpr std::int64_t second = 1000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;

constexpr auto credentialHeaders
    = std::to_array<std::string_view>({"bearer", "x-api-key", "api-key", "x-goog-api-key"});
constexpr auto balances
    = std::to_array<std::string_view>({"weights", "least-latency", "sticky"}); // as ProviderChoice
constexpr auto usages = std::to_array<std::string_view>({"inject", "observe"});

} // namespace

std::span<const Field> HealthCheckSpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&HealthCheckSpec::path>(
            {.key = "path",
             .label = "Path",
             .help = "Asked with GET behind the base URL, without the credential: an answer below "
                     "500 is a good one, 401 and 404 too",
             .required = true,
             .problem = targetProblem}),
        field<&HealthCheckSpec::interval>({.key = "interval",
                                           .label = "Interval",
                                           .help = "From one check to the next",
                                           .unit = Unit::Milliseconds,
                                           .min = second,
                                           .max = hour}),
        field<&HealthCheckSpec::timeout>({.key = "timeout",
                                          .label = "Timeout",
                                          .help = "For all of a check, the connection too",
                                          .unit = Unit::Milliseconds,
                                          .min = second / 10,
                                          .max = minute}),
        field<&HealthCheckSpec::failures>({.key = "failures",
                                           .label = "Failures",
                                           .help = "After so many in a row it is unwell",
                                           .min = 1,
                                           .max = 100}),
        field<&HealthCheckSpec::successes>({.key = "successes",
                                            .label = "Successes",
                                            .help = "After so many in a row it is well again",
                                            .min = 1,
                                            .max = 100}),
    });
    return table;
}

std::span<const Field> OutlierEjectionSpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&OutlierEjectionSpec::failures>(
            {.key = "failures",
             .label = "Failures",
             .help = "So many in a row: no connection, 500 and above, no answer in time, an answer "
                     "that breaks off. 429 is none",
             .min = 1,
             .max = 1000,
             .required = true}),
        field<&OutlierEjectionSpec::time>(
            {.key = "time",
             .label = "Time",
             .help = "For so long it is asked after the others; twice as long each time in a row",
             .unit = Unit::Milliseconds,
             .min = second,
             .max = hour}),
        field<&OutlierEjectionSpec::longest>({.key = "longest",
                                              .label = "Longest",
                                              .help = "What that does not grow beyond",
                                              .unit = Unit::Milliseconds,
                                              .min = second,
                                              .max = 24 * hour}),
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
        field<&ProviderSpec::healthCheck>(
            {.key = "healthCheck",
             .label = "Health check",
             .help = "Asks the provider from time to time; one that is unwell is asked after all "
                     "others of a route"}),
        field<&ProviderSpec::outlierEjection>(
            {.key = "outlierEjection",
             .label = "Outlier ejection",
             .help = "A provider that fails clients again and again is asked after all others of a "
                     "route for a while"}),
    });
    return table;
}

std::span<const Field> RouteProviderSpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&RouteProviderSpec::name>(
            {.key = "name", .label = "Name", .help = "Name of the provider", .required = true}),
        field<&RouteProviderSpec::weight>(
            {.key = "weight",
             .label = "Weight",
             .help = "Its share of the requests, beside the weights of the others; 0: it is asked "
                     "only where the others cannot answer",
             .max = 1000}),
        field<&RouteProviderSpec::models>(
            {.key = "models",
             .label = "Models",
             .help = "Globs of the models that it is asked for; none: those that no other of the "
                     "route's providers names",
             .max = 1000}),
    });
    return table;
}

std::vector<RouteProviderSpec> RouteSpec::options() const
{
    if (provider.empty())
        return providers;
    return {{.name = provider}};
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
        field<&RouteSpec::provider>(
            {.key = "provider",
             .label = "Provider",
             .help = "Name of the provider; a route has either this or providers"}),
        field<&RouteSpec::providers>(
            {.key = "providers",
             .label = "Providers",
             .help = "Providers that the requests are spread over, by model and then as balance "
                     "says; one that cannot answer is replaced by the next, before the fallbacks. "
                     "They speak one dialect",
             .max = 16}),
        choice<&RouteSpec::balance>(
            {.key = "balance",
             .label = "Balance",
             .help = "Among providers: weights gives each its share, least-latency asks whoever "
                     "begins to answer soonest, sticky keeps each client with one, whose prompt "
                     "caches know it",
             .choices = choicesOf<balances>}),
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
