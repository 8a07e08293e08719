// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace gatehouse {

// For buffers that a secret passes through on its way out; what is kept belongs into a LockedSecret.

/// Appends \a bytes. A buffer that is outgrown is overwritten before it is given back.
void appendWiping(std::string &to, std::string_view bytes);

/// Overwrites all that \a bytes may have held and empties it; its buffer stays.
void wipe(std::string &bytes);

} // namespace gatehouse
