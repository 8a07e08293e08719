// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>

// What the rows of resources.cpp ask about a text: "must …", or empty where nothing is wrong.

namespace gatehouse {

[[nodiscard]] std::string nameProblem(std::string_view text);
[[nodiscard]] std::string listenAddressProblem(std::string_view text);
/// As a listener's address, or `none`.
[[nodiscard]] std::string adminAddressProblem(std::string_view text);
[[nodiscard]] std::string hostProblem(std::string_view text);
[[nodiscard]] std::string originProblem(std::string_view text);
[[nodiscard]] std::string timezoneProblem(std::string_view text);
[[nodiscard]] std::string baseUrlProblem(std::string_view text);
[[nodiscard]] std::string basePathProblem(std::string_view text);
/// Of a path that may have a query.
[[nodiscard]] std::string targetProblem(std::string_view text);
[[nodiscard]] std::string keyHashProblem(std::string_view text);
[[nodiscard]] std::string instantProblem(std::string_view text);
/// Of a row of prices: a `*` may stand at the end.
[[nodiscard]] std::string modelNameProblem(std::string_view text);

[[nodiscard]] std::span<const std::string_view> dialectNames();
[[nodiscard]] std::span<const std::string_view> presetNames();

} // namespace gatehouse
