// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/net/ioloop.h"

#include <QObject>
#include <QSocketNotifier>

#include <memory>
#include <unordered_map>

namespace gatehouse::net {

/// IoLoop on Qt's socket notifiers, for threads that run the platform's own event dispatcher. A
/// notifier is switched off once it has told, and on again by awaitMore. A FIN behind bytes that
/// nobody has read yet is told only after them, unlike in EventDispatcher.
class NotifierLoop final : public IoLoop
{
public:
    Token watch(int descriptor, IoHandler &handler) override;
    void unwatch(Token token) override;
    void awaitMore(Token token, IoEvent event) override;
    void tellAgain(Token token, unsigned events) override;

private:
    struct Watched
    {
        Watched(int descriptor, IoHandler &toTell)
            : reader(descriptor, QSocketNotifier::Read)
            , writer(descriptor, QSocketNotifier::Write)
            , handler(&toTell)
        {}
        QSocketNotifier reader;
        QSocketNotifier writer;
        IoHandler *handler;
    };

    QObject m_context; ///< calls that are still queued go with it
    std::unordered_map<Token, std::unique_ptr<Watched>> m_watched;
    Token m_lastToken = noToken;
};

} // namespace gatehouse::net
