// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gatehouse {

/// 1-based; the column counts bytes.
struct Place
{
    std::uint32_t line = 1;
    std::uint32_t column = 1;

    bool operator==(const Place &) const = default;
};

/// What is to be said about a place of a file.
struct Diagnostic
{
    enum class Severity : std::uint8_t { Error, Warning };

    std::string file;
    Place place;
    Severity severity = Severity::Error;
    std::string message; ///< a sentence without its full stop; never holds a secret

    /// `FILE:LINE:COLUMN: message` in one line, controls as `?`; warnings with `warning: ` before the message.
    [[nodiscard]] std::string text() const;

    bool operator==(const Diagnostic &) const = default;
};

using Diagnostics = std::vector<Diagnostic>;

[[nodiscard]] bool hasErrors(const Diagnostics &diagnostics);

/// A node of a document, whatever it was written in.
struct Node
{
    enum class Kind : std::uint8_t { Null, Scalar, List, Map };
    struct Key
    {
        std::string text;
        Place place;

        bool operator==(const Key &other) const { return text == other.text; }
    };

    Kind kind = Kind::Null;
    bool isQuoted = false; ///< a scalar that is text whatever it looks like
    Place place = {};
    std::string text = {};        ///< of a scalar
    std::vector<Node> items = {}; ///< of a list, or the values of a map
    std::vector<Key> keys = {};   ///< of a map, unique; as many as items

    /// Null where this is no map or has no such key.
    [[nodiscard]] const Node *find(std::string_view key) const;
    void append(std::string_view key, Node value);

    /// Equal content; places do not count.
    bool operator==(const Node &other) const;

    [[nodiscard]] static Node scalar(std::string_view text, bool isQuoted);
    [[nodiscard]] static Node list() { return {.kind = Kind::List}; }
    [[nodiscard]] static Node map() { return {.kind = Kind::Map}; }
};

/// Key of a map or index of a list.
using PathStep = std::variant<std::string_view, std::size_t>;

/// The place of the node that the steps lead to, or of the last that is there on the way.
[[nodiscard]] Place placeOf(const Node &root, std::initializer_list<PathStep> path);

} // namespace gatehouse
