// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/document.h"
#include "tests/json/reference.h"

#include <QTest>

#include <clocale>
#include <random>

using namespace gatehouse::json;

/// Texts made to break readers.
class TestHostile : public QObject
{
    Q_OBJECT

private:
    static constexpr std::string_view chat
        = R"({"model":"gpt-4o","stream":true,"n":1,"temperature":-0.7e+1,"stop":null,"user":"",)"
          "\"messages\":[{\"role\":\"user\",\"content\":\"Gr\\u00fc\\u00dfe "
          "\\ud83d\\ude00\\n\\\"x\\\" \\\\\"},"
          "{\"role\":\"tool\",\"content\":[ ]}], \"t\\u006f\u00f6ls\" : { } }";

    /// The document and the reference agree on \a text.
    static void compare(Document &document, const std::string &text)
    {
        const auto expected = reference::understand(text);
        const auto result = document.parse(text);
        QCOMPARE(result.has_value(), expected.has_value());
        if (result) {
            QCOMPARE(reference::describe(document.root()), *expected);
            QCOMPARE(document.measures(), reference::measure(document.root()));
        } else {
            QVERIFY(result.error().offset <= text.size());
            QVERIFY(document.root().kind() == Kind::Null);
        }
    }

private Q_SLOTS:
    void initTestCase() { std::setlocale(LC_NUMERIC, "C"); }

    void prefixes_ofAnObject_areRefused()
    {
        Document document;
        QVERIFY(document.parse(chat));
        for (std::size_t length = 0; length < chat.size(); ++length) {
            const auto result = document.parse(chat.substr(0, length));
            QVERIFY(!result);
            const Problem problem = result.error();
            switch (problem.kind) {
            case Problem::Kind::Empty:
            case Problem::Kind::Unfinished:
                QCOMPARE(problem.offset, length);
                break;
            case Problem::Kind::BadUtf8: // half a character
            case Problem::Kind::UnclosedString:
                QVERIFY(problem.offset < length);
                break;
            default: // half a word or a number
                QVERIFY(chat[problem.offset] == 't' || chat[problem.offset] == 'n'
                        || chat[problem.offset] == '-');
            }
        }
    }

