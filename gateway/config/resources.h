// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/policyspec.h"
#include "gateway/config/snapshot.h"
#include "gateway/pipeline/rules.h"
#include "gateway/schema/field.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace gatehouse {

// What each field means and may hold is in the tables of resources.cpp.

struct Metadata
{
    std::string name;
    std::map<std::string, std::string> labels;

    bool operator==(const Metadata &) const = default;
    static std::span<const Field> fields();
};

struct TlsSpec
{
    std::string certificate;
    std::string key;
    std::string clientCa;

    bool operator==(const TlsSpec &) const = default;
    static std::span<const Field> fields();
};

struct ListenerSpec
{
    std::string name = "default";
    std::string address = "127.0.0.1:4283";
    TlsSpec tls; ///< without a certificate: plain
    bool insecure = false;

    bool operator==(const ListenerSpec &) const = default;
    static std::span<const Field> fields();
};

struct AuditSpec
{
    std::string content = "none";
    std::string durability = "process";
    std::chrono::milliseconds retention = std::chrono::days(180);
    ByteSize maxSize{2ULL << 30};

    bool operator==(const AuditSpec &) const = default;
    static std::span<const Field> fields();
};

/// Limits as they are written.
struct LimitsSpec
{
    ByteSize head{Limits{}.head};
    ByteSize target{Limits{}.target};
    ByteSize body{Limits{}.body};
    std::int64_t connections = Limits{}.connections;
    std::chrono::milliseconds headTimeout = Limits{}.headTimeout;
    std::chrono::milliseconds bodyTimeout = Limits{}.bodyTimeout;
    std::chrono::milliseconds idleTimeout = Limits{}.idleTimeout;
    std::chrono::milliseconds connectTimeout = Limits{}.connectTimeout;
    std::chrono::milliseconds firstByteTimeout = Limits{}.firstByteTimeout;
    std::chrono::milliseconds streamTimeout = Limits{}.streamTimeout;
    std::chrono::milliseconds policyTimeout = Limits{}.policyTimeout;
    std::chrono::milliseconds drainTimeout = Limits{}.drainTimeout;

    bool operator==(const LimitsSpec &) const = default;
    static std::span<const Field> fields();
};

struct GatewaySpec
{
    std::vector<ListenerSpec> listeners{ListenerSpec{}};
    std::string admin = "127.0.0.1:4284";
    std::int64_t workers = 0;
    std::vector<std::string> hosts{"localhost", "127.0.0.1", "[::1]"};
    std::vector<std::string> origins;
    std::string timezone = "local";
    AuditSpec audit;
    LimitsSpec limits;

    bool operator==(const GatewaySpec &) const = default;
    static std::span<const Field> fields();
};

/// Off where it has no path.
struct HealthCheckSpec
{
    std::string path = {};
    std::chrono::milliseconds interval = std::chrono::seconds(30);
    std::chrono::milliseconds timeout = std::chrono::seconds(5);
    std::int64_t failures = 3;
    std::int64_t successes = 2;

    bool operator==(const HealthCheckSpec &) const = default;
    static std::span<const Field> fields();
};

/// Off where failures is 0, which cannot be written.
struct OutlierEjectionSpec
{
    std::int64_t failures = 0;
    std::chrono::milliseconds time = std::chrono::seconds(30);
    std::chrono::milliseconds longest = std::chrono::minutes(5);

    bool operator==(const OutlierEjectionSpec &) const = default;
    static std::span<const Field> fields();
};

struct ProviderSpec
{
    std::string preset;
    std::string dialect;
    std::string baseUrl;
    SecretText credential;
    std::string credentialHeader;
    std::string ca;
    bool insecure = false;
    HealthCheckSpec healthCheck;
    OutlierEjectionSpec outlierEjection;

    bool operator==(const ProviderSpec &) const = default;
    static std::span<const Field> fields();
};

/// One of the providers that a route's requests are spread over.
struct RouteProviderSpec
{
    std::string name = {};
    std::int64_t weight = 1;
    std::vector<std::string> models = {};

    bool operator==(const RouteProviderSpec &) const = default;
    static std::span<const Field> fields();
};

struct RouteSpec
{
    std::string listener = "default";
    std::string basePath;
    std::string provider;                     ///< either this one
    std::vector<RouteProviderSpec> providers; ///< or these
    std::string balance = "weights";
    std::vector<std::string> fallbacks;
    std::string dialect;
    std::string usage = "inject";
    bool isPublic = false;
    std::vector<RuleSpec> rules;

    bool operator==(const RouteSpec &) const = default;
    static std::span<const Field> fields();
    /// Those that are chosen among, one at least where the document is right.
    [[nodiscard]] std::vector<RouteProviderSpec> options() const;
};

struct KeySpec
{
    std::string id = {};
    std::string hash = {};
    std::string created = {};
    std::string expires = {};
    bool revoked = false;

    bool operator==(const KeySpec &) const = default;
    static std::span<const Field> fields();
};

struct ClientSpec
{
    std::vector<KeySpec> keys = {};
    std::vector<std::string> routes = {};
    std::vector<std::string> models = {};
    std::string tier = "standard";

    bool operator==(const ClientSpec &) const = default;
    static std::span<const Field> fields();
};

} // namespace gatehouse
