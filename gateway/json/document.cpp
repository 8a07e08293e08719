// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/document.h"

#include "gateway/json/bytes.h"
#include "gateway/json/names.h"
#include "gateway/json/structurals.h"
#include "gateway/json/tape.h"
#include "gateway/json/walk.h"

namespace gatehouse::json {

static_assert(Document::longestText <= Node::largestCount, "a node holds the length of a string");

struct Document::Parts
{
    Tape tape;
    std::size_t length = 0; ///< of the text, without its padding
    Measures measures;
    Structurals structurals;
    NameCheck names;

    Parts() { clear(); }
    /// What root() is, where there is nothing: a null.
    void clear();
    [[nodiscard]] std::optional<Problem> read(std::string_view text, const Limits &limits);
};

void Document::Parts::clear()
{
    tape.text.clear();
    tape.unescaped.clear();
    tape.nodes.assign(1, Node());
    length = 0;
    measures = {};
}

std::optional<Problem> Document::Parts::read(std::string_view text, const Limits &limits)
{
    if (text.size() > longestText)
        return Problem{Problem::Kind::TooLong, longestText};
    tape.text.reserve(text.size() + Tape::padding);
    tape.text.assign(text).append(Tape::padding, '\0');
    tape.nodes.clear();
    length = text.size();
    const std::string_view copy = std::string_view(tape.text).substr(0, length);
    std::optional<Problem> problem;
    if (const auto found = structurals.find(copy)) {
        problem = walk(copy, *found, limits, tape, measures, names);
        if (!problem)
            return {};
    } else {
        problem = {Problem::Kind::ValueExpected, 0};
    }
    if (const auto cause = findByteProblem(copy))
        return cause;
    return problem;
}

Document::Document()
    : m_parts(std::make_unique<Parts>())
{}
Document::~Document() = default;
Document::Document(Document &&) noexcept = default;
Document &Document::operator=(Document &&) noexcept = default;

Result<void, Problem> Document::parse(std::string_view text, Limits limits)
{
    m_parts->clear();
    if (const auto problem = m_parts->read(text, limits)) {
        m_parts->clear();
        return Unexpected(*problem);
    }
    return {};
}

Value Document::root() const
{
    return {&m_parts->tape, 0};
}

const Measures &Document::measures() const
{
    return m_parts->measures;
}

std::string_view Document::text() const
{
    return std::string_view(m_parts->tape.text).substr(0, m_parts->length);
}

std::size_t Document::capacity() const
{
    return m_parts->tape.text.capacity() + m_parts->tape.unescaped.capacity()
           + m_parts->tape.nodes.capacity() * sizeof(Node) + m_parts->structurals.capacity()
           + m_parts->names.capacity();
}

void Document::shrink()
{
    m_parts = std::make_unique<Parts>();
}

} // namespace gatehouse::json
