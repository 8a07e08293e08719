// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/clientaddress.h"

#include <array>
#include <utility>

namespace gatehouse {

namespace {

/// Keeps requests from known addresses out.
class IpBlock final : public Policy
{
public:
    explicit IpBlock(AddressRule rule)
        : m_rule(std::move(rule))
    {}

    static std::unique_ptr<const Policy> make(const AddressConfig &config, PolicyContext &context)
    {
        auto rule = AddressRule::make(config, context);
        return rule ? std::make_unique<IpBlock>(std::move(*rule)) : nullptr;
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>(PolicyPhase::RequestHead);
    }

    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        const AddressRule::Finding found = m_rule.find(exchange);
        switch (found.answer) {
        case AddressRule::Answer::Outside:
            return Continue{};
        case AddressRule::Answer::Inside:
            return Reply{.reason = "ip-block",
                         .message
                         = "Requests from the address " + found.text + " are blocked here"};
        case AddressRule::Answer::Unknown:
            break;
        }
        return Reply{.reason = "ip-block:unknown",
                     .message
                     = "The address that this request comes from cannot be told: " + found.text};
    }

private:
    AddressRule m_rule;
};

constexpr std::array<FlexCounterpart, 1> counterparts{
    {{"ip-blocklist-flex", &translateAddressConfig}}};

} // namespace

PolicyType ipBlockPolicy()
{
    return describe<AddressConfig, IpBlock>(
        {.id = "ip-block",
         .title = "IP blocklist",
         .category = PolicyCategory::Security,
         .summary = "Refuses requests from the listed addresses with 403, and those whose address "
                    "cannot be told",
         .flex = counterparts,
         .example = "ranges: [203.0.113.0/24, \"2001:db8::/32\"]\n"
                    "source: header:x-forwarded-for\n"
                    "trustedProxies: [10.0.0.0/8]\n"});
}

} // namespace gatehouse
