// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/exchange.h"
#include "gateway/pipeline/expression.h"
#include "gateway/pipeline/expressionparser.h"

#include <QRandomGenerator>
#include <QTest>

using namespace gatehouse;

namespace {

/// An exchange of one request head on the base path /api.
class Request
{
public:
    explicit Request(const QByteArray &target, const QByteArray &fields = {})
        : m_head("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n")
    {
        http::RequestHead head;
        const std::string_view bytes(m_head.constData(), static_cast<std::size_t>(m_head.size()));
        if (!http::parseRequestHead(bytes, 4096, head))
            qFatal("the test's request is malformed");
        m_route.basePath = "/api";
        m_peer.address = "192.0.2.7";
        m_peer.port = 4711;
        const auto begun = exchange.begin(
            std::move(head),
            {.route = &m_route, .peer = &m_peer, .requestId = "r", .path = head.path.substr(0, 0)});
        if (!begun)
            qFatal("the test's request is refused");
    }

    Exchange exchange;

private:
    QByteArray m_head;
    RouteInfo m_route;
    Peer m_peer;
};

QString problemOf(const QByteArray &text)
{
    const auto expression = Expression::parse(text.toStdString());
    return expression ? QString() : QString::fromStdString(expression.error().context);
}

/// "null" for null.
QByteArray evaluated(const QByteArray &text, const Request &request)
{
    const auto expression = Expression::parse(text.toStdString());
    if (!expression)
        return "invalid: " + QByteArray::fromStdString(expression.error().context);
    const auto value = expression->evaluate(request.exchange);
    return value ? '"' + QByteArray::fromStdString(*value) + '"' : QByteArray("null");
}

} // namespace

