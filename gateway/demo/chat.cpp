// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/demo/completion.h"
#include "gateway/demo/endpoints.h"

#include <utility>

namespace gatehouse::demo {

using namespace Qt::StringLiterals;

namespace {

QJsonObject usage(const Completion &completion)
{
    return {{"prompt_tokens"_L1, jsonCount(completion.promptTokens)},
            {"completion_tokens"_L1, jsonCount(completion.tokens)},
            {"total_tokens"_L1, jsonCount(completion.promptTokens + completion.tokens)},
            {"prompt_tokens_details"_L1, QJsonObject{{"cached_tokens"_L1, 0}}},
            {"completion_tokens_details"_L1, QJsonObject{{"reasoning_tokens"_L1, 0}}}};
}

/// All but choices and usage.
QJsonObject envelope(const Completion &completion, QLatin1String object)
{
    return {{"id"_L1, fromUtf8("chatcmpl-" + completion.hash)},
            {"object"_L1, object},
            {"created"_L1, qint64{createdAt}},
            {"model"_L1, fromUtf8(completion.model)},
            {"system_fingerprint"_L1, fromUtf8(fingerprint)}};
}

QJsonObject choice(QLatin1String part, const QJsonObject &content, const QJsonValue &finishReason)
{
    return {{"index"_L1, 0},
            {part, content},
            {"logprobs"_L1, QJsonValue()},
            {"finish_reason"_L1, finishReason}};
}

std::string chunk(QJsonObject object, const QJsonArray &choices)
{
    object["choices"_L1] = choices;
    return "data: " + compactJson(object) + "\n\n";
}

QLatin1String finishReason(const Completion &completion)
{
    return completion.cut ? "length"_L1 : "stop"_L1;
}

Answer whole(const Completion &completion)
{
    QJsonObject object = envelope(completion, "chat.completion"_L1);
    const QJsonObject message{{"role"_L1, "assistant"_L1},
                              {"content"_L1, fromUtf8(completion.text)},
                              {"refusal"_L1, QJsonValue()}};
    object["choices"_L1] = QJsonArray{choice("message"_L1, message, finishReason(completion))};
    object["usage"_L1] = usage(completion);
    return jsonAnswer(object);
}

Answer streamed(const Completion &completion, bool withUsage)
{
    QJsonObject object = envelope(completion, "chat.completion.chunk"_L1);
    if (withUsage)
        object["usage"_L1] = QJsonValue();
    const QJsonObject first{{"role"_L1, "assistant"_L1}, {"content"_L1, QString(u""_s)}};
    std::vector<std::string> opening{
        chunk(object, {choice("delta"_L1, first, QJsonValue())}),
    };
    std::vector<std::string> closing{
        chunk(object, {choice("delta"_L1, {}, finishReason(completion))}),
    };
    if (withUsage) {
        QJsonObject last = object;
        last["usage"_L1] = usage(completion);
        closing.push_back(chunk(last, {}));
    }
    closing.emplace_back("data: [DONE]\n\n");
    auto makeDelta = [object](std::string_view token) {
        const QJsonObject delta{{"content"_L1, fromUtf8(token)}};
        return chunk(object, {choice("delta"_L1, delta, QJsonValue())});
    };
    Answer answer;
    answer.events.emplace(std::move(opening), completion.text, makeDelta, std::move(closing));
    return answer;
}

} // namespace

Answer chatAnswer(std::string_view body)
{
    auto request = readCompletionRequest(body, {"max_completion_tokens", "max_tokens"});
    if (!request)
        return std::move(request).error();
    const QJsonArray messages = request->json["messages"_L1].toArray();
    if (messages.isEmpty())
        return errorAnswer(400,
                           "'messages' must be an array with at least one message",
                           "messages",
                           "invalid_value");
    if (request->json["n"_L1].toInt(1) != 1)
        return errorAnswer(
            400, "The simulated provider gives one choice only", "n", "unsupported_value");
    auto withUsage = flagOf(request->json["stream_options"_L1].toObject(), "include_usage");
    if (!withUsage)
        return std::move(withUsage).error();
    Prompt prompt;
    prompt.addMessages(messages);
    const Completion completion = complete(body, *request, prompt);
    Answer answer = request->stream ? streamed(completion, *withUsage) : whole(completion);
    answer.tokens = completion.tokens;
    return answer;
}

} // namespace gatehouse::demo
