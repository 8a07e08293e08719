// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/origin.h"
#include "gateway/base/result.h"
#include "gateway/dialects/dialect.h"
#include "gateway/pipeline/clientdirectory.h"
#include "gateway/pipeline/pipeline.h"
#include "gateway/pipeline/providerchoice.h"
#include "gateway/pipeline/providerhealth.h"
#include "gateway/pipeline/retrysetting.h"
#include "gateway/secrets/lockedsecret.h"
#include "gateway/secrets/secret.h"
#include "gateway/secrets/virtualkey.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

class PriceTable;

/// Sizes in bytes and deadlines of one exchange (Gateway.spec.limits).
struct Limits
{
    std::size_t head = std::size_t{64} * 1024;   ///< request or response head, else 431 / 502
    std::size_t target = std::size_t{16} * 1024; ///< request target, else 414
    std::uint64_t body = 1024ULL * 1024 * 1024;  ///< request body, else 413
    std::uint32_t connections = 20'000; ///< client connections of the whole gateway, else 503
    std::chrono::milliseconds headTimeout{30'000};    ///< first byte of a head to its end, else 408
    std::chrono::milliseconds bodyTimeout{60'000};    ///< 60 s plus 1 s for each 64 KiB, else 408
    std::chrono::milliseconds idleTimeout{75'000};    ///< kept-alive client without a request
    std::chrono::milliseconds connectTimeout{10'000}; ///< resolve + TCP + TLS, else 504
    std::chrono::milliseconds firstByteTimeout{300'000}; ///< request sent to first byte, else 504
    std::chrono::milliseconds streamTimeout{120'000}; ///< between bytes of an answer, either side
    std::chrono::milliseconds policyTimeout{
        600'000};                                   ///< that a policy may hold a request, else 503
    std::chrono::milliseconds drainTimeout{10'000}; ///< for exchanges in flight at the end
};

/// What a provider is asked from time to time.
struct HealthCheck
{
    std::string target; ///< path, the base path too, and query
    std::chrono::milliseconds interval{0};
    std::chrono::milliseconds timeout{0};
    ProviderHealth::CheckLimits limits;
};

struct ProviderEntry
{
    std::string name;
    const Dialect *dialect = nullptr;
    Origin origin;
    std::string basePath;            ///< path of baseUrl without its last slash: "/v1" or ""
    std::string credentialReference; ///< "keychain:openai", "none"; safe to show
    /// The whole header line with its CRLF; null with `credential: none` or an error.
    std::shared_ptr<const LockedSecret> credentialLine;
    std::optional<Error> credentialError; ///< requests get this 503 until it is mended
    std::string caPem;                    ///< trusted beside the system's store
    bool tellsUsageUnasked = false;       ///< see ProviderPreset
    bool insecure = false; ///< the certificate is not verified; warned of at each start
    std::shared_ptr<ProviderHealth> health; ///< never null
    std::optional<HealthCheck> check;
    ProviderHealth::Ejection ejection;
};

struct RouteEntry : RouteInfo
{
    std::string listener;
    const Dialect *dialect = nullptr;
    /// At least one, of the same dialect: those that are chosen among, behind them the fallbacks.
    std::vector<std::shared_ptr<const ProviderEntry>> providers;
    ProviderChoice choice;
    RetrySetting fallbackSetting; ///< of a route with several, where no policy has another
    bool asksForUsage = true;     ///< of chat streams, which may not tell it else
    Rules rules;                  ///< which requests of the base path it is for
    Pipeline pipeline;            ///< the policies in force here

    /// The usual one, or the first of those that are chosen among.
    [[nodiscard]] const ProviderEntry &firstProvider() const { return *providers.front(); }
    /// What goes behind the provider's base path: the rest of the request's path, or what the groups of
    /// the rule that matches capture of it, as written. Null where no rule matches or where the groups
    /// make up a path that others would read differently. Ask before policies change the request.
    [[nodiscard]] std::optional<std::string> providerPath(const http::RequestHead &request) const;
};

struct ListenerTls
{
    std::string certificatePem; ///< chain
    Secret keyPem;
    std::string clientCaPem; ///< empty: no client certificate asked for
};

struct ListenerEntry
{
    std::string name;
    std::string address; ///< IP literal without brackets
    std::uint16_t port = 0;
    std::shared_ptr<const ListenerTls> tls; ///< null: plain
};

/// The compiled configuration in force: immutable, shared by all threads, pinned by each exchange.
struct Snapshot
{
    std::string revision; ///< hex digest over what was read; equal configuration, equal revision
    std::vector<ListenerEntry> listeners;
    std::optional<ListenerEntry> admin;
    unsigned workers = 0;             ///< resolved: at least 1
    std::vector<std::string> hosts;   ///< lower case, without port
    std::vector<std::string> origins; ///< lower case, as browsers send them
    Limits limits;
    std::vector<RouteEntry> routes; ///< longest base path first, then in the order of the files
    ClientDirectory clients;
    std::shared_ptr<const PriceTable> prices;
    std::string timezone;              ///< of the windows of budgets: an IANA name, or "local"
    bool usesEndpoints = false;        ///< some policy asks an outside service
    std::string hashKey;               ///< for a worker's KeyHasher
    std::vector<std::string> warnings; ///< said at each start and reload

    /// The route of \a listener whose base path is the request's path or a whole-segment prefix of
    /// it, the longest such, and whose rules match; null where there is none.
    [[nodiscard]] const RouteEntry *findRoute(std::string_view listener,
                                              const http::RequestHead &request) const;
};

} // namespace gatehouse
