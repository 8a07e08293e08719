// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/wiping.h"

#include <QTest>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <string>

namespace {

constexpr std::string_view secret = "a secret that does not fit into the string itself";

/// Buffers given back while it is watched that still held the secret.
int heldIt = 0;
bool isWatched = false;

} // namespace

// What a buffer holds when it is given back is seen nowhere else.
void operator delete(void *memory, std::size_t size) noexcept
{
    const auto *bytes = static_cast<const char *>(memory);
    if (isWatched && std::search(bytes, bytes + size, secret.begin(), secret.end()) != bytes + size)
        ++heldIt;
    std::free(memory);
}

void operator delete(void *memory) noexcept
{
    std::free(memory);
}

void *operator new(std::size_t size)
{
    if (void *memory = std::malloc(size))
        return memory;
    throw std::bad_alloc();
}

class TestWiping : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        heldIt = 0;
        isWatched = true;
    }
    void cleanup() { isWatched = false; }

    void plainAppend_leavesIt()
    {
        std::string text(secret);
        text.append(1000, 'x');
        QCOMPARE(heldIt, 1); // else the others could not fail
    }

    void outgrownBuffer_isOverwritten()
    {
        std::string text(secret);
        for (int i = 0; i < 1000; ++i)
            gatehouse::appendWiping(text, "xyz");
        QCOMPARE(heldIt, 0);
        QCOMPARE(text.size(), secret.size() + 3000);
        QVERIFY(text.starts_with(secret));
        QVERIFY(text.ends_with("xyzxyz"));
        gatehouse::wipe(text);
    }

    void wiped_isEmptyAndHoldsNothingBehindItsEnd()
    {
        {
            std::string text(secret);
            text.resize(3); // the rest stays in the buffer
            gatehouse::wipe(text);
            QVERIFY(text.empty());
        }
        QCOMPARE(heldIt, 0);
    }
};

QTEST_APPLESS_MAIN(TestWiping)
#include "tst_wiping.moc"
