// SPDX-License-Identifier: GPL-3.0-or-later
// The benchmark's provider: reads a request of any size and answers as its query says.
//   (nothing)                     a chat completion of 450 bytes
//   ?events=N[&rate=R][&batch=B]  a stream of N events and [DONE]; R events a second, or as fast as
//                                 the socket takes them, B events in one write (1 if not given)
// A stream whose request asks for include_usage gets one event more, as OpenAI's do.
// Usage: bench_provider --listen 127.0.0.1:PORT
#include "tests/bench/wire.h"

#include <queue>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace {

using bench::die;
using bench::nowNs;

constexpr std::size_t eventSize = 250;
constexpr std::string_view eventTail
    = "\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,\"model\":\"gpt-4o-mini\","
      "\"system_fingerprint\":\"fp_0123456789\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
      "\" word\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n";
constexpr std::string_view usageEvent
    = "data: "
      "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,"
      "\"model\":\"gpt-4o-mini\",\"choices\":[],\"usage\":{\"prompt_tokens\":420,"
      "\"completion_tokens\":100,\"total_tokens\":520}}\n\n";
constexpr std::string_view streamHead = "HTTP/1.1 200 OK\r\n"
                                        "Content-Type: text/event-stream; charset=utf-8\r\n"
                                        "Cache-Control: no-cache\r\n"
                                        "X-Request-Id: req_bench0000000000\r\n"
                                        "Transfer-Encoding: chunked\r\n\r\n";

std::string chunkOf(std::string_view payload)
{
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", payload.size());
    return std::string(size.data()).append(payload).append("\r\n");
}

