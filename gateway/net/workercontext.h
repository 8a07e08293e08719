// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/http/head.h"
#include "gateway/net/acceptedsocket.h"
#include "gateway/net/bodybatch.h"
#include "gateway/net/deadlines.h"
#include "gateway/net/ioloop.h"
#include "gateway/net/requestid.h"
#include "gateway/net/resolver.h"
#include "gateway/net/retryafter.h"
#include "gateway/net/runtime.h"
#include "gateway/pipeline/exchange.h"

#include <QtGlobal>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gatehouse::net {

class ProviderPool;

/// Whatever closes itself in a callback is destroyed only when the callbacks are over.
struct Buriable
{
    Buriable() = default;
    Q_DISABLE_COPY_MOVE(Buriable)
    virtual ~Buriable() = default;
};

/// What the connections of one worker share; nothing in it is seen by another thread. The scratch
/// members carry no state from one call to the next.
struct WorkerContext
{
    static constexpr std::size_t readSize = std::size_t{64} * 1024;
    static constexpr std::size_t maxFreeExchanges = 64;
    static constexpr std::size_t maxGathered = std::size_t{256} << 20;

    IoLoop *loop = nullptr;
    Deadlines deadlines{std::chrono::steady_clock::now()};
    Resolver resolver;
    ProviderPool *pool = nullptr;
    Services *services = nullptr; ///< for policies
    std::shared_ptr<const Runtime> runtime;
    RequestIds requestIds;
    RetryBudget retryBudget;
    bool isDraining = false;
    /// Of all bodies that are gathered for policies now, or kept for another attempt.
    std::size_t gatheredBytes = 0;

    std::vector<char> readBuffer = std::vector<char>(readSize);
    std::string head;
    http::RequestHead request;
    http::ResponseHead response;
    BodyBatch requestBatch;
    BodyBatch responseBatch;
    std::vector<std::unique_ptr<Exchange>> freeExchanges;

    [[nodiscard]] const Limits &limits() const { return runtime->snapshot->limits; }
    [[nodiscard]] static TimePoint now() { return std::chrono::steady_clock::now(); }
    /// Sets \a deadline to \a after from now; 0 clears it.
    void setDeadline(Deadline &deadline, std::chrono::milliseconds after)
    {
        if (after.count() > 0)
            deadlines.set(deadline, now() + after);
        else
            deadline.clear();
    }
    /// For one request; give it back after its end(), so that idle connections have none.
    [[nodiscard]] std::unique_ptr<Exchange> takeExchange()
    {
        if (freeExchanges.empty())
            return std::make_unique<Exchange>();
        auto exchange = std::move(freeExchanges.back());
        freeExchanges.pop_back();
        return exchange;
    }
    void giveBack(std::unique_ptr<Exchange> exchange)
    {
        if (freeExchanges.size() < maxFreeExchanges)
            freeExchanges.push_back(std::move(exchange));
    }
    /// Asks for the process behind a connection; see CallerFinder::find.
    virtual void findCaller(const AcceptedSocket &socket,
                            CallerDepth depth,
                            std::function<void(std::shared_ptr<const Caller>)> done)
        = 0;
    /// Runs \a call when the handlers under way have returned, if the worker still lives.
    virtual void callLater(std::function<void()> call) = 0;
    virtual void bury(std::unique_ptr<Buriable> dead) = 0;

    WorkerContext() = default;
    Q_DISABLE_COPY_MOVE(WorkerContext)
    virtual ~WorkerContext() = default;
};

} // namespace gatehouse::net
