// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace gatehouse {

Sha256 sha256(std::string_view bytes)
{
    Sha256 digest{};
    SHA256(reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size(), digest.data());
    return digest;
}

bool equalsSecret(std::string_view secret, std::string_view guess)
{
    // Digests are of one length, so that what differs in length takes no shorter a time.
    Sha256 ours = sha256(secret);
    Sha256 theirs = sha256(guess);
    const bool isEqual = CRYPTO_memcmp(ours.data(), theirs.data(), ours.size()) == 0;
    OPENSSL_cleanse(ours.data(), ours.size());
    OPENSSL_cleanse(theirs.data(), theirs.size());
    return isEqual;
}

} // namespace gatehouse
