// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

/// One of the values that an expression joins.
struct ExpressionPart
{
    enum class Kind : std::uint8_t { Literal, Header, Parameter, Path, Method, Address };

    Kind kind = Kind::Literal;
    std::string text = {}; ///< the literal, or the name of the header or parameter
};

/// The parts of a text that may be `#[…]`, at least one; literals next to each other are one. ConfigInvalid
/// with what is not understood and the character where it stands.
[[nodiscard]] Result<std::vector<ExpressionPart>> parseExpression(std::string_view text);

} // namespace gatehouse
