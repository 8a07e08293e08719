// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/notifierloop.h"

#include <sys/socket.h>

#include <poll.h>

namespace gatehouse::net {

namespace {

bool isAtEnd(int descriptor)
{
    // Not peeked at where it is broken: that would take the error away from those who read next.
    pollfd polled{descriptor, POLLIN, 0};
    if (::poll(&polled, 1, 0) == 1 && (polled.revents & (POLLERR | POLLHUP)) != 0)
        return true;
    char byte = 0;
    return ::recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

} // namespace

IoLoop::Token NotifierLoop::watch(int descriptor, IoHandler &handler)
{
    const Token token = ++m_lastToken;
    auto watched = std::make_unique<Watched>(descriptor, handler);
    QObject::connect(&watched->reader, &QSocketNotifier::activated, &m_context, [this, token] {
        const auto found = m_watched.find(token);
        if (found == m_watched.end())
            return;
        QSocketNotifier &reader = found->second->reader;
        reader.setEnabled(false);
        const bool atEnd = isAtEnd(static_cast<int>(reader.socket()));
        found->second->handler->ioReady(atEnd ? IoReadable | IoHangUp : IoReadable);
    });
    QObject::connect(&watched->writer, &QSocketNotifier::activated, &m_context, [this, token] {
        const auto found = m_watched.find(token);
        if (found == m_watched.end())
            return;
        found->second->writer.setEnabled(false);
        found->second->handler->ioReady(IoWritable);
    });
    m_watched.emplace(token, std::move(watched));
    return token;
}

void NotifierLoop::unwatch(Token token)
{
    const auto found = m_watched.find(token);
    if (found == m_watched.end())
        return;
    const std::shared_ptr<Watched> watched = std::move(found->second);
    m_watched.erase(found);
    watched->reader.setEnabled(false);
    watched->writer.setEnabled(false);
    // It may be the one whose signal is being delivered, so it goes with the queued call.
    QMetaObject::invokeMethod(
        &m_context, [watched] {}, Qt::QueuedConnection);
}

void NotifierLoop::awaitMore(Token token, IoEvent event)
{
    const auto found = m_watched.find(token);
    if (found == m_watched.end())
        return;
    if (event == IoReadable)
        found->second->reader.setEnabled(true);
    else if (event == IoWritable)
        found->second->writer.setEnabled(true);
}

void NotifierLoop::tellAgain(Token token, unsigned events)
{
    QMetaObject::invokeMethod(
        &m_context,
        [this, token, events] {
            const auto found = m_watched.find(token);
            if (found != m_watched.end())
                found->second->handler->ioReady(events);
        },
        Qt::QueuedConnection);
}

} // namespace gatehouse::net
