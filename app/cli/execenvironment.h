// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/config/announcement.h"

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

/// One route for each dialect: the one that \a wanted names, else the one that is called as its
/// dialect, else the first by name. \a scope: what the client may use; empty: all. A message where a
/// name of \a wanted is none of these routes, or two are of one dialect.
[[nodiscard]] Result<std::vector<AnnouncedRoute>, std::string>
chooseRoutes(std::span<const AnnouncedRoute> routes,
             std::span<const std::string> wanted,
             std::span<const std::string> scope);

/// The environment variables in which the configuration keeps secrets: what `env:NAME` refers to, and
/// `$NAME` in MuleSoft documents. Files that do not read are passed over.
[[nodiscard]] std::set<std::string, std::less<>> secretVariables(const std::string &configDir);

/// \a own without the variables in \a secrets, without keys of LLM vendors and what leads their tools
/// elsewhere, and with the base URLs of the routes and the virtual key. \a command: the file name of
/// what is run.
[[nodiscard]] std::vector<std::string>
childEnvironment(std::span<const std::string> own,
                 const std::set<std::string, std::less<>> &secrets,
                 std::span<const AnnouncedRoute> routes,
                 std::string_view key,
                 std::string_view command);

} // namespace gatehouse
