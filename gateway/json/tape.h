// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/json/value.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::json {

/// A value, or the name of a member. The value of a name is the next node; what is in a container
/// follows it.
struct Node
{
    static constexpr std::uint32_t largestCount = (1U << 28) - 1;

    std::uint32_t offset = 0; ///< of the first byte, in the text
    std::uint32_t length = 0;
    /// Container: the node behind all that is in it; while it is open, the container around it.
    /// Escaped string: where its text begins in Tape::unescaped.
    std::uint32_t link = 0;
    /// Container: its members or elements. Escaped string: the length of its text.
    std::uint32_t count : 28 = 0;
    Kind kind : 3 = Kind::Null;
    bool isEscaped : 1 = false;
};
static_assert(sizeof(Node) == 16);

/// A document: all its nodes in the order of the text.
struct Tape
{
    std::string text;      ///< with `padding` bytes behind it
    std::string unescaped; ///< the text of all strings that have an escape
    std::vector<Node> nodes;

    /// Bytes that may be read behind the text.
    static constexpr std::size_t padding = 64;

    [[nodiscard]] std::string_view stringOf(const Node &node) const
    {
        if (node.isEscaped)
            return {unescaped.data() + node.link, node.count};
        return {text.data() + node.offset + 1, node.length - 2};
    }
    /// The node behind a value and all that is in it.
    [[nodiscard]] std::uint32_t behind(std::uint32_t index) const
    {
        const Node &node = nodes[index];
        return node.kind == Kind::Array || node.kind == Kind::Object ? node.link : index + 1;
    }
};

} // namespace gatehouse::json
