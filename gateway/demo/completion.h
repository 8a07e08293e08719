// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/demo/requestjson.h"

#include <cstdint>

namespace gatehouse::demo {

/// In every answer where OpenAI has a system_fingerprint.
inline constexpr std::string_view fingerprint = "fp_gatehouse_simulated";
/// `created` of everything, so that answers do not depend on the clock: 2026-01-01T00:00:00Z.
inline constexpr std::int64_t createdAt = 1767225600;

/// What was asked, from the messages of a request.
struct Prompt
{
    std::string lastUserText;
    std::size_t tokens = 0; ///< of the texts of all messages, whatever their roles

    /// \a text of a part outside the messages counts too.
    void count(std::string_view text);
    /// A message's `content`: a string, or an array of parts with `text`. Anything else has no text.
    void addMessages(const QJsonArray &messages);
};

/// What is said to it.
struct Completion
{
    std::string hash; ///< for ids
    std::string model;
    std::string text;
    std::size_t promptTokens = 0;
    std::size_t tokens = 0;
    bool cut = false; ///< by the limit of the request
};

/// The fields that chat completions and responses have in common.
struct CompletionRequest
{
    QJsonObject json;
    std::string model;
    bool stream = false;
    std::optional<std::size_t> limit; ///< of generated tokens
};

/// \a limitNames: the first that is given counts.
[[nodiscard]] Result<CompletionRequest, Answer>
readCompletionRequest(std::string_view body, std::initializer_list<std::string_view> limitNames);

/// \a body: the whole request, for the hash.
[[nodiscard]] Completion
complete(std::string_view body, const CompletionRequest &request, const Prompt &prompt);

} // namespace gatehouse::demo
