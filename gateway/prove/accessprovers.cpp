// SPDX-License-Identifier: GPL-3.0-or-later
// Provers of the types that say who may ask: keys, tokens, addresses, programs.
#include "gateway/prove/provers.h"

#include <QByteArray>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse {

namespace {

constexpr std::string_view unknownKey = "ghk_gatehouseProveIsNoKeyAtAll00000000000";

std::string base64Encoded(const std::string &text)
{
    return QByteArray::fromStdString(text).toBase64().toStdString();
}

std::string base64UrlEncoded(const std::string &text)
{
    return QByteArray::fromStdString(text)
        .toBase64(QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals)
        .toStdString();
}

void proveClientKey(Trial &trial)
{
    if (trial.route().isPublic) {
        trial.notProven("public: true lets everybody pass without a key");
        return;
    }
    const auto unknown = virtualkey::generate();
    for (Probe probe : trial.everywhere(trial.model())) {
        probe.carrier = KeyPlace::None;
        probe.key.clear();
        probe.what += " without a key";
        trial.mustStopHowever(probe);
        probe.carrier = KeyPlace::Bearer;
        probe.what = probe.path + " with an unknown key";
        probe.key = unknown ? *unknown : std::string(unknownKey);
        trial.mustStopHowever(probe);
        probe.what = probe.path + " with a key that is none";
        probe.key = unknownKey;
        trial.mustStop(probe);
    }
    Probe upgrade = trial.good();
    upgrade.what = "a WebSocket without a key";
    upgrade.method = "GET";
    upgrade.body.clear();
    upgrade.key.clear();
    upgrade.isUpgrade = true;
    trial.mustStop(upgrade);
    for (const char *method : {"GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"}) {
        Probe probe = trial.good();
        probe.what = std::string(method) + " without a key";
        probe.method = method;
        probe.body.clear();
        probe.key.clear();
        trial.mustStop(probe);
    }
}

/// Requests without what the policy asks for, and with something else in its place.
void proveAuthorization(Trial &trial, const std::vector<std::string> &wrong)
{
    for (const Probe &probe : trial.everywhere(trial.model())) {
        trial.mustStop(probe);
        for (const std::string &value : wrong) {
            Probe other = probe;
            // The key goes where it is in nobody's way.
            other.carrier = KeyPlace::XApiKey;
            other.headers.emplace_back("Authorization", value);
            other.what += " with a wrong Authorization";
            trial.mustStopHowever(other);
        }
    }
}

void proveBasicAuth(Trial &trial)
{
    const std::string user = trial.config().text("username");
    proveAuthorization(trial,
                       {"Basic " + base64Encoded(user + ":gatehouse-prove"),
                        "Basic " + base64Encoded(user + ":"),
                        "Basic " + base64Encoded("gatehouse-prove:gatehouse-prove"),
                        "Basic !",
                        "Bearer gatehouse-prove"});
}

void proveJwt(Trial &trial)
{
    const std::string claims = base64UrlEncoded(R"({"sub":"gatehouse-prove","exp":4102444800})");
    proveAuthorization(
        trial,
        {"Bearer gatehouse-prove",
         "Bearer " + base64UrlEncoded(R"({"alg":"none"})") + "." + claims + ".",
         "Bearer " + base64UrlEncoded(R"({"alg":"HS256"})") + "." + claims + ".AAAA",
         "Bearer " + base64UrlEncoded(R"({"alg":"RS256"})") + "." + claims + ".AAAA"});
}

/// What an outside service refuses, and what happens when it cannot be reached.
void proveService(Trial &trial, const FetchResponse &no, const std::vector<std::string> &wrong)
{
    trial.sink().services().answer = [no](const FetchRequest &) { return no; };
    proveAuthorization(trial, wrong);
    trial.sink().services().answer = nullptr;
    for (const std::string &value : wrong) {
        Probe probe = trial.good();
        probe.carrier = KeyPlace::XApiKey;
        probe.headers.emplace_back("Authorization", value);
        probe.what = "while the service cannot be reached";
        trial.mustStop(probe);
    }
}

void proveIntrospection(Trial &trial)
{
    proveService(trial,
                 {200, {{"content-type", "application/json"}}, R"({"active":false})"},
                 {"Bearer gatehouse-prove"});
}

void proveExternalAuthorization(Trial &trial)
{
    proveService(trial, {403, {}, {}}, {"Bearer gatehouse-prove"});
}

constexpr auto strangers = std::to_array<std::string_view>({"203.0.113.77",
                                                            "198.51.100.9",
                                                            "10.99.88.77",
                                                            "192.168.99.77",
                                                            "172.30.99.77",
                                                            "8.8.8.8",
                                                            "2001:db8::77"});

/// The first address of a range.
std::string addressIn(std::string_view range)
{
    return std::string(range.substr(0, range.find_first_of("/-")));
}

void proveAddresses(Trial &trial, const std::vector<std::string> &refused, const std::string &liked)
{
    const std::string source = trial.config().text("source", "socket");
    const std::string field = source.starts_with("header:") ? source.substr(7) : "X-Forwarded-For";
    for (const std::string &address : refused) {
        Probe probe = trial.good();
        probe.what = "from " + address;
        probe.address = address;
        trial.mustStop(probe);
        if (liked.empty())
            continue;
        probe.what += ", which says that it is " + liked;
        probe.headers.emplace_back(field, liked);
        trial.mustStop(probe);
    }
}

void proveIpAllow(Trial &trial)
{
    const std::vector<std::string> ranges = trial.config().texts("ranges");
    std::vector<std::string> outside;
    for (const std::string_view stranger : strangers)
        outside.emplace_back(stranger);
    proveAddresses(trial, outside, ranges.empty() ? "" : addressIn(ranges.front()));
}

void proveIpBlock(Trial &trial)
{
    std::vector<std::string> inside;
    for (const std::string &range : trial.config().texts("ranges"))
        inside.push_back(addressIn(range));
    proveAddresses(trial, inside, "192.0.2.200");
}

void proveClientCertificate(Trial &trial)
{
    for (const Probe &probe : trial.everywhere(trial.model()))
        trial.mustStopHowever(probe);
}

void proveProcessIdentity(Trial &trial)
{
    Probe probe = trial.good();
    probe.what = "from nobody knows which program";
    trial.mustStop(probe);
    probe.what = "from another program of another user";
    probe.caller = Caller{.pid = 1,
                          .uid = 65'534,
                          .user = "gatehouse-prove",
                          .executable = "/gatehouse-prove",
                          .executableHash = std::string(64, '0'),
                          .directory = "/",
                          .isInPlace = true,
                          .hasOneProgram = true,
                          .hasOneUser = true};
    trial.mustStopHowever(probe);
    probe.what = "from another machine";
    probe.address = "203.0.113.77";
    probe.caller.reset();
    trial.mustStop(probe);
}

void proveCors(Trial &trial)
{
    for (const char *origin :
         {"https://gatehouse-prove.example", "null", "http://localhost.example"}) {
        Probe probe = trial.good();
        probe.what = "a page of " + std::string(origin);
        probe.headers.emplace_back("Origin", origin);
        trial.mustStop(probe);
    }
}

} // namespace

Prover accessProver(std::string_view type)
{
    static constexpr auto rows = std::to_array<std::pair<std::string_view, Prover>>(
        {{"client-key", &proveClientKey},
         {"basic-auth", &proveBasicAuth},
         {"jwt", &proveJwt},
         {"oauth2-introspection", &proveIntrospection},
         {"external-authorization", &proveExternalAuthorization},
         {"ip-allow", &proveIpAllow},
         {"ip-block", &proveIpBlock},
         {"client-certificate", &proveClientCertificate},
         {"process-identity", &proveProcessIdentity},
         {"cors", &proveCors}});
    const auto *row = std::ranges::find(rows, type, &std::pair<std::string_view, Prover>::first);
    return row == rows.end() ? nullptr : row->second;
}

} // namespace gatehouse
