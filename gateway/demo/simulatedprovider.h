// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/demo/pace.h"

#include <QtGlobal>

#include <cstdint>
#include <memory>

namespace gatehouse {

/// A provider of OpenAI's dialect that calls no network and no model: for `--demo`, where it says
/// in every answer that it is simulated, and for tests. Serves in a thread of its own.
class SimulatedProvider
{
public:
    /// Listens at 127.0.0.1, on a free port. SystemFailure where it cannot.
    [[nodiscard]] static Result<std::unique_ptr<SimulatedProvider>>
    start(const SimulatedSettings &settings);
    /// Connections still open are cut.
    ~SimulatedProvider();
    Q_DISABLE_COPY_MOVE(SimulatedProvider)

    [[nodiscard]] std::uint16_t port() const { return m_port; }

private:
    class Thread;

    SimulatedProvider(std::unique_ptr<Thread> thread, std::uint16_t port);

    std::unique_ptr<Thread> m_thread;
    std::uint16_t m_port;
};

} // namespace gatehouse
