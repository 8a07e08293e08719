// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/demo/simulatedanswer.h"

#include "gateway/demo/completion.h"
#include "gateway/demo/endpoints.h"

#include <algorithm>
#include <array>

namespace gatehouse::demo {

using namespace Qt::StringLiterals;

namespace {

constexpr std::array<std::string_view, 2> models{"demo-small", "demo-large"};

QJsonObject modelObject(std::string_view id)
{
    return {{"id"_L1, fromUtf8(id)},
            {"object"_L1, "model"_L1},
            {"created"_L1, qint64{createdAt}},
            {"owned_by"_L1, "gatehouse-simulated"_L1}};
}

Answer modelList()
{
    QJsonArray data;
    for (const std::string_view id : models)
        data.append(modelObject(id));
    return jsonAnswer({{"object"_L1, "list"_L1}, {"data"_L1, data}});
}

Answer oneModel(std::string_view id)
{
    if (std::ranges::find(models, id) != models.end())
        return jsonAnswer(modelObject(id));
    return errorAnswer(
        404, "The model '" + std::string(id) + "' does not exist here", "model", "model_not_found");
}

} // namespace

Answer answerTo(std::string_view method, std::string_view path, std::string_view body)
{
    constexpr std::string_view modelPath = "/v1/models";
    constexpr std::string_view modelPrefix = "/v1/models/";
    if (method == "POST" && path == "/v1/chat/completions")
        return chatAnswer(body);
    if (method == "POST" && path == "/v1/responses")
        return responsesAnswer(body);
    if (method == "POST" && path == "/v1/embeddings")
        return embeddingsAnswer(body);
    if (method == "GET" && path == modelPath)
        return modelList();
    if (method == "GET" && path.starts_with(modelPrefix))
        return oneModel(path.substr(modelPrefix.size()));
    return errorAnswer(404,
                       "The simulated provider has no " + std::string(method) + ' '
                           + std::string(path),
                       {},
                       "unknown_url");
}

} // namespace gatehouse::demo
