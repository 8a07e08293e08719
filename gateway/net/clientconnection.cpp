// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/clientconnection.h"

#include "gateway/net/peer.h"

#include <utility>

namespace gatehouse::net {

namespace {

constexpr std::chrono::milliseconds lingerTime{2'000};
/// Reads or requests in a row before other connections get their turn.
constexpr int stepsInARow = 16;
constexpr std::uint64_t maxLingered = 64ULL * 1024 * 1024;
/// Body bytes that buy another second of the body's deadline.
constexpr std::uint64_t bytesPerSecond = std::uint64_t{64} * 1024;

} // namespace

ClientConnection::ClientConnection(WorkerContext &context,
                                   ClientConnectionOwner &owner,
                                   std::shared_ptr<const std::string> listener)
    : m_context(context)
    , m_owner(owner)
    , m_listener(std::move(listener))
    , m_socket(*context.loop, *this)
    , m_run(context, *this)
{}

bool ClientConnection::adopt(int descriptor, SslHandle ssl)
{
    const bool isPlain = ssl == nullptr;
    if (!m_socket.adopt(descriptor, std::move(ssl)))
        return false;
    if (isPlain)
        m_phase = Phase::Head;
    m_context.setDeadline(m_deadline, m_context.limits().headTimeout);
    return true;
}

void ClientConnection::socketOpened()
{
    m_phase = Phase::Head;
    m_context.setDeadline(m_deadline, m_context.limits().headTimeout);
}

void ClientConnection::socketFailed(const std::string &, bool)
{
    close();
}

void ClientConnection::socketHangUp()
{
    // Gone, whatever was under way; but the last frames of a tunnel are worth reading.
    if (m_phase != Phase::Exchange || !m_run.relay().isTunnel())
        close();
}

void ClientConnection::socketDrained()
{
    if (m_phase == Phase::Closing) {
        linger();
    } else if (m_phase == Phase::Flushing) {
        awaitRequest();
        process();
    } else if (m_run.relay().isActive()) {
        m_run.relay().clientDrained();
    }
}

void ClientConnection::close()
{
    if (m_phase == Phase::Closed)
        return;
    // What the client has may look complete to it: only a reset says that it is not.
    const bool isCut = m_socket.pending() != 0 || m_run.relay().answerEndsWithConnection();
    m_phase = Phase::Closed;
    m_deadline.clear();
    m_run.end();
    if (isCut)
        m_socket.abort();
    else
        m_socket.close();
    m_owner.clientClosed(*this);
}

void ClientConnection::drain()
{
    if (m_phase == Phase::Opening || (m_phase == Phase::Head && m_in.empty()))
        close();
}

void ClientConnection::awaitRequest()
{
    if (m_context.isDraining) {
        linger();
        return;
    }
    m_phase = Phase::Head;
    m_context.setDeadline(m_deadline, m_context.limits().idleTimeout);
}

void ClientConnection::process()
{
    if (m_isProcessing)
        return;
    m_isProcessing = true;
    for (int steps = 0; step(); ++steps) {
        if (steps == stepsInARow) {
            m_socket.readLater();
            break;
        }
    }
    m_isProcessing = false;
}

/// Does one thing that can be done now; false where there is none.
bool ClientConnection::step()
{
    std::string_view bytes;
    switch (m_phase) {
    case Phase::Opening:
    case Phase::Flushing:
    case Phase::Closing:
    case Phase::Closed:
        return false;
    case Phase::Head:
        if (std::exchange(m_hasUnread, false)) {
            takeHead({});
            return true;
        }
        if (!read(bytes))
            return false;
        takeHead(bytes);
        return true;
    case Phase::Exchange:
        if (m_run.mayProceed()) {
            proceed();
            return true;
        }
        if (!m_run.wantsBytes())
            return false;
        if (std::exchange(m_hasUnread, false)) {
            const std::string kept = std::exchange(m_in, {});
            takeBody(kept);
            return true;
        }
        if (!read(bytes))
            return false;
        takeBody(bytes);
        return true;
    case Phase::Lingering:
        if (!read(bytes))
            return false;
        m_lingered += bytes.size();
        if (m_lingered > maxLingered)
            close();
        return true;
    }
    return false;
}

/// False where nothing came; the connection may be closed then.
bool ClientConnection::read(std::string_view &bytes)
{
    if (!m_socket.mayRead())
        return false;
    const Socket::ReadResult result = m_socket.read(m_context.readBuffer);
    switch (result.status) {
    case Socket::ReadStatus::Data:
        bytes = {m_context.readBuffer.data(), result.size};
        return true;
    case Socket::ReadStatus::WouldBlock:
        return false;
    case Socket::ReadStatus::End:
    case Socket::ReadStatus::Failed:
        close();
        return false;
    }
    return false;
}

void ClientConnection::takeHead(std::string_view bytes)
{
    if (!m_in.empty()) {
        m_in.append(bytes);
        bytes = m_in;
    }
    const Limits &limits = m_context.limits();
    switch (m_scanner.scan(bytes)) {
    case http::HeadScanner::Outcome::Malformed:
        refuseHead({ErrorCode::BadRequest, "a bare LF, a folded line or no request line"});
        return;
    case http::HeadScanner::Outcome::NeedMore:
        if (bytes.size() > limits.head) {
            const bool inTarget = bytes.substr(0, limits.head).find('\n') == std::string_view::npos;
            refuseHead({inTarget ? ErrorCode::TargetTooLong : ErrorCode::HeadTooLarge, {}});
            return;
        }
        if (m_in.empty())
            m_in.assign(bytes);
        if (!std::exchange(m_headBegun, true))
            m_context.setDeadline(m_deadline, limits.headTimeout);
        return;
    case http::HeadScanner::Outcome::Complete:
        break;
    }
    const std::size_t length = m_scanner.length();
    m_scanner = {};
    m_headBegun = false;
    if (length > limits.head) {
        refuseHead({ErrorCode::HeadTooLarge, {}});
        return;
    }
    const std::string kept = std::exchange(m_in, {});
    if (!kept.empty())
        bytes = kept;
    headComplete(bytes.substr(0, length), bytes.substr(length));
}

void ClientConnection::beginExchange()
{
    m_phase = Phase::Exchange;
    m_requestId = m_context.requestIds.next();
}

void ClientConnection::headComplete(std::string_view head, std::string_view rest)
{
    beginExchange();
    if (!m_peer)
        m_peer = std::make_unique<const Peer>(peerOf(m_socket, m_context));
    m_bodySince = WorkerContext::now();
    m_run.begin(head, rest, *m_listener, *m_peer);
    awaitBody();
    keep(rest);
}

void ClientConnection::proceed()
{
    m_hasUnread = false;
    const std::string kept = std::exchange(m_in, {});
    std::string_view rest = kept;
    m_bodySince = WorkerContext::now();
    m_run.proceed(rest);
    awaitBody();
    keep(rest);
}

/// The rest of a request's body has to come in time. RFC 9110 §15.5.9.
void ClientConnection::awaitBody()
{
    if (m_phase == Phase::Exchange && !m_run.isRequestComplete())
        m_context.deadlines.set(m_deadline, m_bodySince + m_run.limits().bodyTimeout);
}

void ClientConnection::keep(std::string_view rest)
{
    if (m_phase == Phase::Closing || m_phase == Phase::Lingering || m_phase == Phase::Closed)
        return;
    m_in.assign(rest);
    m_hasUnread = !rest.empty();
}

void ClientConnection::takeBody(std::string_view bytes)
{
    const std::uint64_t size = bytes.size();
    m_run.takeBytes(bytes);
    // Each piece buys the time that a slow but honest client needs for it; a trickle does not.
    m_bodySince += std::chrono::microseconds(size * 1'000'000 / bytesPerSecond);
    awaitBody();
    keep(bytes);
}

/// The one end of every exchange that leaves the client there: answered, refused, cut off or timed
/// out. A client that is gone ends in close().
void ClientConnection::finish(After after)
{
    m_run.end();
    if (after == After::Reset) {
        m_socket.abort();
        close();
    } else if (after != After::KeepAlive || m_context.isDraining) {
        closeWhenWritten();
    } else if (m_socket.pending() != 0) {
        m_phase = Phase::Flushing;
        m_context.setDeadline(m_deadline, m_context.limits().streamTimeout);
    } else {
        awaitRequest();
        if (m_hasUnread || m_socket.mayRead())
            process();
    }
}

void ClientConnection::refuseHead(const Error &error)
{
    if (m_phase == Phase::Head)
        beginExchange();
    answer(Reply::of(error), false);
}

void ClientConnection::answer(const Reply &reply, bool keepAlive)
{
    const bool stays = keepAlive && !m_context.isDraining;
    m_socket.write(m_run.compose(reply, requestId(), stays));
    if (m_run.isCutShort())
        finish(After::Cut);
    else
        finish(stays ? After::KeepAlive : After::Close);
}

void ClientConnection::closeWhenWritten()
{
    if (m_socket.pending() != 0) {
        m_phase = Phase::Closing;
        m_context.setDeadline(m_deadline, m_context.limits().streamTimeout);
        return;
    }
    linger();
}

void ClientConnection::linger()
{
    m_phase = Phase::Lingering;
    std::string().swap(m_in);
    m_hasUnread = false;
    m_lingered = 0;
    m_socket.shutdownWrite();
    m_context.setDeadline(m_deadline, lingerTime);
    process();
}

void ClientConnection::stalled()
{
    switch (m_phase) {
    case Phase::Exchange:
        if (m_run.isRequestComplete())
            return;                // the relay watches the rest
        if (!m_run.wantsBytes()) { // a policy waits, or the provider does not take it
            m_bodySince = WorkerContext::now();
            awaitBody();
            return;
        }
        m_run.fail({ErrorCode::RequestTimeout, "its body"});
        return;
    case Phase::Head:
        if (m_headBegun) {
            refuseHead({ErrorCode::RequestTimeout, "its head"});
            return;
        }
        break;
    default: // nothing came within its time, or nothing goes out
        break;
    }
    close();
}

} // namespace gatehouse::net
