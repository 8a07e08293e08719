// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/pipeline/caller.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse {

/// Where a request carries its virtual key.
enum class KeyPlace : std::uint8_t { Bearer, XApiKey, XGoogApiKey, ApiKey, Query, None };

/// One request that is tried.
struct Probe
{
    std::string what; ///< for people: "gzip body", "method PUT"
    std::string method = "POST";
    std::string path = {};  ///< below the route's base path
    std::string query = {}; ///< without its '?'
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
    std::string key = {}; ///< virtual key; empty: none
    KeyPlace carrier = KeyPlace::Bearer;
    std::optional<std::uint64_t> announcedLength
        = {}; ///< Content-Length, where it is not the body's
    bool isChunked = false;
    bool isUpgrade = false;
    bool isOfMethod = false;           ///< with another method it asks for something else
    std::string address = "127.0.0.1"; ///< of the client
    std::optional<Caller> caller = {}; ///< at the other end of the socket
};

/// The bytes of its head, with its empty line, as a client would send them to \a basePath.
[[nodiscard]] std::string headOf(const Probe &probe, const std::string &basePath);
/// As a command that does the same, without a real key.
[[nodiscard]] std::string curlOf(const Probe &probe, const std::string &basePath);

/// \a bytes in that Content-Encoding: gzip, deflate, br or zstd.
[[nodiscard]] std::string encoded(const std::string &bytes, std::string_view coding);

} // namespace gatehouse
