// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/workerservices.h"

#include <utility>

namespace gatehouse::net {

struct WorkerServices::Timer final : Deadline
{
    explicit Timer(std::function<void(Timer &)> expiredCall)
        : call(std::move(expiredCall))
    {}
    void expired() override { call(*this); }
    std::function<void(Timer &)> call;
};

WorkerServices::WorkerServices(WorkerContext &context, Mailbox &mailbox)
    : m_context(context)
{
    m_door->mailbox = &mailbox;
}

WorkerServices::~WorkerServices()
{
    const std::lock_guard lock(m_door->mutex);
    m_door->mailbox = nullptr;
}

void WorkerServices::setHashKey(std::string_view hashKey)
{
    m_hasher = std::make_unique<KeyHasher>(hashKey);
}

void WorkerServices::fetch(FetchRequest request, std::function<void(Result<FetchResponse>)> done)
{
    start(std::make_unique<Fetch>(m_context, std::move(request), keeperOf(std::move(done))));
}

void WorkerServices::ask(const ProviderEntry &provider,
                         ProviderTarget target,
                         FetchRequest request,
                         std::function<void(Result<FetchResponse>)> done)
{
    start(std::make_unique<Fetch>(
        m_context, std::move(request), provider, std::move(target), keeperOf(std::move(done))));
}

/// Buries the fetch, then tells.
Fetch::Done WorkerServices::keeperOf(std::function<void(Result<FetchResponse>)> done)
{
    return [this, done = std::move(done)](Fetch &fetch, Result<FetchResponse> response) {
        m_context.bury(std::move(m_fetches.extract(&fetch).mapped()));
        done(std::move(response));
    };
}

void WorkerServices::start(std::unique_ptr<Fetch> owned)
{
    Fetch &fetch = *owned;
    m_fetches.emplace(&fetch, std::move(owned));
    fetch.start();
}

void WorkerServices::after(std::chrono::milliseconds delay, std::function<void()> call)
{
    auto owned = std::make_unique<Timer>([this, call = std::move(call)](Timer &timer) {
        const auto kept = m_timers.extract(&timer);
        call();
    });
    Timer &timer = *owned;
    m_timers.emplace(&timer, std::move(owned));
    m_context.deadlines.set(timer, WorkerContext::now() + delay);
}

std::function<void(std::function<void()>)> WorkerServices::poster()
{
    return [door = m_door](std::function<void()> call) {
        const std::lock_guard lock(door->mutex);
        if (door->mailbox != nullptr)
            door->mailbox->post(std::move(call));
    };
}

} // namespace gatehouse::net
