// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/net/runtime.h"
#include "gateway/net/workerservices.h"

#include <QtGlobal>

#include <memory>
#include <vector>

namespace gatehouse::net {

/// Asks the providers that want it whether they are well, and says in the log where one goes or comes back.
/// One for the process, in a worker's thread.
class HealthChecker
{
public:
    explicit HealthChecker(WorkerServices &services)
        : m_services(services)
    {}
    Q_DISABLE_COPY_MOVE(HealthChecker)

    /// Checks the providers of \a runtime from now on, and no others; each soon, but not all at once.
    void apply(const std::shared_ptr<const Runtime> &runtime);
    /// There is somebody to check.
    [[nodiscard]] bool isActive() const { return !m_checks.empty(); }

private:
    struct Check
    {
        std::shared_ptr<const Runtime> runtime; ///< which owns the provider
        const ProviderEntry *provider = nullptr;
    };

    void wait(const std::shared_ptr<const Check> &check, std::chrono::milliseconds time);
    void run(const std::shared_ptr<const Check> &check);
    static void note(const ProviderEntry &provider, const Result<FetchResponse> &response);

    WorkerServices &m_services;
    std::vector<std::shared_ptr<const Check>> m_checks; ///< what waits or is under way looks here
};

} // namespace gatehouse::net
