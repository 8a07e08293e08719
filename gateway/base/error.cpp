// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/error.h"

#include <array>

namespace gatehouse {

namespace {

constexpr auto errorTable = std::to_array<ErrorInfo>({
#define X(code, reason, status, source, retryable, what)                                           \
    {reason, status, Source::source, retryable, what},
#include "gateway/base/errors.def"
#undef X
});

} // namespace

const ErrorInfo &errorInfo(ErrorCode code)
{
    return errorTable[static_cast<std::size_t>(code)];
}

std::string_view sourceName(Source source)
{
    switch (source) {
    case Source::Client:
        return "client";
    case Source::Gateway:
        return "gateway";
    case Source::Provider:
        return "provider";
    }
    return {};
}

std::string Error::message() const
{
    std::string text(info().what);
    if (!context.empty()) {
        text += ": ";
        text += context;
    }
    return text;
}

} // namespace gatehouse
