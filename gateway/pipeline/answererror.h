// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

namespace gatehouse {

/// True where the \a body of an answer with a status of 2xx tells an error all the same, as streams and some
/// routers do: an event or line with one, or a JSON text that is one. True also for what cannot be read,
/// in \a codings that are not known for one. \a contentType: JSON, lines of JSON, or events.
[[nodiscard]] bool
tellsError(std::string_view body, std::string_view contentType, std::string_view codings);

/// Whether it is answered by a stream: events, or lines of JSON.
[[nodiscard]] bool isStreamType(std::string_view contentType);

} // namespace gatehouse
