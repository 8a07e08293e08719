// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/requestedmodels.h"

#include "gateway/base/text.h"
#include "gateway/http/form.h"
#include "gateway/http/multipart.h"
#include "gateway/pipeline/exchange.h"
#include "gateway/pipeline/methodoverride.h"
#include "gateway/pipeline/modelsearch.h"

#include <algorithm>

namespace gatehouse {

namespace {

/// cloud.google.com/apis/docs/system-parameters, 2026-11-23: overrides the field Content-Type.
constexpr std::string_view typeParameter = "$ct";

/// As http::parseMultipart has it. Each value that looks like JSON is parsed by itself.
constexpr std::size_t mostFields = 1000;
/// JSON that is read as a form as well is cut into more of them: code is full of ; and =.
constexpr std::size_t mostFieldsOfJson = 10'000;

bool isOneOf(std::string_view name, std::span<const std::string_view> names)
{
    return std::ranges::any_of(
        names, [name](std::string_view known) { return equalsIgnoreCase(known, name); });
}

bool isReadingMethod(std::string_view method)
{
    return method == "GET" || method == "HEAD";
}

/// Requests that make nothing, whatever their path: RFC 9110 §9.2.1, and DELETE.
bool isMakingNothing(std::string_view method)
{
    return isReadingMethod(method) || method == "OPTIONS" || method == "DELETE";
}

bool hasEncodedSlash(std::string_view path)
{
    const std::size_t escape = path.find('%');
    return escape != std::string_view::npos
           && (path.find("%2f", escape) != std::string_view::npos
               || path.find("%2F", escape) != std::string_view::npos);
}

bool isJsonPart(std::string_view contentType)
{
    const std::string_view type = contentType.substr(0, contentType.find(';'));
    return toLowerAscii(type).find("json") != std::string::npos;
}

Result<void> addFromForm(std::string_view form, ModelSearch &search)
{
    http::FormReader reader(form, ErrorCode::BodyEncoding);
    for (std::size_t count = 0;; ++count) {
        const auto pair = reader.next();
        if (!pair)
            return Unexpected(pair.error());
        if (!*pair)
            return {};
        if (count == mostFields)
            return Unexpected(
                Error{ErrorCode::BodyNotInspectable, "a form of more than 1000 fields"});
        if (auto added
            = search.searchField((*pair)->name, (*pair)->value, ModelSearch::Content::Text);
            !added)
            return added;
    }
}

Result<void>
addFromMultipart(std::string_view body, std::string_view contentType, ModelSearch &search)
{
    using Content = ModelSearch::Content;
    const auto boundary = http::multipartBoundary(contentType);
    if (!boundary)
        return Unexpected(boundary.error());
    const auto parts = http::parseMultipart(body, *boundary);
    if (!parts)
        return Unexpected(parts.error());
    for (const http::FormPart &part : *parts) {
        const bool isFile = part.filename && !part.filename->empty();
        const Content content = isJsonPart(part.contentType) ? Content::Json
                                : isFile                     ? Content::File
                                                             : Content::Text;
        if (auto added = search.searchField(part.name, part.content, content); !added)
            return added;
    }
    return {};
}

} // namespace

bool RequestedModel::isAmong(std::span<const Glob> globs) const
{
    return std::ranges::any_of(globs, [this](const Glob &glob) {
        return glob.matches(name)
               || std::ranges::any_of(spellings, [&glob](const std::string &spelling) {
                      return glob.matches(spelling);
                  });
    });
}

ModelFinder::ModelFinder(const ModelPlaces &places)
    : m_places(places)
    , m_body(places)
{}

bool ModelFinder::readsBody(const Exchange &exchange) const
{
    // With an encoded slash the provider may see another path than we do.
    return m_places.needsNone == nullptr || exchange.isUpgrade() || hasEncodedSlash(exchange.path())
           || !m_places.needsNone(exchange.decodedPath());
}

bool ModelFinder::storesBytes(const Exchange &exchange) const
{
    return m_places.storesBytes != nullptr && !exchange.isUpgrade()
           && !hasEncodedSlash(exchange.path()) && m_places.storesBytes(exchange.decodedPath());
}

Result<RequestedModels> ModelFinder::find(Exchange &exchange) const
{
    RequestedModels found;
    found.ignoresCase = m_places.ignoresCase;
    ModelSearch search(m_places, m_body, found);
    const std::string_view path = exchange.decodedPath();
    const auto intent = addFromQuery(exchange, search);
    if (!intent)
        return Unexpected(intent.error());
    addFromPath(exchange, intent->isReading, search);
    for (const std::string_view name : m_places.headers) {
        for (const http::Field &field : exchange.request().fields) {
            if (equalsIgnoreCase(field.name, name))
                search.add(field.value);
        }
    }
    const bool isFixedByUrl
        = !found.models.empty() && m_places.fixedByUrl != nullptr && m_places.fixedByUrl(path);
    if (exchange.isUpgrade()) {
        if (!isFixedByUrl)
            search.hide("the frames of a WebSocket may name any model");
        return found;
    }
    if (!readsBody(exchange)) {
        found.isNeedless = true;
        return found;
    }
    if (intent->retypesBody)
        search.hide("the query says that the body is of another type");
    if (auto added = addFromBody(exchange, isFixedByUrl, search); !added)
        return Unexpected(std::move(added).error());
    if (!intent->makesNothing && m_places.hides != nullptr && m_places.hides(path))
        search.hide("a batch names its models in a file");
    found.isNeedless = (intent->makesNothing && exchange.body().isEmpty())
                       || (m_places.mayNameNone != nullptr && m_places.mayNameNone(path));
    return found;
}

Result<ModelFinder::Intent> ModelFinder::addFromQuery(const Exchange &exchange,
                                                      ModelSearch &search) const
{
    Intent intent;
    const std::string_view method = exchange.method();
    intent.makesNothing
        = isMakingNothing(method) && !exchange.isUpgrade() && overridingMethods(exchange).empty();
    intent.isReading = intent.makesNothing && isReadingMethod(method);
    if (exchange.query().size() <= 1)
        return intent;
    http::FormReader reader(exchange.query().substr(1), ErrorCode::BadRequest);
    for (;;) {
        const auto pair = reader.next();
        if (!pair)
            return Unexpected(pair.error());
        if (!*pair)
            return intent;
        const auto &[name, value, written] = **pair;
        intent.retypesBody = intent.retypesBody || name == typeParameter;
        if (isOneOf(name, m_places.parameters))
            search.add(value);
        else if (auto added = search.searchField(name, value, ModelSearch::Content::Text); !added)
            return Unexpected(std::move(added).error());
    }
}

void ModelFinder::addFromPath(const Exchange &exchange, bool isReading, ModelSearch &search) const
{
    if (m_places.inPath == nullptr)
        return;
    const auto add = [&search](std::string_view name) {
        search.add(name);
        // Some servers take what follows for a parameter of the segment.
        search.add(name.substr(0, name.find(';')));
    };
    std::ranges::for_each(m_places.inPath(exchange.decodedPath(), isReading), add);
    if (!hasEncodedSlash(exchange.path()))
        return;
    // Others split the path before they decode it.
    for (const std::string_view name : m_places.inPath(exchange.path(), isReading)) {
        if (const auto decoded = http::percentDecoded(name))
            add(*decoded);
    }
}

std::size_t
ModelFinder::findSeparator(std::string_view text, std::size_t from, Separators separators)
{
    if (separators == Separators::Ampersands)
        return text.find('&', from);
    const auto found = std::find_if(text.begin() + static_cast<std::ptrdiff_t>(from),
                                    text.end(),
                                    [](char c) { return c == '&' || c == ';'; });
    return found == text.end() ? std::string_view::npos
                               : static_cast<std::size_t>(found - text.begin());
}

bool ModelFinder::namesModelAsForm(std::string_view text, Separators separators) const
{
    RequestedModels found;
    ModelSearch search(m_places, m_body, found);
    std::size_t count = 0;
    // What stands before the first separator begins with a bracket, so it is no field that matters.
    std::size_t at = findSeparator(text, 0, separators);
    while (at != std::string_view::npos) {
        const std::size_t end = findSeparator(text, at + 1, separators);
        const std::string_view pair = text.substr(at + 1, end - at - 1);
        at = end;
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos)
            continue;
        const auto added = search.searchField(http::formDecodedLeniently(pair.substr(0, equals)),
                                              http::formDecodedLeniently(pair.substr(equals + 1)),
                                              ModelSearch::Content::Text);
        if (!added || found.isHidden || !found.models.empty() || ++count > mostFieldsOfJson)
            return true;
    }
    return false;
}

Result<void>
ModelFinder::addFromBody(Exchange &exchange, bool isFixedByUrl, ModelSearch &search) const
{
    RequestBody &body = exchange.body();
    const auto kind = body.kind();
    if (!kind)
        return Unexpected(kind.error());
    switch (*kind) {
    case BodyKind::None:
        return {};
    case BodyKind::Opaque:
        if (!isFixedByUrl)
            search.hide("its body is neither JSON nor a form");
        return {};
    case BodyKind::Multipart:
        return addFromMultipart(*body.decoded(), body.contentType(), search);
    case BodyKind::Form:
        return addFromForm(*body.decoded(), search);
    case BodyKind::Json:
        break;
    }
    if (RequestBody::isFormType(body.contentType())) {
        // Clients that say nothing of the type say this, curl for one; providers go by either.
        const std::string_view text = *body.decoded();
        if (namesModelAsForm(text, Separators::Ampersands)
            || namesModelAsForm(text, Separators::SemicolonsToo))
            search.hide("it is JSON that says it is a form, and read as one it names a model too; "
                        "send it as application/json");
    }
    const auto document = body.json();
    if (!document)
        return Unexpected(document.error());
    return search.searchJson((*document)->root());
}

} // namespace gatehouse
