// SPDX-License-Identifier: GPL-3.0-or-later
// The benchmark's client: POSTs over C connections, each with one request at a time, and verifies
// every answer. Prints lines of JSON; the last one is the result.
//   bench_load post    --requests N | --seconds S, --body BYTES
//   bench_load idle    one request a connection, which then stays open until stdin ends
//   bench_load stream  --events N [--rate R] [--batch B] [--requests N | --seconds S]
//   with --hold 1, post and stream go on until stdin ends
// All: --to ADDRESS:PORT [--path P] [--key K] [--connections C] [--opening O] [--timeout SECONDS]
//   [--from N]: from 127.0.0.1 to 127.0.0.N in turn, for more connections than one has ports
// `post` and `stream` also print {"at":"open",…} when every connection has been answered once, and
// `stream` {"at":"closing",…} when the first stream ends: between the two all streams are open.
#include "tests/bench/options.h"
#include "tests/bench/payload.h"
#include "tests/bench/wire.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <poll.h>
#include <unistd.h>

namespace {

using bench::die;
using bench::Mode;
using bench::nowNs;
using bench::Options;

struct Connection
{
    int fd = -1;
    std::uint32_t generation = 0; // tells a late event of a closed socket from one of its successor
    bool opening = false;
    bool answeredBefore = false;
    bool waiting = false; // for an answer
    std::size_t sent = 0;
    std::uint64_t since = 0;
    bench::MessageReader reader;
    bench::EventCounter events;
};

class Load
{
public:
    explicit Load(Options options);
    int run();

private:
    bool wantsMore() const;
    void openSome();
    void open(Connection &c);
    void startRequest(Connection &c);
    void sendRequest(Connection &c) const;
    void onEvent(Connection &c, bool hungUp);
    void onClosed(Connection &c);
    bool takeInput(Connection &c, std::string_view data);
    void finish(Connection &c);
    void fail(Connection &c, const char *why);
    void close(Connection &c);
    void report(const char *at) const;
    void reportRates(double seconds) const;
    bool goesOn();
    void waitForEvents();

