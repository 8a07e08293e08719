// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/jsonstring.h"

#include "gateway/base/text.h"

namespace gatehouse {

namespace {

void appendEscaped(std::string &out, char c)
{
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
    } else if (c == '\n') {
        out += "\\n";
    } else if (isControl(c)) {
        out += "\\u00";
        out += digits[byte >> 4];
        out += digits[byte & 0x0f];
    } else {
        out += c;
    }
}

} // namespace

std::string jsonString(std::string_view text)
{
    std::string out = "\"";
    for (;;) {
        const std::size_t bad = findInvalidUtf8(text);
        for (const char c : text.substr(0, bad))
            appendEscaped(out, c);
        if (bad == std::string_view::npos)
            break;
        out += "\uFFFD";
        text.remove_prefix(bad + 1);
    }
    out += '"';
    return out;
}

} // namespace gatehouse
