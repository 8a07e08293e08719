// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/wiping.h"

#include <openssl/crypto.h>

#include <algorithm>

namespace gatehouse {

void appendWiping(std::string &to, std::string_view bytes)
{
    const std::size_t size = to.size() + bytes.size();
    if (size > to.capacity()) {
        std::string larger;
        larger.reserve(std::max(size, 2 * to.capacity()));
        larger.append(to);
        wipe(to);
        to.swap(larger);
    }
    to.append(bytes);
}

void wipe(std::string &bytes)
{
    bytes.resize(bytes.capacity()); // a longer text may have been there before
    OPENSSL_cleanse(bytes.data(), bytes.size());
    bytes.clear();
}

} // namespace gatehouse
