// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/form.h"

#include "gateway/base/text.h"

#include <algorithm>

namespace gatehouse::http {

namespace {

/// -1 where no escape begins at \a at.
int escapedByte(std::string_view text, std::size_t at)
{
    if (text.size() - at < 3)
        return -1;
    const int high = hexValue(text[at + 1]);
    const int low = hexValue(text[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::string withSpaces(std::string_view text)
{
    std::string spaced(text);
    std::ranges::replace(spaced, '+', ' ');
    return spaced;
}

std::optional<std::string> decode(std::string_view text, bool isLenient)
{
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int byte = text[i] == '%' ? escapedByte(text, i) : -1;
        if (byte >= 0) {
            decoded += static_cast<char>(byte);
            i += 2;
        } else if (text[i] != '%' || isLenient) {
            decoded += text[i];
        } else {
            return std::nullopt;
        }
    }
    return decoded;
}

} // namespace

std::optional<std::string> percentDecoded(std::string_view text)
{
    return decode(text, false);
}

std::string percentDecodedLeniently(std::string_view text)
{
    return *decode(text, true);
}

std::string formDecodedLeniently(std::string_view text)
{
    return percentDecodedLeniently(withSpaces(text));
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
    auto name = percentDecoded(withSpaces(written.substr(0, equals)));
    auto value = percentDecoded(withSpaces(written.substr(std::min(equals + 1, written.size()))));
    if (!name || !value)
        return Unexpected(Error{m_malformed, "a % without two hexadecimal digits in a parameter"});
    m_left.remove_prefix(written.size());
    return std::optional(FormPair{std::move(*name), std::move(*value), written});
}

} // namespace gatehouse::http
