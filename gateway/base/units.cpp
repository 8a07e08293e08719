// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/units.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <span>

namespace gatehouse {

namespace {

struct UnitName
{
    std::string_view name;
    std::uint64_t factor;
};

// Largest first: formatting takes the first that divides.
constexpr auto durationUnits = std::to_array<UnitName>(
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}});
constexpr auto sizeUnits = std::to_array<UnitName>(
    {{"TiB", 1ULL << 40}, {"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"", 1}});

constexpr std::uint64_t longestDuration = 36'525ULL * 86'400'000;
constexpr std::uint64_t largestSize = 1ULL << 62;

std::optional<std::uint64_t>
parseWithUnit(std::string_view text, std::span<const UnitName> units, std::uint64_t largest)
{
    std::uint64_t number = 0;
    const char *end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, number);
    if (problem != std::errc() || rest == text.data())
        return {};
    const std::string_view name(rest, static_cast<std::size_t>(end - rest));
    for (const UnitName &unit : units) {
        if (unit.name != name)
            continue;
        if (number > largest / unit.factor)
            return {};
        return number * unit.factor;
    }
    return {};
}

std::string formatWithUnit(std::uint64_t number, std::span<const UnitName> units)
{
    for (const UnitName &unit : units) {
        if (number != 0 && number % unit.factor == 0)
            return std::to_string(number / unit.factor).append(unit.name);
    }
    return {};
}

/// Takes fixed-width decimal fields off the front of a text.
class FieldReader
{
public:
    explicit FieldReader(std::string_view text)
        : m_rest(text)
    {}

    std::optional<unsigned> digits(std::size_t count)
    {
        if (m_rest.size() < count)
            return {};
        unsigned number = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (m_rest[i] < '0' || m_rest[i] > '9')
                return {};
            number = number * 10 + static_cast<unsigned>(m_rest[i] - '0');
        }
        m_rest.remove_prefix(count);
        return number;
    }
    bool take(char wanted)
    {
        if (!m_rest.starts_with(wanted))
            return false;
        m_rest.remove_prefix(1);
        return true;
    }
    [[nodiscard]] bool atEnd() const { return m_rest.empty(); }

private:
    std::string_view m_rest;
};

std::optional<std::chrono::sys_days> readDate(FieldReader &reader)
{
    const auto year = reader.digits(4);
    if (!year || !reader.take('-'))
        return {};
    const auto month = reader.digits(2);
    if (!month || !reader.take('-'))
        return {};
    const auto day = reader.digits(2);
    if (!day)
        return {};
    const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                           std::chrono::month(*month),
                                           std::chrono::day(*day));
    // What a nanosecond clock can hold.
    if (!date.ok() || *year < 1970 || *year > 2200)
        return {};
    return std::chrono::sys_days(date);
}

std::optional<std::chrono::milliseconds> readTime(FieldReader &reader)
{
    const auto hours = reader.digits(2);
    if (!hours || *hours > 23 || !reader.take(':'))
        return {};
    const auto minutes = reader.digits(2);
    if (!minutes || *minutes > 59 || !reader.take(':'))
        return {};
    const auto seconds = reader.digits(2);
    if (!seconds || *seconds > 59)
        return {};
    std::chrono::milliseconds time = std::chrono::hours(*hours) + std::chrono::minutes(*minutes)
                                     + std::chrono::seconds(*seconds);
    if (!reader.take('.'))
        return time;
    int digits = 0;
    int weight = 100;
    for (auto digit = reader.digits(1); digit; digit = reader.digits(1)) {
        time += std::chrono::milliseconds(static_cast<int>(*digit) * weight);
        weight /= 10;
        ++digits;
    }
    if (digits == 0 || digits > 9)
        return {};
    return time;
}

std::optional<std::chrono::minutes> readOffset(FieldReader &reader)
{
    if (reader.take('Z'))
        return std::chrono::minutes(0);
    const bool east = reader.take('+');
    if (!east && !reader.take('-'))
        return {};
    const auto hours = reader.digits(2);
    if (!hours || *hours > 23 || !reader.take(':'))
        return {};
    const auto minutes = reader.digits(2);
    if (!minutes || *minutes > 59)
        return {};
    const std::chrono::minutes offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
    return east ? offset : -offset;
}

} // namespace

std::optional<std::chrono::milliseconds> parseDuration(std::string_view text)
{
    const auto number = parseWithUnit(text, durationUnits, longestDuration);
    if (!number)
        return {};
    return std::chrono::milliseconds(static_cast<std::int64_t>(*number));
}

std::string formatDuration(std::chrono::milliseconds duration)
{
    if (duration.count() <= 0)
        return "0s";
    return formatWithUnit(static_cast<std::uint64_t>(duration.count()), durationUnits);
}

std::optional<ByteSize> parseSize(std::string_view text)
{
    const auto number = parseWithUnit(text, sizeUnits, largestSize);
    if (!number)
        return {};
    return ByteSize{*number};
}

std::string formatSize(ByteSize size)
{
    return size.bytes == 0 ? "0" : formatWithUnit(size.bytes, sizeUnits);
}

std::optional<Instant> parseInstant(std::string_view text)
{
    FieldReader reader(text);
    const auto date = readDate(reader);
    if (!date)
        return {};
    if (reader.atEnd())
        return Instant(*date);
    if (!reader.take('T'))
        return {};
    const auto time = readTime(reader);
    if (!time)
        return {};
    const auto offset = readOffset(reader);
    if (!offset || !reader.atEnd())
        return {};
    return Instant(*date) + *time - *offset;
}

std::string formatInstant(Instant instant)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(instant);
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(seconds - day);
    std::array<char, 64> text{};
    const int size = std::snprintf(text.data(),
                                   text.size(),
                                   "%04d-%02u-%02uT%02d:%02d:%02dZ",
                                   static_cast<int>(date.year()),
                                   static_cast<unsigned>(date.month()),
                                   static_cast<unsigned>(date.day()),
                                   static_cast<int>(time.hours().count()),
                                   static_cast<int>(time.minutes().count()),
                                   static_cast<int>(time.seconds().count()));
    return {text.data(), static_cast<std::size_t>(size)};
}

} // namespace gatehouse
