// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/snapshot.h"
#include "gateway/pipeline/services.h"
#include "gateway/prove/probe.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

/// What policies get in place of a worker's services: clocks that stand until they are moved, and no network.
class SinkServices final : public Services
{
public:
    explicit SinkServices(std::string_view hashKey)
        : m_hasher(hashKey)
    {}

    /// What outside services answer; null: they cannot be reached.
    std::function<FetchResponse(const FetchRequest &)> answer = {};
    bool wasAsked = false; ///< some outside service

    void fetch(FetchRequest request, std::function<void(Result<FetchResponse>)> done) override;
    void after(std::chrono::milliseconds delay, std::function<void()> call) override;
    [[nodiscard]] std::function<void(std::function<void()>)> poster() override;
    [[nodiscard]] std::chrono::steady_clock::time_point now() const override { return m_now; }
    [[nodiscard]] std::chrono::system_clock::time_point wallNow() const override { return m_wall; }
    [[nodiscard]] KeyHash hashKey(std::string_view key) const override
    {
        return m_hasher.hash(key);
    }

    /// Runs what is due; false where nothing was.
    [[nodiscard]] bool run();
    void advance(std::chrono::steady_clock::duration by);

private:
    struct Timer
    {
        std::chrono::steady_clock::time_point due;
        std::function<void()> call;
    };

    KeyHasher m_hasher;
    std::vector<Timer> m_timers;
    std::chrono::steady_clock::time_point m_now{std::chrono::hours(1000)};
    std::chrono::system_clock::time_point m_wall = std::chrono::system_clock::now();
};

/// Takes probes through the guard and the policies as a worker takes requests, to where a provider would
/// get them, and no further: nothing is connected, nothing is written, and what policies count they count
/// in this snapshot's own state. Of one thread.
class Sink
{
public:
    /// A request that was sent, under way until it goes.
    class Request
    {
    public:
        ~Request();
        Request(const Request &) = delete;
        Request(Request &&) = delete;
        Request &operator=(const Request &) = delete;
        Request &operator=(Request &&) = delete;

        /// The provider would have got it.
        [[nodiscard]] bool isReached() const { return m_state == State::Reached; }
        /// A policy holds it.
        [[nodiscard]] bool isHeld() const { return m_state == State::Held; }
        [[nodiscard]] const Reply &reply() const { return m_reply; }
        /// The policy that refused it; empty where the gateway itself did.
        [[nodiscard]] std::string_view refusedBy() const;
        /// The policy that holds it; empty where none does.
        [[nodiscard]] std::string_view heldBy() const;
        /// Which took it; null where none did.
        [[nodiscard]] const RouteEntry *route() const { return m_route; }
        /// It was asked about this request.
        [[nodiscard]] bool wasSeenBy(std::string_view policy) const;
        [[nodiscard]] const Exchange &exchange() const { return m_exchange; }
        /// It goes as if each of the route's providers had been asked and had answered so, whole; where
        /// it reached them.
        void answer(int status);

    private:
        friend class Sink;
        enum class State : std::uint8_t { Held, Refused, Reached };

        explicit Request(SinkServices &services)
            : m_services(services)
        {}
        void afterHead(Pipeline::Outcome outcome);
        void settle(Pipeline::Outcome outcome, bool isInBody);

        SinkServices &m_services;
        Exchange m_exchange;
        Peer m_peer;
        Probe m_probe;
        std::string m_head;
        Reply m_reply;
        const RouteEntry *m_route = nullptr;
        State m_state = State::Held;
        bool m_isInBody = false;
    };

    explicit Sink(std::shared_ptr<const Snapshot> snapshot)
        : m_snapshot(std::move(snapshot))
        , m_services(m_snapshot->hashKey)
    {}

    /// Goes on until it is refused, reached the sink, or waits for time to pass.
    [[nodiscard]] std::unique_ptr<Request> send(const RouteEntry &route, const Probe &probe);
    [[nodiscard]] SinkServices &services() { return m_services; }
    [[nodiscard]] const Snapshot &snapshot() const { return *m_snapshot; }

private:
    std::shared_ptr<const Snapshot> m_snapshot;
    SinkServices m_services;
};

} // namespace gatehouse
