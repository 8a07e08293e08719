// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/walk.h"

#include "gateway/json/escape.h"
#include "gateway/json/number.h"

#include <algorithm>
#include <cstring>

namespace gatehouse::json {

namespace {

using ProblemKind = Problem::Kind;

bool isSpace(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/// What may stand behind a number or a word.
bool isDelimiter(char c)
{
    return isSpace(c) || c == ',' || c == ']' || c == '}' || c == ':' || c == '[' || c == '{';
}

/// Goes over the tokens once. It does not call itself: open containers are linked by their nodes.
class Walk
{
public:
    Walk(std::string_view text,
         std::span<const std::uint32_t> structurals,
         const Limits &limits,
         Tape &tape,
         Measures &measures,
         NameCheck &names)
        : m_text(text.data())
        , m_length(text.size())
        , m_next(structurals.data())
        , m_maxDepth(limits.maxDepth)
        , m_maxNodes(std::min<std::size_t>(limits.maxNodes, Node::largestCount))
        , m_tape(tape)
        , m_measures(measures)
        , m_names(names)
    {}

    [[nodiscard]] std::optional<Problem> run()
    {
        bool goesOn = takeValue();
        while (goesOn && m_open != noNode) {
            goesOn = m_tape.nodes[m_open].kind == Kind::Object ? takeMemberOrEnd()
                                                               : takeElementOrEnd();
        }
        if (goesOn && *m_next != m_length)
            fail(ProblemKind::TrailingBytes, *m_next);
        return m_problem;
    }

private:
    static constexpr std::uint32_t noNode = ~std::uint32_t(0);

    /// Always false. Where the text is at its end nothing was expected but more of it.
    bool fail(ProblemKind kind, std::size_t offset)
    {
        m_problem = {offset == m_length ? ProblemKind::Unfinished : kind, offset};
        return false;
    }

    /// True where there may be one more node.
    bool hasRoom(std::size_t offset)
    {
        return m_tape.nodes.size() < m_maxNodes || fail(ProblemKind::TooManyValues, offset);
    }

    bool takeValue()
    {
        const std::uint32_t offset = *m_next++;
        if (!hasRoom(offset))
            return false;
        switch (m_text[offset]) {
        case '{':
            return open(Kind::Object, offset);
        case '[':
            return open(Kind::Array, offset);
        case '"':
            return takeString(offset, m_measures.longestString);
        case 't':
            return takeWord(Kind::Boolean, "true", offset);
        case 'f':
            return takeWord(Kind::Boolean, "false", offset);
        case 'n':
            return takeWord(Kind::Null, "null", offset);
        case '-':
            return takeNumber(offset);
        default:
            return m_text[offset] >= '0' && m_text[offset] <= '9'
                       ? takeNumber(offset)
                       : fail(ProblemKind::ValueExpected, offset);
        }
    }

    bool open(Kind kind, std::uint32_t offset)
    {
        if (m_depth == m_maxDepth)
            return fail(ProblemKind::TooDeep, offset);
        ++m_depth;
        m_measures.depth = std::max(m_measures.depth, m_depth);
        const auto node = static_cast<std::uint32_t>(m_tape.nodes.size());
        m_tape.nodes.push_back(Node{.offset = offset, .link = m_open, .kind = kind});
        m_open = node;
        return true;
    }

    bool close(std::uint32_t offset)
    {
        const std::uint32_t closed = m_open;
        Node &node = m_tape.nodes[closed];
        m_open = node.link;
        node.link = static_cast<std::uint32_t>(m_tape.nodes.size());
        node.length = offset + 1 - node.offset;
        --m_depth;
        if (node.kind == Kind::Array) {
            m_measures.elements = std::max<std::size_t>(m_measures.elements, node.count);
            return true;
        }
        m_measures.entries = std::max<std::size_t>(m_measures.entries, node.count);
        if (node.count < 2)
            return true;
        const auto duplicate = m_names.findDuplicate(m_tape, closed);
        return !duplicate || fail(ProblemKind::DuplicateName, *duplicate);
    }

    /// The next element of the open array with the comma before it, or its end.
    bool takeElementOrEnd()
    {
        const std::uint32_t offset = *m_next;
        Node &array = m_tape.nodes[m_open];
        if (m_text[offset] == ']') {
            ++m_next;
            return close(offset);
        }
        if (array.count > 0) {
            if (m_text[offset] != ',')
                return fail(ProblemKind::CommaExpected, offset);
            ++m_next;
        }
        ++array.count;
        return takeValue();
    }

    bool takeMemberOrEnd()
    {
        std::uint32_t offset = *m_next++;
        Node &object = m_tape.nodes[m_open];
        if (m_text[offset] == '}')
            return close(offset);
        if (object.count > 0) {
            if (m_text[offset] != ',')
                return fail(ProblemKind::CommaExpected, offset);
            offset = *m_next++;
        }
        ++object.count;
        if (m_text[offset] != '"')
            return fail(ProblemKind::NameExpected, offset);
        if (!hasRoom(offset) || !takeString(offset, m_measures.longestName))
            return false;
        const std::uint32_t colon = *m_next++;
        return m_text[colon] == ':' ? takeValue() : fail(ProblemKind::ColonExpected, colon);
    }

    /// The string at \a offset; its length goes into \a longest.
    bool takeString(std::uint32_t offset, std::size_t &longest)
    {
        std::uint32_t end = *m_next;
        while (isSpace(m_text[end - 1]))
            --end;
        // Structurals promises the closing quote.
        if (end < offset + 2 || m_text[end - 1] != '"')
            return fail(ProblemKind::UnclosedString, offset);
        Node node{.offset = offset, .length = end - offset, .kind = Kind::String};
        const std::size_t inner = node.length - 2;
        if (std::memchr(m_text + offset + 1, '\\', inner) != nullptr) {
            const std::size_t before = m_tape.unescaped.size();
            m_problem = appendUnescaped(m_tape.unescaped, {m_text, m_length}, {offset + 1U, inner});
            if (m_problem)
                return false;
            node.link = static_cast<std::uint32_t>(before);
            node.count = static_cast<std::uint32_t>(m_tape.unescaped.size() - before);
            node.isEscaped = true;
        }
        longest = std::max<std::size_t>(longest, node.isEscaped ? node.count : inner);
        m_tape.nodes.push_back(node);
        return true;
    }

    bool takeNumber(std::uint32_t offset)
    {
        const char *end = skipNumber(m_text + offset);
        return (end != nullptr && takeScalar(Kind::Number, offset, end))
               || fail(ProblemKind::BadNumber, offset);
    }

    bool takeWord(Kind kind, std::string_view word, std::uint32_t offset)
    {
        const char *begin = m_text + offset;
        return (std::memcmp(begin, word.data(), word.size()) == 0
                && takeScalar(kind, offset, begin + word.size()))
               || fail(ProblemKind::ValueExpected, offset);
    }

    /// False where the token does not end at \a end. That is not left to the structurals: in some of
    /// simdjson's implementations there are bytes too many among them, such as a form feed.
    bool takeScalar(Kind kind, std::uint32_t offset, const char *end)
    {
        if (end != m_text + m_length && !isDelimiter(*end))
            return false;
        const auto length = static_cast<std::uint32_t>(end - (m_text + offset));
        m_tape.nodes.push_back(Node{.offset = offset, .length = length, .kind = kind});
        return true;
    }

    const char *m_text;
    std::size_t m_length;
    const std::uint32_t *m_next; ///< the token to come; the last one is the length
    std::size_t m_maxDepth;
    std::size_t m_maxNodes;
    Tape &m_tape;
    Measures &m_measures;
    NameCheck &m_names;
    std::optional<Problem> m_problem;
    std::size_t m_depth = 0;
    std::uint32_t m_open = noNode; ///< innermost container
};

} // namespace

std::optional<Problem> walk(std::string_view text,
                            std::span<const std::uint32_t> structurals,
                            const Limits &limits,
                            Tape &tape,
                            Measures &measures,
                            NameCheck &names)
{
    return Walk(text, structurals, limits, tape, measures, names).run();
}

} // namespace gatehouse::json
