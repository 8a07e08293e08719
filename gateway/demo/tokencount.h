// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string_view>

namespace gatehouse::demo {

/// The one rule by which tokens are counted here: a run of word characters (ASCII letters and digits,
/// '_', all that is not ASCII) is cut into pieces of at most 4 bytes of UTF-8, whole code points
/// each; every other visible character is a token of its own; white space is none.
[[nodiscard]] std::size_t countTokens(std::string_view text);

/// Takes the first token off \a rest, with the white space around it, so that the tokens of a text put
/// together are the text. Empty only where \a rest is.
[[nodiscard]] std::string_view takeToken(std::string_view &rest);

/// The first \a count tokens of \a text; all of it where it has no more.
[[nodiscard]] std::string_view firstTokens(std::string_view text, std::size_t count);

} // namespace gatehouse::demo
