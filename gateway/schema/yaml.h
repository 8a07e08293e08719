// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/schema/document.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

/// What a file may ask of us; an alias counts as what it stands for.
struct YamlLimits
{
    std::size_t bytes = std::size_t{4} * 1024 * 1024;
    std::size_t nodes = 100'000;
    std::size_t depth = 64;
};

/// The documents of a YAML text; empty ones are left out. What is wrong is reported under the name
/// \a file: bytes that are not UTF-8, syntax, duplicate keys, tags, limits. Documents before a syntax
/// error are returned.
[[nodiscard]] std::vector<Node> parseYaml(std::string_view text,
                                          const std::string &file,
                                          Diagnostics &diagnostics,
                                          const YamlLimits &limits = {});

/// One document in block style with a newline at its end.
[[nodiscard]] std::string toYaml(const Node &node);

} // namespace gatehouse
