// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/pathsegments.h"

#include "gateway/base/text.h"

#include <algorithm>

namespace gatehouse {

namespace {

/// Takes the first segment off the front of \a path, the slash before it too; empty at the end, and
/// between two slashes.
std::string_view takeSegment(std::string_view &path)
{
    if (path.starts_with('/'))
        path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return segment;
}

/// What stands before an endpoint: "v1", "v1beta2", "openai".
bool isMount(std::string_view segment)
{
    const bool isVersion = segment.size() >= 2 && segment.front() == 'v' && isDigit(segment[1])
                           && std::ranges::all_of(segment, isAlphanumeric);
    return isVersion || segment == "openai" || segment == "api" || segment == "beta"
           || segment == "upload";
}

bool isSegmentLike(std::string_view segment, std::string_view pattern)
{
    const std::size_t star = pattern.find('*');
    if (star == std::string_view::npos)
        return segment == pattern;
    const std::string_view before = pattern.substr(0, star);
    const std::string_view behind = pattern.substr(star + 1);
    if (segment.size() < pattern.size() || !segment.starts_with(before)
        || !segment.ends_with(behind))
        return false;
    segment.remove_prefix(before.size());
    segment.remove_suffix(behind.size());
    return segment.find(':') == std::string_view::npos;
}

} // namespace

void appendSegmentsBehind(std::string_view path,
                          std::span<const std::string_view> markers,
                          std::vector<std::string_view> &found)
{
    while (!path.empty()) {
        const std::string_view marker = takeSegment(path);
        if (std::ranges::none_of(markers, [marker](std::string_view known) {
                return equalsIgnoreCase(known, marker);
            }))
            continue;
        std::string_view rest = path;
        std::string_view segment;
        while (segment.empty() && !rest.empty())
            segment = takeSegment(rest);
        if (!segment.empty())
            found.push_back(segment);
    }
}

bool hasSegment(std::string_view path, std::string_view segment)
{
    while (!path.empty()) {
        if (equalsIgnoreCase(takeSegment(path), segment))
            return true;
    }
    return false;
}

bool isEndpoint(std::string_view path, std::span<const std::string_view> patterns)
{
    if (!path.starts_with('/'))
        return false;
    std::string_view first = takeSegment(path);
    while (isMount(first) && !path.empty())
        first = takeSegment(path);
    if (first.empty())
        return false;
    return std::ranges::any_of(patterns, [first, path](std::string_view pattern) {
        if (pattern.front() != first.front() || takeSegment(pattern) != first)
            return false;
        std::string_view rest = path;
        while (!pattern.empty()) {
            const std::string_view step = takeSegment(pattern);
            if (!isSegmentLike(takeSegment(rest), step))
                return false;
        }
        return rest.empty();
    });
}

} // namespace gatehouse
