// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/clientkeys.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace gatehouse {

namespace {

/// The number of an id such as k12; 0 for another.
std::uint64_t numberOf(const std::string &id)
{
    if (!id.starts_with('k'))
        return 0;
    std::uint64_t number = 0;
    const char *end = id.data() + id.size();
    const auto [rest, problem] = std::from_chars(id.data() + 1, end, number);
    // The largest has none above it; nobody counted that far.
    const bool isNumber = problem == std::errc() && rest == end
                          && number < std::numeric_limits<std::uint64_t>::max();
    return isNumber ? number : 0;
}

} // namespace

KeyState stateOf(const KeySpec &key, Instant now)
{
    if (key.revoked)
        return KeyState::Revoked;
    const auto expires = parseInstant(key.expires);
    return expires && *expires <= now ? KeyState::Expired : KeyState::Valid;
}

std::string nextKeyId(const ClientSpec &client)
{
    std::uint64_t highest = 0;
    for (const KeySpec &key : client.keys)
        highest = std::max(highest, numberOf(key.id));
    return "k" + std::to_string(highest + 1);
}

void retireKeys(ClientSpec &client, Instant now, std::chrono::milliseconds overlap)
{
    const Instant end = now + overlap;
    for (KeySpec &key : client.keys) {
        if (stateOf(key, now) != KeyState::Valid)
            continue;
        const auto expires = parseInstant(key.expires);
        if (overlap.count() == 0)
            key.revoked = true;
        else if (!expires || *expires > end)
            key.expires = formatInstant(end);
    }
}

} // namespace gatehouse
