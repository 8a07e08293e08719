// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/demo/simulatedanswer.h"

namespace gatehouse::demo {

/// POST /v1/chat/completions
[[nodiscard]] Answer chatAnswer(std::string_view body);
/// POST /v1/responses
[[nodiscard]] Answer responsesAnswer(std::string_view body);
/// POST /v1/embeddings
[[nodiscard]] Answer embeddingsAnswer(std::string_view body);

} // namespace gatehouse::demo
