// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/form.h"

#include "gateway/base/text.h"

#include <algorithm>

namespace gatehouse::http {

namespace {

/// -1 where \a c is no hexadecimal digit.
int hexValue(char c)
{
    if (isDigit(c))
        return c - '0';
    const char lower = toLowerAscii(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<std::string> formDecoded(std::string_view text)
{
    std::string spaced(text);
    std::ranges::replace(spaced, '+', ' ');
    return percentDecoded(spaced);
}

} // namespace

std::optional<std::string> percentDecoded(std::string_view text)
{
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        if (text.size() - i < 3)
            return std::nullopt;
        const int high = hexValue(text[i + 1]);
        const int low = hexValue(text[i + 2]);
        if (high < 0 || low < 0)
            return std::nullopt;
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return decoded;
}

FormReader::FormReader(std::string_view text, ErrorCode malformed)
    : m_left(text)
    , m_malformed(malformed)
{}

Result<std::optional<FormPair>> FormReader::next()
{
    m_left.remove_prefix(std::min(m_left.find_first_not_of('&'), m_left.size()));
    if (m_left.empty())
        return std::optional<FormPair>();
    const std::string_view written = m_left.substr(0, m_left.find('&'));
    if (written.find(';') != std::string_view::npos)
        return Unexpected(Error{m_malformed, "a ; between the parameters; write %3B for it"});
    const std::size_t equals = std::min(written.find('='), written.size());
    auto name = formDecoded(written.substr(0, equals));
    auto value = formDecoded(written.substr(std::min(equals + 1, written.size())));
    if (!name || !value)
        return Unexpected(Error{m_malformed, "a % without two hexadecimal digits in a parameter"});
    m_left.remove_prefix(written.size());
    return std::optional(FormPair{std::move(*name), std::move(*value), written});
}

} // namespace gatehouse::http
