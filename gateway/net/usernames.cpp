// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/usernames.h"

#include <cerrno>
#include <vector>

#include <pwd.h>

namespace gatehouse::net {

namespace {

constexpr std::chrono::minutes keptFor{5};
constexpr std::chrono::seconds failureKeptFor{5};
constexpr std::size_t firstBuffer = 1024;
constexpr std::size_t lastBuffer = std::size_t{1} << 20;

} // namespace

const std::string &UserNames::of(std::uint32_t uid)
{
    const auto now = std::chrono::steady_clock::now();
    Known &known = m_known[uid];
    if (known.until > now)
        return known.name;
    passwd entry{};
    passwd *found = nullptr;
    int error = ERANGE;
    std::vector<char> buffer(firstBuffer);
    for (;;) {
        error = ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
        if (error != ERANGE || buffer.size() >= lastBuffer)
            break;
        buffer.resize(buffer.size() * 2);
    }
    known.name = found != nullptr ? std::string(entry.pw_name) : std::to_string(uid);
    known.until = now + (error == 0 ? std::chrono::seconds(keptFor) : failureKeptFor);
    return known.name;
}

} // namespace gatehouse::net
