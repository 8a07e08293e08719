// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/dialects/dialect.h"
#include "gateway/json/canonical.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace gatehouse {

namespace {

using Texts = std::vector<std::string_view>;

/// What all dialects look for: most providers speak more than one.
struct Places
{
    Places();

    Texts lists;
    Texts asked;
    Texts history;
    Texts modelRoles;
    Texts modelTypes;
    Texts sceneRoles;
    Texts passing;
    Texts data;
    Texts withoutOutput;
};

void addTo(Texts &all, std::span<const std::string_view> more)
{
    for (const std::string_view text : more) {
        if (std::ranges::find(all, text) == all.end())
            all.push_back(text);
    }
}

Places::Places()
{
    for (const Dialect *dialect : dialects()) {
        const TurnPlaces places = dialect->turnPlaces();
        addTo(lists, places.lists);
        addTo(asked, places.asked);
        addTo(history, places.history);
        addTo(modelRoles, places.modelRoles);
        addTo(modelTypes, places.modelTypes);
        addTo(sceneRoles, places.sceneRoles);
        addTo(passing, places.passing);
        addTo(data, places.data);
        addTo(withoutOutput, dialect->outputPlaces().withoutOutput);
    }
}

const Places &allPlaces()
{
    static const Places places;
    return places;
}

bool isAmong(std::string_view text, const Texts &texts)
{
    return std::ranges::find(texts, text) != texts.end();
}
bool endsWithOneOf(std::string_view text, const Texts &endings)
{
    return std::ranges::any_of(endings,
                               [text](std::string_view ending) { return text.ends_with(ending); });
}

std::string_view textOf(json::Value object, std::string_view name)
{
    const auto member = object.find(name);
    return member ? member->text().value_or(std::string_view()) : std::string_view();
}
bool isModels(json::Value turn)
{
    return isAmong(toLowerAscii(textOf(turn, "role")), allPlaces().modelRoles)
           || endsWithOneOf(textOf(turn, "type"), allPlaces().modelTypes);
}
bool isScene(json::Value turn)
{
    return isAmong(toLowerAscii(textOf(turn, "role")), allPlaces().sceneRoles);
}

/// A turn that stands for one that OpenAI keeps: all that it says is an id.
bool isReference(json::Value turn)
{
    return textOf(turn, "type") == "item_reference";
}

/// The canonical form of turns, without what passes, or, for comparing beginnings, their values alone.
class Writer
{
public:
    explicit Writer(TurnForm form)
        : m_form(form)
    {}

    void add(json::Value value)
    {
        if (value.isArray()) {
            for (const json::Value element : value.elements())
                add(element);
            mark(']');
        } else if (value.isObject()) {
            addMembers(value);
            mark('}');
        } else {
            addData(value);
        }
    }
    [[nodiscard]] std::string take()
    {
        if (m_form == TurnForm::Beginning) {
            // Of lengths that are near each other the same number of bytes: what changes at the end may
            // grow. Of the shortest all.
            constexpr std::size_t shortest = 8;
            const std::size_t size = std::bit_floor(m_out.size() / 4 * 3);
            if (size >= shortest)
                m_out.resize(size);
        }
        return std::move(m_out);
    }

private:
    void addMembers(json::Value object)
    {
        const Places &places = allPlaces();
        const bool isKept = isReference(object);
        for (const json::Member &member : json::sortedMembers(object)) {
            if (isAmong(member.name, places.passing) && !isKept)
                continue;
            if (m_form == TurnForm::Exact)
                json::appendCanonical(m_out, member.name);
            if (isAmong(member.name, places.data))
                addData(member.value);
            else
                add(member.value);
        }
    }
    void addData(json::Value value)
    {
        if (m_form == TurnForm::Beginning && value.text())
            m_out.append(*value.text()).append(1, '\0');
        else
            json::appendCanonical(m_out, value);
    }
    void mark(char end)
    {
        if (m_form == TurnForm::Exact)
            m_out += end;
    }

    TurnForm m_form;
    std::string m_out;
};

/// Turns and what is asked beside them, in one list.
struct Turns
{
    std::vector<json::Value> all;
    bool hasModels = false;
};

/// The model's last turn and what follows it; one that the request begins for the model (a prefill) counts
/// as what follows. The turn of a model may be several elements.
std::size_t beginOfLast(const std::vector<json::Value> &turns)
{
    std::size_t begin = turns.size();
    while (begin > 0 && isModels(turns[begin - 1]))
        --begin;
    while (begin > 0 && !isModels(turns[begin - 1]))
        --begin;
    while (begin > 0 && isModels(turns[begin - 1]))
        --begin;
    return begin;
}

Turns turnsOf(json::Value body)
{
    Turns turns;
    const auto add = [&turns](json::Value value) {
        if (value.kind() != json::Kind::Null)
            turns.all.push_back(value);
    };
    for (const std::string_view name : allPlaces().lists) {
        const auto list = body.find(name);
        if (list && list->isArray())
            std::ranges::for_each(list->elements(), add);
        else if (list)
            add(*list);
    }
    for (const std::string_view name : allPlaces().asked) {
        if (const auto value = body.find(name))
            add(*value);
    }
    const std::size_t begin = beginOfLast(turns.all);
    turns.hasModels = begin < turns.all.size() && isModels(turns.all[begin]);
    turns.all.erase(turns.all.begin(), turns.all.begin() + static_cast<std::ptrdiff_t>(begin));
    std::erase_if(turns.all, [](json::Value turn) { return isScene(turn); });
    return turns;
}

} // namespace

std::optional<std::string>
Dialect::lastTurn(std::string_view path, const json::Value &body, TurnForm form) const
{
    path = path.substr(0, path.find('?'));
    if (endsWithOneOf(path, allPlaces().withoutOutput))
        return std::nullopt;
    Writer writer(form);
    const Turns turns = turnsOf(body);
    if (turns.all.empty()) { // not known: all of it
        std::string whole;
        json::appendCanonical(whole, body);
        return whole;
    }
    for (const json::Value turn : turns.all)
        writer.add(turn);
    std::string text = writer.take();
    if (!turns.hasModels) {
        for (const std::string_view name : allPlaces().history) {
            if (const auto value = body.find(name))
                json::appendCanonical(text, *value);
        }
    }
    return text;
}

} // namespace gatehouse
