// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::http {

/// \a text with its percent-escapes decoded once; `+` stays. nullopt where a `%` is not followed by
/// two hexadecimal digits, which some readers keep and others refuse. RFC 3986 §2.1.
[[nodiscard]] std::optional<std::string> percentDecoded(std::string_view text);

/// Likewise as the most lenient reader has it: such a `%` stays.
[[nodiscard]] std::string percentDecodedLeniently(std::string_view text);
/// The same of a form, where `+` is a space.
[[nodiscard]] std::string formDecodedLeniently(std::string_view text);

struct FormPair
{
    std::string name;         ///< decoded, `+` as a space; empty for `=x`
    std::string value;        ///< likewise; empty without `=`
    std::string_view written; ///< the pair as it stands in the text, for those who splice
};

/// Reads application/x-www-form-urlencoded, or a query without its `?`, pair by pair and without
/// memory for more than one. Empty pairs are passed over, as every reader does (URL standard, §5.1).
class FormReader
{
public:
    /// \a malformed is the code of the error for what readers would take differently: a malformed
    /// escape, or a `;`, which older readers take for `&` (encoders write `%3B`).
    FormReader(std::string_view text, ErrorCode malformed);

    /// The next pair, nullopt at the end. After an error, the same error again.
    [[nodiscard]] Result<std::optional<FormPair>> next();

private:
    std::string_view m_left;
    ErrorCode m_malformed;
};

} // namespace gatehouse::http
