// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/match/glob.h"

#include <QElapsedTimer>
#include <QTest>

using namespace gatehouse;

namespace {

Glob parsed(std::string_view text, Glob::Kind kind)
{
    auto glob = Glob::parse(text, kind);
    if (!glob)
        qFatal("%s", glob.error().context.c_str());
    return *glob;
}

/// What a glob means, by the definition and in exponential time.
bool matchesByDefinition(std::string_view glob, std::string_view text, Glob::Kind kind)
{
    const auto isWithin = [kind](char c) { return kind == Glob::Kind::Name || c != '/'; };
    if (glob.empty())
        return text.empty();
    if (glob.front() == '*') {
        const bool crosses = glob.starts_with("**");
        const std::string_view rest = glob.substr(crosses ? 2 : 1);
        return matchesByDefinition(rest, text, kind)
               || (!text.empty() && (crosses || isWithin(text.front()))
                   && matchesByDefinition(glob, text.substr(1), kind));
    }
    return !text.empty()
           && (glob.front() == '?' ? isWithin(text.front()) : glob.front() == text.front())
           && matchesByDefinition(glob.substr(1), text.substr(1), kind);
}

/// All texts of up to \a length letters of \a letters.
std::vector<std::string> textsOf(std::string_view letters, std::size_t length)
{
    std::vector<std::string> texts{""};
    for (std::size_t from = 0, round = 0; round < length; ++round) {
        const std::size_t to = texts.size();
        for (; from < to; ++from)
            for (const char c : letters)
                texts.push_back(texts[from] + c);
    }
    return texts;
}

} // namespace

class TestGlob : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void matches_texts_orNot_data()
    {
        QTest::addColumn<QByteArray>("glob");
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<bool>("asName");
        QTest::addColumn<bool>("asPath");
        const auto row = [](const char *name,
                            const char *glob,
                            const QByteArray &text,
                            bool asName,
                            bool asPath) {
            QTest::newRow(name) << QByteArray(glob) << text << asName << asPath;
        };
        row("itself", "gpt-5", "gpt-5", true, true);
        row("longer", "gpt-5", "gpt-5x", false, false);
        row("shorter", "gpt-5", "gpt-", false, false);
        row("case", "gpt-5", "GPT-5", false, false);
        row("star at the end", "gpt-*", "gpt-5-mini", true, true);
        row("star of nothing", "gpt-*", "gpt-", true, true);
        row("star alone", "*", "", true, true);
        row("star across a colon", "*:free", "x:free", true, true);
        row("star across a slash", "openai/*", "openai/a/b", true, false);
        row("star before a slash", "*/gpt", "openai/gpt", true, true);
        row("star in the middle", "/v1/*/x", "/v1/a/x", true, true);
        row("star of a segment only", "/v1/*/x", "/v1/a/b/x", true, false);
        row("two stars", "/v1/**", "/v1/a/b", true, true);
        row("two stars of nothing", "/v1/**", "/v1/", true, true);
        row("two stars need what is before", "/v1/**", "/v1", false, false);
        row("two stars in the middle", "/**/x", "/a/b/x", true, true);
        row("three stars", "/***x", "/a/b/x", true, true);
        row("question mark", "gpt-?", "gpt-5", true, true);
        row("question mark of nothing", "gpt-?", "gpt-", false, false);
        row("question mark for a slash", "a?b", "a/b", true, false);
        row("question mark for a byte",
            "a?b",
            "a\xff"
            "b",
            true,
            true);
        row("dot", "a.b", "axb", false, false);
        row("class", "[ab]", "a", false, false);
        row("class itself", "[ab]", "[ab]", true, true);
        row("backslash", "a\\*", "a\\b", true, true);
        row("no escape", "a\\*", "a*", false, false);
        row("braces", "a{2}", "a{2}", true, true);
        row("anchors", "^a$", "a", false, false);
        row("alternatives", "a|b", "a", false, false);
        row("flags", "(?i)a", "A", false, false);
        row("line end in a star", "/a/*", "/a/\n", true, true);
        row("NUL in a star", "a*", QByteArray("a\0b", 3), true, true);
        row("behind a line end", "a", "a\n", false, false);
        row("UTF-8 is itself", "caf\xc3\xa9*", "caf\xc3\xa9!", true, true);
    }
    void matches_texts_orNot()
    {
        QFETCH(QByteArray, glob);
        QFETCH(QByteArray, text);
        QTEST(parsed(glob.toStdString(), Glob::Kind::Name).matches(text.toStdString()), "asName");
        QTEST(parsed(glob.toStdString(), Glob::Kind::Path).matches(text.toStdString()), "asPath");
    }

    void matches_everyShortGlobAndText_isAsDefined()
    {
        const auto texts = textsOf("ab/", 5);
        for (const std::string &glob : textsOf("a*?/", 4)) {
            if (glob.empty())
                continue;
            for (const auto kind : {Glob::Kind::Name, Glob::Kind::Path}) {
                const Glob tested = parsed(glob, kind);
                for (const std::string &text : texts)
                    QVERIFY2(tested.matches(text) == matchesByDefinition(glob, text, kind),
                             qPrintable(QString::fromStdString(glob + "  " + text)));
            }
        }
    }

    void matches_everyByte_isItselfAndNothingElse()
    {
        for (int byte = 0; byte < 256; ++byte) {
            const std::string text(1, static_cast<char>(byte));
            if (text == "*" || text == "?")
                continue;
            const Glob glob = parsed(text, Glob::Kind::Name);
            for (int other = 0; other < 256; ++other)
                QCOMPARE(glob.matches(std::string(1, static_cast<char>(other))), other == byte);
        }
    }

    void matches_manyStarsAndALongText_takesLinearTime()
    {
        std::string glob;
        for (int i = 0; i < 100; ++i)
            glob += "*a";
        const std::string text(100'000, 'a');
        for (const auto kind : {Glob::Kind::Name, Glob::Kind::Path}) {
            QElapsedTimer timer;
            timer.start();
            QVERIFY(!parsed(glob + "*b", kind).matches(text));
            QVERIFY(parsed(glob + "*", kind).matches(text));
            QVERIFY(!parsed("**a*" + glob + "b", kind).matches(text));
            QVERIFY(timer.elapsed() < 5'000);
        }
    }

    void parse_lengths_holdToTheByte()
    {
        QVERIFY(!Glob::parse("", Glob::Kind::Name));
        QVERIFY(Glob::parse(std::string(1000, '/'), Glob::Kind::Path));
        std::string mixed;
        while (mixed.size() < 1000)
            mixed += "?*";
        QVERIFY(Glob::parse(mixed, Glob::Kind::Path));
        const auto refused = Glob::parse(std::string(1001, 'a'), Glob::Kind::Name);
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, ErrorCode::ConfigInvalid);
        QCOMPARE(refused.error().context, std::string("must be at most 1000 bytes long"));
    }
};

QTEST_APPLESS_MAIN(TestGlob)
#include "tst_glob.moc"