    Options m_options;
    std::vector<Connection> m_all;
    std::vector<std::size_t> m_closed; // indices that may be opened
    int m_epoll = epoll_create1(EPOLL_CLOEXEC);
    std::vector<char> m_input = std::vector<char>(262144);
    std::vector<std::uint64_t> m_times; // ns, of requests; of events where they are paced
    std::uint64_t m_from = nowNs();
    std::uint64_t m_started = 0;
    std::uint64_t m_good = 0;
    std::uint64_t m_failed = 0;
    std::uint64_t m_stale = 0; // kept-alive connections closed before any byte of the answer
    std::uint64_t m_events = 0;
    std::size_t m_opening = 0;
    std::size_t m_opened = 0; // connections that have been answered
    std::size_t m_waiting = 0;
    bool m_allOpen = false;
    bool m_closing = false;
    bool m_holding = false;
    bool m_ended = false; // stdin
    std::map<std::string, std::uint64_t> m_why;
};

Load::Load(Options options)
    : m_options(std::move(options))
    , m_all(m_options.connections)
{
    for (std::size_t i = m_all.size(); i-- > 0;)
        m_closed.push_back(i);
    m_times.reserve(1 << 20);
}

bool Load::wantsMore() const
{
    if (m_failed > 20000 || m_options.hold)
        return m_failed <= 20000 && !m_ended;
    if (m_options.requests > 0)
        return m_started < m_options.requests;
    return static_cast<double>(nowNs() - m_from) < m_options.seconds * 1e9;
}

void Load::openSome()
{
    while (!m_closed.empty() && m_opening < m_options.opening && wantsMore()) {
        const std::size_t index = m_closed.back();
        m_closed.pop_back();
        open(m_all[index]);
    }
}

void Load::open(Connection &c)
{
    const auto index = static_cast<std::size_t>(&c - m_all.data());
    const std::uint32_t generation = c.generation + 1;
    c = Connection();
    c.generation = generation;
    c.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c.fd < 0)
        die("socket");
    bench::setNoDelay(c.fd);
    if (!m_options.from.empty()) {
        const int on = 1;
        const sockaddr_in &from = m_options.from[index % m_options.from.size()];
        setsockopt(c.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        if (bind(c.fd, bench::generic(from), sizeof from) != 0)
            die("bind");
    }
    c.opening = true;
    ++m_opening;
    const int rc = connect(c.fd, bench::generic(m_options.to), sizeof m_options.to);
    const bool refused = rc != 0 && errno != EINPROGRESS;
    bench::watch(m_epoll, c.fd, static_cast<std::uint64_t>(generation) << 32U | index);
    startRequest(c);
    if (refused)
        fail(c, "connect");
}

void Load::startRequest(Connection &c)
{
    ++m_started;
    ++m_waiting;
    c.waiting = true;
    c.sent = 0;
    c.reader.reset();
    c.events = {};
    c.since = nowNs();
    sendRequest(c);
}

void Load::sendRequest(Connection &c) const
{
    const std::string_view request = m_options.request;
    while (c.sent < request.size()) {
        const ssize_t sent
            = send(c.fd, request.data() + c.sent, request.size() - c.sent, MSG_NOSIGNAL);
        if (sent < 0)
            return; // not writable yet; a broken connection is found out by the read
        c.sent += static_cast<std::size_t>(sent);
    }
}

void Load::onEvent(Connection &c, bool hungUp)
{
    if (c.waiting && c.sent < m_options.request.size())
        sendRequest(c);
    const std::uint32_t generation = c.generation;
    while (c.fd >= 0 && c.generation == generation) {
        const ssize_t got = recv(c.fd, m_input.data(), m_input.size(), 0);
        if (got < 0 && (errno == EAGAIN || errno == ENOTCONN))
            return;
        if (got <= 0)
            return onClosed(c);
        if (!takeInput(c, {m_input.data(), static_cast<std::size_t>(got)}))
            return;
        if (static_cast<std::size_t>(got) < m_input.size() && !hungUp)
            return;
    }
}

void Load::onClosed(Connection &c)
{
    const bool stale = c.answeredBefore && !c.reader.started();
    fail(c, !c.waiting ? "closed while idle" : stale ? "stale" : "cut short");
}

/// False where the connection was closed for what came.
bool Load::takeInput(Connection &c, std::string_view data)
{
    if (!c.waiting) {
        fail(c, "bytes after the answer");
        return false;
    }
    if (c.opening) {
        c.opening = false;
        --m_opening;
        ++m_opened;
    }
    const std::uint64_t now = m_options.rate > 0 ? nowNs() : 0;
    const std::uint64_t before = c.events.events;
    const bool streams = m_options.mode == Mode::Stream;
    const bool lag = now > 0 && m_allOpen && !m_closing;
    const bool good = c.reader.feed(data, [&](std::string_view part) {
        if (streams)
            c.events.feed(part, [&](std::uint64_t stamp) {
                if (lag)
                    m_times.push_back(now - std::min(now, stamp));
            });
    });
    m_events += c.events.events - before;
    if (!good || c.events.wrong) {
        fail(c, good ? "wrong event" : "malformed");
        return false;
    }
    if (c.reader.done())
        finish(c);
    return c.fd >= 0;
}

void Load::finish(Connection &c)
{
    if (c.reader.status() != 200)
        return fail(c, ("status " + std::to_string(c.reader.status())).c_str());
    if (m_options.mode == Mode::Stream ? !c.events.ended || c.events.events != m_options.events
                                       : c.reader.bodyBytes() != 450)
        return fail(c, "wrong length");
    ++m_good;
    --m_waiting;
    c.waiting = false;
    c.answeredBefore = true;
    if (m_options.rate <= 0)
        m_times.push_back(nowNs() - c.since);
    if (m_options.mode == Mode::Stream && m_allOpen && !m_closing) {
        m_closing = true;
        report("closing");
    }
    if (m_options.mode == Mode::Idle)
        return;
    if (c.reader.closes() || !wantsMore())
        return close(c);
    startRequest(c);
}

void Load::fail(Connection &c, const char *why)
{
    ++(std::string_view(why) == "stale" ? m_stale : m_failed);
    ++m_why[why];
    if (c.waiting)
        --m_waiting;
    if (c.opening)
        --m_opening;
    close(c);
}

void Load::close(Connection &c)
{
    ::close(c.fd);
    c.fd = -1;
    if (m_options.mode != Mode::Idle)
        m_closed.push_back(static_cast<std::size_t>(&c - m_all.data()));
}

void Load::reportRates(double seconds) const
{
    std::vector<std::uint64_t> times = m_times;
    const auto percentile = [&times](double share) -> double {
        if (times.empty())
            return 0;
        const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(times.size() - 1));
        std::nth_element(times.begin(), times.begin() + at, times.end());
        return static_cast<double>(times[static_cast<std::size_t>(at)]) / 1e6;
    };
    std::printf(R"(,"rps":%.1f,"eps":%.1f,"p50_ms":%.4f,"p99_ms":%.4f,"why":{)",
                static_cast<double>(m_good) / seconds,
                static_cast<double>(m_events) / seconds,
                percentile(0.5),
                percentile(0.99));
    const char *comma = "";
    for (const auto &[why, count] : m_why) {
        std::printf(R"(%s"%s":%lu)", comma, why.c_str(), count);
        comma = ",";
    }
    std::printf("}");
}

