// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/demo/completion.h"

#include "gateway/demo/tokencount.h"

#include <limits>
#include <utility>

namespace gatehouse::demo {

using namespace Qt::StringLiterals;

namespace {

constexpr std::size_t quotedTokens = 24;

QString textOf(const QJsonValue &content)
{
    if (content.isString())
        return content.toString();
    QString text;
    const QJsonArray parts = content.toArray();
    for (const auto &part : parts) {
        const QString added = part.toObject().value("text"_L1).toString();
        if (!text.isEmpty() && !added.isEmpty())
            text += u'\n';
        text += added;
    }
    return text;
}

/// The beginning of \a text on one line, cut between two words where there are two.
std::string firstWords(const std::string &text)
{
    std::string line = utf8(fromUtf8(text).simplified());
    std::string_view begin = firstTokens(line, quotedTokens);
    if (begin.size() == line.size())
        return line;
    begin = begin.substr(0, begin.rfind(' '));
    return std::string(begin) + " …";
}

std::string reply(const std::string &model, const Prompt &prompt)
{
    const std::string &asked = prompt.lastUserText;
    const std::size_t tokens = countTokens(asked);
    std::string text = "[simulated] Gatehouse's simulated provider, not a model, answers here. ";
    if (tokens == 0)
        return text + "The last message has no text.";
    text += "The last message has " + std::to_string(tokens) + " tokens";
    if (model == "demo-large")
        return text + ":\n\n" + asked;
    return text + " and begins: “" + firstWords(asked) + "”";
}

} // namespace

void Prompt::count(std::string_view text)
{
    tokens += countTokens(text);
}

void Prompt::addMessages(const QJsonArray &messages)
{
    for (const auto &value : messages) {
        const QJsonObject message = value.toObject();
        std::string text = utf8(textOf(message.value("content"_L1)));
        count(text);
        if (message.value("role"_L1).toString() == "user"_L1)
            lastUserText = std::move(text);
    }
}

Result<CompletionRequest, Answer>
readCompletionRequest(std::string_view body, std::initializer_list<std::string_view> limitNames)
{
    CompletionRequest request;
    auto json = parseRequest(body);
    if (!json)
        return Unexpected(std::move(json).error());
    request.json = *std::move(json);
    auto model = modelOf(request.json);
    if (!model)
        return Unexpected(std::move(model).error());
    request.model = *std::move(model);
    auto stream = flagOf(request.json, "stream");
    if (!stream)
        return Unexpected(std::move(stream).error());
    request.stream = *stream;
    for (const std::string_view name : limitNames) {
        auto limit = countOf(request.json, name, std::numeric_limits<std::int32_t>::max());
        if (!limit)
            return Unexpected(std::move(limit).error());
        if (!request.limit)
            request.limit = *limit;
    }
    return request;
}

Completion complete(std::string_view body, const CompletionRequest &request, const Prompt &prompt)
{
    Completion completion;
    completion.hash = requestHash(body);
    completion.model = request.model;
    completion.promptTokens = prompt.tokens;
    completion.text = reply(request.model, prompt);
    if (request.limit) {
        const std::size_t length = firstTokens(completion.text, *request.limit).size();
        completion.cut = length < completion.text.size();
        completion.text.resize(length);
    }
    completion.tokens = countTokens(completion.text);
    return completion;
}

} // namespace gatehouse::demo
