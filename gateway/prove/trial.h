// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/draft.h"
#include "gateway/prove/sink.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

/// Reads values of a policy's config as it was written, or empty ones.
class ConfigReader
{
public:
    explicit ConfigReader(const Node &config)
        : m_config(config)
    {}
    [[nodiscard]] std::string text(std::string_view key, std::string_view otherwise = {}) const;
    [[nodiscard]] std::int64_t number(std::string_view key, std::int64_t otherwise) const;
    [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;
    [[nodiscard]] std::vector<ConfigReader> records(std::string_view key) const;
    [[nodiscard]] std::optional<ConfigReader> record(std::string_view key) const;
    [[nodiscard]] bool has(std::string_view key) const { return m_config.find(key) != nullptr; }

private:
    const Node &m_config;
};

/// A request, without a key, to each endpoint of the route's dialect and one that nobody knows, the last.
[[nodiscard]] std::vector<Probe> endpointProbes(const RouteEntry &route, const std::string &model);

/// One policy on one route, and what is tried on it.
class Trial
{
public:
    enum class Standing : std::uint8_t { Proven, NotProven, Bypassable };

    struct Setting
    {
        const PolicyEntry *entry = nullptr;
        const Node *config = nullptr;
        const RouteEntry *route = nullptr;
        Sink *sink = nullptr;
        std::string key;                 ///< virtual key that may use the route
        std::string client;              ///< whose it is
        std::vector<std::string> models; ///< that may pass here, the likeliest first
        std::string otherKey = {};       ///< of another client; empty: there is none
    };

    explicit Trial(Setting setting);

    /// A request that ought to pass, to the first endpoint; empty path: none was found that does.
    [[nodiscard]] const Probe &good() const { return m_good; }
    /// The same to each endpoint of the dialect, one that nobody knows too, naming \a model.
    [[nodiscard]] std::vector<Probe> everywhere(const std::string &model) const;
    [[nodiscard]] const std::string &model() const { return m_model; }
    [[nodiscard]] const ConfigReader &config() const { return m_config; }
    [[nodiscard]] const RouteEntry &route() const { return *m_setting.route; }
    [[nodiscard]] Sink &sink() { return *m_setting.sink; }
    [[nodiscard]] const Setting &setting() const { return m_setting; }

    /// Sends \a probe after all windows are over: true where it was stopped.
    bool mustStop(const Probe &probe);
    /// The same, and with every carrier, framing, coding and spelling that says the same thing.
    void mustStopHowever(const Probe &probe);
    /// At once, without waiting: for those that count.
    bool mustStopNow(const Probe &probe);
    /// At once: false where this policy holds it back.
    bool mustNotWait(const Probe &probe);
    /// What \a check says of a request that passed; false: it does not hold.
    void mustChange(const Probe &probe, const std::function<bool(const Exchange &)> &check);
    /// True where it reached the sink by this route.
    [[nodiscard]] bool passes(const Probe &probe);

    void notProven(std::string reason);
    void bypassed(const Probe &probe, std::string_view why);

    // The outcome
    [[nodiscard]] Standing standing() const;
    [[nodiscard]] const std::vector<std::string> &reasons() const { return m_reasons; }
    [[nodiscard]] const std::string &probe() const { return m_probe; }
    [[nodiscard]] int count() const { return m_count; }
    /// Call once after the last probe.
    void conclude();

private:
    [[nodiscard]] std::unique_ptr<Sink::Request> send(const Probe &probe);
    bool judge(const Probe &probe, const Sink::Request &request);
    void leaveOut(const Probe &probe, const Sink::Request &request);
    [[nodiscard]] std::vector<Probe> spellings(const Probe &probe) const;
    void findGood();

    Setting m_setting;
    ConfigReader m_config;
    Probe m_good;
    std::string m_model;
    std::vector<std::string> m_reasons;
    std::vector<std::string> m_uncovered;
    std::string m_probe;  ///< the first that got through
    std::string m_shadow; ///< who stopped what this policy was to stop
    int m_count = 0;
    int m_stops = 0; ///< by this policy
    bool m_isBypassed = false;
    bool m_isNotProven = false;
    bool m_isVariant = false; ///< of a request that the policy has stopped
};

} // namespace gatehouse
