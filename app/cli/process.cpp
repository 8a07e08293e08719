// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/process.h"

#include <QSocketNotifier>

#include <array>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

namespace gatehouse {

namespace {

/// The self-pipe: a handler may do little else than write.
std::array<int, 2> &signalPipe()
{
    static std::array<int, 2> pipe{-1, -1};
    return pipe;
}

void handleSignal(int number)
{
    const int saved = errno;
    const auto byte = static_cast<unsigned char>(number);
    [[maybe_unused]] const auto size = ::write(signalPipe()[1], &byte, 1);
    errno = saved;
}

constexpr std::array<int, 3> watchedSignals{SIGHUP, SIGTERM, SIGINT};

} // namespace

SignalWatcher::SignalWatcher(QObject *parent)
    : QObject(parent)
{
    auto &pipe = signalPipe();
    if (::pipe(pipe.data()) != 0)
        qFatal("No pipe for signals: raise the limit of open files (ulimit -n).");
    for (const int end : pipe) {
        ::fcntl(end, F_SETFD, FD_CLOEXEC);
        ::fcntl(end, F_SETFL, O_NONBLOCK);
    }
    m_notifier = std::make_unique<QSocketNotifier>(pipe[0], QSocketNotifier::Read);
    connect(m_notifier.get(), &QSocketNotifier::activated, this, &SignalWatcher::readSignals);
    for (const int number : watchedSignals) {
        struct sigaction action = {};
        action.sa_handler = handleSignal;
        action.sa_flags = SA_RESTART;
        ::sigaction(number, &action, nullptr);
    }
}

SignalWatcher::~SignalWatcher()
{
    for (const int number : watchedSignals)
        std::signal(number, SIG_DFL);
    m_notifier.reset();
    for (int &end : signalPipe()) {
        ::close(end);
        end = -1;
    }
}

void SignalWatcher::readSignals()
{
    std::array<unsigned char, 16> numbers{};
    const auto size = ::read(signalPipe()[0], numbers.data(), numbers.size());
    for (std::size_t i = 0; size > 0 && i < static_cast<std::size_t>(size); ++i) {
        if (numbers[i] == SIGHUP)
            Q_EMIT reloadAsked();
        else
            Q_EMIT stopAsked();
    }
}

} // namespace gatehouse
