// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/secretinput.h"

#include "gateway/secrets/secretref.h"

#include <openssl/crypto.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <system_error>

#include <termios.h>
#include <unistd.h>

namespace gatehouse {

namespace {

/// One more than a secret and a line end, to tell what is too long.
constexpr std::size_t longestInput = longestSecret + 3;

/// What is read before it is in the arena; wiped at the end.
class Buffer
{
public:
    Buffer() = default;
    ~Buffer() { OPENSSL_cleanse(m_bytes.data(), m_bytes.size()); }
    Buffer(const Buffer &) = delete;
    Buffer(Buffer &&) = delete;
    Buffer &operator=(const Buffer &) = delete;
    Buffer &operator=(Buffer &&) = delete;

    [[nodiscard]] std::string_view bytes() const { return {m_bytes.data(), m_size}; }
    [[nodiscard]] bool isFull() const { return m_size == m_bytes.size(); }
    /// As read(2) from standard input.
    ssize_t readSome()
    {
        const ssize_t size = ::read(STDIN_FILENO, m_bytes.data() + m_size, m_bytes.size() - m_size);
        if (size > 0)
            m_size += static_cast<std::size_t>(size);
        return size;
    }

private:
    std::array<char, longestInput> m_bytes{};
    std::size_t m_size = 0;
};

/// The last signal that came while the echo was off: a handler may do little else than note it.
volatile std::sig_atomic_t pendingSignal = 0;

void noteSignal(int number)
{
    pendingSignal = number;
}

/// A terminal without echo, for as long as this lives; with it again before a signal does its work.
class HiddenTerminal
{
public:
    HiddenTerminal()
    {
        pendingSignal = 0;
        struct sigaction action = {}; // without SA_RESTART: read(2) is to come back
        action.sa_handler = noteSignal;
        for (std::size_t i = 0; i < signals.size(); ++i)
            ::sigaction(signals[i], &action, &m_actions[i]);
        m_isTerminal = ::tcgetattr(STDIN_FILENO, &m_usual) == 0;
        termios hidden = m_usual;
        hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
        m_isHidden = m_isTerminal && ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0;
    }
    ~HiddenTerminal()
    {
        if (m_isTerminal)
            ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &m_usual);
        for (std::size_t i = 0; i < signals.size(); ++i)
            ::sigaction(signals[i], &m_actions[i], nullptr);
        if (pendingSignal != 0)
            std::raise(pendingSignal);
    }
    HiddenTerminal(const HiddenTerminal &) = delete;
    HiddenTerminal(HiddenTerminal &&) = delete;
    HiddenTerminal &operator=(const HiddenTerminal &) = delete;
    HiddenTerminal &operator=(HiddenTerminal &&) = delete;

    [[nodiscard]] bool isHidden() const { return m_isHidden; }

private:
    static constexpr std::array signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

    std::array<struct sigaction, signals.size()> m_actions{};
    termios m_usual{};
    bool m_isTerminal = false;
    bool m_isHidden = false;
};

Unexpected<Error> unreadable(const std::string &why)
{
    return Unexpected(Error{ErrorCode::SystemFailure, "the secret cannot be read: " + why});
}

/// To the end of the input, or of its first line.
Result<void> fill(Buffer &buffer, bool isOneLine)
{
    while (!buffer.isFull()) {
        const ssize_t size = buffer.readSome();
        if (size == 0)
            break;
        if (size < 0 && errno == EINTR && pendingSignal == 0)
            continue;
        if (size < 0)
            return unreadable(std::error_code(errno, std::generic_category()).message());
        if (isOneLine && buffer.bytes().ends_with('\n'))
            break;
    }
    return {};
}

Result<void> fillHidden(Buffer &buffer, std::string_view prompt)
{
    std::cerr << prompt << std::flush;
    Result<void> result;
    {
        const HiddenTerminal terminal;
        if (!terminal.isHidden())
            return unreadable("the terminal would show it");
        result = fill(buffer, true);
    }
    std::cerr << '\n';
    return result;
}

} // namespace

Result<std::shared_ptr<const LockedSecret>> readSecretInput(std::string_view prompt,
                                                            SecretArena &arena)
{
    Buffer buffer;
    const auto filled
        = ::isatty(STDIN_FILENO) == 1 ? fillHidden(buffer, prompt) : fill(buffer, false);
    if (!filled)
        return Unexpected(filled.error());
    std::string_view bytes = buffer.bytes();
    if (bytes.ends_with('\n'))
        bytes.remove_suffix(1);
    if (bytes.ends_with('\r'))
        bytes.remove_suffix(1);
    if (const std::string problem = secretProblem(bytes); !problem.empty())
        return Unexpected(Error{ErrorCode::ConfigInvalid, "the secret " + problem});
    return arena.store({bytes});
}

} // namespace gatehouse
