// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/modelsearch.h"

#include "gateway/base/text.h"
#include "gateway/http/text.h"

#include <algorithm>

namespace gatehouse {

namespace {

/// More different ones in one request are not worth comparing each with all others.
constexpr std::size_t mostModels = 64;
constexpr std::string_view standIn
    = "it names something that stands for models which the provider knows";

bool isContainer(json::Value value)
{
    return value.isArray() || value.isObject();
}

bool isIndex(std::string_view step)
{
    return std::ranges::all_of(step, isDigit);
}

Unexpected<Error> noText()
{
    return Unexpected(Error{ErrorCode::BodyNotJson, "a model that is no text"});
}

/// A text at a place of Role::Hidden or in a list there, and an object of which nothing is known: its names
/// may be models.
bool isStandIn(json::Value value, const BodyPlace &place)
{
    if (value.isObject())
        return !place.hasMembers();
    if (value.isArray())
        return std::ranges::any_of(value.elements(),
                                   [](json::Value element) { return element.text().has_value(); });
    return value.kind() != json::Kind::Null;
}

/// The name of a field with steps: "session[model]", "tools[0][model]", "models[]".
class FieldPath
{
public:
    FieldPath(std::string_view name, const BodyPlace &root)
        : m_name(name.substr(0, name.find('[')))
        , m_place(m_name.isWhole() ? root.member(m_name.text()) : nullptr)
    {
        std::size_t open = name.find('[');
        while (open != std::string_view::npos && !isContent()) {
            const std::size_t close = std::min(name.find(']', open), name.size());
            take(name.substr(open + 1, close - open - 1));
            open = name.find('[', close);
        }
    }

    /// The last step that is no index.
    [[nodiscard]] const FoldedName &name() const { return m_name; }
    [[nodiscard]] const BodyPlace *place() const { return m_place; }
    [[nodiscard]] bool isContent() const
    {
        return m_place != nullptr && m_place->role() == BodyPlace::Role::Content;
    }

private:
    void take(std::string_view step)
    {
        if (isIndex(step)) {
            m_place = m_place == nullptr ? nullptr : m_place->element();
            return;
        }
        m_name = FoldedName(step);
        m_place
            = m_place == nullptr || !m_name.isWhole() ? nullptr : m_place->member(m_name.text());
    }

