// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::json {

/// The places of members that a MemberScanner looks for; immutable, shared by all that look for them.
class MemberPlaces
{
public:
    static constexpr std::size_t most = 64; ///< of places
    static constexpr std::size_t mostSteps = 4;

    /// JSON pointers, whose `*` stands for every element of an array: "/usage", "/*/model". None has
    /// another one below it, a `~` or more than \a mostSteps steps; their texts outlive this.
    explicit MemberPlaces(std::span<const std::string_view> pointers);

private:
    friend class MemberScanner;
    using Set = std::uint64_t; ///< a bit for each place

    /// Those of \a within that have \a name at \a depth.
    [[nodiscard]] Set named(Set within, std::size_t depth, std::string_view name) const;

    std::vector<std::array<std::string_view, mostSteps>> m_steps;
    Set m_all = 0;
    std::array<Set, mostSteps + 1> m_ends = {};   ///< those with so many steps
    std::array<Set, mostSteps> m_anyElement = {}; ///< those with `*` at that depth
    std::size_t m_longestName = 0;
};

/// Finds the values of a few members in JSON texts that come in pieces, cut anywhere, one behind the
/// other with or without white space between (so NDJSON too), and holds no more of them than one value.
/// Passes over all else fast, without looking at more than strings and brackets: what it passes may be
/// malformed. Values are given as they are written, for Document to read. Of members with one name in one
/// object each is given; a name written with escapes is none of the places'.
class MemberScanner
{
public:
    enum class Kind : std::uint8_t {
        NeedMore, ///< all input is used up
        Value,    ///< a value at one of the places
        TextEnd,  ///< a text was complete; a number alone is so at the byte behind it
        Broken    ///< no JSON, or nested more than 512 deep; nothing but restart() helps
    };
    struct Step
    {
        Kind kind = Kind::NeedMore;
        std::size_t place = 0;  ///< index of the pointer
        std::string_view value; ///< valid until the next call, and while the input is
    };

    /// A value that is longer than \a limit is passed over.
    explicit MemberScanner(const MemberPlaces &places, std::size_t limit)
        : m_places(&places)
        , m_limit(limit)
    {}

    /// Uses up the front of \a input and says what it was. Call until it is NeedMore or Broken.
    [[nodiscard]] Step next(std::string_view &input);
    /// Begins anew, whatever came before.
    void restart();

private:
    using Set = MemberPlaces::Set;
    static constexpr std::size_t deepest = 512;

    enum class State : std::uint8_t {
        Text,         ///< before a text
        FirstElement, ///< a value or a bracket
        Value,
        FirstName, ///< a name or a brace
        NameQuote,
        Name,
        Colon,
        AfterValue,
        Nested, ///< in a container that is passed over or captured
        NestedString,
        String, ///< in a string that is a value by itself
        Scalar,
        TextDone,
        Broken
    };
    struct Level
    {
        Set places = 0; ///< that may be within
        bool isObject = false;
    };
    using Cursor = const char *;

    [[nodiscard]] Cursor take(Cursor from, Cursor end);
    [[nodiscard]] Cursor takeNested(Cursor from, Cursor end);
    [[nodiscard]] Cursor takeString(Cursor from, Cursor end);
    [[nodiscard]] Cursor takeName(Cursor from, Cursor end);
    [[nodiscard]] Cursor takeScalar(Cursor from, Cursor end);
    void takeSign(char c, Cursor at);
    void beginValue(char c, Cursor at);
    void beginNested(char c);
    void endValue(Cursor at);
    void closeLevel(char c);
    void endName(std::string_view name);
    [[nodiscard]] bool keep(Cursor from, Cursor to);

    const MemberPlaces *m_places;
    std::size_t m_limit;
    std::string m_value; ///< the front of a value that the input before began
    std::array<Level, MemberPlaces::mostSteps> m_levels;
    std::array<std::uint64_t, deepest / 64> m_nestedObjects = {}; ///< a bit for each level
    std::array<char, 64> m_name = {};                             ///< as m_value
    std::size_t m_nameLength = 0; ///< more than fits where it is none of the places'
    std::size_t m_depth = 0;      ///< of m_levels
    std::size_t m_nested = 0;     ///< levels below
    Set m_wanted = 0;             ///< the places at or below the value
    Cursor m_from = nullptr;      ///< where the value that is captured begins in the input
    std::size_t m_place = 0;
    State m_state = State::Text;
    bool m_isCapturing = false;
    bool m_isEscaped = false; ///< the last byte was a backslash
    bool m_hasValue = false;  ///< to be given
    std::string_view m_given;
};

} // namespace gatehouse::json
