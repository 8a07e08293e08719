// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/config/draft.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse {

/// A client as its document, ready for toYaml.
[[nodiscard]] Node encodeClient(const std::string &name,
                                const std::map<std::string, std::string> &labels,
                                const ClientSpec &spec);

/// The text with the document whose root begins at \a line replaced by another's text, or taken out
/// where that is empty. All other bytes stay as they are, comments before the root too.
[[nodiscard]] std::string
replaceDocument(std::string_view text, std::uint32_t line, std::string_view replacement);

/// Writes the file beside its place and renames it there: readers see the old or the new text, whole.
/// A new file gets the mode 0600.
[[nodiscard]] Result<void> writeConfigFile(const std::string &path, std::string_view text);

/// What a command holds from reading a configuration directory until it has written there, so that no
/// other one's change is lost. Editors know nothing of it.
class ConfigLock
{
public:
    /// Waits for another command, at most that long. SystemFailure then.
    [[nodiscard]] static Result<ConfigLock>
    take(const std::string &directory, std::chrono::milliseconds limit = std::chrono::seconds(5));

    ConfigLock(ConfigLock &&other) noexcept;
    ConfigLock(const ConfigLock &) = delete;
    ConfigLock &operator=(ConfigLock &&) = delete;
    ConfigLock &operator=(const ConfigLock &) = delete;
    ~ConfigLock();

private:
    explicit ConfigLock(int descriptor);

    int m_descriptor; ///< -1: there is nothing to lock
};

} // namespace gatehouse
