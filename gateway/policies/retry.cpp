// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/pipeline/retrysetting.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view connectWord = "connect";

/// Three digits of an error, or none.
int statusOf(std::string_view text)
{
    constexpr std::size_t digits = 3;
    if (text.size() != digits || !std::ranges::all_of(text, isDigit))
        return 0;
    const int status = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
    return status >= 400 && status <= 599 ? status : 0;
}

std::string whenProblem(std::string_view text)
{
    return text == connectWord || statusOf(text) != 0
               ? std::string()
               : "must be connect or the status of an error such as 503";
}

struct Config
{
    std::int64_t attempts = 2;
    std::vector<std::string> on = {"connect", "429", "502", "503", "504", "529"};
    milliseconds backoff{250};
    bool honourRetryAfter = true;

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::attempts>({.key = "attempts",
                                      .label = "Attempts",
                                      .help = "So often a request is sent at the most, the first "
                                              "time too",
                                      .min = 1,
                                      .max = 10}),
            field<&Config::on>(
                {.key = "on",
                 .label = "After",
                 .help = "connect: no connection came about. A status: the provider answered so. A "
                         "provider may have done and charged for what it answers with 500, 502 or "
                         "504; leave these out where that matters",
                 .min = 1,
                 .max = 32,
                 .problem = &whenProblem}),
            field<&Config::backoff>(
                {.key = "backoff",
                 .label = "Pause",
                 .help = "Up to so long before the second attempt, by chance, so that clients that "
                         "failed together do not come back together; twice as long each time",
                 .unit = Unit::Milliseconds,
                 .max = 60 * 1000}),
            field<&Config::honourRetryAfter>(
                {.key = "honourRetryAfter",
                 .label = "Honour Retry-After",
                 .help = "Waits as long as the provider says; where that is over 30s the answer is "
                         "passed on instead"}),
        });
        return rows;
    }
};

class Retry final : public Policy
{
public:
    explicit Retry(const Config &config)
    {
        m_setting.attempts = config.attempts;
        m_setting.backoff = config.backoff;
        m_setting.honoursRetryAfter = config.honourRetryAfter;
        m_setting.onConnect = false;
        for (const std::string &word : config.on) {
            if (word == connectWord)
                m_setting.onConnect = true;
            else
                m_setting.statuses.push_back(statusOf(word));
        }
    }

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &)
    {
        return std::make_unique<Retry>(config);
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>(PolicyPhase::RequestHead);
    }
    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        exchange.retry(m_setting);
        return Continue{};
    }

private:
    RetrySetting m_setting;
};

} // namespace

PolicyType retryPolicy()
{
    return describe<Config, Retry>(
        {.id = "retry",
         .title = "Retry",
         .category = PolicyCategory::QualityOfService,
         .summary
         = "Sends a request again when the provider could not be reached or answered with an error "
           "that passes, never after a byte of an answer has gone to the client, and never a body "
           "of more than 256 KiB that is streamed through. At most one attempt in five requests is "
           "a further one, beyond a reserve of ten, so that a provider that fails is not drowned. "
           "The last failure tells SDKs not to try again themselves (x-should-retry: false)",
         .example = "attempts: 3\n"
                    "on: [connect, \"429\", \"503\", \"529\"]\n"
                    "backoff: 500ms\n"});
}

} // namespace gatehouse
