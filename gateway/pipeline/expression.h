// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

class Exchange;
struct ExpressionPart;

/// A value that is the same for all requests, or is taken from each: `#[…]` with the part of DataWeave
/// that means the same here: attributes.headers['…'], attributes.queryParams['…'], attributes.requestPath,
/// attributes.method, attributes.remoteAddress (without the port), string literals, ++ and parentheses.
class Expression
{
public:
    /// \a text without `#[` is a literal. ConfigInvalid with what is not understood and where.
    [[nodiscard]] static Result<Expression> parse(std::string_view text);

    /// Null where a part of it is absent in this request (DataWeave's null, which ++ does not take), or
    /// would bring in a control character. The fields of one name are joined by commas, as in RFC 9110
    /// §5.2; of a repeated parameter the first counts, of the path all with the base path, as written.
    [[nodiscard]] std::optional<std::string> evaluate(const Exchange &exchange) const;
    /// Where it is the same for all requests: what it is.
    [[nodiscard]] std::optional<std::string_view> literal() const;
    /// Where it is just one header: its name. For policies that name a header as their source.
    [[nodiscard]] std::optional<std::string> headerName() const;

private:
    explicit Expression(std::vector<ExpressionPart> parts);

    std::shared_ptr<const std::vector<ExpressionPart>> m_parts;
};

} // namespace gatehouse
