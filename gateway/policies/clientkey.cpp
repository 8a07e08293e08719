// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/pipeline/policytype.h"
#include "gateway/pipeline/requestedmodels.h"
#include "gateway/secrets/virtualkey.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gatehouse {

namespace {

struct CarrierName
{
    std::string_view name;
    Carrier carrier;
};

constexpr std::array<CarrierName, 5> carrierNames{{{"bearer", Carrier::Bearer},
                                                   {"x-api-key", Carrier::XApiKey},
                                                   {"x-goog-api-key", Carrier::XGoogApiKey},
                                                   {"api-key", Carrier::ApiKey},
                                                   {"query", Carrier::Query}}};

std::string carrierProblem(std::string_view text)
{
    const bool isKnown = std::ranges::any_of(
        carrierNames, [text](const CarrierName &known) { return known.name == text; });
    return isKnown ? std::string() : "must be bearer, x-api-key, x-goog-api-key, api-key or query";
}

struct Config
{
    std::vector<std::string> carriers{"bearer", "x-api-key", "x-goog-api-key", "api-key", "query"};

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::carriers>(
                {.key = "carriers",
                 .label = "Carriers",
                 .help = "Where a virtual key may stand: bearer is Authorization: Bearer, query is "
                         "?key=; the others are headers. A key in a place that is not listed is "
                         "refused",
                 .min = 1,
                 .max = 5,
                 .problem = &carrierProblem}),
        });
        return rows;
    }
};

Verdict refuse(const Error &error)
{
    return Reply::of(error);
}

/// Who asks: the virtual key, what it is good for, and for how long.
class ClientKey final : public Policy
{
public:
    explicit ClientKey(std::uint8_t carriers)
        : m_carriers(carriers)
    {}

    static std::unique_ptr<const Policy> make(const Config &config, PolicyContext &)
    {
        std::uint8_t carriers = 0;
        for (const CarrierName &known : carrierNames) {
            if (std::ranges::find(config.carriers, known.name) != config.carriers.end())
                carriers |= static_cast<std::uint8_t>(known.carrier);
        }
        return std::make_unique<ClientKey>(carriers);
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return PolicyPhase::RequestHead | PolicyPhase::RequestBody;
    }
    [[nodiscard]] bool readsBody(const Exchange &exchange) const override
    {
        return isScoped(exchange) && exchange.route().modelFinder->readsBody(exchange);
    }

    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        const CarriedKey &carried = exchange.carriedKey();
        if (carried.disagree)
            return refuse({ErrorCode::KeyConflict, {}});
        if (carried.text.empty()) {
            if (exchange.route().isPublic)
                return Continue{};
            return refuse({ErrorCode::KeyMissing, "make one with: gatehouse client add NAME"});
        }
        if ((carried.carriers & ~m_carriers) != 0)
            return refuse({ErrorCode::KeyCarrier, "see its policy client-key"});
        if (!virtualkey::isWellFormed(carried.text))
            return refuse({ErrorCode::KeyUnknown, {}});
        const KeyHash hash = exchange.services().hashKey(carried.text);
        const KeyEntry *key = exchange.clients().findKey(hash);
        if (key == nullptr)
            return refuse({ErrorCode::KeyUnknown, {}});
        if (key->expires && *key->expires <= exchange.services().wallNow())
            return refuse(
                {ErrorCode::KeyExpired, "make a new one with: gatehouse client rotate NAME"});
        if (!key->client->mayUseRoute(exchange.route().name))
            return refuse({ErrorCode::KeyScope, "route " + exchange.route().name});
        exchange.setKey(*key, hash);
        return Continue{};
    }

    [[nodiscard]] Verdict onRequestBody(Exchange &exchange) const override
    {
        if (!isScoped(exchange))
            return Continue{};
        const auto &found = exchange.requestedModels();
        if (!found)
            return refuse(found.error());
        if (found->isHidden)
            return refuse({ErrorCode::KeyScope,
                           "the request does not say itself which model it uses: "
                               + std::string(found->why)});
        if (found->models.empty() && !found->isNeedless)
            return refuse({ErrorCode::KeyScope, "the request names no model"});
        for (const RequestedModel &model : found->models) {
            if (!model.isAmong(exchange.client()->models))
                return refuse({ErrorCode::KeyScope, "model " + inQuotes(model.name)});
        }
        return Continue{};
    }

private:
    static bool isScoped(const Exchange &exchange)
    {
        return exchange.client() != nullptr && !exchange.client()->models.empty();
    }

    std::uint8_t m_carriers;
};

} // namespace

PolicyType clientKeyPolicy()
{
    return describe<Config, ClientKey>(
        {.id = "client-key",
         .title = "Client key",
         .category = PolicyCategory::Security,
         .summary = "Asks each request for a virtual key and holds it to the routes, models and "
                    "expiry of its client. Built in on every route; a policy of this type changes "
                    "how. Refuses unknown, expired and revoked keys with 401, others' routes and "
                    "models with 403",
         .defaultOrder = 10,
         .example = "carriers: [bearer, x-api-key]\n"});
}

} // namespace gatehouse
