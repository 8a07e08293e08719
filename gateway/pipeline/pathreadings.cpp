// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/pathreadings.h"

#include "gateway/http/form.h"
#include "gateway/pipeline/exchange.h"

#include <algorithm>
#include <string_view>

namespace gatehouse {

namespace {

using Texts = std::vector<std::string>;

/// What \a change makes of each, beside what is there.
template<typename Change>
void addChanged(Texts &texts, Change change)
{
    for (std::size_t i = 0, count = texts.size(); i < count; ++i) {
        std::string changed = change(texts[i]);
        if (std::ranges::find(texts, changed) == texts.end())
            texts.push_back(std::move(changed));
    }
}

std::string withoutParameters(const std::string &path)
{
    std::string text;
    bool isInParameter = false;
    for (const char c : path) {
        isInParameter = c == ';' || (isInParameter && c != '/');
        if (!isInParameter)
            text += c;
    }
    return text;
}

std::string withSlashes(std::string path)
{
    std::ranges::replace(path, '\\', '/');
    return path;
}

std::string withSingleSlashes(std::string path)
{
    const auto rest = std::unique(
        path.begin(), path.end(), [](char a, char b) { return a == '/' && b == '/'; });
    path.erase(rest, path.end());
    return path;
}

std::string withoutLastSlash(std::string path)
{
    while (path.size() > 1 && path.back() == '/')
        path.pop_back();
    return path;
}

/// Percent-decoded once but for slashes, which stay what they are within a segment.
std::string decodedWithin(std::string_view path)
{
    std::string text;
    while (!path.empty()) {
        const bool isSlash = path.starts_with("%2F") || path.starts_with("%2f");
        const std::size_t length = path.front() == '%' ? 3 : 1;
        const std::string_view piece = path.substr(0, length);
        text += isSlash ? "%2F" : http::percentDecoded(piece).value_or(std::string(piece));
        path.remove_prefix(piece.size());
    }
    return text;
}

/// As RFC 3986 §5.2.4 has it; heads with such a segment are refused, but a second decoding makes them.
std::string withoutDotSegments(std::string path)
{
    if (path.find("/.") == std::string::npos)
        return path;
    std::string text;
    for (std::string_view rest = path; !rest.empty();) {
        const std::size_t end = std::min(rest.find('/', 1), rest.size());
        const std::string_view segment = rest.substr(0, end);
        rest.remove_prefix(end);
        const bool isUp = segment == "/..";
        if (isUp)
            text.erase(std::min(text.rfind('/'), text.size()));
        if (!isUp && segment != "/.")
            text += segment;
        else if (rest.empty())
            text += '/';
    }
    return text;
}

/// True where every server reads it alike: most paths. Those with dot segments do not get here.
bool isPlain(std::string_view path)
{
    return path.find_first_of("%;\\") == std::string_view::npos
           && path.find("//") == std::string_view::npos
           && (path.size() < 2 || !path.ends_with('/'));
}

} // namespace

std::vector<std::string> otherPathReadings(const Exchange &exchange)
{
    const std::string_view written = exchange.path();
    if (written.empty())
        return {"/"};
    if (isPlain(written))
        return {};
    Texts paths{std::string(exchange.decodedPath())};
    if (std::string within = decodedWithin(written); within != paths.front())
        paths.push_back(std::move(within));
    addChanged(paths, [](const std::string &path) {
        return http::percentDecoded(path).value_or(path); // by a proxy before the server, once more
    });
    addChanged(paths, withoutParameters);
    addChanged(paths, withSlashes);
    addChanged(paths, withSingleSlashes);
    addChanged(paths, withoutDotSegments);
    addChanged(paths, withoutLastSlash);
    paths.erase(paths.begin());
    return paths;
}

} // namespace gatehouse
