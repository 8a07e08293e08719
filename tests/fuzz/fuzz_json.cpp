// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/document.h"
#include "gateway/json/pointer.h"
#include "tests/json/reference.h"

#include <cerrno>
#include <cstdint>
#include <cstdlib>

using namespace gatehouse::json;

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

std::string escaped(std::string_view name)
{
    std::string token;
    for (const char c : name)
        token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return token;
}

bool isPlainInteger(std::string_view number)
{
    return number.find_first_not_of("-0123456789") == std::string_view::npos;
}

/// An integer without point and exponent is what the C library reads.
void requireInteger(Value value)
{
    const std::string digits(value.sourceText());
    if (value.kind() != Kind::Number || !isPlainInteger(digits))
        return;
    errno = 0;
    const long long expected = std::strtoll(digits.c_str(), nullptr, 10);
    require(value.integer() == (errno == 0 ? std::optional<std::int64_t>(expected) : std::nullopt));
}

/// The bytes of a value, read alone, say the same.
void requireAlone(Value value, Document &other)
{
    require(other.parse(value.sourceText()).has_value());
    const Value alone = other.root();
    require(alone.source() == Range{0, value.source().length});
    require(alone.kind() == value.kind() && alone.size() == value.size());
    require(alone.text() == value.text() && alone.boolean() == value.boolean());
    require(alone.number() == value.number() && alone.integer() == value.integer());
    requireInteger(value);
}

void requireChildren(Value root, Document &other)
{
    std::size_t index = 0;
    for (const Value element : root.elements()) {
        requireAlone(element, other);
        if (++index <= 16) // finding the last of many each time would take too long
            require(root.at(index - 1)->source() == element.source());
    }
    for (const Member &member : root.members()) {
        requireAlone(member.value, other);
        const auto pointer = Pointer::parse('/' + escaped(member.name));
        require(pointer && pointer->first(root)->source() == member.value.source());
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static Document used; // by all inputs before, so that what they leave shows
    static Document other;
    const std::string text(data, data + size);
    const auto expected = reference::understand(text);
    const auto result = used.parse(text);
    require(result.has_value() == expected.has_value());
    if (!result) {
        Document fresh;
        const auto again = fresh.parse(text);
        require(!again && again.error() == result.error());
        require(result.error().offset <= size && used.root().kind() == Kind::Null);
        return 0;
    }
    const Value root = used.root();
    require(used.text() == text);
    require(reference::describe(root) == *expected);
    require(reference::measure(root) == used.measures());
    requireChildren(root, other);

    // Whatever the limits, the answer is the same or one of theirs.
    const auto limited = other.parse(text, {.maxDepth = 2, .maxNodes = 8});
    require(limited || limited.error().kind == Problem::Kind::TooDeep
            || limited.error().kind == Problem::Kind::TooManyValues);
    return 0;
}
