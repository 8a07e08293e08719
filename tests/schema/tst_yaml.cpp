// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/schema/yaml.h"

#include <QRandomGenerator>
#include <QTest>

using namespace gatehouse;

namespace {

struct Parsed
{
    std::vector<Node> documents;
    Diagnostics diagnostics;
};

Parsed parse(const std::string &text, const YamlLimits &limits = {})
{
    Parsed parsed;
    parsed.documents = parseYaml(text, "f", parsed.diagnostics, limits);
    return parsed;
}

/// The diagnostics as they would be printed.
QString printed(const Diagnostics &diagnostics)
{
    QStringList lines;
    for (const Diagnostic &diagnostic : diagnostics)
        lines.append(QString::fromStdString(diagnostic.text()));
    return lines.join(QLatin1Char('\n'));
}

Node mapOf(std::string_view key, Node value)
{
    Node node = Node::map();
    node.append(key, std::move(value));
    return node;
}

} // namespace

class TestYaml : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void parse_nodes_haveTheirPlaces()
    {
        const auto [documents, diagnostics] = parse("a: 1\nb:\n  - x\n  - {c: \"2\"}\n---\nd: e\n");
        QCOMPARE(printed(diagnostics), QString());
        QCOMPARE(documents.size(), std::size_t(2));
        const Node &first = documents.front();
        QVERIFY((placeOf(first, {"a"}) == Place{1, 4}));
        QVERIFY((first.keys[1].place == Place{2, 1}));
        QVERIFY((placeOf(first, {"b", std::size_t(1)}) == Place{4, 5}));
        QVERIFY((placeOf(first, {"b", std::size_t(1), "c"}) == Place{4, 9}));
        QVERIFY((placeOf(first, {"b", std::size_t(7), "c"}) == placeOf(first, {"b"})));
        QVERIFY(first.find("b")->items[1].find("c")->isQuoted);
        QVERIFY(!first.find("a")->isQuoted);
        QVERIFY((placeOf(documents.back(), {"d"}) == Place{6, 4}));
    }

    void parse_emptyDocuments_areLeftOut()
    {
        QVERIFY(parse("").documents.empty());
        QVERIFY(parse("# a comment\n").documents.empty());
        QVERIFY(parse("---\n---\n...\n").documents.empty());
        QCOMPARE(parse("---\n---\na: 1\n").documents.size(), std::size_t(1));
    }

    void parse_aliases_areCopies()
    {
        const auto [documents, diagnostics] = parse("a: &x {b: 1}\nc: *x\n");
        QCOMPARE(printed(diagnostics), QString());
        QVERIFY(*documents.front().find("a") == *documents.front().find("c"));
    }

    void parse_mistakes_haveTheirPlace_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("expected");
        const auto row = [](const char *name, const QByteArray &text, const QByteArray &expected) {
            QTest::newRow(name) << text << QString::fromLatin1(expected);
        };
        row("duplicate key", "a: 1\nb: 2\na: 3\n", "f:3:1: duplicate field \"a\"");
        row("duplicate key deep within",
            "a:\n  - {b: 1, c: {d: 1}, b: {e: 2}}\n",
            "f:2:23: duplicate field \"b\"");
        row("quoted duplicate", "a: 1\n\"a\": 3\n", "f:2:1: duplicate field \"a\"");
        row("two duplicates",
            "a: 1\na: 2\na: 3\n",
            "f:2:1: duplicate field \"a\"\nf:3:1: duplicate field \"a\"");
        row("unclosed bracket", "a: [1\n", "f:2:1: not YAML: end of sequence flow not found");
        row("tab as indent", "a:\n\tb: 1\n", "f:2:3: not YAML: illegal map value");
        row("list as key", "[a]: 1\n", "f:1:1: not YAML: a key must be a word");
        row("map as key", "? {a: 1}\n: 1\n", "f:1:3: not YAML: a key must be a word");
        row("null as key", "~: 1\n", "f:1:1: not YAML: a key must be a word");
        row("tag",
            "a: !!binary x\n",
            "f:1:4: not YAML: tags (\"tag:yaml.org,2002:binary\") are not supported");
        row("stray comma", ", a", "f:1:1: not YAML: a document cannot begin like this");
        row("unknown alias", "a: *x\n", "f:1:4: not YAML: the referenced anchor is not defined");
        row("alias within itself",
            "a: &x [*x]\n",
            "f:1:8: not YAML: an alias must not stand within its own anchor");
        row("NUL",
            QByteArray("a: 1\nb: \0\n", 10),
            "f:2:4: this byte is not text: the file must be UTF-8");
        row("CR alone", "\r", "f:1:1: a carriage return without a line feed");
        row("CR at the end", "a: 1\r\nb: 2\r", "f:2:5: a carriage return without a line feed");
        row("CR CR LF", "a: 1\r\r\n", "f:1:5: a carriage return without a line feed");
        row("control in a directive",
            "%YAML \rx\n",
            "f:1:7: a carriage return without a line feed");
        row("part of a character in a message",
            "\"\\é\"",
            "f:1:4: not YAML: unknown escape character: ?");
        row("not UTF-8", "a: \xff\n", "f:1:4: this byte is not text: the file must be UTF-8");
        const QByteArray noCharacter = "not YAML: this text has a code point that is no character";
        row("U+FDD0", "a: \xef\xb7\x90\n", "f:1:4: " + noCharacter);
        row("U+FDEF", "\xef\xb7\xaf: a\n", "f:1:1: " + noCharacter);
        row("U+FFFE", "a: b\xef\xbf\xbe\n", "f:1:4: " + noCharacter);
        row("U+10FFFF", "a: \xf4\x8f\xbf\xbf\n", "f:1:4: " + noCharacter);
        row("U+FFFF in an escape", "a: \"\\uFFFF\"\n", "f:1:4: " + noCharacter);
        row("escape that yaml-cpp makes a byte of",
            "a: \"\\N\"\n",
            "f:1:4: not YAML: the escapes \\N and \\_ are not supported: write \\u0085 and "
            "\\u00A0");
        row("UTF-16",
            QByteArray("\xff\xfe"
                       "a\0",
                       4),
            "f:1:1: this byte is not text: the file must be UTF-8");
    }
    void parse_mistakes_haveTheirPlace()
    {
        QFETCH(QByteArray, text);
        QFETCH(QString, expected);
        QCOMPARE(printed(parse(text.toStdString()).diagnostics), expected);
    }

    void limits_atTheEdge_hold_data()
    {
        QTest::addColumn<int>("depth");
        QTest::addColumn<bool>("isAllowed");
        QTest::newRow("64 levels") << 64 << true;
        QTest::newRow("65 levels") << 65 << false;
        QTest::newRow("100,000 levels") << 100'000 << false;
    }
    void limits_atTheEdge_hold()
    {
        QFETCH(int, depth);
        QFETCH(bool, isAllowed);
        const auto parsed = parse(std::string(static_cast<std::size_t>(depth), '[')
                                  + std::string(static_cast<std::size_t>(depth), ']'));
        QCOMPARE(parsed.diagnostics.empty(), isAllowed);
    }

    void limits_size_holdsToTheByte()
    {
        const YamlLimits limits{.bytes = 10};
        QVERIFY(parse("a: 1234567", limits).diagnostics.empty());
        QCOMPARE(printed(parse("a: 12345678", limits).diagnostics),
                 QStringLiteral("f:1:1: the file is larger than 10"));
    }

    void limits_nodes_holdToTheNode()
    {
        const YamlLimits limits{.nodes = 4};
        QVERIFY(parse("[1, 2, 3]", limits).diagnostics.empty());
        QCOMPARE(printed(parse("[1, 2, 3, 4]", limits).diagnostics),
                 QStringLiteral("f:1:11: not YAML: more than 4 values in one file"));
    }

    void limits_aliasBomb_isStoppedEarly_data()
    {
        std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
        for (int i = 1; i < 20; ++i) {
            const std::string last = "*a" + std::to_string(i - 1);
            const std::string name = "a" + std::to_string(i);
            laughs += name + ": &" + name + " [" + last + ", " + last + ", " + last + "]\n";
        }
        const std::string wide
            = "a: &a " + std::string(1'000'000, 'x') + "\nb: [*a, *a, *a, *a, *a]\n";
        std::string deep = "a0: &a0 [x]\n";
        for (int i = 1; i < 80; ++i)
            deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a"
                    + std::to_string(i - 1) + "]\n";
        std::string nested;
        for (int i = 0; i < 60; ++i)
            nested += "&a" + std::to_string(i) + " [";
        nested += 'x';
        for (int i = 0; i < 2000; ++i)
            nested += ", x";
        nested += std::string(60, ']');
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("a billion laughs") << QByteArray::fromStdString(laughs);
        QTest::newRow("a long text many times") << QByteArray::fromStdString(wide);
        QTest::newRow("deeper with each alias") << QByteArray::fromStdString(deep);
        QTest::newRow("anchors within anchors") << QByteArray::fromStdString(nested);
    }
    void limits_aliasBomb_isStoppedEarly()
    {
        QFETCH(QByteArray, text);
        const auto parsed = parse(text.toStdString());
        QCOMPARE(parsed.diagnostics.size(), std::size_t(1));
        QVERIFY(parsed.documents.empty());
    }

    void parse_randomBytes_neverFails()
    {
        QRandomGenerator random(1);
        const QByteArray alphabet("\n\n  --:::,,[]{}&*!|>'\"%@`#?~abc0\\\t\r\xc3\xa9");
        for (int round = 0; round < 20'000; ++round) {
            std::string text(random.bounded(80), '\0');
            for (char &c : text)
                c = random.bounded(50) == 0 ? static_cast<char>(random.bounded(256))
                                            : alphabet[random.bounded(alphabet.size())];
            const auto parsed = parse(text);
            for (const Diagnostic &diagnostic : parsed.diagnostics)
                QVERIFY(diagnostic.place.line >= 1 && diagnostic.place.column >= 1);
        }
    }

    void toYaml_anyText_isReadBack_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("a number") << QByteArray("12");
        QTest::newRow("true") << QByteArray("true");
        QTest::newRow("null") << QByteArray("null");
        QTest::newRow("quotes and backslash") << QByteArray("a\"b'c\\d");
        QTest::newRow("comment") << QByteArray("a #b");
        QTest::newRow("colon") << QByteArray("a: b");
        QTest::newRow("line break and tab") << QByteArray("a\nb\tc");
        QTest::newRow("CR alone") << QByteArray("a\rb");
        QTest::newRow("CR LF") << QByteArray("a\r\nb\r\n");
        QTest::newRow("every control character")
            << QByteArray("\1\2\3\4\5\6\a\b\v\f\x0e\x0f\x10\x1b\x1f\x7f");
        QTest::newRow("not ASCII") << QByteArray("é€😀");
        QTest::newRow("neighbours of what is no character")
            << QByteArray("\xef\xb7\x8f\xef\xb7\xb0\xef\xbf\xbd\xf0\x9f\xbf\xbd\xf0\x9e\xbf\xbf");
        QTest::newRow("document marker") << QByteArray("---");
        QTest::newRow("text after a document marker") << QByteArray("--- a");
        QTest::newRow("end marker") << QByteArray("...");
        QTest::newRow("text after an end marker") << QByteArray("... a");
    }
    void toYaml_anyText_isReadBack()
    {
        QFETCH(QByteArray, text);
        const std::string value = text.toStdString();
        for (const Node &node :
             {mapOf("key", Node::scalar(value, true)), mapOf(value, Node::scalar("a", false))}) {
            const auto [documents, diagnostics] = parse(toYaml(node));
            QCOMPARE(printed(diagnostics), QString());
            QCOMPARE(documents.size(), std::size_t(1));
            QVERIFY(documents.front() == node);
        }
    }

    void toYaml_nestedNodes_areReadBack()
    {
        Node list = Node::list();
        list.items = {Node::scalar("1", false), mapOf("a", Node::list()), mapOf("b", Node::map())};
        const Node node = mapOf("list", list);
        QVERIFY(parse(toYaml(node)).documents.front() == node);
    }
};

QTEST_APPLESS_MAIN(TestYaml)
#include "tst_yaml.moc"
