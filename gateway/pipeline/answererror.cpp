// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/answererror.h"

#include "gateway/base/text.h"
#include "gateway/http/contentdecoder.h"
#include "gateway/http/sse.h"
#include "gateway/json/document.h"

#include <algorithm>
#include <array>
#include <string>

namespace gatehouse {

namespace {

constexpr std::string_view eventStream = "text/event-stream";
constexpr auto lineTypes = std::to_array<std::string_view>(
    {"application/x-ndjson", "application/ndjson", "application/jsonl"});
/// Decoded bytes that are looked at; an answer that is longer is taken for one with an error.
constexpr std::size_t longestDecoded = std::size_t{64} << 20;

std::string_view typeOf(std::string_view contentType)
{
    std::string_view type = contentType.substr(0, contentType.find(';'));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t'))
        type.remove_suffix(1);
    return type;
}

bool isLineType(std::string_view type)
{
    return std::ranges::any_of(
        lineTypes, [type](std::string_view line) { return equalsIgnoreCase(line, type); });
}

bool isErrorType(std::string_view type)
{
    return type == "error" || type == "response.failed";
}

bool isError(const json::Value &value)
{
    const auto error = value.find("error");
    if (error && error->kind() != json::Kind::Null)
        return true;
    const auto type = value.find("type");
    const auto name = type ? type->text() : std::nullopt;
    return name && isErrorType(*name);
}

/// Parsed only where the word is somewhere in it. A list has the pieces of Gemini's streams.
bool isError(std::string_view text, json::Document &document)
{
    if (text.find("error") == std::string_view::npos
        && text.find("response.failed") == std::string_view::npos)
        return false;
    if (!document.parse(text))
        return false;
    for (const json::Value element : document.root().elements()) {
        if (isError(element))
            return true;
    }
    return isError(document.root());
}

bool hasErrorEvent(std::string_view body, json::Document &document)
{
    http::SseReader events(std::max(body.size(), http::SseReader::defaultLimit));
    const auto isErrorEvent = [&document](const http::SseReader::Step &step) {
        return step.kind == http::SseReader::Kind::Event
               && (isErrorType(step.type) || isError(step.data, document));
    };
    for (;;) {
        const http::SseReader::Step step = events.next(body);
        if (step.kind == http::SseReader::Kind::NeedMore)
            return isErrorEvent(events.finish());
        if (isErrorEvent(step))
            return true;
    }
}

} // namespace

bool isStreamType(std::string_view contentType)
{
    const std::string_view type = typeOf(contentType);
    return equalsIgnoreCase(type, eventStream) || isLineType(type);
}

bool tellsError(std::string_view body, std::string_view contentType, std::string_view codings)
{
    std::string decoded;
    if (!codings.empty() && !equalsIgnoreCase(codings, "identity")) {
        auto decoder = http::ContentDecoder::of(codings);
        if (!decoder)
            return true;
        const auto taken = decoder->take(body, [&decoded](std::string_view bytes) {
            decoded += bytes;
            return decoded.size() <= longestDecoded;
        });
        if (!taken || decoded.size() > longestDecoded)
            return true;
        body = decoded;
    }
    json::Document document;
    const std::string_view type = typeOf(contentType);
    if (equalsIgnoreCase(type, eventStream))
        return hasErrorEvent(body, document);
    if (!isLineType(type))
        return isError(body, document);
    const auto lines = split(body, '\n');
    return std::ranges::any_of(
        lines, [&document](std::string_view line) { return isError(line, document); });
}

} // namespace gatehouse
