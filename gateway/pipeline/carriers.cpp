// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/carriers.h"

#include "gateway/base/text.h"
#include "gateway/http/form.h"
#include "gateway/http/text.h"
#include "gateway/secrets/virtualkey.h"

#include <algorithm>
#include <utility>

namespace gatehouse {

namespace {

using http::FieldId;

Result<void> refuse(std::string context)
{
    return Unexpected(Error{ErrorCode::BadRequest, std::move(context)});
}

/// Anything stricter would miss keys beside a malformed escape.
constexpr auto decodedForKeys = &http::percentDecodedLeniently;

void add(CarriedKey &key, std::string_view text, Carrier carrier)
{
    if (!key.text.empty() && key.text != text)
        key.disagree = true;
    else
        key.text = text;
    key.carriers |= static_cast<std::uint8_t>(carrier);
}

/// The carrier that a field is, and the virtual key in it; empty where it is none or holds no such key.
std::pair<Carrier, std::string_view> keyOfField(const http::Field &field)
{
    std::string_view value = field.value;
    Carrier carrier{};
    switch (field.id) {
    case FieldId::Authorization: {
        static constexpr std::string_view scheme = "bearer ";
        if (value.size() <= scheme.size()
            || !equalsIgnoreCase(value.substr(0, scheme.size()), scheme))
            return {};
        value = http::trimmed(value.substr(scheme.size()));
        carrier = Carrier::Bearer;
        break;
    }
    case FieldId::XApiKey:
        carrier = Carrier::XApiKey;
        break;
    case FieldId::XGoogApiKey:
        carrier = Carrier::XGoogApiKey;
        break;
    case FieldId::ApiKey:
        carrier = Carrier::ApiKey;
        break;
    default: // nobody's key stands there
        return {};
    }
    if (!virtualkey::looksLike(value))
        return {};
    return {carrier, value};
}

/// Takes `key=ghk_…` out of the query, however it is percent-encoded, so that it cannot reach the
/// provider.
Result<void>
takeFromQuery(std::string_view query, bool dropOthers, CarriedKey &key, std::string &rest)
{
    std::string_view left = query.substr(1);
    for (;;) {
        const std::size_t end = left.find('&');
        const std::string_view parameter = left.substr(0, end);
        const std::size_t equals = std::min(parameter.find('='), parameter.size());
        const std::string value
            = decodedForKeys(parameter.substr(std::min(equals + 1, parameter.size())));
        const bool isKey = decodedForKeys(parameter.substr(0, equals)) == "key";
        if (virtualkey::looksLike(value)) {
            if (!isKey)
                return refuse("a virtual key in the query under another name than key");
            if (key.text.empty()) {
                key.queryText = value;
                add(key, key.queryText, Carrier::Query);
            } else {
                key.disagree = key.disagree || key.text != value;
                key.carriers |= static_cast<std::uint8_t>(Carrier::Query);
            }
        } else if (virtualkey::isWithin(decodedForKeys(parameter))) {
            return refuse("a virtual key in the query outside key=…");
        } else if (!(isKey && dropOthers)) {
            rest += rest.empty() ? '?' : '&';
            rest += parameter;
        }
        if (end == std::string_view::npos)
            return {};
        left.remove_prefix(end + 1);
    }
}

bool mayHoldKey(std::string_view text)
{
    return text.find(virtualkey::prefix) != std::string_view::npos
           || text.find('%') != std::string_view::npos;
}

} // namespace

Result<void>
takeCarriers(const http::RequestHead &request, bool dropOthers, CarriedKey &key, std::string &query)
{
    key = {};
    query.clear();
    if (mayHoldKey(request.path) && virtualkey::isWithin(decodedForKeys(request.path)))
        return refuse("a virtual key in the path");
    for (const http::Field &field : request.fields) {
        if (field.value.size() < virtualkey::prefix.size())
            continue;
        const auto [carrier, text] = keyOfField(field);
        if (!text.empty())
            add(key, text, carrier);
        else if (field.value.size() >= virtualkey::length && virtualkey::isWithin(field.value))
            return refuse("a virtual key in the field " + std::string(field.name)
                          + ", which would go to the provider");
    }
    if (mayHoldKey(request.query) || (dropOthers && !request.query.empty()))
        return takeFromQuery(request.query, dropOthers, key, query);
    query = request.query;
    return {};
}

} // namespace gatehouse
