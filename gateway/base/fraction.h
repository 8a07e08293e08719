// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

/// A part of a whole, in millionths: exact, so that what was written is what is shown.
struct Fraction
{
    std::int64_t millionths = 0;

    bool operator==(const Fraction &) const = default;

    [[nodiscard]] double value() const { return static_cast<double>(millionths) / 1'000'000; }
};

/// `0.8`, `1`, `0.000001`: digits and at most 6 decimals, up to a million.
[[nodiscard]] std::optional<Fraction> parseFraction(std::string_view text);
/// With as many decimals as it needs: `0.8`. \a fraction is not negative.
[[nodiscard]] std::string formatFraction(Fraction fraction);

} // namespace gatehouse
