// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/retryafter.h"

#include "gateway/base/text.h"

#include <QDateTime>
#include <QLocale>
#include <QString>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace gatehouse::net {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest{std::chrono::hours(24)};

std::optional<std::int64_t> numberOf(std::string_view text)
{
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number < 0)
        return std::nullopt;
    // Some send a fraction of a second.
    const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
    const bool isFraction = rest.starts_with('.') && std::ranges::all_of(rest.substr(1), isDigit);
    if (!rest.empty() && !isFraction)
        return std::nullopt;
    return number + (isFraction ? 1 : 0);
}

/// An IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<milliseconds> untilDate(std::string_view text,
                                      std::chrono::system_clock::time_point now)
{
    QDateTime date = QLocale::c().toDateTime(
        QString::fromLatin1(text.data(), static_cast<qsizetype>(text.size())),
        QStringLiteral("ddd, dd MMM yyyy hh:mm:ss 'GMT'"));
    if (!date.isValid())
        return std::nullopt;
    date.setTimeSpec(Qt::UTC);
    const auto at = std::chrono::system_clock::time_point(milliseconds(date.toMSecsSinceEpoch()));
    return std::chrono::duration_cast<milliseconds>(at - now);
}

} // namespace

milliseconds retryAfter(const http::ResponseHead &head, std::chrono::system_clock::time_point now)
{
    std::optional<milliseconds> wait;
    for (const http::Field &field : head.fields) {
        if (equalsIgnoreCase(field.name, "retry-after-ms")) {
            if (const auto number = numberOf(field.value))
                return std::min(milliseconds(std::min(*number, longest.count())), longest);
        } else if (equalsIgnoreCase(field.name, "retry-after")) {
            if (const auto number = numberOf(field.value))
                wait = std::chrono::seconds(std::min<std::int64_t>(*number, 24 * 3600));
            else
                wait = untilDate(field.value, now);
        }
    }
    return std::clamp(wait.value_or(milliseconds(0)), milliseconds(0), longest);
}

} // namespace gatehouse::net
