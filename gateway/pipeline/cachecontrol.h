// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/http/head.h"
#include "gateway/pipeline/answercache.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

/// True where a Cache-Control among \a fields has that directive, with a value or without. RFC 9111 §5.2.
[[nodiscard]] bool hasCacheDirective(const std::vector<http::Field> &fields,
                                     std::string_view directive);

/// What of an answer's \a fields may be said again with it; none where it must not be kept: no-store, a
/// cookie, `Vary: *`.
[[nodiscard]] std::optional<KeptAnswer> keepableHead(const std::vector<http::Field> &fields);

/// Its Content-Encoding fields joined, as they were applied; empty where there is none.
[[nodiscard]] std::string codingsOf(const KeptAnswer &answer);

} // namespace gatehouse
