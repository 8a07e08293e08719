// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/clientaddress.h"

#include <array>
#include <utility>

namespace gatehouse {

namespace {

/// Lets requests from known addresses pass, and nothing else.
class IpAllow final : public Policy
{
public:
    explicit IpAllow(AddressRule rule)
        : m_rule(std::move(rule))
    {}

    static std::unique_ptr<const Policy> make(const AddressConfig &config, PolicyContext &context)
    {
        auto rule = AddressRule::make(config, context);
        return rule ? std::make_unique<IpAllow>(std::move(*rule)) : nullptr;
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>(PolicyPhase::RequestHead);
    }

    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        const AddressRule::Finding found = m_rule.find(exchange);
        switch (found.answer) {
        case AddressRule::Answer::Inside:
            return Continue{};
        case AddressRule::Answer::Outside:
            return Reply{.reason = "ip-allow",
                         .message
                         = "Requests from the address " + found.text + " are not allowed here"};
        case AddressRule::Answer::Unknown:
            break;
        }
        return Reply{.reason = "ip-allow:unknown",
                     .message
                     = "The address that this request comes from cannot be told: " + found.text};
    }

private:
    AddressRule m_rule;
};

constexpr std::array<FlexCounterpart, 1> counterparts{
    {{"ip-allowlist-flex", &translateAddressConfig}}};

} // namespace

PolicyType ipAllowPolicy()
{
    return describe<AddressConfig, IpAllow>(
        {.id = "ip-allow",
         .title = "IP allowlist",
         .category = PolicyCategory::Security,
         .summary
         = "Lets only requests from the listed addresses pass; all others, and those whose "
           "address cannot be told, are refused with 403",
         .flex = counterparts,
         .example = "ranges: [127.0.0.0/8, \"::1\", 192.168.0.0/16]\n"});
}

} // namespace gatehouse
