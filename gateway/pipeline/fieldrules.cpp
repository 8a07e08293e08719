// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/fieldrules.h"

#include "gateway/base/text.h"
#include "gateway/http/text.h"
#include "gateway/pipeline/exchange.h"

#include <algorithm>

namespace gatehouse {

std::string fieldNameProblem(std::string_view name)
{
    if (!http::isToken(name))
        return "must be the name of a header, such as x-team";
    // Policies that read the body trust what was said of its encoding when it came.
    if (!Exchange::isChangeable(name) || http::fieldId(name) == http::FieldId::ContentEncoding)
        return "must not be a header that frames or encodes the message, belongs to the connection "
               "or is the gateway's own";
    return {};
}

bool isFieldValue(std::string_view value)
{
    return !value.empty() && http::trimmed(value).size() == value.size()
           && std::ranges::none_of(value, [](char c) { return isControl(c) && c != '\t'; });
}

bool isCredentialField(std::string_view name)
{
    switch (http::fieldId(name)) {
    case http::FieldId::ApiKey:
    case http::FieldId::Authorization:
    case http::FieldId::ProxyAuthorization:
    case http::FieldId::XApiKey:
    case http::FieldId::XGoogApiKey:
        return true;
    default: // others hold no key that we know of
        return false;
    }
}

} // namespace gatehouse
