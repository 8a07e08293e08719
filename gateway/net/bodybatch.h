// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <sys/uio.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <span>
#include <string_view>

namespace gatehouse::net {

/// Collects what one read brought, head and pieces of body, so that it leaves with one write and as
/// one chunk. Holds views only.
class BodyBatch
{
public:
    void clear()
    {
        m_head = {};
        m_pieces = 0;
        m_size = 0;
    }
    void setHead(std::string_view head) { m_head = head; }
    void add(std::string_view piece)
    {
        m_parts[firstPiece + m_pieces++] = part(piece);
        m_size += piece.size();
    }
    [[nodiscard]] bool isFull() const { return m_pieces == maxPieces; }
    [[nodiscard]] bool isEmpty() const { return m_head.empty() && m_pieces == 0; }

    /// What goes to the socket. \a chunked: the receiver is told lengths chunk by chunk. \a ending is
    /// written behind it ("0\r\n\r\n" and the like). Valid until clear(), which has to follow.
    [[nodiscard]] std::span<iovec> finish(bool chunked, std::string_view ending)
    {
        std::size_t first = firstPiece;
        std::size_t last = firstPiece + m_pieces;
        if (chunked && m_size != 0) {
            char *const end
                = std::to_chars(m_sizeLine.data(), m_sizeLine.data() + 16, m_size, 16).ptr;
            end[0] = '\r';
            end[1] = '\n';
            m_parts[--first]
                = part({m_sizeLine.data(), static_cast<std::size_t>(end + 2 - m_sizeLine.data())});
            m_parts[last++] = part("\r\n");
        }
        if (!m_head.empty())
            m_parts[--first] = part(m_head);
        if (!ending.empty())
            m_parts[last++] = part(ending);
        return std::span(m_parts).subspan(first, last - first);
    }

private:
    static constexpr std::size_t firstPiece = 2; // before it: head and size line
    static constexpr std::size_t maxPieces = 60;

    static iovec part(std::string_view bytes)
    {
        return {const_cast<char *>(bytes.data()), bytes.size()};
    }

    std::array<iovec, firstPiece + maxPieces + 2> m_parts{};
    std::array<char, 18> m_sizeLine{};
    std::string_view m_head;
    std::size_t m_pieces = 0;
    std::size_t m_size = 0;
};

} // namespace gatehouse::net
