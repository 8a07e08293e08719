// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/usage/usage.h"

#include <string_view>

namespace gatehouse {

/// Watches an answer go by for what it used. Of one exchange and one thread; keeps no more than some KiB
/// of it, whatever its length.
class UsageReader
{
public:
    UsageReader() = default;
    virtual ~UsageReader() = default;
    UsageReader(const UsageReader &) = delete;
    UsageReader(UsageReader &&) = delete;
    UsageReader &operator=(const UsageReader &) = delete;
    UsageReader &operator=(UsageReader &&) = delete;

    /// The next bytes of the body, without framing and codings, cut anywhere.
    virtual void take(std::string_view bytes) = 0;
    /// No more bytes come, whether the body is whole or was cut: the last event of a stream counts even
    /// if its blank line is missing.
    virtual void end() {}
    /// What is known by now; after the last byte, all that the provider told. A stream that was cut
    /// leaves what came before.
    [[nodiscard]] virtual const Usage &usage() const = 0;
    /// The provider said that its answer is complete (a finish reason, a terminal event): what usage()
    /// has is final.
    [[nodiscard]] virtual bool isComplete() const = 0;
};

} // namespace gatehouse
