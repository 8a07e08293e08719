// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace gatehouse {

using Sha256 = std::array<std::uint8_t, 32>;

/// SHA-256 (FIPS 180-4). Any thread.
[[nodiscard]] Sha256 sha256(std::string_view bytes);

/// True where both are the same bytes. The time depends on the two lengths alone, not on where the
/// bytes differ. Any thread.
[[nodiscard]] bool equalsSecret(std::string_view secret, std::string_view guess);

} // namespace gatehouse
