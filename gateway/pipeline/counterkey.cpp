// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/counterkey.h"

#include "gateway/base/text.h"
#include "gateway/http/text.h"
#include "gateway/pipeline/requestedmodels.h"

#include <algorithm>
#include <array>
#include <vector>

namespace gatehouse {

namespace {

/// In the place of a header: no header has a NUL.
std::string byClient(const Exchange &exchange)
{
    std::string text(1, '\0');
    if (exchange.client() != nullptr)
        text += exchange.client()->name;
    return text;
}

} // namespace

std::optional<CounterKey> CounterKey::parse(std::string_view text)
{
    struct Word
    {
        std::string_view text;
        By by;
    };
    static constexpr auto words = std::to_array<Word>({{"client", By::Client},
                                                       {"route", By::Route},
                                                       {"address", By::Address},
                                                       {"model", By::Model},
                                                       {"global", By::Global}});
    CounterKey key;
    constexpr std::string_view header = "header:";
    if (text.starts_with(header) && http::isToken(text.substr(header.size()))) {
        key.m_by = By::Header;
        key.m_header = text.substr(header.size());
        return key;
    }
    if (text.starts_with("#[")) {
        auto expression = gatehouse::Expression::parse(text);
        if (!expression)
            return std::nullopt;
        key.m_by = By::Expression;
        key.m_expression = std::move(*expression);
        return key;
    }
    const auto *word = std::ranges::find(words, text, &Word::text);
    if (word == words.end())
        return std::nullopt;
    key.m_by = word->by;
    return key;
}

std::string CounterKey::problem(std::string_view text)
{
    return parse(text) ? std::string()
                       : "must be client, route, address, model, header:NAME, global or #[…]";
}

PolicyPhase CounterKey::phase() const
{
    return m_by == By::Model ? PolicyPhase::RequestBody : PolicyPhase::RequestHead;
}

bool CounterKey::readsBody(const Exchange &exchange) const
{
    return m_by == By::Model && exchange.route().modelFinder->readsBody(exchange);
}

Result<std::string> CounterKey::textOf(Exchange &exchange) const
{
    switch (m_by) {
    case By::Client:
        return exchange.client() != nullptr ? exchange.client()->name : std::string();
    case By::Route:
        return exchange.route().name;
    case By::Address:
        return exchange.peer().address;
    case By::Header:
        if (const auto value = exchange.header(m_header))
            return std::string(*value);
        return byClient(exchange);
    case By::Expression:
        if (auto value = m_expression->evaluate(exchange))
            return std::move(*value);
        return byClient(exchange);
    case By::Global:
        return std::string();
    case By::Model:
        break;
    }
    const auto &found = exchange.requestedModels();
    if (!found)
        return Unexpected(found.error());
    std::vector<std::string> names;
    for (const RequestedModel &model : found->models)
        names.push_back(found->ignoresCase ? toLowerAscii(model.name) : model.name);
    std::ranges::sort(names);
    std::string text;
    for (const std::string &name : names)
        text.append(name).append(1, '\n');
    return text;
}

} // namespace gatehouse
