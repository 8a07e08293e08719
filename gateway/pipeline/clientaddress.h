// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/match/iprange.h"
#include "gateway/pipeline/policytype.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// What ip-allow and ip-block have in common.

namespace gatehouse {

struct AddressConfig
{
    std::vector<std::string> ranges;
    std::string source = "socket";
    std::vector<std::string> trustedProxies;

    bool operator==(const AddressConfig &) const = default;
    static std::span<const Field> fields();
};

/// An address as proxies write it: `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]`,
/// `[2001:db8::1]:80`, IPv6 also with a zone (`fe80::1%eth0`), which means something on one machine only
/// and is left out. Null for all else: names, `unknown`, RFC 7239's `_hidden`.
[[nodiscard]] std::optional<IpAddress> parseForwardedNode(std::string_view text);

/// The `for` of each element of a Forwarded field, unquoted, empty where an element has none; null
/// where the field is malformed. RFC 7239 §4.
[[nodiscard]] std::optional<std::vector<std::string>> parseForwarded(std::string_view field);

/// Which address a request comes from, and whether that is one of those configured. Immutable; any
/// thread.
class AddressRule
{
public:
    enum class Answer : std::uint8_t { Inside, Outside, Unknown };
    struct Finding
    {
        Answer answer = Answer::Unknown;
        std::string text; ///< the address, or why it cannot be told
    };

    /// Null where something is wrong with \a config; reported then.
    [[nodiscard]] static std::optional<AddressRule> make(const AddressConfig &config,
                                                         PolicyContext &context);

    [[nodiscard]] Finding find(const Exchange &exchange) const;

private:
    struct Known
    {
        IpAddress address;
        std::string text; ///< as it was written
    };
    using Found = std::variant<Known, std::string>; ///< or why not

    [[nodiscard]] Found addressOf(const Exchange &exchange) const;

    IpSet m_ranges;
    std::string m_header; ///< empty: the socket
    IpSet m_proxies;
    bool m_trustsAll = false;
};

/// The config of MuleSoft's ip-allowlist-flex and ip-blocklist-flex as an AddressConfig.
[[nodiscard]] std::optional<Node> translateAddressConfig(FlexConfig &config);

} // namespace gatehouse
