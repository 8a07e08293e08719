// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/match/iprange.h"

#include "gateway/base/text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <span>
#include <string>

namespace gatehouse {

namespace {

constexpr std::size_t longestIp = INET6_ADDRSTRLEN - 1;
constexpr std::array<std::uint8_t, 12> mappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned mappedBits = 96;

Unexpected<Error> malformed(std::string_view problem)
{
    return Unexpected(Error{ErrorCode::ConfigInvalid, std::string(problem)});
}

Unexpected<Error> noRange()
{
    return malformed("must be an IP address, a range such as 10.0.0.0/8 or 2001:db8::/32, or the "
                     "leading numbers of an IPv4 address such as 192.168");
}

/// Decimal, at most \a limit, without leading zeros.
std::optional<unsigned> parseNumber(std::string_view text, unsigned limit)
{
    unsigned value = 0;
    const char *end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, value);
    if (problem != std::errc() || rest != end || value > limit
        || (text.size() > 1 && text.front() == '0'))
        return std::nullopt;
    return value;
}

/// Sets the bits of \a address after the first \a kept to \a bit.
void fillHostBits(std::span<std::uint8_t> address, unsigned kept, bool bit)
{
    for (unsigned at = kept; at < address.size() * 8; ++at) {
        const auto mask = static_cast<std::uint8_t>(0x80U >> at % 8);
        std::uint8_t &byte = address[at / 8];
        byte = static_cast<std::uint8_t>(bit ? byte | mask : byte & ~mask);
    }
}

} // namespace

// inet_pton is the one reader of addresses in libc that takes no short, octal or hexadecimal form.
std::optional<IpAddress> IpAddress::parse(std::string_view text)
{
    if (text.size() > longestIp || text.find('\0') != std::string_view::npos)
        return std::nullopt;
    const std::string terminated(text);
    Bytes key{4};
    if (::inet_pton(AF_INET, terminated.c_str(), key.data() + 1) == 1)
        return IpAddress(key);
    key = {6};
    if (::inet_pton(AF_INET6, terminated.c_str(), key.data() + 1) != 1)
        return std::nullopt;
    if (std::equal(mappedPrefix.begin(), mappedPrefix.end(), key.begin() + 1))
        return IpAddress(Bytes{4, key[13], key[14], key[15], key[16]});
    return IpAddress(key);
}

IpAddress::IpAddress(const Bytes &key)
    : m_key(key)
{}

IpRange IpAddress::network(unsigned length) const
{
    const std::size_t width = m_key[0] == 4 ? 4 : 16;
    IpRange range{*this, *this};
    fillHostBits(std::span(range.first.m_key).subspan(1, width), length, false);
    fillHostBits(std::span(range.last.m_key).subspan(1, width), length, true);
    return range;
}

Result<IpRange> IpRange::parse(std::string_view text)
{
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos)
        return parseWithoutLength(text);
    const std::string_view base = text.substr(0, slash);
    const auto address = IpAddress::parse(base);
    if (!address)
        return noRange();
    const bool isWrittenAsIpv6 = base.find(':') != std::string_view::npos;
    auto length = parseNumber(text.substr(slash + 1), isWrittenAsIpv6 ? 128 : 32);
    if (!length)
        return malformed("must have a number from 0 to 32 after its /, to 128 for IPv6");
    if (isWrittenAsIpv6 && address->m_key[0] == 4) {
        if (*length < mappedBits)
            return malformed("must have at least 96 after the / of an IPv4-mapped address; better "
                             "write an IPv4 range");
        *length -= mappedBits;
    }
    return address->network(*length);
}

Result<IpRange> IpRange::parseWithoutLength(std::string_view text)
{
    if (const auto address = IpAddress::parse(text))
        return IpRange{*address, *address};
    const auto dots = static_cast<unsigned>(std::ranges::count(text, '.'));
    std::string completed(text);
    for (unsigned i = dots; i < 3; ++i)
        completed += ".0";
    const auto first = IpAddress::parse(completed);
    if (!first || text.find(':') != std::string_view::npos)
        return noRange();
    return first->network((dots + 1) * 8);
}

IpSet::IpSet(std::vector<IpRange> ranges)
{
    std::ranges::sort(ranges, {}, [](const IpRange &range) { return range.first.m_key; });
    for (const IpRange &range : ranges) {
        if (m_ranges.empty() || m_ranges.back().last.m_key < range.first.m_key)
            m_ranges.push_back(range);
        else if (m_ranges.back().last.m_key < range.last.m_key)
            m_ranges.back().last = range.last;
    }
}

bool IpSet::contains(const IpAddress &address) const
{
    const auto after = std::ranges::upper_bound(
        m_ranges, address.m_key, {}, [](const IpRange &range) { return range.first.m_key; });
    return after != m_ranges.begin() && address.m_key <= std::prev(after)->last.m_key;
}

} // namespace gatehouse
