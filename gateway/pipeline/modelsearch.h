// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/json/document.h"
#include "gateway/pipeline/bodyplace.h"
#include "gateway/pipeline/modelname.h"
#include "gateway/pipeline/requestedmodels.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gatehouse {

/// One search for the models of one request; what it is given is kept by reference.
class ModelSearch
{
public:
    ModelSearch(const ModelPlaces &places, const BodyPlace &body, RequestedModels &found)
        : m_places(places)
        , m_body(body)
        , m_found(found)
    {}

    /// An empty name is none; one that is not plain hides the model.
    void add(std::string_view name);
    void hide(std::string_view why);

    /// BodyNotJson where a model is no text.
    [[nodiscard]] Result<void> searchJson(json::Value root);

    enum class Content : std::uint8_t { Text, Json, File };
    /// A field of a form or a parameter of the query. Names may have steps in brackets, values may be
    /// JSON. BodyNotJson where that cannot be read and a provider would.
    [[nodiscard]] Result<void>
    searchField(std::string_view name, std::string_view value, Content content);

private:
    // False where a model is no text.
    [[nodiscard]] bool search(json::Value value, const BodyPlace *place);
    [[nodiscard]] bool
    searchNamed(const FoldedName &name, json::Value value, const BodyPlace *place);
    [[nodiscard]] bool searchTools(json::Value tools, const BodyPlace *place);
    [[nodiscard]] bool takeModel(json::Value value, const BodyPlace *place, bool isStrict);
    void addTexts(json::Value list);
    [[nodiscard]] bool isModelTool(json::Value tool) const;

    const ModelPlaces &m_places;
    const BodyPlace &m_body;
    RequestedModels &m_found;
    std::size_t m_mentions = 0;               ///< models named so far, each as often as it was
    std::optional<json::Document> m_document; ///< of a field, reused: a form may have many
};

} // namespace gatehouse
