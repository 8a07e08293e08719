// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/mailbox.h"
#include "gateway/net/fetch.h"
#include "gateway/net/workercontext.h"
#include "gateway/pipeline/services.h"

#include <QtGlobal>

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace gatehouse::net {

/// What a worker offers to policies, over its own loop, pool and deadlines.
class WorkerServices final : public Services
{
public:
    /// \a mailbox runs calls in the worker's thread and lives as long as this.
    WorkerServices(WorkerContext &context, Mailbox &mailbox);
    /// What is under way is never told.
    ~WorkerServices() override;
    Q_DISABLE_COPY_MOVE(WorkerServices)

    void setHashKey(std::string_view hashKey);

    void fetch(FetchRequest request, std::function<void(Result<FetchResponse>)> done) override;
    /// The same at \a provider, with its own TLS; without its credential.
    void ask(const ProviderEntry &provider,
             ProviderTarget target,
             FetchRequest request,
             std::function<void(Result<FetchResponse>)> done);
    void after(std::chrono::milliseconds delay, std::function<void()> call) override;
    [[nodiscard]] std::function<void(std::function<void()>)> poster() override;
    [[nodiscard]] std::chrono::steady_clock::time_point now() const override
    {
        return WorkerContext::now();
    }
    [[nodiscard]] std::chrono::system_clock::time_point wallNow() const override
    {
        return std::chrono::system_clock::now();
    }
    [[nodiscard]] KeyHash hashKey(std::string_view virtualKey) const override
    {
        return m_hasher->hash(virtualKey);
    }

private:
    [[nodiscard]] Fetch::Done keeperOf(std::function<void(Result<FetchResponse>)> done);
    void start(std::unique_ptr<Fetch> owned);

    struct Timer;
    /// The way into the worker's thread for those who may outlive it.
    struct Door
    {
        std::mutex mutex;
        Mailbox *mailbox = nullptr; ///< null once the worker is gone
    };

    WorkerContext &m_context;
    std::shared_ptr<Door> m_door = std::make_shared<Door>();
    std::unique_ptr<KeyHasher> m_hasher;
    std::unordered_map<Fetch *, std::unique_ptr<Fetch>> m_fetches;
    std::unordered_map<Timer *, std::unique_ptr<Timer>> m_timers;
};

} // namespace gatehouse::net
