// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QtGlobal>

#include <string>

namespace gatehouse::test {

/// One frame of a server with a text.
inline std::string text(const std::string &json)
{
    Q_ASSERT(json.size() < 65536);
    return std::string("\x81\x7e") + static_cast<char>(json.size() >> 8U)
           + static_cast<char>(json.size() & 0xFFU) + json;
}

inline std::string created(const std::string &model)
{
    std::string json
        = "{\"type\":\"response.created\",\"response\":{\"model\":\"MODEL\",\"usage\":null}}";
    return text(json.replace(json.find("MODEL"), 5, model));
}

inline std::string delta()
{
    return text("{\"type\":\"response.output_text.delta\",\"delta\":\"words \\\"usage\\\":{}\"}");
}

/// As Responses end, with 110 tokens of input and 20 of output.
inline std::string completed()
{
    return text("{\"type\":\"response.completed\",\"response\":{\"model\":\"gpt-5\",\"usage\":{"
                "\"input_tokens\":110,"
                "\"input_tokens_details\":{\"cached_tokens\":10},\"output_tokens\":20,"
                "\"output_tokens_details\":{\"reasoning_tokens\":3}}}}");
}

/// As responses of Realtime end.
inline std::string done()
{
    return text(
        "{\"type\":\"response.done\",\"response\":{\"usage\":{\"total_tokens\":253,\"input_"
        "tokens\":132,"
        "\"output_tokens\":121,\"input_token_details\":{\"text_tokens\":119,\"cached_tokens\":64},"
        "\"output_token_details\":{\"text_tokens\":30,\"audio_tokens\":91}}}}");
}

} // namespace gatehouse::test
