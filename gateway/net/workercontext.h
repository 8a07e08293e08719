// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/http/head.h"
#include "gateway/net/bodybatch.h"
#include "gateway/net/deadlines.h"
#include "gateway/net/ioloop.h"
#include "gateway/net/requestid.h"
#include "gateway/net/resolver.h"
#include "gateway/net/runtime.h"

#include <QtGlobal>

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

    IoLoop *loop = nullptr;
    Deadlines deadlines{std::chrono::steady_clock::now()};
    Resolver resolver;
    ProviderPool *pool = nullptr;
    std::shared_ptr<const Runtime> runtime;
    std::unique_ptr<KeyHasher> hasher;
    RequestIds requestIds;
    bool isDraining = false;

    std::vector<char> readBuffer = std::vector<char>(readSize);
    std::string head;
    http::RequestHead request;
    http::ResponseHead response;
    BodyBatch requestBatch;
    BodyBatch responseBatch;

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
    virtual void bury(std::unique_ptr<Buriable> dead) = 0;

    WorkerContext() = default;
    Q_DISABLE_COPY_MOVE(WorkerContext)
    virtual ~WorkerContext() = default;
};

} // namespace gatehouse::net
