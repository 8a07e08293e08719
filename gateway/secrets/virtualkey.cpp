// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/virtualkey.h"

#include "gateway/base/file.h"
#include "gateway/base/text.h"

#include <QTemporaryFile>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include <unistd.h>

namespace gatehouse {

namespace {

constexpr std::string_view alphabet
    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t randomLength = 30;
constexpr std::size_t checksumLength = 6;
constexpr std::size_t hashKeySize = 32;
constexpr std::string_view hashPrefix = "hmac-sha256:";

constexpr std::array<std::uint32_t, 256> makeCrcTable()
{
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = (value & 1) != 0 ? value >> 1 ^ 0xedb88320U : value >> 1;
        table[i] = value;
    }
    return table;
}
constexpr auto crcTable = makeCrcTable();

/// CRC-32 as in zlib and ISO-HDLC.
std::uint32_t crc32(std::string_view bytes)
{
    std::uint32_t crc = 0xffffffffU;
    for (const char c : bytes)
        crc = crcTable[(crc ^ static_cast<std::uint8_t>(c)) & 0xff] ^ crc >> 8;
    return ~crc;
}

std::array<char, checksumLength> checksum(std::string_view random)
{
    std::array<char, checksumLength> digits{};
    std::uint32_t rest = crc32(random);
    for (std::size_t i = checksumLength; i-- > 0; rest /= alphabet.size())
        digits[i] = alphabet[rest % alphabet.size()];
    return digits;
}

Unexpected<Error> systemFailure(std::string context)
{
    return Unexpected(Error{ErrorCode::SystemFailure, std::move(context)});
}

/// A failure of OpenSSL where only memory or its own installation can be the cause: going on would
/// mean hashes that match anything.
void require(bool isDone, const char *what)
{
    if (!isDone)
        qFatal("OpenSSL cannot %s; check the OpenSSL installation and openssl.cnf", what);
}

Result<std::string> readHashKey(const std::filesystem::path &path)
{
    auto key = readFile(path, hashKeySize);
    if (!key)
        return key;
    if (key->size() != hashKeySize)
        return systemFailure(path.string()
                             + " has not 32 bytes; restore it from a backup, or remove "
                               "it and make all virtual keys anew");
    if (isReadableByOthers(path))
        return systemFailure(path.string() + " can be read by other users; run: chmod 600 "
                             + path.string());
    return key;
}

/// Writes a new key beside \a path and links it there, so that of two processes that start at once
/// one wins and none sees half a key.
Result<void> createHashKey(const std::filesystem::path &path)
{
    std::array<unsigned char, hashKeySize> key{};
    if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1)
        return systemFailure("no random bytes for " + path.string());
    QTemporaryFile file(QString::fromStdString(path.string() + ".XXXXXX"));
    if (!file.open() || file.write(reinterpret_cast<const char *>(key.data()), key.size()) < 0
        || !file.flush() || ::fsync(file.handle()) != 0)
        return systemFailure(path.string()
                             + " cannot be written: " + file.errorString().toStdString());
    std::error_code problem;
    std::filesystem::create_hard_link(file.fileName().toStdString(), path, problem);
    if (problem && problem != std::errc::file_exists)
        return systemFailure(path.string() + " cannot be written: " + problem.message());
    return {};
}

std::optional<std::uint8_t> hexDigit(char c)
{
    if (isDigit(c))
        return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f')
        return static_cast<std::uint8_t>(c - 'a' + 10);
    return {};
}

} // namespace

