// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/secretarena.h"

#include <QTest>

#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

using namespace gatehouse;

namespace {

// Sanitizers make mlock(2) do nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool canLock = false;
#else
constexpr bool canLock = true;
#endif

/// One line of /proc/self/smaps with what belongs to it.
struct Mapping
{
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::string access;
    std::vector<std::string> flags;

    [[nodiscard]] bool has(const char *flag) const
    {
        return std::ranges::find(flags, flag) != flags.end();
    }
};

std::vector<Mapping> mappings()
{
    std::vector<Mapping> all;
    std::ifstream smaps("/proc/self/smaps");
    for (std::string line; std::getline(smaps, line);) {
        std::istringstream words(line);
        std::string first;
        words >> first;
        if (first == "VmFlags:") {
            for (std::string flag; words >> flag;)
                all.back().flags.push_back(flag);
        } else if (const auto dash = first.find('-'); dash != std::string::npos) {
            Mapping mapping;
            mapping.begin = std::stoull(first.substr(0, dash), nullptr, 16);
            mapping.end = std::stoull(first.substr(dash + 1), nullptr, 16);
            words >> mapping.access;
            all.push_back(mapping);
        }
    }
    return all;
}

/// What \a work returns in a child of its own.
template<typename Work>
int inChild(Work work)
{
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(work());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// The limit counts for those only who may not exceed it.
bool limitLockedMemory(rlim_t bytes)
{
    const rlimit limit{bytes, bytes};
    constexpr uid_t nobody = 65534;
    return ::setrlimit(RLIMIT_MEMLOCK, &limit) == 0
           && (::getuid() != 0 || ::setresuid(nobody, nobody, nobody) == 0);
}

} // namespace

class TestSecretArena : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void store_parts_areOneSecret()
    {
        const auto arena = SecretArena::make();
        QCOMPARE(arena->store({"Bearer ", "sk-1", "\r\n"})->reveal(),
                 std::string_view("Bearer sk-1\r\n"));
        QCOMPARE(arena->store({})->reveal(), std::string_view());
        QCOMPARE(arena->store({"sk-1"})->framed("a: ", "!")->reveal(),
                 std::string_view("a: sk-1!"));
    }

    void pages_ofASecret_areLockedNotDumpedAndGuarded()
    {
        const auto arena = SecretArena::make();
        const auto secret = arena->store({"sk-1"});
        const auto address = reinterpret_cast<std::uintptr_t>(secret->reveal().data());
        const auto all = mappings();
        const auto own = std::ranges::find_if(all, [&](const Mapping &mapping) {
            return mapping.begin <= address && address < mapping.end;
        });
        QVERIFY(own != all.begin() && own != all.end() && own + 1 != all.end());
        QVERIFY(own->has("lo") || !canLock);
        QVERIFY(own->has("dd"));
        QVERIFY(own->has("wf"));
        QCOMPARE((own - 1)->end, own->begin);
        QCOMPARE((own - 1)->access, std::string("---p"));
        QCOMPARE((own + 1)->begin, own->end);
        QCOMPARE((own + 1)->access, std::string("---p"));
        QCOMPARE(arena->warning(), std::string());
    }

    void secret_gone_isWipedInItsPage()
    {
        const auto arena = SecretArena::make();
        const auto neighbour = arena->store({"keeps the page"});
        auto secret = arena->store({"sk-very-secret"});
        const volatile char *bytes = secret->reveal().data();
        const std::size_t size = secret->reveal().size();
        QCOMPARE(bytes[0], 's');
        secret.reset();
        for (std::size_t i = 0; i < size; ++i)
            QCOMPARE(bytes[i], '\0');
        QCOMPARE(neighbour->reveal(), std::string_view("keeps the page"));
    }

    void place_ofAGoneSecret_isUsedAgain()
    {
        const auto arena = SecretArena::make();
        const auto first = arena->store({"first"});
        auto second = arena->store({"second"});
        const auto third = arena->store({"third"});
        const char *place = second->reveal().data();
        second.reset();
        QCOMPARE(arena->store({"longer than what was there before"})->reveal().data() == place,
                 false);
        QVERIFY(arena->store({"2nd"})->reveal().data() == place);
        QCOMPARE(first->reveal(), std::string_view("first"));
        QCOMPARE(third->reveal(), std::string_view("third"));
    }

    void manyAndLong_secrets_growTheArena()
    {
        const auto arena = SecretArena::make();
        std::vector<std::shared_ptr<const LockedSecret>> secrets;
        for (int i = 0; i < 40; ++i)
            secrets.push_back(arena->store(
                {std::string(1000 * static_cast<std::size_t>(i), char('a' + i % 26))}));
        for (int i = 0; i < 40; ++i)
            QCOMPARE(secrets[static_cast<std::size_t>(i)]->reveal(),
                     std::string_view(
                         std::string(1000 * static_cast<std::size_t>(i), char('a' + i % 26))));
        std::ranges::reverse(secrets);
        secrets.clear();
        QCOMPARE(arena->store({"again"})->reveal(), std::string_view("again"));
    }

    void secret_outlivesTheArenasOwner()
    {
        auto arena = SecretArena::make();
        const auto secret = arena->store({"sk-1"});
        arena.reset();
        QCOMPARE(secret->reveal(), std::string_view("sk-1"));
    }

    void secret_inAForkedChild_isNotThere()
    {
        const auto arena = SecretArena::make();
        const auto secret = arena->store({"sk-1"});
        QCOMPARE(inChild([&] { return secret->reveal().front() == '\0' ? 0 : 1; }), 0);
    }

    void lockLimit_zero_isWarnedOf()
    {
        if (!canLock)
            QSKIP("sanitizers make mlock(2) do nothing");
        QCOMPARE(inChild([] {
                     if (!limitLockedMemory(0))
                         return 1;
                     const auto arena = SecretArena::make();
                     const auto secret = arena->store({"sk-1"});
                     const bool isWarned = arena->warning().find("ulimit -l") != std::string::npos;
                     return isWarned && secret->reveal() == "sk-1" ? 0 : 2;
                 }),
                 0);
    }

    void lockLimit_small_isEnoughForManyKeys()
    {
        QCOMPARE(inChild([] {
                     if (!limitLockedMemory(64 * 1024))
                         return 1;
                     const auto arena = SecretArena::make();
                     std::vector<std::shared_ptr<const LockedSecret>> secrets;
                     for (int i = 0; i < 300; ++i)
                         secrets.push_back(arena->store({std::string(164, 'k')}));
                     return arena->warning().empty() ? 0 : 2;
                 }),
                 0);
    }

    void threads_storeAndDrop_atTheSameTime()
    {
        const auto arena = SecretArena::make();
        std::vector<std::thread> threads;
        std::vector<int> wrong(4);
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                const std::string text(static_cast<std::size_t>(100 * t + 1), char('a' + t));
                for (int i = 0; i < 2000; ++i)
                    wrong[static_cast<std::size_t>(t)] += arena->store({text})->reveal() != text;
            });
        for (std::thread &thread : threads)
            thread.join();
        QCOMPARE(wrong, std::vector<int>(4));
    }
};

QTEST_APPLESS_MAIN(TestSecretArena)
#include "tst_secretarena.moc"