std::string smallAnswer()
{
    std::string body = "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":"
                       "1767225600,\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"message\":"
                       "{\"role\":\"assistant\",\"content\":\"";
    const std::string_view tail = "\"},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{"
                                  "\"prompt_tokens\":420,\"completion_tokens\":40,"
                                  "\"total_tokens\":460}}";
    while (body.size() + tail.size() < 450)
        body += "words "[body.size() % 6];
    body += tail;
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
           "X-Request-Id: req_bench0000000000\r\nContent-Length: "
           + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// An event in its chunk, with zeros where its time and number go.
std::string eventTemplate()
{
    std::string event(bench::eventHead);
    event.append(bench::eventStampDigits + bench::eventNumberDigits, '0').append(eventTail);
    const std::size_t word = event.find(" word");
    event.insert(word, eventSize - std::min(event.size(), eventSize), 'x');
    return chunkOf(event);
}

void putHex(char *to, std::size_t digits, std::uint64_t value)
{
    for (std::size_t i = digits; i-- > 0; value >>= 4U)
        to[i] = "0123456789abcdef"[value & 15U];
}

struct Connection
{
    int fd = -1;
    std::uint64_t serial = 0;
    bench::MessageReader reader;
    std::string streamBody; // kept only of requests for a stream
    bool streams = false;   // the request being read asks for a stream
    std::uint64_t eventsLeft = 0;
    std::uint64_t number = 0; // of the next event
    std::uint64_t batch = 1;
    std::uint64_t periodNs = 0; // 0: as fast as writable
    bool usage = false;
    bool queued = false; // in the list of streams that can be written to at once
    std::string unsent;
};

struct Due
{
    std::uint64_t at;
    int fd;
    std::uint64_t serial;
    bool operator>(const Due &other) const { return at > other.at; }
};

class Provider
{
public:
    explicit Provider(const std::string &address);
    [[noreturn]] void run();

private:
    void acceptAll();
    void receive(Connection &c, bool hungUp);
    bool takeHead(Connection &c);
    void answer(Connection &c);
    void sendEvents(Connection &c, std::uint64_t count);
    void endStream(Connection &c);
    void send(Connection &c, std::string_view bytes);
    bool flush(Connection &c);
    void sendDue();
    void sendReady();
    void queueReady(Connection &c);
    void close(Connection &c);
    timespec untilDue() const;

    int m_listener = -1;
    int m_epoll = -1;
    std::vector<std::unique_ptr<Connection>> m_byFd;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> m_due;
    std::vector<Due> m_ready; // streams at full speed that can be written to
    std::uint64_t m_serial = 0;
    std::uint64_t m_streams = 0;
    std::vector<char> m_input = std::vector<char>(262144);
    std::string m_events;
    const std::string m_event = eventTemplate();
    const std::string m_small = smallAnswer();
};

Provider::Provider(const std::string &address)
{
    const sockaddr_in to = bench::addressOf(address);
    const int on = 1;
    m_listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(m_listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(m_listener, bench::generic(to), sizeof to) != 0 || listen(m_listener, 4096) != 0)
        die("listen on " + address);
    m_epoll = epoll_create1(EPOLL_CLOEXEC);
    bench::watch(m_epoll, m_listener, static_cast<std::uint64_t>(m_listener));
    m_byFd.resize(65536);
}

void Provider::run()
{
    std::array<epoll_event, 512> events{};
    for (;;) {
        const timespec wait = untilDue();
        const bool forever = m_ready.empty() && m_due.empty();
        const int count = epoll_pwait2(
            m_epoll, events.data(), events.size(), forever ? nullptr : &wait, nullptr);
        for (int i = 0; i < count; ++i) {
            const epoll_event &event = events[static_cast<std::size_t>(i)];
            const auto fd = static_cast<std::size_t>(event.data.u64);
            if (static_cast<int>(fd) == m_listener)
                acceptAll();
            else if (m_byFd[fd])
                receive(*m_byFd[fd], (event.events & (EPOLLRDHUP | EPOLLHUP)) != 0);
        }
        sendDue();
        sendReady();
    }
}

timespec Provider::untilDue() const
{
    if (!m_ready.empty() || m_due.empty())
        return {};
    const std::uint64_t now = nowNs();
    const std::uint64_t wait = m_due.top().at > now ? m_due.top().at - now : 0;
    return {.tv_sec = static_cast<time_t>(wait / 1'000'000'000U),
            .tv_nsec = static_cast<long>(wait % 1'000'000'000U)};
}

void Provider::acceptAll()
{
    for (;;) {
        const int fd = accept4(m_listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        bench::setNoDelay(fd);
        auto &slot = m_byFd[static_cast<std::size_t>(fd)];
        slot = std::make_unique<Connection>();
        slot->fd = fd;
        slot->serial = ++m_serial;
        bench::watch(m_epoll, fd, static_cast<std::uint64_t>(fd));
    }
}

void Provider::close(Connection &c)
{
    const int fd = c.fd;
    m_byFd[static_cast<std::size_t>(fd)].reset();
    ::close(fd);
}

void Provider::receive(Connection &c, bool hungUp)
{
    if (!flush(c))
        return close(c);
    for (;;) {
        const ssize_t got = recv(c.fd, m_input.data(), m_input.size(), 0);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return close(c);
        if (got < 0)
            break;
        const bool good = c.reader.feed({m_input.data(), static_cast<std::size_t>(got)},
                                        [&](std::string_view part) {
                                            if (takeHead(c))
                                                c.streamBody.append(part);
                                        });
        if (!good)
            return close(c);
        if (c.reader.done())
            answer(c);
        if (static_cast<std::size_t>(got) < m_input.size() && !hungUp)
            break;
    }
    if (c.eventsLeft > 0 && c.periodNs == 0)
        queueReady(c);
}

/// True where the request asks for a stream; reads what kind of stream once.
bool Provider::takeHead(Connection &c)
{
    if (c.streams)
        return true;
    const std::string_view line = c.reader.head().substr(0, c.reader.head().find('\r'));
    const auto value = [line](std::string_view name) -> double {
        const std::size_t at = line.find(name);
        return at == std::string_view::npos ? 0 : std::atof(line.data() + at + name.size());
    };
    const double events = value("events=");
    if (events <= 0)
        return false;
    const double rate = value("rate=");
    c.streams = true;
    c.eventsLeft = static_cast<std::uint64_t>(events);
    c.batch = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(value("batch=")));
    c.periodNs = rate > 0 ? static_cast<std::uint64_t>(1e9 / rate) : 0;
    c.number = 0;
    return true;
}

void Provider::answer(Connection &c)
{
    const bool streams = takeHead(c);
    c.reader.reset();
    if (!streams)
        return send(c, m_small);
    c.usage = c.streamBody.find("\"include_usage\":true") != std::string::npos
              || c.streamBody.find("\"include_usage\": true") != std::string::npos;
    c.streamBody.clear();
    send(c, streamHead);
    if (c.periodNs > 0) {
        // Streams are spread evenly over the period, in whatever order they come.
        double whole = 0;
        const double phase
            = std::modf(static_cast<double>(m_streams++) * 0.6180339887498949, &whole);
        const auto delay = static_cast<std::uint64_t>(phase * static_cast<double>(c.periodNs));
        m_due.push({nowNs() + delay, c.fd, c.serial});
    }
}

void Provider::queueReady(Connection &c)
{
    if (c.queued || !c.unsent.empty())
        return;
    c.queued = true;
    m_ready.push_back({0, c.fd, c.serial});
}

/// Sends the events whose time has come; the next is due one period after this one was.
void Provider::sendDue()
{
    while (!m_due.empty() && m_due.top().at <= nowNs()) {
        Due due = m_due.top();
        m_due.pop();
        Connection *c = m_byFd[static_cast<std::size_t>(due.fd)].get();
        if (c == nullptr || c->serial != due.serial)
            continue;
        sendEvents(*c, 1);
        if (c->eventsLeft > 0) {
            due.at += c->periodNs;
            m_due.push(due);
        }
    }
}

/// One batch for each stream at full speed: no stream runs ahead of the others.
void Provider::sendReady()
{
    std::vector<Due> again;
    for (const Due &ready : m_ready) {
        Connection *c = m_byFd[static_cast<std::size_t>(ready.fd)].get();
        if (c == nullptr || c->serial != ready.serial)
            continue;
        sendEvents(*c, c->batch);
        c->queued = c->eventsLeft > 0 && c->unsent.empty();
        if (c->queued)
            again.push_back(ready);
    }
    m_ready.swap(again);
}

void Provider::sendEvents(Connection &c, std::uint64_t count)
{
    const std::uint64_t now = nowNs();
    const std::size_t stampAt = m_event.find(bench::eventHead) + bench::eventHead.size();
    count = std::min(count, c.eventsLeft);
    c.eventsLeft -= count;
    while (m_events.size() < count * m_event.size())
        m_events += m_event;
    for (std::uint64_t i = 0; i < count; ++i) {
        char *stamp = m_events.data() + i * m_event.size() + stampAt;
        putHex(stamp, bench::eventStampDigits, now);
        putHex(stamp + bench::eventStampDigits, bench::eventNumberDigits, c.number++);
    }
    send(c, std::string_view(m_events).substr(0, count * m_event.size()));
    if (c.eventsLeft == 0)
        endStream(c);
}

void Provider::endStream(Connection &c)
{
    c.streams = false;
    std::string end = c.usage ? chunkOf(usageEvent) : std::string();
    end += chunkOf(std::string(bench::doneLine) + "\n\n");
    send(c, end + "0\r\n\r\n");
}

void Provider::send(Connection &c, std::string_view bytes)
{
    ssize_t sent = 0;
    if (c.unsent.empty())
        sent = ::send(c.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    // A broken connection is found out by the next read.
    c.unsent.append(bytes.substr(static_cast<std::size_t>(std::max<ssize_t>(sent, 0))));
}

bool Provider::flush(Connection &c)
{
    if (c.unsent.empty())
        return true;
    const ssize_t sent = ::send(c.fd, c.unsent.data(), c.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN;
    c.unsent.erase(0, static_cast<std::size_t>(sent));
    return true;
}

} // namespace

int main(int argc, char **argv)
{
    const bench::Arguments arguments(argc, argv, 1);
    const std::string address = arguments.text("--listen", "127.0.0.1:9100");
    bench::raiseFileLimit();
    prctl(PR_SET_TIMERSLACK, 1);
    Provider provider(address);
    std::printf("ready %s\n", address.c_str());
    std::fflush(stdout);
    provider.run();
}
