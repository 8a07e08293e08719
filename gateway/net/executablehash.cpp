// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/executablehash.h"

#include "gateway/base/text.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <unistd.h>

namespace gatehouse::net {

namespace {

constexpr std::size_t blockSize = std::size_t{256} * 1024;
constexpr std::size_t mostKnown = 64;
/// File times have the resolution of a clock tick: within one a file may change unseen, so what was
/// changed just now is not remembered yet.
constexpr std::chrono::seconds settled{2};

struct FreeDigest
{
    void operator()(EVP_MD_CTX *context) const { EVP_MD_CTX_free(context); }
};

std::optional<FileIdentity> identityOf(const Descriptor &file)
{
    struct stat status
    {};
    if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
        return std::nullopt;
    return FileIdentity::of(status);
}

bool isSettled(const FileIdentity &identity)
{
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::chrono::nanoseconds changed(std::max(identity.changed, identity.modified));
    return now - changed > settled;
}

/// Empty where it cannot be read to its end.
std::string digest(const Descriptor &file)
{
    const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
    if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1)
        return {};
    std::vector<unsigned char> block(blockSize);
    for (off_t offset = 0;;) {
        const ssize_t got = ::pread(file.get(), block.data(), block.size(), offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            break;
        if (got < 0
            || EVP_DigestUpdate(context.get(), block.data(), static_cast<std::size_t>(got)) != 1)
            return {};
        offset += got;
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> result{};
    unsigned size = 0;
    if (EVP_DigestFinal_ex(context.get(), result.data(), &size) != 1)
        return {};
    return toHex(std::span(result).first(size));
}

} // namespace

std::string ExecutableHashes::hash(const Descriptor &file)
{
    const auto identity = identityOf(file);
    if (!identity)
        return {};
    const auto known = std::find_if(m_known.begin(), m_known.end(), [&](const auto &entry) {
        return entry.first == *identity;
    });
    if (known != m_known.end())
        return known->second;
    ++m_readCount;
    std::string text = digest(file);
    if (identityOf(file) != identity)
        return {};
    if (!text.empty() && isSettled(*identity)) {
        m_known.emplace_front(*identity, text);
        m_known.resize(std::min(m_known.size(), mostKnown));
    }
    return text;
}

} // namespace gatehouse::net
