// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/guard.h"

#include "gateway/base/text.h"
#include "gateway/http/text.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace gatehouse::net {

namespace {

using http::FieldId;

Result<void> refuse(ErrorCode code, std::string context = {})
{
    return Unexpected(Error{code, std::move(context)});
}

bool isListed(const std::vector<std::string> &list, std::string_view value)
{
    return std::any_of(list.begin(), list.end(), [value](const std::string &listed) {
        return equalsIgnoreCase(listed, value);
    });
}

/// Browsers are the way by which a web page reaches a loopback port; SDKs send none of these
/// fields, or (on Node) a bare Sec-Fetch-Mode. Fetch standard, section "Sec-Fetch-Site".
Result<void> checkOrigin(const http::RequestHead &request, const Snapshot &snapshot)
{
    bool listed = false;
    for (const http::Field &field : request.fields) {
        if (field.id != FieldId::Origin)
            continue;
        if (!isListed(snapshot.origins, field.value))
            return refuse(ErrorCode::OriginRefused, "add it to the Gateway's origins to allow it");
        listed = true;
    }
    for (const http::Field &field : request.fields) {
        if (field.id == FieldId::SecFetchSite && !listed
            && !equalsIgnoreCase(field.value, "same-origin")
            && !equalsIgnoreCase(field.value, "none"))
            return refuse(ErrorCode::OriginRefused, "a web page of another site sent this request");
    }
    return {};
}

std::string percentDecoded(std::string_view text)
{
    const auto hex = [](char c) {
        return c >= '0' && c <= '9'                     ? c - '0'
               : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                        : -1;
    };
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0
            && hex(text[i + 2]) >= 0) {
            decoded += static_cast<char>(hex(text[i + 1]) << 4 | hex(text[i + 2]));
            i += 2;
        } else {
            decoded += text[i];
        }
    }
    return decoded;
}

/// The virtual keys that a request carries: one, or several that agree.
class Carriers
{
public:
    /// False where it disagrees with one before.
    bool add(std::string_view key)
    {
        if (!m_key.empty() && m_key != key)
            return false;
        m_key = key;
        return true;
    }
    [[nodiscard]] const std::string &key() const { return m_key; }

private:
    std::string m_key;
};

std::string_view keyOfField(const http::Field &field)
{
    std::string_view value = field.value;
    if (field.id == FieldId::Authorization) {
        static constexpr std::string_view scheme = "bearer ";
        if (value.size() <= scheme.size()
            || !equalsIgnoreCase(value.substr(0, scheme.size()), scheme))
            return {};
        value = http::trimmed(value.substr(scheme.size()));
    } else if (field.id != FieldId::XApiKey && field.id != FieldId::XGoogApiKey
               && field.id != FieldId::ApiKey) {
        return {};
    }
    return virtualkey::looksLike(value) ? value : std::string_view();
}

/// Takes `key=ghk_…` out of the query, however it is percent-encoded, so that it cannot reach the
/// provider. A virtual key anywhere else is refused: nobody asked for it to be there.
/// \a dropOthers: a key= of the client's own goes too, since ours takes its place.
Result<void>
takeKeyFromQuery(std::string_view query, bool dropOthers, Carriers &carriers, std::string &rest)
{
    std::string_view left = query.substr(1);
    for (;;) {
        const std::size_t end = left.find('&');
        const std::string_view parameter = left.substr(0, end);
        const std::size_t equals = std::min(parameter.find('='), parameter.size());
        const std::string value
            = percentDecoded(parameter.substr(std::min(equals + 1, parameter.size())));
        const bool isKey = percentDecoded(parameter.substr(0, equals)) == "key";
        if (virtualkey::looksLike(value)) {
            if (!isKey)
                return refuse(ErrorCode::BadRequest,
                              "a virtual key in the query under another name than key");
            if (!carriers.add(value))
                return refuse(ErrorCode::KeyConflict);
        } else if (virtualkey::isWithin(percentDecoded(parameter))) {
            return refuse(ErrorCode::BadRequest, "a virtual key in the query outside key=…");
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
    return text.find("ghk_") != std::string_view::npos || text.find('%') != std::string_view::npos;
}

/// A virtual key where the provider would see it.
Result<void> checkNoKeyIsLeft(const http::RequestHead &request)
{
    if (mayHoldKey(request.path) && virtualkey::isWithin(percentDecoded(request.path)))
        return refuse(ErrorCode::BadRequest, "a virtual key in the path");
    for (const http::Field &field : request.fields) {
        if (field.value.size() >= virtualkey::length && keyOfField(field).empty()
            && virtualkey::isWithin(field.value))
            return refuse(ErrorCode::BadRequest,
                          "a virtual key in the field " + std::string(field.name)
                              + ", which would go to the provider");
    }
    return {};
}

Result<void> checkKey(std::string_view key,
                      const Snapshot &snapshot,
                      const KeyHasher &hasher,
                      Admission &admission)
{
    if (key.empty())
        return admission.route->isPublic
                   ? Result<void>()
                   : refuse(ErrorCode::KeyMissing, "make one with: gatehouse client add NAME");
    if (!virtualkey::isWellFormed(key))
        return refuse(ErrorCode::KeyUnknown);
    const KeyHash hash = hasher.hash(key);
    const auto found = snapshot.keys.find(hash);
    // The look-up went by a keyed hash, which nobody without the hash key can steer; the comparison
    // that decides takes the same time whatever differs.
    if (found == snapshot.keys.end()
        || CRYPTO_memcmp(found->first.data(), hash.data(), hash.size()) != 0)
        return refuse(ErrorCode::KeyUnknown);
    const KeyEntry &entry = found->second;
    if (entry.expires && *entry.expires <= std::chrono::system_clock::now())
        return refuse(ErrorCode::KeyExpired, "make a new one with: gatehouse client add NAME");
    const auto &routes = entry.client->routes;
    if (!routes.empty()
        && std::find(routes.begin(), routes.end(), admission.route->name) == routes.end())
        return refuse(ErrorCode::KeyScope, "route " + admission.route->name);
    admission.key = &entry;
    return {};
}

} // namespace

Result<void> admit(const http::RequestHead &request,
                   const Snapshot &snapshot,
                   std::string_view listener,
                   const KeyHasher &hasher,
                   Admission &admission)
{
    if (!isListed(snapshot.hosts, request.host))
        return refuse(ErrorCode::UnknownHost, "add it to the Gateway's hosts to answer to it");
    if (auto result = checkOrigin(request, snapshot); !result)
        return result;
    admission.route = snapshot.findRoute(listener, request.path);
    if (admission.route == nullptr)
        return refuse(ErrorCode::RouteUnknown, "see the routes with: gatehouse check");
    admission.path = request.path.substr(admission.route->basePath.size());

    Carriers carriers;
    for (const http::Field &field : request.fields) {
        const std::string_view key = keyOfField(field);
        if (!key.empty() && !carriers.add(key))
            return refuse(ErrorCode::KeyConflict);
    }
    const ProviderEntry &provider = *admission.route->provider;
    const bool dropOthers
        = provider.dialect->takesKeyFromQuery() && !provider.credentialLine.isEmpty();
    if (mayHoldKey(request.query) || (dropOthers && !request.query.empty())) {
        if (auto result = takeKeyFromQuery(request.query, dropOthers, carriers, admission.query);
            !result)
            return result;
    } else {
        admission.query = request.query;
    }
    if (auto result = checkNoKeyIsLeft(request); !result)
        return result;
    return checkKey(carriers.key(), snapshot, hasher, admission);
}

} // namespace gatehouse::net
