// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/fetch.h"

#include "gateway/secrets/wiping.h"

#include <utility>

namespace gatehouse::net {

namespace {

constexpr std::size_t headLimit = std::size_t{64} * 1024;

} // namespace

Fetch::Fetch(WorkerContext &context, FetchRequest request, Done done)
    : m_context(context)
    , m_request(std::move(request))
    , m_done(std::move(done))
    , m_target(context.runtime->endpointTarget(m_request.endpoint->origin))
{
    m_entry.origin = m_request.endpoint->origin;
}

Fetch::Fetch(WorkerContext &context,
             FetchRequest request,
             const ProviderEntry &provider,
             ProviderTarget target,
             Done done)
    : m_context(context)
    , m_request(std::move(request))
    , m_done(std::move(done))
    , m_entry(provider)
    , m_target(std::move(target))
{}

Fetch::~Fetch()
{
    if (m_connection != nullptr)
        m_connection->giveBack(false);
    // Headers and body may hold a policy's secret or a client's token.
    for (Header &header : m_request.headers)
        wipe(header.value);
    wipe(m_request.body);
}

void Fetch::start()
{
    m_error = Error{ErrorCode::ProviderFirstByteTimeout,
                    m_entry.origin.authority + " did not answer in time"};
    m_context.deadlines.set(m_timeout, WorkerContext::now() + m_request.timeout);
    m_connection = m_context.pool->takeIdle(m_target, *this);
    if (m_connection != nullptr)
        providerOpened();
    else
        connect();
}

void Fetch::connect()
{
    m_connection = &m_context.pool->add(m_target);
    m_connection->open(*this, m_entry, m_target.tls.get());
}

void Fetch::providerOpened()
{
    m_connection->expectResponse({m_request.method == "HEAD", false, headLimit});
    std::string out = m_request.method + ' ' + m_request.endpoint->target + " HTTP/1.1\r\nHost: "
                      + m_entry.origin.authority + "\r\nAccept-Encoding: identity\r\n";
    if (!m_request.body.empty() || m_request.method == "POST")
        out += "Content-Length: " + std::to_string(m_request.body.size()) + "\r\n";
    for (const Header &header : m_request.headers) {
        for (const std::string_view part : {std::string_view(header.name),
                                            std::string_view(": "),
                                            std::string_view(header.value),
                                            std::string_view("\r\n")})
            appendWiping(out, part);
    }
    appendWiping(out, "\r\n");
    appendWiping(out, m_request.body);
    m_connection->write(out);
    wipe(out);
}

void Fetch::providerHead(const http::ResponseHead &head)
{
    m_response.status = head.status;
    for (const http::Field &field : head.fields)
        m_response.headers.push_back({std::string(field.name), std::string(field.value)});
}

void Fetch::providerBody(std::string_view bytes)
{
    if (m_isOver)
        return;
    if (m_response.body.size() + bytes.size() > m_request.limit)
        over(Error{ErrorCode::ProviderBadResponse,
                   m_entry.origin.authority + " answered with more than "
                       + std::to_string(m_request.limit) + " bytes"});
    else
        m_response.body.append(bytes);
}

void Fetch::providerEnd(const std::vector<http::Field> &)
{
    if (m_isOver)
        return;
    std::exchange(m_connection, nullptr)->giveBack(true);
    over(std::nullopt);
}

void Fetch::providerFailed(const Error &error)
{
    if (m_isOver)
        return;
    // A kept-alive connection may have been closed meanwhile; what policies ask does nothing twice.
    const bool tryAgain = error.code == ErrorCode::ProviderClosed && m_connection->isReused()
                          && !m_connection->hasAnswered();
    std::exchange(m_connection, nullptr)->giveBack(false);
    if (tryAgain)
        connect();
    else
        over(error);
}

/// The outcome is known. Told later: the caller may be in the middle of start(), and the connection in
/// the middle of telling.
void Fetch::over(std::optional<Error> error)
{
    m_isOver = true;
    m_error = std::move(error);
    m_timeout.clear();
    m_context.callLater([this] { finish(); });
}

void Fetch::finish()
{
    m_isOver = true;
    if (m_connection != nullptr)
        std::exchange(m_connection, nullptr)->giveBack(false);
    if (m_error)
        m_done(*this, Unexpected(*m_error));
    else
        m_done(*this, std::move(m_response));
}

} // namespace gatehouse::net
