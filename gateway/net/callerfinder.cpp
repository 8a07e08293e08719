// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/callerfinder.h"

#ifdef __linux__
#include "gateway/net/callersearch.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#endif

#include <QThread>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <unistd.h>

namespace gatehouse::net {

#ifdef __linux__
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds betweenScans{100};
/// Reading what processes hold takes at most one part in five of a core.
constexpr int restPerWork = 4;
constexpr int niceness = 5;

/// When processes may be read again.
class Pace
{
public:
    [[nodiscard]] Clock::time_point nextList() const { return m_nextList; }
    [[nodiscard]] Clock::time_point nextScan() const { return std::max(m_nextList, m_nextScan); }

    template<typename Work>
    void list(Work work)
    {
        const Clock::time_point start = Clock::now();
        work();
        const Clock::time_point end = Clock::now();
        m_nextList = end + restPerWork * (end - start);
    }
    template<typename Work>
    void scan(Work work)
    {
        m_nextScan = Clock::now() + betweenScans;
        list(std::move(work));
    }

private:
    Clock::time_point m_nextList;
    Clock::time_point m_nextScan;
};

} // namespace

class CallerFinder::Thread final : public QThread
{
public:
    Thread()
    {
        auto search = CallerSearch::open();
        if (!search) {
            availability = Unexpected(std::move(search).error());
            return;
        }
        m_search.emplace(std::move(*search));
        start();
    }
    ~Thread() override
    {
        {
            const std::lock_guard lock(m_mutex);
            m_isEnding = true;
        }
        m_changed.notify_all();
        wait();
        const std::lock_guard lock(m_mutex); // ThreadSanitizer does not see wait()
    }
    Q_DISABLE_COPY_MOVE(Thread)

    void ask(const AcceptedSocket &socket, CallerDepth depth, Mailbox &replyTo, Answer done)
    {
        {
            const std::lock_guard lock(m_mutex);
            if (!availability || m_isEnding) {
                replyTo.post([done = std::move(done)] { done(nullptr); });
                return;
            }
            m_asked.push_back({.id = ++m_lastId, .socket = socket, .depth = depth});
            m_questions.emplace(m_lastId, Question{&replyTo, std::move(done)});
        }
        m_changed.notify_all();
    }
    void forget(const Mailbox &mailbox)
    {
        const std::lock_guard lock(m_mutex);
        std::erase_if(m_questions,
                      [&](const auto &question) { return question.second.replyTo == &mailbox; });
    }

    Result<void> availability;
    std::atomic<std::uint64_t> scanCount{0};
    std::atomic<std::uint64_t> hashCount{0};

protected:
    void run() override;

private:
    using Lookup = CallerSearch::Lookup;

    struct Question
    {
        Mailbox *replyTo = nullptr;
        Answer done;
    };

    [[nodiscard]] bool takeAsked(std::vector<Lookup> &into);
    void work(std::vector<Lookup> &open);
    void answer(const Lookup &lookup, std::shared_ptr<const Caller> caller);

    std::mutex m_mutex;
    std::condition_variable m_changed;
    bool m_isEnding = false;
    std::uint64_t m_lastId = 0;
    std::vector<Lookup> m_asked;
    std::unordered_map<std::uint64_t, Question> m_questions; ///< those without an answer, by id

    // Of the thread
    std::optional<CallerSearch> m_search;
    Pace m_pace;
};

void CallerFinder::Thread::run()
{
    // Of this thread alone; refused, it is no harm.
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), niceness);
    std::vector<Lookup> open;
    while (takeAsked(open))
        work(open);
}

/// Waits until there is something to do; false where the end has come.
bool CallerFinder::Thread::takeAsked(std::vector<Lookup> &into)
{
    std::unique_lock lock(m_mutex);
    const auto hasNews = [this] { return m_isEnding || !m_asked.empty(); };
    if (into.empty()) {
        m_changed.wait(lock, hasNews);
    } else {
        const bool isNearNext = std::any_of(into.begin(), into.end(), [](const Lookup &lookup) {
            return lookup.depth == CallerDepth::Quick && !lookup.isNearTried;
        });
        m_changed.wait_until(lock, isNearNext ? m_pace.nextList() : m_pace.nextScan(), hasNews);
    }
    for (const Lookup &lookup : std::exchange(m_asked, {}))
        into.push_back(lookup);
    std::erase_if(into, [this](const Lookup &lookup) { return !m_questions.contains(lookup.id); });
    return !m_isEnding;
}

void CallerFinder::Thread::work(std::vector<Lookup> &open)
{
    const CallerSearch::Answer reply
        = [this](const Lookup &lookup, std::shared_ptr<const Caller> caller) {
              answer(lookup, std::move(caller));
          };
    for (Lookup lookup : std::exchange(open, {})) {
        if (lookup.entry.inode != 0 || m_search->begin(lookup))
            open.push_back(lookup);
        else
            answer(lookup, nullptr);
    }
    const bool isNearDue = std::any_of(open.begin(), open.end(), [](const Lookup &lookup) {
        return lookup.depth == CallerDepth::Quick && !lookup.isNearTried;
    });
    if (isNearDue && Clock::now() >= m_pace.nextList())
        m_pace.list([&] { m_search->searchNear(open, reply); });
    if (!open.empty() && Clock::now() >= m_pace.nextScan())
        m_pace.scan([&] { m_search->searchAll(open, reply); });
}

void CallerFinder::Thread::answer(const Lookup &lookup, std::shared_ptr<const Caller> caller)
{
    scanCount = m_search->scanCount();
    hashCount = m_search->hashCount();
    const std::lock_guard lock(m_mutex);
    auto question = m_questions.extract(lookup.id);
    if (question.empty())
        return;
    question.mapped().replyTo->post(
        [done = std::move(question.mapped().done), caller = std::move(caller)] { done(caller); });
}

#else

/// No other system is asked yet in a way that is exact.
class CallerFinder::Thread
{
public:
    void ask(const AcceptedSocket &, CallerDepth, Mailbox &replyTo, Answer done)
    {
        replyTo.post([done = std::move(done)] { done(nullptr); });
    }
    void forget(const Mailbox &) {}

    Result<void> availability = Unexpected(
        Error{ErrorCode::SystemFailure, "calling processes are found out on Linux only"});
    std::uint64_t scanCount = 0;
    std::uint64_t hashCount = 0;
};

#endif

CallerFinder::CallerFinder()
    : m_thread(std::make_unique<Thread>())
{}

CallerFinder::~CallerFinder() = default;

const Result<void> &CallerFinder::availability() const
{
    return m_thread->availability;
}

void CallerFinder::find(const AcceptedSocket &socket,
                        CallerDepth depth,
                        Mailbox &replyTo,
                        Answer done)
{
    m_thread->ask(socket, depth, replyTo, std::move(done));
}

void CallerFinder::forget(const Mailbox &mailbox)
{
    m_thread->forget(mailbox);
}

std::uint64_t CallerFinder::scanCount() const
{
    return m_thread->scanCount;
}

std::uint64_t CallerFinder::hashCount() const
{
    return m_thread->hashCount;
}

} // namespace gatehouse::net
