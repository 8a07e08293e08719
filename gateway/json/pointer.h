// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/json/value.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::json {

/// A JSON pointer (RFC 6901), read once and used on many documents. Beyond the RFC, a `*` stands for
/// every element of an array; in an object it is the member of that name.
class Pointer
{
public:
    /// A longer pointer is refused.
    static constexpr std::size_t mostSteps = 64;

    /// "" is the value itself, "/a/0" element 0 of member a; ~1 stands for / and ~0 for ~. The error
    /// says what \a text "must" be.
    [[nodiscard]] static Result<Pointer, std::string_view> parse(std::string_view text);

    /// Calls \a callback(Value) for everything selected, in the order of the text.
    template<typename Callback>
    void forEach(Value value, Callback &&callback) const
    {
        select(value, m_steps, callback);
    }
    /// The first value selected.
    [[nodiscard]] std::optional<Value> first(Value value) const;

private:
    struct Step
    {
        std::string name;
        std::optional<std::size_t> index; ///< where the name is one
        bool isWildcard = false;
    };
    using Steps = std::span<const Step>;

    [[nodiscard]] static Result<Step, std::string_view> parseStep(std::string_view token);
    /// What \a step selects in \a value, unless it is a wildcard on an array.
    [[nodiscard]] static std::optional<Value> child(Value value, const Step &step);

    template<typename Callback>
    static void select(Value value, Steps steps, Callback &callback)
    {
        if (steps.empty()) {
            callback(value);
        } else if (steps.front().isWildcard && value.isArray()) {
            for (const Value element : value.elements())
                select(element, steps.subspan(1), callback);
        } else if (const auto next = child(value, steps.front())) {
            select(*next, steps.subspan(1), callback);
        }
    }

    std::vector<Step> m_steps;
};

} // namespace gatehouse::json
