// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/demo/pace.h"

#include "gateway/base/text.h"
#include "gateway/base/units.h"
#include "gateway/http/text.h"

namespace gatehouse::demo {

namespace {

constexpr std::chrono::hours longestLatency{1};
constexpr unsigned highestRate = 1'000'000;

} // namespace

Result<SimulatedSettings, std::string> overridden(SimulatedSettings settings,
                                                  const http::Head &head)
{
    for (const http::Field &field : head.fields) {
        if (equalsIgnoreCase(field.name, "x-demo-latency")) {
            const auto latency = parseDuration(field.value);
            if (!latency || *latency > longestLatency)
                return Unexpected<std::string>(
                    "x-demo-latency must be a duration of at most 1h, for example 250ms");
            settings.firstToken = *latency;
        } else if (equalsIgnoreCase(field.name, "x-demo-tokens-per-second")) {
            const auto rate = http::parseDecimal(field.value);
            if (!rate || *rate > highestRate)
                return Unexpected<std::string>(
                    "x-demo-tokens-per-second must be a whole number of at most 1000000");
            settings.tokensPerSecond = static_cast<unsigned>(*rate);
        }
    }
    return settings;
}

std::chrono::nanoseconds dueAfter(const SimulatedSettings &settings, std::size_t tokens)
{
    using std::chrono::nanoseconds;
    if (settings.tokensPerSecond == 0)
        return settings.firstToken;
    const double seconds = static_cast<double>(tokens) / settings.tokensPerSecond;
    return settings.firstToken + nanoseconds(static_cast<nanoseconds::rep>(seconds * 1e9));
}

} // namespace gatehouse::demo
