// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/net/callerfinder.h"
#include "tests/support/callerprogram.h"

#include <QTest>

#include <vector>

namespace gatehouse::test {

/// A CallerFinder and somebody who asks it and waits.
class Asking
{
public:
    using Callers = std::vector<std::shared_ptr<const Caller>>;

    Asking() = default;
    ~Asking() { finder.forget(mailbox); }
    Asking(const Asking &) = delete;
    Asking &operator=(const Asking &) = delete;

    /// All are asked before the first answer is waited for; fewer answers where one never came.
    Callers askAll(const std::vector<net::AcceptedSocket> &sockets, CallerDepth depth)
    {
        Callers answers(sockets.size());
        std::size_t count = 0;
        for (std::size_t i = 0; i < sockets.size(); ++i) {
            finder.find(sockets[i],
                        depth,
                        mailbox,
                        [&answers, &count, i](std::shared_ptr<const Caller> caller) {
                            answers[i] = std::move(caller);
                            ++count;
                        });
        }
        constexpr std::chrono::milliseconds most = patience;
        const bool isComplete = QTest::qWaitFor([&] { return count == sockets.size(); },
                                                static_cast<int>(most.count()));
        if (!isComplete)
            qFatal("the test's question about a caller was not answered");
        return answers;
    }
    std::shared_ptr<const Caller> ask(const net::AcceptedSocket &socket,
                                      CallerDepth depth = CallerDepth::Whole)
    {
        return askAll({socket}, depth).front();
    }
    std::shared_ptr<const Caller> ask(const net::Descriptor &accepted,
                                      CallerDepth depth = CallerDepth::Whole)
    {
        return ask(net::AcceptedSocket::of(accepted.get()).value(), depth);
    }

    Mailbox mailbox;
    net::CallerFinder finder;
};

} // namespace gatehouse::test
