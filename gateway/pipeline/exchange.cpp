// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/exchange.h"

#include "gateway/base/text.h"
#include "gateway/http/form.h"
#include "gateway/http/forward.h"
#include "gateway/pipeline/requestedmodels.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gatehouse {

namespace {

using http::FieldId;

/// Of fields that the parser names: those that policies may neither set nor remove.
bool isFixed(FieldId id)
{
    switch (id) {
    case FieldId::Connection:
    case FieldId::ContentLength:
    case FieldId::Expect:
    case FieldId::GatehouseReason:
    case FieldId::GatehouseRequestId:
    case FieldId::Host:
    case FieldId::KeepAlive:
    case FieldId::ProxyConnection:
    case FieldId::Te:
    case FieldId::Trailer:
    case FieldId::TransferEncoding:
    case FieldId::Upgrade:
        return true;
    default: // end-to-end fields
        return false;
    }
}

void setField(std::vector<http::Field> &fields, const http::Field &field)
{
    const auto isSame
        = [&](const http::Field &other) { return equalsIgnoreCase(other.name, field.name); };
    const auto first = std::ranges::find_if(fields, isSame);
    if (first == fields.end()) {
        fields.push_back(field);
        return;
    }
    *first = field;
    fields.erase(std::remove_if(first + 1, fields.end(), isSame), fields.end());
}

/// \a mayChange is asked where there is something to remove.
template<typename MayChange>
std::size_t removeFields(std::vector<http::Field> &fields,
                         const std::function<bool(std::string_view name)> &isMeant,
                         MayChange mayChange)
{
    const auto isRemoved = [&isMeant](const http::Field &field) {
        return !isFixed(field.id) && isMeant(field.name);
    };
    const auto first = std::ranges::find_if(fields, isRemoved);
    if (first == fields.end() || !mayChange())
        return 0;
    auto kept = first;
    for (auto field = first + 1; field != fields.end(); ++field) {
        if (!isRemoved(*field))
            *kept++ = *field;
    }
    const auto count = static_cast<std::size_t>(fields.end() - kept);
    fields.erase(kept, fields.end());
    return count;
}

std::optional<std::string_view> valueOf(const std::vector<http::Field> &fields,
                                        std::string_view name)
{
    const auto found = std::ranges::find_if(
        fields, [name](const http::Field &field) { return equalsIgnoreCase(field.name, name); });
    return found == fields.end() ? std::nullopt : std::optional(found->value);
}

} // namespace

void Resume::operator()(Verdict verdict) const
{
    const std::shared_ptr<Ticket> ticket = m_ticket.lock();
    if (!ticket || !ticket->resume)
        return;
    // Moved out first: it may end the exchange, and a second call must find nothing.
    const auto resume = std::exchange(ticket->resume, nullptr);
    resume(std::move(verdict));
}

bool Exchange::isChangeable(std::string_view name)
{
    return !isFixed(http::fieldId(name));
}

Result<void> Exchange::begin(http::RequestHead &&request, const Setting &setting)
{
    std::swap(m_request, request);
    http::dropConnectionNamed(m_request);
    m_route = setting.route;
    m_peer = setting.peer;
    m_services = setting.services;
    m_clients = setting.clients;
    m_requestId = setting.requestId;
    m_path = setting.path;
    if (m_path.find('%') == std::string_view::npos) {
        m_decodedPath = m_path;
    } else if (auto decoded = http::percentDecoded(m_path)) {
        m_decodedPath = std::move(*decoded);
    } else { // read in two ways, a rule or a glob would hold for one of them
        return Unexpected(Error{ErrorCode::BadRequest, "a malformed percent-escape in the path"});
    }
    m_body.begin(m_request);
    return takeCarriers(m_request, setting.dropKeys, m_carriedKey, m_query);
}

void Exchange::own(std::string_view head)
{
    if (!m_headBytes.empty())
        return;
    m_headBytes.assign(head);
    const auto move = [this, head](std::string_view &view) {
        const bool isWithin
            = view.data() >= head.data() && view.data() + view.size() <= head.data() + head.size();
        if (isWithin)
            view = std::string_view(m_headBytes)
                       .substr(static_cast<std::size_t>(view.data() - head.data()), view.size());
    };
    for (http::Field &field : m_request.fields) {
        move(field.name);
        move(field.value);
    }
    for (std::string_view *view : {&m_request.method,
                                   &m_request.target,
                                   &m_request.path,
                                   &m_request.query,
                                   &m_request.host,
                                   &m_path,
                                   &m_carriedKey.text})
        move(*view);
}

const Result<RequestedModels> &Exchange::requestedModels()
{
    if (!m_models)
        m_models
            = std::make_shared<const Result<RequestedModels>>(m_route->modelFinder->find(*this));
    return *m_models;
}

void Exchange::forgetRequest()
{
    m_models.reset();
    m_method = m_request.method;
    clearViews();
    m_request.method = m_method;
    m_carriedKey.queryText.clear();
    m_headBytes.clear();
    m_texts.clear();
}