    void mutations_ofOneByte_agreeWithTheReference()
    {
        Document document;
        std::string text(chat);
        for (std::size_t at = 0; at < text.size(); ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                text[at] = static_cast<char>(byte);
                compare(document, text);
            }
            text[at] = chat[at];
        }
    }

    void insertionsAndOmissions_agreeWithTheReference()
    {
        Document document;
        for (std::size_t at = 0; at <= chat.size(); ++at) {
            for (const char byte : std::string_view("\"\\{}[]:, 0-.eu\n\t/\0\x80\xc3\xff", 22))
                compare(document, std::string(chat).insert(at, 1, byte));
            if (at < chat.size())
                compare(document, std::string(chat).erase(at, 1));
        }
    }

    // simdjson looks at 64 bytes at a time: all that matters comes at each place in them.
    void everyAlignment_agreesWithTheReference()
    {
        Document document;
        for (std::size_t spaces = 0; spaces < 130; ++spaces) {
            const std::string before(spaces, ' ');
            compare(document, before + std::string(chat));
            compare(document, '"' + before + "\\\\\\\"\\\\\",\"a\"");
            compare(document, "[\"" + before + "\\\\\",\"\\\\\\\"\",1]");
            compare(document, "[\"" + before + "\u20ac\"]");
            compare(document, "[\"" + before + "\xe2\x82\"]");
            compare(document, "[\"" + before + "\n\"]");
            compare(document, before + "{}" + before + "x");
            compare(document, before + "\"");
        }
    }

    void randomBytes_agreeWithTheReference()
    {
        Document document;
        std::mt19937 random(20240607); // the same texts each time
        static constexpr std::string_view pieces[] = {
            "{",     "}",     "[",       "]",       ",",       ":",    "\"",     "\\",
            "\"a\"", "\"b\"", "\\u0061", "\\ud83d", "\\ude00", "true", "null",   "0",
            "-1",    ".5",    "e3",      " ",       "\n",      "\x80", "\u00e9", "{\"a\":",
        };
        for (int round = 0; round < 60000; ++round) {
            std::string text;
            const bool isRaw = round % 4 == 0;
            for (std::size_t length = random() % 24; length > 0; --length) {
                if (isRaw)
                    text += static_cast<char>(random());
                else
                    text += pieces[random() % std::size(pieces)];
            }
            compare(document, text);
        }
    }

    void deep_texts_areRefusedAtTheLimit()
    {
        constexpr std::size_t million = 1000000;
        Document document;
        QCOMPARE(document.parse(std::string(million, '[')).error(),
                 (Problem{Problem::Kind::TooDeep, 512}));
        std::string objects;
        for (std::size_t i = 0; i < million; ++i)
            objects += "{\"a\":";
        QCOMPARE(document.parse(objects).error(), (Problem{Problem::Kind::TooDeep, 5 * 512}));
        // Depth alone does no harm either.
        QVERIFY(document.parse(std::string(million, '[') + std::string(million, ']'),
                               {.maxDepth = million}));
        QCOMPARE(document.measures().depth, million);
        QCOMPARE(document.parse(std::string(million, '['), {.maxDepth = million}).error(),
                 (Problem{Problem::Kind::Unfinished, million}));
    }

    void wide_andLongTexts_areRead()
    {
        constexpr std::size_t count = 300000;
        std::string array = "[0";
        std::string object = "{\"name\":0";
        for (std::size_t i = 1; i < count; ++i) {
            array += ",0";
            object += ",\"" + std::to_string(i * 7919 % count) + "\":0";
        }
        Document document;
        QVERIFY(document.parse(array + ']'));
        QCOMPARE(document.measures().elements, count);
        QVERIFY(document.parse(object + '}'));
        QCOMPARE(document.measures().entries, count);
        QCOMPARE(document.parse(object + ",\"name\":0}").error(),
                 (Problem{Problem::Kind::DuplicateName, object.size() + 1}));
        const std::string longest(5000000, 'x');
        QVERIFY(document.parse("{\"" + longest + "\":\"" + longest + "\\n\"}"));
        QCOMPARE(document.measures().longestName, longest.size());
        QCOMPARE(document.measures().longestString, longest.size() + 1);
    }

    // Names that begin alike make comparisons long, not many: a quadratic search would take minutes.
    void names_longAndAlike_areComparedInTime()
    {
        const std::string common(1000, 'x');
        std::string text = "{\"" + common + "\":0";
        for (int i = 0; i < 10000; ++i)
            text += ",\"" + common + std::to_string(i) + "\":0";
        Document document;
        QVERIFY(document.parse(text + '}'));
        QCOMPARE(document.measures().entries, std::size_t(10001));
    }

    void reuse_afterAnything_isLikeNew()
    {
        Document document;
        for (const std::string &between : {std::string("[\"\\n\",1"),
                                           std::string("{\"a\":\"\\ud800\"}"),
                                           std::string("{\"a\":1,\"a\":\"\\t\"}"),
                                           std::string(),
                                           std::string(3000, '['),
                                           std::string("\"\xff"),
                                           '"' + std::string(3000, 'x') + "\\n\""}) {
            (void)document.parse(between);
            compare(document, std::string(chat));
        }
    }

    void reuse_ofADocument_keepsItsMemory()
    {
        Document document;
        QVERIFY(document.root().kind() == Kind::Null);
        const std::size_t atFirst = document.capacity();
        const std::string large = '"' + std::string(1000000, 'x') + "\\n\"";
        QVERIFY(document.parse(chat));
        QVERIFY(document.parse(large));
        const std::size_t grown = document.capacity();
        QVERIFY(grown > large.size());
        QVERIFY(document.parse(chat));
        QVERIFY(document.parse(large));
        QVERIFY(!document.parse("[" + large.substr(1)));
        QCOMPARE(document.capacity(), grown);
        document.shrink();
        QVERIFY(document.root().kind() == Kind::Null && document.text().empty());
        QCOMPARE(document.capacity(), atFirst);
        compare(document, std::string(chat));
    }
};

QTEST_APPLESS_MAIN(TestHostile)
#include "tst_hostile.moc"
