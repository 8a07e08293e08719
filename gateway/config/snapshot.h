// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/dialects/dialect.h"
#include "gateway/secrets/secret.h"
#include "gateway/secrets/virtualkey.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gatehouse {

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
    std::chrono::milliseconds drainTimeout{10'000};   ///< for exchanges in flight at the end
};

/// Where a provider is reached. Compared as a whole: equal origins share connections.
struct Origin
{
    bool tls = false;
    std::string host; ///< lower case, IPv6 without brackets
    std::uint16_t port = 0;
    std::string authority; ///< value of the Host header: default port left out, IPv6 in brackets

    bool operator==(const Origin &) const = default;
};

struct ProviderEntry
{
    std::string name;
    const Dialect *dialect = nullptr;
    Origin origin;
    std::string basePath;            ///< path of baseUrl without its last slash: "/v1" or ""
    std::string credentialReference; ///< "keychain:openai", "none"; safe to show
    /// The whole header line with its CRLF, or empty with `credential: none`; valid if no error.
    Secret credentialLine;
    std::optional<Error> credentialError; ///< requests get this 503 until it is mended
    std::string caPem;                    ///< trusted beside the system's store
    bool insecure = false; ///< the certificate is not verified; warned of at each start
};

struct RouteEntry
{
    std::string name;
    std::string listener;
    std::string basePath; ///< "/openai/v1", never with a last slash; "" is the whole listener
    const Dialect *dialect = nullptr;
    std::shared_ptr<const ProviderEntry> provider;
    bool isPublic = false; ///< answers without a virtual key
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

struct ClientEntry
{
    std::string name;
    std::vector<std::string> routes; ///< empty: all
};

struct KeyEntry
{
    std::shared_ptr<const ClientEntry> client;
    std::string id;
    std::optional<std::chrono::system_clock::time_point> expires;
};

struct KeyHashHasher
{
    [[nodiscard]] std::size_t operator()(const KeyHash &hash) const
    {
        // A keyed hash is uniform already.
        std::size_t value = 0;
        for (std::size_t i = 0; i < sizeof value; ++i)
            value = value << 8 | hash[i];
        return value;
    }
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
    std::vector<RouteEntry> routes; ///< longest base path first
    std::unordered_map<KeyHash, KeyEntry, KeyHashHasher> keys;
    std::string hashKey;               ///< for a worker's KeyHasher
    std::vector<std::string> warnings; ///< said at each start and reload

    /// The route of \a listener whose base path is \a path or a whole-segment prefix of it.
    [[nodiscard]] const RouteEntry *findRoute(std::string_view listener,
                                              std::string_view path) const;
};

} // namespace gatehouse
