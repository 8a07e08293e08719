// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/value.h"

#include "gateway/json/number.h"
#include "gateway/json/tape.h"

#include <algorithm>

namespace gatehouse::json {

Kind Value::kind() const
{
    return m_tape->nodes[m_index].kind;
}

std::optional<std::string_view> Value::text() const
{
    const Node &node = m_tape->nodes[m_index];
    if (node.kind != Kind::String)
        return {};
    return m_tape->stringOf(node);
}

std::optional<bool> Value::boolean() const
{
    const Node &node = m_tape->nodes[m_index];
    if (node.kind != Kind::Boolean)
        return {};
    return m_tape->text[node.offset] == 't';
}

std::optional<double> Value::number() const
{
    if (kind() != Kind::Number)
        return {};
    return toDouble(sourceText());
}

std::optional<std::int64_t> Value::integer() const
{
    if (kind() != Kind::Number)
        return {};
    return toInteger(sourceText());
}

std::size_t Value::size() const
{
    const Node &node = m_tape->nodes[m_index];
    return node.kind == Kind::Array || node.kind == Kind::Object ? node.count : 0;
}

std::optional<Value> Value::find(std::string_view name) const
{
    const Members all = members();
    const auto found = std::ranges::find_if(all, [&](const Member &m) { return m.name == name; });
    if (found == all.end())
        return {};
    return (*found).value;
}

std::optional<Value> Value::at(std::size_t index) const
{
    if (!isArray() || index >= size())
        return {};
    auto element = elements().begin();
    for (; index > 0; --index)
        ++element;
    return *element;
}

std::uint32_t Value::end() const
{
    return m_tape->behind(m_index);
}

Elements Value::elements() const
{
    const std::uint32_t begin = isArray() ? m_index + 1 : end();
    return {{m_tape, begin}, {m_tape, end()}};
}

Members Value::members() const
{
    const std::uint32_t begin = isObject() ? m_index + 1 : end();
    return {{m_tape, begin}, {m_tape, end()}};
}

Range Value::source() const
{
    const Node &node = m_tape->nodes[m_index];
    return {node.offset, node.length};
}

std::string_view Value::sourceText() const
{
    const Node &node = m_tape->nodes[m_index];
    return {m_tape->text.data() + node.offset, node.length};
}

Elements::Iterator &Elements::Iterator::operator++()
{
    m_index = m_tape->behind(m_index);
    return *this;
}

Elements::Iterator Elements::Iterator::operator++(int)
{
    const Iterator before = *this;
    ++*this;
    return before;
}

Member Members::Iterator::operator*() const
{
    const Node &name = m_tape->nodes[m_index];
    return {m_tape->stringOf(name), {name.offset, name.length}, {m_tape, m_index + 1}};
}

Members::Iterator &Members::Iterator::operator++()
{
    m_index = m_tape->behind(m_index + 1);
    return *this;
}

Members::Iterator Members::Iterator::operator++(int)
{
    const Iterator before = *this;
    ++*this;
    return before;
}

} // namespace gatehouse::json
