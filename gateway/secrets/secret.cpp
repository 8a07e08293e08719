// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/secret.h"

#include <openssl/crypto.h>

namespace gatehouse {

Secret::Secret(Secret &&other) noexcept
    : m_bytes(other.m_bytes)
{
    other.wipe();
}

Secret &Secret::operator=(Secret &&other) noexcept
{
    if (this != &other) {
        wipe();
        m_bytes = other.m_bytes;
        other.wipe();
    }
    return *this;
}

Secret::~Secret()
{
    wipe();
}

void Secret::wipe()
{
    // The whole capacity: a shorter value may have been assigned over a longer one.
    m_bytes.resize(m_bytes.capacity());
    OPENSSL_cleanse(m_bytes.data(), m_bytes.size());
    m_bytes.clear();
}

} // namespace gatehouse
