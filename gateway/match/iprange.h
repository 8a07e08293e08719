// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace gatehouse {

struct IpRange;

/// An IPv4 or IPv6 address; an IPv4-mapped one (`::ffff:1.2.3.4`, what a dual-stack socket says of an
/// IPv4 peer) is the IPv4 address.
class IpAddress
{
public:
    /// The one usual form: four decimal numbers without leading zeros, or RFC 4291 §2.2. Refused are
    /// brackets, ports, zones and the short, octal and hexadecimal forms of IPv4.
    [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);

    bool operator==(const IpAddress &) const = default;

private:
    friend struct IpRange;
    friend class IpSet;
    using Bytes = std::array<std::uint8_t, 17>;

    explicit IpAddress(const Bytes &key);
    [[nodiscard]] IpRange network(unsigned length) const;

    Bytes m_key = {}; ///< 4 or 6, then the address, filled up with zeros: orders within a family
};

/// The addresses from first to last, both included, of one family: `::/0` holds no IPv4 address.
struct IpRange
{
    IpAddress first;
    IpAddress last;

    /// `10.1.2.3`, `2001:db8::1`, `192.168.3.1/30` (bits of the host may be set, as in MuleSoft's
    /// example, and do not count) or the leading numbers of an IPv4 address: `192.168.2` is
    /// 192.168.2.0/24, `10` is 10.0.0.0/8. ConfigInvalid with "must be …" as its context.
    /// Source: MuleSoft, "IP Allowlist Policy", Specifying IP Addresses.
    [[nodiscard]] static Result<IpRange> parse(std::string_view text);

    bool operator==(const IpRange &) const = default;

private:
    [[nodiscard]] static Result<IpRange> parseWithoutLength(std::string_view text);
};

/// The union of ranges. A look-up takes O(log n).
class IpSet
{
public:
    IpSet() = default;
    explicit IpSet(std::vector<IpRange> ranges);

    [[nodiscard]] bool contains(const IpAddress &address) const;
    [[nodiscard]] bool isEmpty() const { return m_ranges.empty(); }

private:
    std::vector<IpRange> m_ranges; ///< in order, disjoint
};

} // namespace gatehouse
