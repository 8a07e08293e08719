// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "tests/dialects/websockettexts.h"

#include <QTest>

#include <string>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

/// "input cacheRead output reasoning model", "so far" where more may come.
QByteArray usageOf(const std::string &bytes, std::size_t step)
{
    const auto reader = findDialect("openai")->webSocketUsageReader({});
    for (std::size_t at = 0; at < bytes.size(); at += step)
        reader->take(std::string_view(bytes).substr(at, step));
    reader->end();
    const auto number = [](const Usage::Tokens &tokens) -> QByteArray {
        return (tokens ? QByteArray::number(qulonglong(*tokens)) : QByteArray("-")) + ' ';
    };
    const Usage &usage = reader->usage();
    return number(usage.input) + number(usage.cacheRead) + number(usage.output)
           + number(usage.reasoning) + QByteArray::fromStdString(usage.model)
           + (reader->isComplete() ? "" : ", so far");
}

} // namespace

/// What is used over OpenAI's WebSockets.
class TestUsageWebSocket : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void usage_isTheSumOfAllResponses_howeverItIsCut_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("usage");
        const auto row = [](const char *name, const std::string &bytes, const char *usage) {
            QTest::newRow(name) << QByteArray::fromStdString(bytes) << QByteArray(usage);
        };
        const std::string one = created("gpt-5") + delta() + completed();
        row("nothing", {}, "- - - - , so far");
        row("begun", created("gpt-5") + delta(), "- - - - gpt-5, so far");
        row("one", one, "100 10 20 3 gpt-5");
        row("two", one + one, "200 20 40 6 gpt-5");
        row("the second is under way", one + created("gpt-5"), "100 10 20 3 gpt-5, so far");
        row("cut in its end", one + completed().substr(0, 60), "100 10 20 3 gpt-5");
        row("realtime", created("gpt-realtime") + done() + done(), "136 128 242 - gpt-realtime");
        row("broken behind", one + "\xff" + one, "100 10 20 3 gpt-5");
    }
    void usage_isTheSumOfAllResponses_howeverItIsCut()
    {
        QFETCH(const QByteArray, bytes);
        QFETCH(const QByteArray, usage);
        const std::string all = bytes.toStdString();
        for (std::size_t step = 1; step <= all.size() + 1; step += step < 40 ? 1 : 37)
            QCOMPARE(usageOf(all, step), usage);
    }

    void extensionsThatAreNotKnown_areNotRead()
    {
        const Dialect &dialect = *findDialect("openai");
        QVERIFY(dialect.webSocketUsageReader("permessage-deflate"));
        QVERIFY(!dialect.webSocketUsageReader("x-other"));
    }
};

QTEST_APPLESS_MAIN(TestUsageWebSocket)
#include "tst_usagewebsocket.moc"
