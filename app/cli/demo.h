// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <QtGlobal>

#include <memory>
#include <string>

namespace gatehouse {

struct Draft;
class SimulatedProvider;

/// What `--demo` adds: a simulated provider in this process, a route to it at /demo and a client whose
/// virtual key lives as long as the process.
class Demo
{
public:
    [[nodiscard]] static Result<std::unique_ptr<Demo>> start();
    ~Demo();
    Q_DISABLE_COPY_MOVE(Demo)

    /// Adds the demo's documents; what is wrong goes into the draft's diagnostics.
    void addTo(Draft &draft, const std::string &dataDir) const;
    /// A command that asks the demo a question, ready to paste, with its newline.
    [[nodiscard]] std::string curlLine(const std::string &url) const;

private:
    Demo(std::unique_ptr<SimulatedProvider> provider, std::string key);

    std::unique_ptr<SimulatedProvider> m_provider;
    std::string m_key;
};

} // namespace gatehouse
