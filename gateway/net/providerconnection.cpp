// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/providerconnection.h"

#include "gateway/net/providerpool.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace gatehouse::net {

namespace {

/// Interim answers before the final one; more is a provider that never comes to the point.
constexpr std::uint8_t maxInterims = 16;
/// Reads in a row before other connections get their turn.
constexpr int readsInARow = 8;
/// For one address where there are others to try.
constexpr std::chrono::milliseconds attemptTime{2'000};

} // namespace

ProviderConnection::ProviderConnection(WorkerContext &context, PoolSlot &slot)
    : m_context(context)
    , m_slot(slot)
    , m_socket(*context.loop, *this)
{}

ProviderConnection::~ProviderConnection()
{
    m_context.resolver.cancel(m_resolving);
}

void ProviderConnection::open(ProviderUser &user,
                              const ProviderEntry &provider,
                              const TlsContext *tls)
{
    m_user = &user;
    m_provider = &provider;
    m_tls = tls;
    m_resolving = m_context.resolver.resolve(
        provider.origin.host,
        provider.origin.port,
        WorkerContext::now(),
        [this](const Result<std::vector<SocketAddress>> &addresses) { resolved(addresses); });
}

void ProviderConnection::resolved(const Result<std::vector<SocketAddress>> &addresses)
{
    m_resolving = Resolver::noTicket;
    if (!addresses) {
        fail(addresses.error().code, addresses.error().context);
        return;
    }
    m_addresses.assign(addresses->rbegin(), addresses->rend());
    connectToNext({});
}

void ProviderConnection::connectToNext(const std::string &lastReason)
{
    std::string reason = lastReason;
    while (!m_addresses.empty()) {
        const SocketAddress address = m_addresses.back();
        m_addresses.pop_back();
        SslHandle ssl;
        if (m_tls != nullptr) {
            ssl = m_tls->toProvider(m_provider->origin.host, m_slot.sessions);
            if (!ssl) {
                fail(ErrorCode::ProviderTls, "out of memory");
                return;
            }
        }
        if (m_socket.connectTo(address.get(), address.length, std::move(ssl))) {
            // One that swallows our packets must not keep us from the others.
            if (!m_addresses.empty())
                m_context.setDeadline(m_deadline, attemptTime);
            return;
        }
        reason = std::strerror(errno); // NOLINT(concurrency-mt-unsafe): glibc's is per thread
    }
    fail(ErrorCode::ProviderUnreachable, m_provider->origin.authority + ": " + reason);
}

void ProviderConnection::socketOpened()
{
    m_deadline.clear();
    m_provider = nullptr;
    m_tls = nullptr;
    m_addresses = {};
    m_user->providerOpened();
}

void ProviderConnection::socketFailed(const std::string &reason, bool inTls)
{
    m_deadline.clear();
    if (inTls)
        fail(ErrorCode::ProviderTls, m_provider->origin.authority + ": " + reason);
    else
        connectToNext(reason);
}

bool ProviderConnection::reuse(ProviderUser &user)
{
    if (!m_socket.isQuiet())
        return false;
    m_deadline.clear();
    m_user = &user;
    m_isReused = true;
    return true;
}

void ProviderConnection::expectResponse(const Expected &expected)
{
    m_phase = Phase::Head;
    m_scanner = {};
    m_interims = 0;
    m_hasAnswered = false;
    m_keepAlive = false;
    m_expected = expected;
    m_sentBefore = m_socket.sentBytes();
}

void ProviderConnection::giveBack(bool requestComplete)
{
    m_user = nullptr;
    if (!requestComplete || !isReusable() || !m_socket.isOpen() || m_socket.pending() != 0
        || m_context.isDraining || m_slot.idle.size() >= ProviderPool::maxIdle) {
        discard();
        return;
    }
    m_phase = Phase::Idle;
    m_context.setDeadline(m_deadline, ProviderPool::idleTime);
    ProviderPool::putBack(m_slot, *this);
}

void ProviderConnection::waitedInVain()
{
    if (m_phase != Phase::Opening) {
        discard(); // idle for long enough
        return;
    }
    m_socket.close();
    connectToNext("no answer");
}

void ProviderConnection::discard()
{
    m_phase = Phase::Closed;
    m_deadline.clear();
    m_context.resolver.cancel(std::exchange(m_resolving, Resolver::noTicket));
    m_socket.close();
    ProviderPool::remove(m_context, m_slot, *this);
}

void ProviderConnection::resume()
{
    if (m_socket.mayRead())
        readWhilePossible();
}

void ProviderConnection::socketReadable()
{
    readWhilePossible();
}

void ProviderConnection::socketDrained()
{
    if (m_user != nullptr)
        m_user->providerDrained();
}

void ProviderConnection::readWhilePossible()
{
    for (int reads = 0; m_socket.mayRead(); ++reads) {
        if (m_phase == Phase::Done)
            return; // what is behind the answer belongs to nobody; giveBack() sees it
        if (m_phase == Phase::Idle) {
            if (!m_socket.isQuiet())
                discard();
            return;
        }
        if (m_user != nullptr && !m_user->mayTakeResponse())
            return;
        if (reads == readsInARow) {
            m_socket.readLater();
            return;
        }
        const Socket::ReadResult result = m_socket.read(m_context.readBuffer);
        switch (result.status) {
        case Socket::ReadStatus::WouldBlock:
            return;
        case Socket::ReadStatus::End:
            atEnd(true);
            return;
        case Socket::ReadStatus::Failed:
            atEnd(false);
            return;
        case Socket::ReadStatus::Data:
            take({m_context.readBuffer.data(), result.size});
        }
    }
}

void ProviderConnection::take(std::string_view bytes)
{
    m_hasAnswered = true;
    while (m_phase == Phase::Head && !bytes.empty())
        takeHead(bytes);
    if (m_phase == Phase::Tunnel) {
        if (!bytes.empty())
            m_user->providerBody(bytes);
        m_user->providerFlush();
    } else if (m_phase == Phase::Body) {
        takeBody(bytes);
    }
}

void ProviderConnection::takeHead(std::string_view &bytes)
{
    const std::size_t before = m_partialHead.size();
    std::string_view all = bytes;
    if (before != 0) {
        m_partialHead.append(bytes.substr(0, m_expected.headLimit + 1 - before));
        all = m_partialHead;
    }
    switch (m_scanner.scan(all)) {
    case http::HeadScanner::Outcome::Malformed:
        fail(ErrorCode::ProviderBadResponse, "a bare LF, a folded line or no status line");
        return;
    case http::HeadScanner::Outcome::NeedMore:
        if (all.size() > m_expected.headLimit) {
            fail(ErrorCode::ProviderBadResponse, "the head is larger than the limit");
            return;
        }
        if (before == 0)
            m_partialHead.assign(bytes);
        bytes = {};
        return;
    case http::HeadScanner::Outcome::Complete:
        break;
    }
    const std::size_t length = m_scanner.length();
    if (length > m_expected.headLimit) {
        fail(ErrorCode::ProviderBadResponse, "the head is larger than the limit");
        return;
    }
    const std::string kept
        = std::exchange(m_partialHead, {}); // the head's views need it until told
    m_scanner = {};
    bytes.remove_prefix(length - before);
    tellHead((before != 0 ? std::string_view(kept) : all).substr(0, length));
}

void ProviderConnection::tellHead(std::string_view head)
{
    http::ResponseHead &response = m_context.response;
    if (auto result = http::parseResponseHead(head, m_expected.toHead ? "HEAD" : "", response);
        !result) {
        fail(result.error().code, result.error().context);
        return;
    }
    if (response.status == 101) {
        if (!m_expected.maySwitchProtocols || !response.upgradeWebsocket) {
            fail(ErrorCode::ProviderBadResponse, "a 101 that nobody asked for");
            return;
        }
        m_phase = Phase::Tunnel;
        m_user->providerHead(response);
        return;
    }
    if (response.status < 200) {
        if (++m_interims > maxInterims) {
            fail(ErrorCode::ProviderBadResponse, "too many interim answers");
            return;
        }
        if (response.status != 100)
            m_user->providerInterim(response);
        return;
    }
    m_keepAlive = response.keepAlive;
    m_body = http::BodyReader(response);
    m_phase = Phase::Body;
    m_user->providerHead(response);
}

void ProviderConnection::takeBody(std::string_view &bytes)
{
    for (;;) {
        const http::BodyReader::Step step = m_body.next(bytes);
        switch (step.event) {
        case http::BodyReader::Event::Data:
            m_user->providerBody(step.data);
            continue;
        case http::BodyReader::Event::NeedMore:
            m_user->providerFlush();
            return;
        case http::BodyReader::Event::Malformed:
            m_user->providerFlush();
            fail(ErrorCode::ProviderBadResponse, "the chunked framing of the body");
            return;
        case http::BodyReader::Event::End: {
            std::vector<http::Field> trailers;
            if (!m_body.trailerSection().empty()) {
                auto parsed
                    = http::parseTrailers(m_body.trailerSection(), ErrorCode::ProviderBadResponse);
                if (!parsed) {
                    m_user->providerFlush();
                    fail(parsed.error().code, parsed.error().context);
                    return;
                }
                trailers = std::move(parsed).value();
            }
            m_phase = Phase::Done;
            m_keepAlive = m_keepAlive && bytes.empty();
            m_user->providerEnd(trailers);
            return;
        }
        }
    }
}

void ProviderConnection::atEnd(bool cleanly)
{
    if (m_phase == Phase::Body && cleanly && m_body.endsAtClose()) {
        m_phase = Phase::Done;
        m_user->providerEnd({});
        return;
    }
    if (m_phase == Phase::Tunnel || m_phase == Phase::Body)
        fail(ErrorCode::ProviderClosed, "in the middle of its answer");
    else
        fail(ErrorCode::ProviderClosed, {});
}

void ProviderConnection::fail(ErrorCode code, std::string what)
{
    m_phase = Phase::Done;
    m_keepAlive = false;
    if (m_user != nullptr)
        m_user->providerFailed(Error{code, std::move(what)});
    else
        discard();
}

} // namespace gatehouse::net
