// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/match/pattern.h"

#include <QElapsedTimer>
#include <QTest>

#include <atomic>
#include <thread>

using namespace gatehouse;

namespace {

Pattern compiled(std::string_view text, PatternOptions options = {})
{
    auto pattern = Pattern::compile(text, options);
    if (!pattern)
        qFatal("%s", pattern.error().context.c_str());
    return *pattern;
}

} // namespace

class TestPattern : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void match_texts_wholeAndWithin_data()
    {
        QTest::addColumn<QByteArray>("pattern");
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<bool>("whole");
        QTest::addColumn<bool>("found");
        const auto row
            = [](const char *name,
                 const QByteArray &pattern,
                 const QByteArray &text,
                 bool whole,
                 bool found) { QTest::newRow(name) << pattern << text << whole << found; };
        row("the same", "/v1/chat", "/v1/chat", true, true);
        row("a part", "/v1/chat", "/v1/chats", false, true);
        row("another", "/v1/chat", "/v1/cha", false, false);
        row("either method", "GET|POST", "POST", true, true);
        row("alternatives hold as a whole", "GET|POST", "POSTS", false, true);
        row("the longer alternative last", "a|ab", "ab", true, true);
        row("everything", ".*", "", true, true);
        row("empty", "", "", true, true);
        row("empty in a text", "", "a", false, true);
        row("anchors", "^a$", "a", true, true);
        row("no anchor at a line end", "^b$", "a\nb", false, false);
        row("not before a last line end", "a$", "a\n", false, false);
        row("case counts", "abc", "aBc", false, false);
        row("case in the pattern", "(?i)abc", "aBc", true, true);
        row("a line end is any byte", "/a.*", "/a\n/b\r\n", true, true);
        row("NUL is any byte", "a.b", QByteArray("a\0b", 3), true, true);
        row("behind a NUL", "b", QByteArray("a\0b", 3), false, true);
        row("a stray byte of UTF-8", ".*", "/\xff/\xc3", true, true);
        row("one byte of many",
            "a.b",
            "a\xc3\xa9"
            "b",
            false,
            false);
        row("written byte", "caf\\xc3\\xa9", "caf\xc3\xa9", true, true);
        row("all but one", "[^/]+", "a\xffz", true, true);
        row("word", "\\bkey\\b", "a key.", false, true);
        row("nested repetition", "(a+)+", "aaa", true, true);
    }
    void match_texts_wholeAndWithin()
    {
        QFETCH(QByteArray, pattern);
        QFETCH(QByteArray, text);
        const Pattern regular = compiled(pattern.toStdString());
        QTEST(regular.matchesWhole(text.toStdString()), "whole");
        QTEST(regular.isFoundIn(text.toStdString()), "found");
        QCOMPARE(regular.groups(text.toStdString()).has_value(),
                 regular.matchesWhole(text.toStdString()));
    }

    void match_anyByte_isMatchedByADot()
    {
        const Pattern dot = compiled(".");
        for (int byte = 0; byte < 256; ++byte) {
            const char c = static_cast<char>(byte);
            QVERIFY2(dot.matchesWhole({&c, 1}), qPrintable(QString::number(byte)));
        }
    }

    void match_ignoreCase_foldsAsciiLetters()
    {
        const Pattern pattern = compiled("x-[a-f]+", {.ignoreCase = true});
        QVERIFY(pattern.matchesWhole("X-AbC"));
        QVERIFY(!pattern.matchesWhole("X-g"));
    }

    void compile_malformed_saysWhatAndWhere_data()
    {
        QTest::addColumn<QByteArray>("pattern");
        QTest::addColumn<QByteArray>("said");
        const auto row = [](const char *name, const char *pattern, const char *said) {
            QTest::newRow(name) << QByteArray(pattern) << QByteArray(said);
        };
        row("open group", "a(b", "a ) is missing at \"a(b\"");
        row("closed group", "a)b", "a ) without its (");
        row("open class", "a[b", "a ] is missing at \"[b\"");
        row("range", "[z-a]", "a range that ends before it begins at \"z-a\"");
        row("class",
            "[[:letter:]]",
            "a class that is not known, or a range that ends before it begins at "
            "\"[:letter:]\"");
        row("escape", "a\\q", "unknown escape at \"\\q\"");
        row("backslash", "a\\", "a backslash at the end");
        row("nothing to repeat", "*a", "nothing to repeat at \"*\"");
        row("repeated repetition", "a**", "a repetition of a repetition at \"**\"");
        row("too often", "a{1001}", "more repetitions than 1000");
        row("the wrong way round", "a{3,2}", "the greater number first at \"{3,2}\"");
        row("look-ahead",
            "(?!a)b",
            "look-around and other groups of Perl are not known at \"(?!\"");
        row("look-behind", "(?<=a)b", "look-around and other groups of Perl are not known");
        row("back-reference", "(a)\\1", "unknown escape at \"\\1\"");
        row("name", "(?P<n*>a)", "a malformed name of a group at \"(?P<n*>\"");
        row("too large", "((a{100}){100}){100}", "more repetitions than 1000");
        row("UTF-8", "caf\xc3\xa9", "a byte beyond ASCII; write it as \\xHH");
    }
    void compile_malformed_saysWhatAndWhere()
    {
        QFETCH(QByteArray, pattern);
        QFETCH(QByteArray, said);
        const auto compiled = Pattern::compile(pattern.toStdString());
        QVERIFY(!compiled);
        QCOMPARE(compiled.error().code, ErrorCode::ConfigInvalid);
        const std::string &context = compiled.error().context;
        QVERIFY2(context.starts_with("must be a regular expression in RE2's syntax: "),
                 context.c_str());
        QVERIFY2(context.find(said.toStdString()) != std::string::npos, context.c_str());
    }

    void compile_largeProgram_isRefusedForItsMemory()
    {
        QVERIFY(Pattern::compile("[a-z]{1000}"));
        std::string alternatives;
        for (int i = 0; i < 200; ++i)
            alternatives += "(" + std::to_string(i) + "[a-z]{900}x)|";
        const auto large = Pattern::compile(alternatives);
        QVERIFY(!large);
        QVERIFY(large.error().context.find("it is too large") != std::string::npos);
    }

    void groups_match_areViewsOfTheText()
    {
        const std::string text = "/api/users/1";
        const auto groups = compiled("/api(/users)(/x)?/(.*)").groups(text);
        QVERIFY(groups.has_value());
        QCOMPARE(groups->size(), std::size_t(3));
        QCOMPARE((*groups)[0], std::string_view("/users"));
        QCOMPARE((*groups)[0].data(), text.data() + 4);
        QVERIFY((*groups)[1].empty());
        QCOMPARE((*groups)[2], std::string_view("1"));
    }

    void groups_emptyText_areEmpty()
    {
        const auto groups = compiled("(a?)(?:b)?").groups({});
        QVERIFY(groups.has_value());
        QCOMPARE(*groups, std::vector<std::string_view>(1));
    }

    // The examples of MuleSoft's reference guide, and what they leave open.
    void rewritten_rules_areTheirGroupsInARow_data()
    {
        QTest::addColumn<QByteArray>("pattern");
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<QByteArray>("expected");
        const auto row
            = [](const char *name, const char *pattern, const char *path, const char *expected) {
                  QTest::newRow(name)
                      << QByteArray(pattern) << QByteArray(path)
                      << (expected == nullptr ? QByteArray("(none)") : QByteArray(expected));
              };
        row("prefix cut", "/api(/.*)", "/api/orders", "/orders");
        row("first of two rules", "/api(/users/.*)", "/api/users/1", "/users/1");
        row("two groups", "/a(/b)/c(/.*)", "/a/b/c/d", "/b/d");
        row("group that took no part", "/a(/b)?(/.*)", "/a/c", "/c");
        row("no group", ".*", "/a/b", "/a/b");
        row("group that does not count", "/a(?:/b)?/c", "/a/b/c", "/a/b/c");
        row("empty group", "/a(.*)", "/a", "");
        row("no match", "/api(/.*)", "/apis/x", nullptr);
        row("match of a part", "/api(/users)", "/api/users/1", nullptr);
    }
    void rewritten_rules_areTheirGroupsInARow()
    {
        QFETCH(QByteArray, pattern);
        QFETCH(QByteArray, path);
        QFETCH(QByteArray, expected);
        QCOMPARE(compiled(pattern.toStdString()).rewritten(path.toStdString()).value_or("(none)"),
                 expected.toStdString());
    }

    void match_patternsThatExplodeElsewhere_takeLinearTime()
    {
        const std::string text(100'000, 'a');
        for (const char *hostile : {"(a+)+b", "(a|aa)+b", "(.*a){20}b", "(a?){30}a{30}b"}) {
            QElapsedTimer timer;
            timer.start();
            const Pattern pattern = compiled(hostile);
            QVERIFY(!pattern.matchesWhole(text));
            QVERIFY(!pattern.isFoundIn(text));
            QVERIFY2(timer.elapsed() < 5'000, hostile); // others: longer than the universe is old
        }
    }

    void copies_manyThreads_matchAlike()
    {
        const Pattern pattern = compiled("/v1/(chat|embeddings)/[a-z0-9]+");
        std::atomic<int> wrong = 0;
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([copy = pattern, &wrong] {
                for (int round = 0; round < 2'000; ++round) {
                    const std::string path = "/v1/chat/" + std::to_string(round);
                    if (!copy.matchesWhole(path) || copy.matchesWhole(path + "/")
                        || !copy.groups(path))
                        ++wrong;
                }
            });
        for (std::thread &thread : threads)
            thread.join();
        QCOMPARE(wrong.load(), 0);
    }
};

QTEST_APPLESS_MAIN(TestPattern)
#include "tst_pattern.moc"
