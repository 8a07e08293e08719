// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/execprocess.h"

#include <QtGlobal>

#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <system_error>
#include <vector>

#include <spawn.h>

namespace gatehouse {

namespace {

constexpr int notFound = 127;
constexpr int notRunnable = 126;
constexpr int bySignal = 128;

constexpr std::array<int, 6> passedOn{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

/// Holds the signals back while it lives, so that none is lost between two calls of sigwaitinfo.
class BlockedSignals
{
public:
    BlockedSignals()
    {
        sigemptyset(&m_blocked);
        sigaddset(&m_blocked, SIGCHLD);
        for (const int number : passedOn)
            sigaddset(&m_blocked, number);
        sigprocmask(SIG_BLOCK, &m_blocked, &m_before);
        // Inherited as ignored, the end of a child would come to nobody.
        struct sigaction action = {};
        action.sa_handler = SIG_DFL;
        sigaction(SIGCHLD, &action, &m_childAction);
    }
    Q_DISABLE_COPY_MOVE(BlockedSignals)
    ~BlockedSignals()
    {
        sigaction(SIGCHLD, &m_childAction, nullptr);
        sigprocmask(SIG_SETMASK, &m_before, nullptr);
    }

    [[nodiscard]] const sigset_t &before() const { return m_before; }
    [[nodiscard]] const sigset_t &blocked() const { return m_blocked; }

private:
    sigset_t m_before{};
    sigset_t m_blocked{};
    struct sigaction m_childAction = {};
};

int exitCodeOf(int status)
{
    return WIFSIGNALED(status) ? bySignal + WTERMSIG(status) : WEXITSTATUS(status);
}

int waitForEnd(pid_t child, const sigset_t &signals)
{
    for (;;) {
        int status = 0;
        if (::waitpid(child, &status, WNOHANG) == child)
            return exitCodeOf(status);
        siginfo_t info{};
        const int number = ::sigwaitinfo(&signals, &info);
        // From the terminal it goes to the whole foreground group; twice would be another thing.
        const bool isFromTerminal = info.si_code == SI_KERNEL;
        if (number > 0 && number != SIGCHLD && !isFromTerminal)
            ::kill(child, number);
    }
}

} // namespace

int runInForeground(char *const *words, std::span<const std::string> environment)
{
    std::vector<char *> variables;
    variables.reserve(environment.size() + 1);
    for (const std::string &variable : environment)
        variables.push_back(
            const_cast<char *>(variable.c_str())); // as POSIX has it; not written to
    variables.push_back(nullptr);

    const BlockedSignals signals;
    posix_spawnattr_t attributes{};
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &signals.before());
    pid_t child = 0;
    const int problem
        = ::posix_spawnp(&child, *words, nullptr, &attributes, words, variables.data());
    posix_spawnattr_destroy(&attributes);
    if (problem != 0) {
        std::cerr << "gatehouse: " << *words << ": "
                  << (problem == ENOENT
                          ? "command not found"
                          : std::error_code(problem, std::generic_category()).message())
                  << '\n';
        return problem == ENOENT ? notFound : notRunnable;
    }
    return waitForEnd(child, signals.blocked());
}

} // namespace gatehouse