class TestExpression : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void expression_ofARequest_isEvaluated_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("value");
        const auto row = [](const char *name, const char *text, const char *value) {
            QTest::newRow(name) << QByteArray(text) << QByteArray(value);
        };
        row("literal", "plain text", "\"plain text\"");
        row("empty literal", "", "\"\"");
        row("quoted", "#['x']", "\"x\"");
        row("double quotes", "#[\"it's\"]", "\"it's\"");
        row("escapes", "#['a\\'b\\\\c\\\"d\\$e\\/f']", "\"a'b\\c\"d$e/f\"");
        row("code points", "#['\\u0041\\u00e9\\u20AC']", "\"A\xc3\xa9\xe2\x82\xac\"");
        row("a dollar that is none", "#['5 $, 5$.']", "\"5 $, 5$.\"");
        row("empty quotes", "#['']", "\"\"");
        row("method", "#[attributes.method]", "\"GET\"");
        row("path with base path, without query", "#[attributes.requestPath]", "\"/api/a%20b\"");
        row("address without port", "#[attributes.remoteAddress]", "\"192.0.2.7\"");
        row("header in any case", "#[attributes.headers['X-ONE']]", "\"1\"");
        row("header in double quotes", "#[attributes.headers[\"x-one\"]]", "\"1\"");
        row("header with white space", " #[ attributes . headers [ 'x-one' ] ] ", "\"1\"");
        row("repeated header", "#[attributes.headers['x-two']]", "\"2,3\"");
        row("empty header", "#[attributes.headers['x-empty']]", "\"\"");
        row("absent header", "#[attributes.headers['x-none']]", "null");
        row("tab in a header", "#[attributes.headers['x-tab']]", "\"a b\"");
        row("parameter", "#[attributes.queryParams['id']]", "\"a b c\"");
        row("first of repeated ones", "#[attributes.queryParams['r']]", "\"1\"");
        row("name that is escaped", "#[attributes.queryParams['n m']]", "\"v\"");
        row("parameter without a value", "#[attributes.queryParams['flag']]", "\"\"");
        row("names of parameters have a case", "#[attributes.queryParams['ID']]", "null");
        row("absent parameter", "#[attributes.queryParams['none']]", "null");
        row("line feed in a parameter", "#[attributes.queryParams['lf']]", "null");
        row("nul in a parameter", "#[attributes.queryParams['nul']]", "null");
        row("joined", "#[attributes.method ++ ':' ++ attributes.headers['x-one']]", "\"GET:1\"");
        row("joined with null", "#['a' ++ attributes.headers['x-none']]", "null");
        row("parentheses", "#[('a' ++ (attributes.method ++ 'b')) ++ (('c'))]", "\"aGETbc\"");
        row("line break between", "#['a'\n++\n'b']", "\"ab\"");
    }

    void expression_ofARequest_isEvaluated()
    {
        QFETCH(const QByteArray, text);
        const Request request("/api/a%20b?id=a+b%20c&r=1&r=2&n%20m=v&flag&lf=x%0d%0ay&nul=%00",
                              "x-one: 1\r\nx-two: 2\r\nX-Two: 3\r\nx-empty:\r\nx-tab: a\tb\r\n");
        QTEST(evaluated(text, request), "value");
    }

    void expression_malformedQuery_isNull()
    {
        const Request request("/api?id=%zz");
        QCOMPARE(evaluated("#[attributes.queryParams['id']]", request), QByteArray("null"));
        QCOMPARE(evaluated("#[attributes.queryParams['x']]", request), QByteArray("null"));
    }

    void expression_notUnderstood_saysWhatAndWhere_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("problem");
        const auto row = [](const char *name, const char *text, const char *problem) {
            QTest::newRow(name) << QByteArray(text) << QString::fromUtf8(problem);
        };
        row("empty", "#[]", "the expression ends too early at character 3");
        row("payload", "#[payload]", "\"payload\" is not evaluated at character 3");
        row("function", "#[upper('x')]", "\"upper\" is not evaluated at character 3");
        row("another attribute",
            "#[attributes.statusCode]",
            "\"attributes.statusCode\" is not evaluated at character 3");
        row("all attributes", "#[attributes]", "\"attributes\" is not evaluated at character 3");
        row("variable",
            "#['a' ++ vars.claimSet.sub]",
            "\"vars.claimSet.sub\" is not evaluated at character 10");
        row("number", "#[1]", "\"1\" is not evaluated at character 3");
        row("if", "#[if (true) 'a' else 'b']", "\"if\" is not evaluated at character 3");
        row("comparison",
            "#[attributes.method == 'GET']",
            "\"=\" is not evaluated at character 21");
        row("default",
            "#[attributes.headers['a'] default 'b']",
            "\"default\" is not evaluated at character 27");
        row("selector of a text",
            "#[attributes.method[0]]",
            "\"[\" is not evaluated at character 20");
        row("dot after a header",
            "#[attributes.headers['a'].b]",
            "\".b\" is not evaluated at character 26");
        row("header by a name without quotes",
            "#[attributes.headers.host]",
            "this needs a name, as in");
        row("header by a number",
            "#[attributes.headers[0]]",
            "\"0\" is not evaluated at character 22");
        row("header without a name",
            "#[attributes.headers['']]",
            "\"\" is no name of a header at character 3");
        row("header with a bad name",
            "#[attributes.headers['a b']]",
            "\"a b\" is no name of a header at character 3");
        row("all headers",
            "#[attributes.headers]",
            "this needs a name, as in attributes.headers['x-name'] at character 3");
        row("open bracket",
            "#[attributes.headers['a']",
            "the expression ends too early at character 25");
        row("no bracket at all", "#[attributes.method", "the ] is missing at the end of #[");
        row("open quote", "#['a]", "the text has no closing quote at character 3");
        row("open parenthesis", "#[('a']", "the ) is missing of the ( at character 3");
        row("closing parenthesis", "#['a')]", "\")\" is not evaluated at character 6");
        row("one plus", "#['a' + 'b']", "\"+\" is not evaluated at character 7");
        row("nothing after ++", "#['a' ++ ]", "the expression ends too early at character 10");
        row("two texts", "#['a' 'b']", "\"'\" is not evaluated at character 7");
        row("interpolation", "#['a$(payload)']", "$ for a value within a text is not evaluated");
        row("interpolation by name", "#[\"a$x\"]", "$ for a value within a text is not evaluated");
        row("unknown escape", "#['\\x41']", "unknown escape at character 4");
        row("line feed escaped",
            "#['a\\nb']",
            "a text must not have control characters or line breaks at character 5");
        row("line feed as a code point",
            "#['\\u000a']",
            "a text must not have control characters or line breaks at character 3");
        row("short code point", "#['\\u00']", "\\u needs four hexadecimal digits at character 4");
        row("surrogate", "#['\\ud83d']", "\\u must not be half of a surrogate pair");
        row("line feed",
            "#['a\nb']",
            "a text must not have control characters or line breaks at character 3");
        row("line feed in a literal", "a\nb", "must not contain control characters or line breaks");
        row("expression within a text",
            "id #[attributes.method]",
            "an expression must be the whole value, but #[ stands at character 4");
        row("comment", "#[attributes.method // x]", "\"/\" is not evaluated at character 21");
    }

    void expression_notUnderstood_saysWhatAndWhere()
    {
        QFETCH(const QByteArray, text);
        QFETCH(const QString, problem);
        const QString found = problemOf(text);
        QVERIFY2(found.startsWith(problem), qPrintable(found));
    }

    void parentheses_deeperThanTheLimit_areRefused()
    {
        const auto nested = [](int depth) -> QByteArray {
            return "#[" + QByteArray(depth, '(') + "'a'" + QByteArray(depth, ')') + "]";
        };
        QCOMPARE(problemOf(nested(32)), QString());
        QCOMPARE(problemOf(nested(33)), QStringLiteral("too many parentheses at character 35"));
        QVERIFY(problemOf("#[" + QByteArray(100'000, '(')).startsWith(QStringLiteral("the ]")));
        QVERIFY(problemOf("#[" + QByteArray(100'000, '(') + "]").startsWith(QStringLiteral("too")));
    }

    void beginning_ofAnExpression_neverMeansSomethingElse()
    {
        const QByteArray whole
            = "#[(attributes.headers['x-one'] ++ \"a\\u0041\") ++ attributes.queryParams['q']]";
        QCOMPARE(problemOf(whole), QString());
        for (qsizetype length = 2; length < whole.size(); ++length)
            QVERIFY2(!problemOf(whole.left(length)).isEmpty(), whole.left(length).constData());
        for (qsizetype at = 0; at < whole.size();
             ++at) { // a byte gone: refused, or well understood
            QByteArray changed = whole;
            changed.remove(at, 1);
            const auto parts = parseExpression(changed.toStdString());
            QVERIFY(!parts || !parts->empty());
        }
    }

    void randomBytes_neverCrash()
    {
        const QByteArray alphabet = "#[]()'\"\\$u0+. attributesheadersmethodqueryParams\n\x80";
        QRandomGenerator random(7);
        for (int round = 0; round < 20'000; ++round) {
            QByteArray text = "#[";
            for (quint32 left = random.bounded(40U); left > 0; --left)
                text += alphabet[static_cast<qsizetype>(random.bounded(quint32(alphabet.size())))];
            text += ']';
            if (const auto parts = parseExpression(text.toStdString()))
                QVERIFY(!parts->empty());
        }
    }

    void headerName_isThatOfASingleHeaderOnly()
    {
        const auto name = [](const char *text) { return Expression::parse(text)->headerName(); };
        QVERIFY(name("#[attributes.headers['X-Forwarded-For']]") == "X-Forwarded-For");
        QVERIFY(name("#[(attributes.headers['a'])]") == "a");
        QVERIFY(!name("#[attributes.headers['a'] ++ 'b']"));
        QVERIFY(!name("#[attributes.queryParams['a']]"));
        QVERIFY(!name("a"));
    }

    void literal_whereNothingIsOfTheRequest()
    {
        const auto isLiteral = [](const char *text, std::string_view literal) {
            const auto expression = Expression::parse(text);
            return expression->literal() == literal;
        };
        QVERIFY(isLiteral("a", "a"));
        QVERIFY(isLiteral("#['a' ++ ('b' ++ 'c')]", "abc"));
        QVERIFY(!Expression::parse("#[attributes.method]")->literal());
        QVERIFY(!Expression::parse("#['a' ++ attributes.method]")->literal());
    }
};

QTEST_GUILESS_MAIN(TestExpression)
#include "tst_expression.moc"
