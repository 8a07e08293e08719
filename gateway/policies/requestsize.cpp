// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/policytype.h"

#include <array>

namespace gatehouse {

namespace {

struct Config
{
    ByteSize max{std::uint64_t{32} << 20};

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::max>(
                {.key = "max",
                 .label = "Largest body",
                 .help
                 = "Bytes that the body of a request may have, as it comes over the wire. The "
                   "default is what policies that read bodies can take; coding agents send "
                   "well below 1MiB, images and recordings more",
                 .unit = Unit::Bytes}),
        });
        return rows;
    }
};

/// Ends requests whose body is longer than anybody needs, before it is all here.
class RequestSize final : public Policy
{
public:
    explicit RequestSize(ByteSize max)
        : m_max(max)
        , m_refusal{.status = 413,
                    .reason = "request-size",
                    .message = "The body of this request is longer than the " + formatSize(max)
                               + " that are allowed here"}
    {}

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &)
    {
        return std::make_unique<RequestSize>(config.max);
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>(PolicyPhase::RequestHead);
    }

    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        // A body may come without its length, so whoever counts it refuses.
        exchange.limitBody(m_max.bytes, m_refusal);
        return Continue{};
    }

private:
    ByteSize m_max;
    Reply m_refusal;
};

} // namespace

PolicyType requestSizePolicy()
{
    return describe<Config, RequestSize>(
        {.id = "request-size",
         .title = "Request size",
         .category = PolicyCategory::QualityOfService,
         .summary = "Refuses requests with a longer body with 413: at once where they say its "
                    "length, else as soon as more has come. Nothing is gathered for it",
         .example = "max: 4MiB\n"});
}

} // namespace gatehouse
