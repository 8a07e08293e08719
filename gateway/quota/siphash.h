// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace gatehouse::quota {

using SipKey = std::array<std::uint64_t, 2>;
using Hash128 = std::array<std::uint64_t, 2>;

/// SipHash-2-4 with 128 bits of output (Aumasson, Bernstein: SipHash, and its reference vectors). Who does
/// not know \a key cannot choose texts whose hashes meet.
[[nodiscard]] Hash128 sipHash(std::string_view text, const SipKey &key);

} // namespace gatehouse::quota
