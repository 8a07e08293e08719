// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

namespace gatehouse {

/// What became of a reference, as `gatehouse secret list` shows it.
enum class SecretState : std::uint8_t {
    Readable,
    Pending,      ///< asked for, no answer yet
    Missing,      ///< no such variable, file or entry
    Unusable,     ///< it is there and cannot be read, or is no secret
    Locked,       ///< the keychain is
    NoCollection, ///< the keychain has nothing to keep entries in
    NoService,    ///< there is no keychain
    NotAnswering, ///< there is one, and it does not answer in time
};

/// Why a secret cannot be had.
struct SecretProblem
{
    SecretState state = SecretState::Missing;
    std::string text = {}; ///< what is wrong and what to do; never holds a secret

    bool operator==(const SecretProblem &) const = default;
};

} // namespace gatehouse