void Exchange::clearViews()
{
    m_request.fields.clear();
    for (std::string_view *view : {&m_request.method,
                                   &m_request.target,
                                   &m_request.path,
                                   &m_request.query,
                                   &m_request.host,
                                   &m_path,
                                   &m_carriedKey.text})
        *view = {};
}

void Exchange::end()
{
    m_ticket.reset();
    m_resumed = nullptr;
    clearViews();
    m_response = nullptr;
    m_headBytes.clear();
    m_decodedPath.clear();
    m_query.clear();
    m_requestId.clear();
    m_method.clear();
    m_texts.clear();
    m_body.clear();
    m_models.reset();
    m_carriedKey = {};
    m_client = nullptr;
    m_key = nullptr;
    m_keyHash = {};
    m_bodyLimits.clear();
    m_timeLimits.clear();
    m_observesTimes = false;
    m_isAskedForUsage = false;
    m_retry = nullptr;
    m_attempts.clear();
    m_avoided.clear();
    m_preferred = {};
    m_retryPolicy = nullptr;
    m_cutAfter.reset();
    m_answer = {};
    m_provider = {};
    m_decisions.clear();
    m_states.clear();
    m_applies.clear();
    m_current = nullptr;
    m_place = 0;
    m_phase = 0;
    m_isObserved = false;
    m_hasChanged = false;
}

std::optional<std::string_view> Exchange::header(std::string_view name) const
{
    return valueOf(m_request.fields, name);
}

std::optional<std::string_view> Exchange::responseHeader(std::string_view name) const
{
    return valueOf(m_response->fields, name);
}

bool Exchange::mayChange()
{
    m_hasChanged = true;
    m_models.reset();
    return !m_isObserved;
}

std::string_view Exchange::keepText(std::string_view text)
{
    return m_texts.emplace_back(text);
}

void Exchange::setKey(const KeyEntry &key, const KeyHash &hash)
{
    if (m_isObserved)
        return;
    m_key = &key;
    m_keyHash = hash;
    m_client = key.client.get();
}

void Exchange::setClient(const ClientEntry &client)
{
    if (!m_isObserved)
        m_client = &client;
}

void Exchange::setRequestHeader(std::string_view name, std::string_view value)
{
    const FieldId id = http::fieldId(name);
    if (!isFixed(id) && mayChange())
        setField(m_request.fields, {id, keepText(name), keepText(value)});
}

void Exchange::addRequestHeader(std::string_view name, std::string_view value)
{
    const FieldId id = http::fieldId(name);
    if (!isFixed(id) && mayChange())
        m_request.fields.push_back({id, keepText(name), keepText(value)});
}

std::size_t
Exchange::removeRequestHeaders(const std::function<bool(std::string_view name)> &isMeant)
{
    return removeFields(m_request.fields, isMeant, [this] { return mayChange(); });
}

void Exchange::askForUsage(const UsageSplice &splice)
{
    m_isAskedForUsage = true;
    m_body.splice(splice.offset, splice.length, splice.text);
    m_request.contentLength = m_body.bytes().size();
    for (http::Field &field : m_request.fields) {
        if (field.id == FieldId::ContentLength)
            field.value = keepText(std::to_string(m_request.contentLength));
        // What is taken out of the answer again is not found in a coded one.
        else if (equalsIgnoreCase(field.name, "accept-encoding"))
            field.value = "identity";
    }
}

void Exchange::cutResponseAfter(std::uint64_t bytes)
{
    if (mayChange())
        m_cutAfter = bytes;
}

void Exchange::setResponseHeader(std::string_view name, std::string_view value)
{
    const FieldId id = http::fieldId(name);
    if (!isFixed(id) && mayChange())
        setField(m_response->fields, {id, keepText(name), keepText(value)});
}

void Exchange::addResponseHeader(std::string_view name, std::string_view value)
{
    const FieldId id = http::fieldId(name);
    if (!isFixed(id) && mayChange())
        m_response->fields.push_back({id, keepText(name), keepText(value)});
}

std::size_t
Exchange::removeResponseHeaders(const std::function<bool(std::string_view name)> &isMeant)
{
    return removeFields(m_response->fields, isMeant, [this] { return mayChange(); });
}

Resume Exchange::pause(std::optional<std::chrono::milliseconds> longest)
{
    m_longestPause = longest;
    m_ticket = std::make_shared<Resume::Ticket>();
    m_ticket->resume = [this](Verdict verdict) { m_resumed(std::move(verdict)); };
    return Resume(m_ticket);
}

void Exchange::resumeFor(Verdict verdict) const
{
    const Resume resume(m_ticket);
    resume(std::move(verdict));
}

std::unique_ptr<PolicyState> &Exchange::currentState()
{
    if (m_part != nullptr)
        return *m_part;
    if (m_states.size() <= m_place)
        m_states.resize(m_place + 1);
    return m_states[m_place];
}

} // namespace gatehouse
