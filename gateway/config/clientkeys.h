// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/units.h"
#include "gateway/config/resources.h"

#include <chrono>
#include <cstdint>
#include <string>

namespace gatehouse {

/// What a virtual key is worth at a time.
enum class KeyState : std::uint8_t { Valid, Expired, Revoked };

[[nodiscard]] KeyState stateOf(const KeySpec &key, Instant now);

/// `k` and a number above that of every key the client has, dead ones too: records must not confuse
/// two keys.
[[nodiscard]] std::string nextKeyId(const ClientSpec &client);

/// Ends the valid keys when \a overlap is over, or revokes them where it is 0. An expiry that comes
/// earlier stays.
void retireKeys(ClientSpec &client, Instant now, std::chrono::milliseconds overlap);

} // namespace gatehouse
