// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/policyspec.h"

#include "gateway/config/problems.h"

#include <array>

namespace gatehouse {

namespace {

constexpr auto modes = std::to_array<std::string_view>({"enforce", "observe"});
constexpr auto errorModes = std::to_array<std::string_view>({"refuse", "allow"});

} // namespace

std::span<const Field> TargetSpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&TargetSpec::route>(
            {.key = "route", .label = "Route", .help = "Name of the only route it applies to"}),
        field<&TargetSpec::client>(
            {.key = "client",
             .label = "Client",
             .help = "Name of the only client whose requests it applies to"}),
        field<&TargetSpec::labels>(
            {.key = "labels",
             .label = "Labels",
             .help = "Labels that the route or the client must all have with these values",
             .max = 16}),
    });
    return table;
}

std::span<const Field> PolicySpec::fields()
{
    static constexpr auto table = std::to_array<Field>({
        field<&PolicySpec::type>({.key = "type",
                                  .label = "Type",
                                  .help = "What kind of policy this is, such as model-access",
                                  .required = true,
                                  .problem = nameProblem}),
        field<&PolicySpec::target>(
            {.key = "target", .label = "Target", .help = "What it applies to; empty: everything"}),
        field<&PolicySpec::enabled>(
            {.key = "enabled", .label = "Enabled", .help = "Off: checked, and not in force"}),
        choice<&PolicySpec::mode>(
            {.key = "mode",
             .label = "Mode",
             .help = "observe decides and records what it would have done, and changes nothing",
             .choices = [] { return std::span<const std::string_view>(modes); }}),
        choice<&PolicySpec::onError>(
            {.key = "onError",
             .label = "On error",
             .help
             = "Where the policy cannot decide: refuse answers 503, allow lets the request pass",
             .choices = [] { return std::span<const std::string_view>(errorModes); }}),
        field<&PolicySpec::order>({.key = "order",
                                   .label = "Order",
                                   .help
                                   = "Lower numbers come first; absent: that of its type, most "
                                     "often 50",
                                   .min = 0,
                                   .max = 1'000'000}),
        field<&PolicySpec::rules>(
            {.key = "rules",
             .label = "Rules",
             .help = "Requests that it is for: any rule has to match; none: all requests",
             .max = 100}),
        field<&PolicySpec::config>(
            {.key = "config", .label = "Config", .help = "The fields of its type"}),
    });
    return table;
}

} // namespace gatehouse