void Load::report(const char *at) const
{
    const double seconds = static_cast<double>(nowNs() - m_from) / 1e9;
    std::printf(R"({"at":"%s","seconds":%.6f,"requests":%lu,"failed":%lu,"stale":%lu,)"
                R"("events":%lu,"open":%zu)",
                at,
                seconds,
                m_good,
                m_failed,
                m_stale,
                m_events,
                m_opened);
    if (std::string_view(at) == "end")
        reportRates(seconds);
    std::printf("}\n");
    std::fflush(stdout);
}

/// False when all is done; reports once that all connections are open.
bool Load::goesOn()
{
    const bool idle = m_options.mode == Mode::Idle;
    if (m_waiting == 0 && !wantsMore() && !idle)
        return false;
    if (!m_allOpen && m_opened >= m_all.size()) {
        m_allOpen = true;
        if (!idle)
            report("open");
    }
    if (idle && m_waiting == 0 && !m_holding) {
        m_holding = true;
        report("open");
    }
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    m_ended = (m_holding || m_options.hold) && poll(&input, 1, 0) == 1;
    return !(m_ended && m_holding);
}

void Load::waitForEvents()
{
    std::array<epoll_event, 512> events{};
    const int count = epoll_wait(m_epoll, events.data(), events.size(), 100);
    for (int i = 0; i < count; ++i) {
        const epoll_event &event = events[static_cast<std::size_t>(i)];
        Connection &c = m_all[event.data.u64 & 0xffffffffU];
        if (c.fd >= 0 && c.generation == event.data.u64 >> 32U)
            onEvent(c, (event.events & (EPOLLRDHUP | EPOLLHUP)) != 0);
    }
}

int Load::run()
{
    const double timeout = m_options.timeout * 1e9;
    for (openSome(); goesOn(); openSome()) {
        if (static_cast<double>(nowNs() - m_from) > timeout)
            break;
        waitForEvents();
    }
    if (m_waiting > 0)
        m_why["unanswered"] = m_waiting;
    m_failed += m_waiting;
    report("end");
    return m_failed == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char **argv)
{
    Options options = bench::optionsOf(argc, argv);
    bench::raiseFileLimit();
    return Load(std::move(options)).run();
}
