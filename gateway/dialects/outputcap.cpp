// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/dialects/dialect.h"
#include "gateway/json/pointer.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace gatehouse {

namespace {

using Texts = std::vector<std::string_view>;

void addTo(Texts &all, std::span<const std::string_view> more)
{
    for (const std::string_view text : more) {
        if (std::ranges::find(all, text) == all.end())
            all.push_back(text);
    }
}

std::vector<json::Pointer> parsed(const Texts &texts)
{
    std::vector<json::Pointer> pointers;
    for (const std::string_view text : texts)
        pointers.push_back(json::Pointer::parse(text).value());
    return pointers;
}

/// What all dialects look for.
struct Places
{
    Places();

    std::vector<json::Pointer> caps;
    std::vector<json::Pointer> choices;
    std::vector<json::Pointer> lists;
    Texts withoutOutput;
    Texts streams;
    Texts streamsUnlessTold;
};

Places::Places()
{
    Texts capTexts;
    Texts choiceTexts;
    Texts listTexts;
    for (const Dialect *dialect : dialects()) {
        const OutputPlaces places = dialect->outputPlaces();
        addTo(capTexts, places.caps);
        addTo(choiceTexts, places.choices);
        addTo(listTexts, places.lists);
        addTo(withoutOutput, places.withoutOutput);
        addTo(streams, places.streams);
        addTo(streamsUnlessTold, places.streamsUnlessTold);
    }
    caps = parsed(capTexts);
    choices = parsed(choiceTexts);
    lists = parsed(listTexts);
}

const Places &allPlaces()
{
    static const Places places;
    return places;
}

bool endsWithOneOf(std::string_view path, const Texts &endings)
{
    return std::ranges::any_of(endings,
                               [path](std::string_view ending) { return path.ends_with(ending); });
}

/// A positive integer. Google's servers and vLLM take one in quotes too.
std::optional<std::uint64_t> countOf(const json::Value &value)
{
    if (const auto number = value.integer())
        return *number > 0 ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
    const auto text = value.text();
    if (!text || text->empty() || !std::ranges::all_of(*text, isDigit))
        return {};
    std::uint64_t count = 0;
    const auto read = std::from_chars(text->data(), text->data() + text->size(), count);
    return read.ec == std::errc() && count > 0 ? std::optional(count) : std::nullopt;
}

/// The largest one. None as soon as one of them is no count: it may be the one that the provider reads.
std::optional<std::uint64_t> capOf(const json::Value &body)
{
    std::optional<std::uint64_t> largest;
    bool isUnlimited = false;
    for (const json::Pointer &pointer : allPlaces().caps) {
        const auto value = pointer.first(body);
        if (!value || value->kind() == json::Kind::Null)
            continue;
        const auto count = countOf(*value);
        isUnlimited = isUnlimited || !count;
        largest = std::max(largest, count); // none is the least
    }
    return isUnlimited ? std::nullopt : largest;
}

/// How many answers there are: `n` and `best_of` are of the same ones, a list of prompts has so many each.
std::uint64_t choicesOf(const json::Value &body)
{
    OutputCap all{.tokens = 1};
    for (const json::Pointer &pointer : allPlaces().choices) {
        const auto value = pointer.first(body);
        all.tokens = std::max(all.tokens, value ? countOf(*value) : std::nullopt);
    }
    for (const json::Pointer &pointer : allPlaces().lists) {
        const auto list = pointer.first(body);
        const auto first = list ? list->at(0) : std::nullopt;
        if (first && first->kind() != json::Kind::Number)
            all.choices = std::max<std::uint64_t>(all.choices, list->size());
    }
    return *all.allTokens();
}

} // namespace

OutputCap Dialect::outputCap(std::string_view path, const json::Value &body) const
{
    const Places &places = allPlaces();
    path = path.substr(0, path.find('?'));
    const auto stream = body.find("stream");
    const auto told = stream ? stream->boolean() : std::nullopt;
    OutputCap cap;
    cap.streams = endsWithOneOf(path, places.streams)
                  || told.value_or(endsWithOneOf(path, places.streamsUnlessTold));
    if (endsWithOneOf(path, places.withoutOutput)) {
        cap.tokens = 0;
    } else {
        cap.tokens = capOf(body);
        cap.choices = choicesOf(body);
    }
    return cap;
}

} // namespace gatehouse
