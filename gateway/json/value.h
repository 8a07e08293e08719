// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gatehouse::json {

struct Tape;
class Elements;
class Members;
struct Member;

enum class Kind : std::uint8_t { Null, Boolean, Number, String, Array, Object };

/// A piece of the text that was parsed, in bytes.
struct Range
{
    std::size_t offset = 0;
    std::size_t length = 0;

    bool operator==(const Range &) const = default;
};

/// A value of a Document: two words, copied freely. It, and every view it gives, is valid until that
/// document parses again, shrinks or is destroyed; moving the document does no harm. Reading from
/// several threads is fine.
class Value
{
public:
    [[nodiscard]] Kind kind() const;
    [[nodiscard]] bool isObject() const { return kind() == Kind::Object; }
    [[nodiscard]] bool isArray() const { return kind() == Kind::Array; }

    /// A string, unescaped, well-formed UTF-8; it may hold U+0000. None for any other kind.
    [[nodiscard]] std::optional<std::string_view> text() const;
    [[nodiscard]] std::optional<bool> boolean() const;
    /// The double nearest to a number. None for any other kind, and for a number beyond the range of
    /// double, whose digits sourceText() has.
    [[nodiscard]] std::optional<double> number() const;
    /// The number where it is an integer and fits exactly, however it is written: 1, 1.0, 10e-1. None
    /// for fractions, for what is beyond 64 bits, and for any other kind.
    [[nodiscard]] std::optional<std::int64_t> integer() const;

    /// Number of elements or of members; 0 for scalars.
    [[nodiscard]] std::size_t size() const;
    /// The member of that very name, unescaped on both sides. None for what is no object. Looks at one
    /// name after the other.
    [[nodiscard]] std::optional<Value> find(std::string_view name) const;
    /// The element at \a index from 0. None for what is no array. Passes all elements before it.
    [[nodiscard]] std::optional<Value> at(std::size_t index) const;
    /// The elements in their order; empty for what is no array.
    [[nodiscard]] Elements elements() const;
    /// The members in the order written; empty for what is no object.
    [[nodiscard]] Members members() const;

    /// The bytes of the text that are this value, from its first to its last: with the quotes of a
    /// string, with the brackets of a container, without white space around it.
    [[nodiscard]] Range source() const;
    [[nodiscard]] std::string_view sourceText() const;

private:
    friend class Document;
    friend class Elements;
    friend class Members;
    Value(const Tape *tape, std::uint32_t index)
        : m_tape(tape)
        , m_index(index)
    {}
    [[nodiscard]] std::uint32_t end() const;

    const Tape *m_tape;
    std::uint32_t m_index;
};

/// A member of an object.
struct Member
{
    std::string_view name; ///< unescaped
    Range nameSource;      ///< of the name with its quotes
    Value value;
};

/// What `for (const Value element : array.elements())` runs over.
class Elements
{
public:
    class Iterator
    {
    public:
        // NOLINTBEGIN(readability-identifier-naming): the standard's names
        using value_type = Value;
        using difference_type = std::ptrdiff_t;
        // NOLINTEND(readability-identifier-naming)

        Iterator() = default;
        [[nodiscard]] Value operator*() const { return {m_tape, m_index}; }
        Iterator &operator++();
        Iterator operator++(int);
        bool operator==(const Iterator &) const = default;

    private:
        friend class Value;
        Iterator(const Tape *tape, std::uint32_t index)
            : m_tape(tape)
            , m_index(index)
        {}
        const Tape *m_tape = nullptr;
        std::uint32_t m_index = 0;
    };

    [[nodiscard]] Iterator begin() const { return m_begin; }
    [[nodiscard]] Iterator end() const { return m_end; }

private:
    friend class Value;
    Elements(Iterator begin, Iterator end)
        : m_begin(begin)
        , m_end(end)
    {}
    Iterator m_begin;
    Iterator m_end;
};

/// What `for (const Member &member : object.members())` runs over.
class Members
{
public:
    class Iterator
    {
    public:
        // NOLINTBEGIN(readability-identifier-naming): the standard's names
        using value_type = Member;
        using difference_type = std::ptrdiff_t;
        // NOLINTEND(readability-identifier-naming)

        Iterator() = default;
        [[nodiscard]] Member operator*() const;
        Iterator &operator++();
        Iterator operator++(int);
        bool operator==(const Iterator &) const = default;

    private:
        friend class Value;
        Iterator(const Tape *tape, std::uint32_t index)
            : m_tape(tape)
            , m_index(index)
        {}
        const Tape *m_tape = nullptr;
        std::uint32_t m_index = 0; ///< of the name; its value is the next
    };

    [[nodiscard]] Iterator begin() const { return m_begin; }
    [[nodiscard]] Iterator end() const { return m_end; }

private:
    friend class Value;
    Members(Iterator begin, Iterator end)
        : m_begin(begin)
        , m_end(end)
    {}
    Iterator m_begin;
    Iterator m_end;
};

} // namespace gatehouse::json
