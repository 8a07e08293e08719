// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/error.h"

#include <cassert>
#include <type_traits>
#include <utility>
#include <variant>

namespace gatehouse {

/// Wraps the error alternative of a Result, as std::unexpected does.
template<typename E>
class Unexpected
{
public:
    explicit Unexpected(E error)
        : m_error(std::move(error))
    {}
    [[nodiscard]] const E &error() const & { return m_error; }
    [[nodiscard]] E &&error() && { return std::move(m_error); }

private:
    E m_error;
};

/// A value or the reason why there is none. The names are those of C++23's std::expected, so that
/// moving to it is one alias. Reading the alternative that is not there is a bug and asserted.
template<typename T, typename E = Error>
class [[nodiscard]] Result
{
    using Stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

public:
    using value_type = T;
    using error_type = E;

    Result() requires std::is_default_constructible_v<Stored> : m_state(std::in_place_index<0>) {}
    template<typename U = Stored>
    requires(
        !std::is_void_v<
            T> && std::is_convertible_v<U, Stored> && !std::is_same_v<std::remove_cvref_t<U>, Result>)
        Result(U &&value)
        : m_state(std::in_place_index<0>, std::forward<U>(value))
    {}
    template<typename G>
    requires std::is_convertible_v<G, E> Result(Unexpected<G> unexpected)
        : m_state(std::in_place_index<1>, std::move(unexpected).error())
    {}

    // NOLINTBEGIN(readability-identifier-naming): the standard's names
    [[nodiscard]] bool has_value() const { return m_state.index() == 0; }
    explicit operator bool() const { return has_value(); }

    [[nodiscard]] Stored &value() &
    {
        assert(has_value());
        return *std::get_if<0>(&m_state);
    }
    [[nodiscard]] const Stored &value() const &
    {
        assert(has_value());
        return *std::get_if<0>(&m_state);
    }
    [[nodiscard]] Stored &&value() &&
    {
        assert(has_value());
        return std::move(*std::get_if<0>(&m_state));
    }
    [[nodiscard]] Stored &operator*() & { return value(); }
    [[nodiscard]] const Stored &operator*() const & { return value(); }
    [[nodiscard]] Stored &&operator*() && { return std::move(*this).value(); }
    [[nodiscard]] Stored *operator->() { return &value(); }
    [[nodiscard]] const Stored *operator->() const { return &value(); }

    [[nodiscard]] const E &error() const &
    {
        assert(!has_value());
        return *std::get_if<1>(&m_state);
    }
    [[nodiscard]] E &&error() &&
    {
        assert(!has_value());
        return std::move(*std::get_if<1>(&m_state));
    }

    template<typename U>
    [[nodiscard]] Stored value_or(U &&other) const &
    {
        return has_value() ? value() : static_cast<Stored>(std::forward<U>(other));
    }
    // NOLINTEND(readability-identifier-naming)

private:
    std::variant<Stored, E> m_state;
};

} // namespace gatehouse
