// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/demo/completion.h"
#include "gateway/demo/endpoints.h"

#include <utility>

namespace gatehouse::demo {

using namespace Qt::StringLiterals;

namespace {

QString itemId(const Completion &completion)
{
    return fromUtf8("msg_" + completion.hash);
}

QJsonObject textPart(const QString &text)
{
    return {{"type"_L1, "output_text"_L1},
            {"text"_L1, text},
            {"annotations"_L1, QJsonArray()},
            {"logprobs"_L1, QJsonArray()}};
}

QJsonObject item(const Completion &completion, QLatin1String status, const QJsonArray &content)
{
    return {{"id"_L1, itemId(completion)},
            {"type"_L1, "message"_L1},
            {"status"_L1, status},
            {"role"_L1, "assistant"_L1},
            {"content"_L1, content}};
}

QLatin1String endStatus(const Completion &completion)
{
    return completion.cut ? "incomplete"_L1 : "completed"_L1;
}

QJsonObject usage(const Completion &completion)
{
    return {{"input_tokens"_L1, jsonCount(completion.promptTokens)},
            {"input_tokens_details"_L1, QJsonObject{{"cached_tokens"_L1, 0}}},
            {"output_tokens"_L1, jsonCount(completion.tokens)},
            {"output_tokens_details"_L1, QJsonObject{{"reasoning_tokens"_L1, 0}}},
            {"total_tokens"_L1, jsonCount(completion.promptTokens + completion.tokens)}};
}

/// A response object as it is before the first token.
QJsonObject begun(const Completion &completion)
{
    return {{"id"_L1, fromUtf8("resp_" + completion.hash)},
            {"object"_L1, "response"_L1},
            {"created_at"_L1, qint64{createdAt}},
            {"status"_L1, "in_progress"_L1},
            {"error"_L1, QJsonValue()},
            {"incomplete_details"_L1, QJsonValue()},
            {"instructions"_L1, QJsonValue()},
            {"metadata"_L1, QJsonObject()},
            {"model"_L1, fromUtf8(completion.model)},
            {"output"_L1, QJsonArray()},
            {"parallel_tool_calls"_L1, true},
            {"system_fingerprint"_L1, fromUtf8(fingerprint)},
            {"temperature"_L1, 1},
            {"tool_choice"_L1, "auto"_L1},
            {"tools"_L1, QJsonArray()},
            {"top_p"_L1, 1},
            {"usage"_L1, QJsonValue()}};
}

QJsonObject ended(const Completion &completion)
{
    QJsonObject response = begun(completion);
    const QLatin1String status = endStatus(completion);
    response["status"_L1] = status;
    if (completion.cut)
        response["incomplete_details"_L1] = QJsonObject{{"reason"_L1, "max_output_tokens"_L1}};
    response["output"_L1]
        = QJsonArray{item(completion, status, {textPart(fromUtf8(completion.text))})};
    response["usage"_L1] = usage(completion);
    return response;
}

/// Numbers the events of one stream.
class EventWriter
{
public:
    std::string operator()(const std::string &type, QJsonObject data)
    {
        data["type"_L1] = fromUtf8(type);
        data["sequence_number"_L1] = m_number++;
        return "event: " + type + "\ndata: " + compactJson(data) + "\n\n";
    }
    void skip(std::size_t events) { m_number += jsonCount(events); }

private:
    qint64 m_number = 0;
};

Answer streamed(const Completion &completion)
{
    const QJsonObject inOutput{{"output_index"_L1, 0}};
    QJsonObject inPart{
        {"item_id"_L1, itemId(completion)}, {"output_index"_L1, 0}, {"content_index"_L1, 0}};
    const auto with = [](QJsonObject object, QLatin1String key, const QJsonValue &value) {
        object[key] = value;
        return object;
    };
    const QLatin1String status = endStatus(completion);
    const QString text = fromUtf8(completion.text);
    const QJsonObject response{{"response"_L1, begun(completion)}};
    const QJsonObject emptyItem = item(completion, "in_progress"_L1, {});
    const QJsonObject fullItem = item(completion, status, {textPart(text)});

    EventWriter write;
    std::vector<std::string> opening{
        write("response.created", response),
        write("response.in_progress", response),
        write("response.output_item.added", with(inOutput, "item"_L1, emptyItem)),
        write("response.content_part.added", with(inPart, "part"_L1, textPart(u""_s))),
    };
    inPart["logprobs"_L1] = QJsonArray();
    auto makeDelta = [write, with, inPart](std::string_view token) mutable {
        return write("response.output_text.delta", with(inPart, "delta"_L1, fromUtf8(token)));
    };
    write.skip(completion.tokens);
    std::vector<std::string> closing{
        write("response.output_text.done", with(inPart, "text"_L1, text)),
    };
    inPart.remove("logprobs"_L1);
    closing.push_back(write("response.content_part.done", with(inPart, "part"_L1, textPart(text))));
    closing.push_back(write("response.output_item.done", with(inOutput, "item"_L1, fullItem)));
    closing.push_back(write("response." + utf8(status), {{"response"_L1, ended(completion)}}));
    Answer answer;
    answer.events.emplace(
        std::move(opening), completion.text, std::move(makeDelta), std::move(closing));
    return answer;
}

} // namespace

Answer responsesAnswer(std::string_view body)
{
    auto request = readCompletionRequest(body, {"max_output_tokens"});
    if (!request)
        return std::move(request).error();
    const QJsonValue input = request->json["input"_L1];
    QJsonArray messages = input.toArray();
    if (input.isString())
        messages = {QJsonObject{{"role"_L1, "user"_L1}, {"content"_L1, input}}};
    if (messages.isEmpty())
        return errorAnswer(
            400, "'input' must be a string or an array of items", "input", "invalid_value");
    Prompt prompt;
    prompt.count(utf8(request->json["instructions"_L1].toString()));
    prompt.addMessages(messages);
    const Completion completion = complete(body, *request, prompt);
    Answer answer = request->stream ? streamed(completion) : jsonAnswer(ended(completion));
    answer.tokens = completion.tokens;
    return answer;
}

} // namespace gatehouse::demo