namespace virtualkey {

bool looksLike(std::string_view text)
{
    return text.starts_with(prefix);
}

bool isWellFormed(std::string_view text)
{
    if (text.size() != length || !looksLike(text)
        || !std::ranges::all_of(text.substr(prefix.size()), isAlphanumeric))
        return false;
    return std::ranges::equal(text.substr(prefix.size() + randomLength),
                              checksum(text.substr(prefix.size(), randomLength)));
}

bool isWithin(std::string_view text)
{
    for (auto at = text.find(prefix); at != std::string_view::npos;
         at = text.find(prefix, at + 1)) {
        if (isWellFormed(text.substr(at, length)))
            return true;
    }
    return false;
}

Result<std::string> generate()
{
    // Bytes from 248 on would favour the first characters.
    constexpr unsigned limit = 256 - 256 % alphabet.size();
    std::string random;
    while (random.size() < randomLength) {
        std::array<unsigned char, 48> bytes{};
        if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
            return systemFailure("the random source gives no bytes");
        for (const unsigned char byte : bytes) {
            if (byte < limit && random.size() < randomLength)
                random += alphabet[byte % alphabet.size()];
        }
    }
    const auto check = checksum(random);
    return std::string(prefix).append(random).append(check.data(), check.size());
}

} // namespace virtualkey

struct KeyHasher::Context
{
    struct Free
    {
        void operator()(EVP_MAC_CTX *context) const { EVP_MAC_CTX_free(context); }
    };

    std::unique_ptr<EVP_MAC_CTX, Free> mac;
};

KeyHasher::KeyHasher(std::string_view hashKey)
    : m_context(std::make_unique<Context>())
{
    EVP_MAC *hmac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
    m_context->mac.reset(EVP_MAC_CTX_new(hmac));
    EVP_MAC_free(hmac); // the context holds its own reference
    require(m_context->mac != nullptr, "provide HMAC");
    std::string digest = OSSL_DIGEST_NAME_SHA2_256;
    const std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    require(EVP_MAC_init(m_context->mac.get(),
                         reinterpret_cast<const unsigned char *>(hashKey.data()),
                         hashKey.size(),
                         parameters.data())
                == 1,
            "provide HMAC-SHA256");
}

KeyHasher::~KeyHasher() = default;
KeyHasher::KeyHasher(KeyHasher &&) noexcept = default;
KeyHasher &KeyHasher::operator=(KeyHasher &&) noexcept = default;

KeyHash KeyHasher::hash(std::string_view key) const
{
    KeyHash result{};
    std::size_t size = 0;
    // Without a key the context begins anew with the one that it has, already expanded.
    const bool isDone
        = EVP_MAC_init(m_context->mac.get(), nullptr, 0, nullptr) == 1
          && EVP_MAC_update(m_context->mac.get(),
                            reinterpret_cast<const unsigned char *>(key.data()),
                            key.size())
                 == 1
          && EVP_MAC_final(m_context->mac.get(), result.data(), &size, result.size()) == 1;
    require(isDone && size == result.size(), "hash a virtual key");
    return result;
}

std::string keyHashToText(const KeyHash &hash)
{
    return std::string(hashPrefix) + toHex(hash);
}

Result<KeyHash> keyHashFromText(std::string_view text)
{
    const auto malformed = [] {
        return Unexpected(
            Error{ErrorCode::ConfigInvalid,
                  "must be hmac-sha256: and 64 lower-case hexadecimal digits; make keys "
                  "with gatehouse client add"});
    };
    KeyHash hash{};
    if (!text.starts_with(hashPrefix) || text.size() != hashPrefix.size() + 2 * hash.size())
        return malformed();
    text.remove_prefix(hashPrefix.size());
    for (std::size_t i = 0; i < hash.size(); ++i) {
        const auto high = hexDigit(text[2 * i]);
        const auto low = hexDigit(text[2 * i + 1]);
        if (!high || !low)
            return malformed();
        hash[i] = static_cast<std::uint8_t>(*high << 4 | *low);
    }
    return hash;
}

Result<std::string> loadOrCreateHashKey(const std::string &dataDir)
{
    const std::filesystem::path directory(dataDir);
    const std::filesystem::path path = directory / "key-hash.key";
    std::error_code problem;
    if (!std::filesystem::exists(path, problem)) {
        if (std::filesystem::create_directories(directory, problem))
            std::filesystem::permissions(directory, std::filesystem::perms::owner_all, problem);
        if (problem)
            return systemFailure(dataDir + " cannot be made: " + problem.message());
        if (auto created = createHashKey(path); !created)
            return Unexpected(created.error());
    }
    return readHashKey(path);
}

} // namespace gatehouse
