// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/schema/document.h"

#include "gateway/base/text.h"

#include <algorithm>

namespace gatehouse {

std::string Diagnostic::text() const
{
    std::string line = file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
    line += severity == Severity::Warning ? ": warning: " : ": ";
    line += message;
    std::ranges::replace_if(line, isControl, '?');
    return line;
}

bool hasErrors(const Diagnostics &diagnostics)
{
    return std::ranges::any_of(diagnostics, [](const Diagnostic &diagnostic) {
        return diagnostic.severity == Diagnostic::Severity::Error;
    });
}

const Node *Node::find(std::string_view key) const
{
    const auto found = std::ranges::find(keys, key, &Key::text);
    return found == keys.end() ? nullptr : &items[static_cast<std::size_t>(found - keys.begin())];
}

void Node::append(std::string_view key, Node value)
{
    keys.push_back({std::string(key), {}});
    items.push_back(std::move(value));
}

bool Node::operator==(const Node &other) const
{
    return kind == other.kind && isQuoted == other.isQuoted && text == other.text
           && items == other.items && keys == other.keys;
}

Node Node::scalar(std::string_view text, bool isQuoted)
{
    return {.kind = Kind::Scalar, .isQuoted = isQuoted, .text = std::string(text)};
}

Place placeOf(const Node &root, std::initializer_list<PathStep> path)
{
    const Node *node = &root;
    for (const PathStep &step : path) {
        const Node *next = nullptr;
        if (const auto *key = std::get_if<std::string_view>(&step))
            next = node->find(*key);
        else if (const std::size_t index = std::get<std::size_t>(step);
                 node->kind == Node::Kind::List && index < node->items.size())
            next = &node->items[index];
        if (next == nullptr)
            break;
        node = next;
    }
    return node->place;
}

} // namespace gatehouse
