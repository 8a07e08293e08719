// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace gatehouse {

/// HMAC-SHA256 of a virtual key under the installation's hash key: what configuration stores.
using KeyHash = std::array<std::uint8_t, 32>;

/// `ghk_` + 36 characters of [0-9A-Za-z], the last 6 a CRC-32 of the 30 before in base 62, so that a
/// mistyped key is told from an unknown one without a look-up and leaked keys can be scanned for.
namespace virtualkey {

inline constexpr std::string_view prefix = "ghk_";
inline constexpr std::size_t length = 40;

/// True where the text claims to be a virtual key, well-formed or not.
[[nodiscard]] bool looksLike(std::string_view text);
/// True where length, alphabet and checksum are right.
[[nodiscard]] bool isWellFormed(std::string_view text);
/// True where a well-formed virtual key stands anywhere in \a text.
[[nodiscard]] bool isWithin(std::string_view text);
/// A new key from the system's random source (178 bits).
[[nodiscard]] Result<std::string> generate();

} // namespace virtualkey

/// Hashes virtual keys under one hash key. Not thread-safe: one per worker.
class KeyHasher
{
public:
    /// \a hashKey: 32 bytes, see loadOrCreateHashKey.
    explicit KeyHasher(std::string_view hashKey);
    ~KeyHasher();
    KeyHasher(KeyHasher &&) noexcept;
    KeyHasher &operator=(KeyHasher &&) noexcept;
    KeyHasher(const KeyHasher &) = delete;
    KeyHasher &operator=(const KeyHasher &) = delete;

    [[nodiscard]] KeyHash hash(std::string_view key) const;

private:
    struct Context;
    std::unique_ptr<Context> m_context;
};

/// `hmac-sha256:` and 64 hexadecimal digits, as written in Client documents.
[[nodiscard]] std::string keyHashToText(const KeyHash &hash);
[[nodiscard]] Result<KeyHash> keyHashFromText(std::string_view text);

/// The installation's hash key, `<dataDir>/key-hash.key` (0600); made at first use. Refuses a file
/// that others may read or that has not 32 bytes.
[[nodiscard]] Result<std::string> loadOrCreateHashKey(const std::string &dataDir);

} // namespace gatehouse
