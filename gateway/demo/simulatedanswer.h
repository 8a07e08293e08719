// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/demo/eventstream.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::demo {

/// What the simulated provider answers, before HTTP and time.
struct Answer
{
    int status = 200;
    std::string body;                  ///< JSON; empty where the answer is events
    std::optional<EventStream> events; ///< the answer is an event stream
    std::optional<std::size_t> tokens; ///< generated ones; none: the answer takes no time
};

/// A function of its arguments alone: the same request gets the same bytes. \a path without query. Any
/// model is answered for, so that clients need not be set up anew; demo-large repeats all of the
/// last user message and any other name its first words.
[[nodiscard]] Answer
answerTo(std::string_view method, std::string_view path, std::string_view body);

/// An error in OpenAI's shape; empty \a param and \a code are null there.
[[nodiscard]] Answer errorAnswer(int status,
                                 std::string_view message,
                                 std::string_view param = {},
                                 std::string_view code = {});

} // namespace gatehouse::demo
