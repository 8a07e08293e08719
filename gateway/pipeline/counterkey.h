// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/pipeline/expression.h"
#include "gateway/pipeline/policy.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

/// What a counter counts by: `client`, `route`, `address`, `model`, `header:NAME`, `global` or an
/// expression `#[…]` (expression.h). Immutable.
class CounterKey
{
public:
    [[nodiscard]] static std::optional<CounterKey> parse(std::string_view text);
    /// "must …" where parse() says no, else empty; for FieldInfo::problem.
    [[nodiscard]] static std::string problem(std::string_view text);
    /// For the help of fields.
    static constexpr std::string_view help
        = "What is counted apart from each other: client (all that have no key are one), route, "
          "address, model, header:NAME (whoever sends it chooses it; the client where it is "
          "absent), "
          "an expression such as #[attributes.headers['x-team']], or global for one count of all";

    /// RequestBody for `model`, which stands in the body, else RequestHead.
    [[nodiscard]] PolicyPhase phase() const;
    /// For Policy::readsBody.
    [[nodiscard]] bool readsBody(const Exchange &exchange) const;
    /// The request's key; an error of requestedModels() where the model cannot be told. In phase(). Where
    /// a request may use several models, all of their names together.
    [[nodiscard]] Result<std::string> textOf(Exchange &exchange) const;

private:
    enum class By : std::uint8_t { Client, Route, Address, Model, Header, Expression, Global };

    By m_by = By::Client;
    std::string m_header;
    std::optional<gatehouse::Expression> m_expression;
};

} // namespace gatehouse
