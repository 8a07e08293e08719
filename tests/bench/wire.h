// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

#include <strings.h>

/// What the benchmark's client and provider share: arguments, sockets, an HTTP/1.1 message reader.
namespace bench {

/// Every event is a chunk of this many bytes of payload; its id carries 16 hexadecimal digits of
/// CLOCK_MONOTONIC nanoseconds and 8 of the event's number.
constexpr std::string_view eventHead = R"(data: {"id":"chatcmpl-)";
constexpr std::size_t eventStampDigits = 16;
constexpr std::size_t eventNumberDigits = 8;
constexpr std::string_view doneLine = "data: [DONE]";

[[noreturn]] inline void die(std::string_view what)
{
    std::fprintf(stderr,
                 "bench: %.*s: %s\n",
                 static_cast<int>(what.size()),
                 what.data(),
                 std::strerror(errno));
    std::exit(3);
}

inline std::uint64_t nowNs()
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U
           + static_cast<std::uint64_t>(now.tv_nsec);
}

template<typename Number>
Number toNumber(std::string_view text, int base = 10)
{
    Number value{};
    std::from_chars(text.data(), text.data() + text.size(), value, base);
    return value;
}

/// `--name value` pairs.
class Arguments
{
public:
    Arguments(int argc, char **argv, int first)
    {
        for (int i = first; i + 1 < argc; i += 2)
            m_values[argv[i]] = argv[i + 1];
    }
    std::string text(const std::string &name, const std::string &otherwise) const
    {
        const auto found = m_values.find(name);
        return found == m_values.end() ? otherwise : found->second;
    }
    std::uint64_t count(const std::string &name, std::uint64_t otherwise) const
    {
        return toNumber<std::uint64_t>(text(name, std::to_string(otherwise)));
    }
    double real(const std::string &name, double otherwise) const
    {
        return std::atof(text(name, std::to_string(otherwise)).c_str());
    }

private:
    std::map<std::string, std::string> m_values;
};

inline sockaddr_in addressOf(const std::string &hostAndPort)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    const std::size_t colon = hostAndPort.find(':');
    if (inet_pton(AF_INET, hostAndPort.substr(0, colon).c_str(), &address.sin_addr) != 1)
        die("not an IPv4 address: " + hostAndPort);
    if (colon != std::string::npos)
        address.sin_port = htons(toNumber<std::uint16_t>(hostAndPort.substr(colon + 1)));
    return address;
}

inline const sockaddr *generic(const sockaddr_in &address)
{
    return static_cast<const sockaddr *>(static_cast<const void *>(&address));
}

inline void raiseFileLimit()
{
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

inline void setNoDelay(int fd)
{
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// Adds \a fd once, for both directions and edge-triggered: no call per request after that. A read
/// shorter than its buffer has drained the socket.
inline void watch(int epoll, int fd, std::uint64_t tag)
{
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = tag;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        die("epoll_ctl");
}

/// Reads one HTTP/1.1 message (request or response) at a time, fed with any split of its bytes.
class MessageReader
{
public:
    void reset()
    {
        m_state = State::Head;
        m_head.clear();
        m_left = 0;
        m_bodyBytes = 0;
    }
    bool started() const { return m_state != State::Head || !m_head.empty(); }
    bool done() const { return m_state == State::Done; }
    bool headDone() const { return m_state != State::Head; }
    std::uint64_t bodyBytes() const { return m_bodyBytes; }
    /// The first line and the fields, up to the empty line.
    std::string_view head() const { return m_head; }
    int status() const { return m_head.size() > 12 ? toNumber<int>(head().substr(9, 3)) : 0; }
    bool closes() const { return field("connection") == "close"; }

    /// Hands the body's bytes to \a sink as they come; false where the message is malformed or
    /// bytes follow its end.
    template<typename Sink>
    bool feed(std::string_view data, Sink &&sink)
    {
        while (!data.empty()) {
            switch (m_state) {
            case State::Head:
                if (!takeHead(data))
                    return false;
                break;
            case State::Length:
            case State::ChunkData:
                takeBody(data, sink);
                break;
            case State::ChunkSize:
            case State::ChunkEnd:
            case State::Trailer:
                if (!takeLine(data))
                    return false;
                break;
            case State::Done:
                return false;
            }
        }
        return true;
    }

private:
    enum class State { Head, Length, ChunkSize, ChunkData, ChunkEnd, Trailer, Done };

    /// The value of the field \a lowerName, or nothing.
    std::string_view field(std::string_view lowerName) const
    {
        std::size_t at = m_head.find('\n');
        while (at != std::string::npos && at + lowerName.size() + 1 < m_head.size()) {
            const char *name = m_head.data() + at + 1;
            const std::size_t end = std::min(m_head.find('\r', at), m_head.size());
            if (strncasecmp(name, lowerName.data(), lowerName.size()) == 0
                && name[lowerName.size()] == ':') {
                std::size_t from = at + lowerName.size() + 2;
                from = std::min(m_head.find_first_not_of(' ', from), end);
                return head().substr(from, end - from);
            }
            at = m_head.find('\n', at + 1);
        }
        return {};
    }

    bool takeHead(std::string_view &data)
    {
        const std::size_t before = m_head.size();
        const std::size_t searched = before < 3 ? 0 : before - 3;
        m_head.append(data);
        const std::size_t end = m_head.find("\r\n\r\n", searched);
        if (end == std::string::npos) {
            data = {};
            return m_head.size() < 65536;
        }
        data.remove_prefix(end + 4 - before);
        m_head.resize(end + 2);
        const std::string_view length = field("content-length");
        m_left = toNumber<std::uint64_t>(length);
        if (field("transfer-encoding") == "chunked")
            m_state = State::ChunkSize;
        else
            m_state = m_left > 0 ? State::Length : State::Done;
        return true;
    }

    template<typename Sink>
    void takeBody(std::string_view &data, Sink &&sink)
    {
        const std::size_t size = std::min<std::uint64_t>(m_left, data.size());
        sink(data.substr(0, size));
        data.remove_prefix(size);
        m_bodyBytes += size;
        m_left -= size;
        if (m_left == 0)
            m_state = m_state == State::Length ? State::Done : State::ChunkEnd;
    }

    bool takeLine(std::string_view &data)
    {
        const std::size_t end = data.find('\n');
        m_line.append(data.substr(0, end));
        data.remove_prefix(end == std::string_view::npos ? data.size() : end + 1);
        if (end == std::string_view::npos)
            return m_line.size() < 4096;
        const bool empty = m_line == "\r";
        bool good = m_line.ends_with('\r');
        if (m_state == State::ChunkSize) {
            good = good && std::isxdigit(static_cast<unsigned char>(m_line.front())) != 0;
            m_left = toNumber<std::uint64_t>(m_line, 16);
            m_state = m_left > 0 ? State::ChunkData : State::Trailer;
        } else if (m_state == State::ChunkEnd) {
            good = empty;
            m_state = State::ChunkSize;
        } else if (empty) {
            m_state = State::Done;
        }
        m_line.clear();
        return good;
    }

    State m_state = State::Head;
    std::string m_head;
    std::string m_line;
    std::uint64_t m_left = 0;
    std::uint64_t m_bodyBytes = 0;
};

} // namespace bench