    FoldedName m_name;
    const BodyPlace *m_place;
};

} // namespace

void ModelSearch::hide(std::string_view why)
{
    if (m_found.isHidden)
        return;
    m_found.isHidden = true;
    m_found.why = why;
}

void ModelSearch::add(std::string_view name)
{
    if (name.empty())
        return;
    ++m_mentions;
    const bool isKnown = std::ranges::any_of(
        m_found.models, [name](const RequestedModel &model) { return model.name == name; });
    if (isKnown)
        return;
    if (!isPlainModel(name)) {
        hide("a model's name is written so that servers may take it for another");
        return;
    }
    if (m_found.models.size() == mostModels) {
        hide("it names more than 64 models");
        return;
    }
    RequestedModel &model = m_found.models.emplace_back();
    model.name = name;
    if (m_places.spellings != nullptr)
        model.spellings = m_places.spellings(name);
}

Result<void> ModelSearch::searchJson(json::Value root)
{
    if (!search(root, &m_body))
        return noText();
    return {};
}

bool ModelSearch::search(json::Value value, const BodyPlace *place)
{
    if (value.isArray()) {
        const BodyPlace *element = place == nullptr ? nullptr : place->element();
        const auto role = element == nullptr ? BodyPlace::Role::Passage : element->role();
        if (role == BodyPlace::Role::Content)
            return true;
        return std::ranges::all_of(value.elements(), [&](json::Value item) {
            if (role == BodyPlace::Role::Model)
                return takeModel(item, element, true);
            return !isContainer(item) || search(item, element);
        });
    }
    for (const json::Member &member : value.members()) {
        if (!FoldedName::mayMatter(member.name)
            && (place == nullptr || !place->mayHave(member.name))) {
            if (isContainer(member.value) && !search(member.value, nullptr))
                return false;
            continue;
        }
        const FoldedName name(member.name);
        const BodyPlace *next
            = place != nullptr && name.isWhole() ? place->member(name.text()) : nullptr;
        if (!searchNamed(name, member.value, next))
            return false;
    }
    return true;
}

bool ModelSearch::searchNamed(const FoldedName &name, json::Value value, const BodyPlace *place)
{
    using Role = BodyPlace::Role;
    const Role role = place == nullptr ? Role::Passage : place->role();
    if (role == Role::Content)
        return true;
    if (role == Role::Hidden && isStandIn(value, *place))
        hide(standIn);
    if (role == Role::Model)
        return takeModel(value, place, true);
    if (name.isModel())
        return takeModel(value, place, false);
    if (!isContainer(value))
        return true;
    if (value.isArray() && (name.text() == "tools" || name.text() == "plugins"))
        return searchTools(value, place);
    return search(value, place);
}

bool ModelSearch::searchTools(json::Value tools, const BodyPlace *place)
{
    const BodyPlace *element = place == nullptr ? nullptr : place->element();
    for (const json::Value tool : tools.elements()) {
        const std::size_t before = m_mentions;
        if (!search(tool, element))
            return false;
        if (m_mentions == before && isModelTool(tool))
            hide("a tool that uses a model of its own does not name it");
    }
    return true;
}

bool ModelSearch::isModelTool(json::Value tool) const
{
    for (const json::Member &member : tool.members()) {
        const FoldedName name(member.name);
        const auto text = member.value.text();
        if (!text || (name.text() != "type" && name.text() != "id"))
            continue;
        if (std::ranges::any_of(m_places.tools, [&text](std::string_view type) {
                return equalsIgnoreCase(type, *text);
            }))
            return true;
    }
    return false;
}

/// A model is a text, several in a list, or an object that has it as its id or name. \a isStrict: here
/// stands nothing else; elsewhere it may be a schema of what is called a model. What an object lists under
/// another name is what LiteLLM has under that of a model: its fallbacks, {"a":["b","c"]}.
bool ModelSearch::takeModel(json::Value value, const BodyPlace *place, bool isStrict)
{
    switch (value.kind()) {
    case json::Kind::Null:
        return true;
    case json::Kind::String:
        add(*value.text());
        return true;
    case json::Kind::Boolean:
    case json::Kind::Number:
        return !isStrict;
    case json::Kind::Array:
        return std::ranges::all_of(value.elements(), [&](json::Value element) {
            return takeModel(element, nullptr, isStrict);
        });
    case json::Kind::Object:
        break;
    }
    const std::size_t before = m_mentions;
    for (const json::Member &member : value.members()) {
        const FoldedName name(member.name);
        if (const auto text = member.value.text();
            text && (name.text() == "id" || name.text() == "name"))
            add(*text);
        if (isStrict && member.value.isArray() && !name.isModel())
            addTexts(member.value);
    }
    return search(value, place) && (!isStrict || m_mentions != before);
}

void ModelSearch::addTexts(json::Value list)
{
    for (const json::Value element : list.elements()) {
        if (const auto text = element.text())
            add(*text);
    }
}

Result<void>
ModelSearch::searchField(std::string_view name, std::string_view value, Content content)
{
    const FieldPath path(name, m_body);
    if (path.isContent() || value.empty())
        return {};
    const BodyPlace *place = path.place();
    const bool isModel
        = path.name().isModel() || (place != nullptr && place->role() == BodyPlace::Role::Model);
    const bool isKnown = isModel || place != nullptr;
    if (content == Content::Json
        || (http::looksLikeJson(value) && (isKnown || content != Content::File))) {
        if (!m_document)
            m_document.emplace();
        if (const auto parsed = m_document->parse(value); parsed)
            return searchNamed(path.name(), m_document->root(), place) ? Result<void>() : noText();
        // Else it is a text that begins with a bracket, unless a provider would read it as JSON.
        const bool isText
            = std::string_view(" \t\r\n{[").find(value.front()) != std::string_view::npos;
        if (content == Content::Json || isKnown || !isText)
            return Unexpected(Error{ErrorCode::BodyNotJson, "the field " + inQuotes(name)});
        return {};
    }
    if (place != nullptr && place->role() == BodyPlace::Role::Hidden)
        hide(standIn);
    if (isModel)
        add(value);
    return {};
}

} // namespace gatehouse
