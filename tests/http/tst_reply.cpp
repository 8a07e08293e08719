// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/reply.h"
#include "tests/http/messages.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::http;

class TestReply : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void reply_allMembers_isWrittenToTheByte();
    void reply_defaults_areAClosingErrorWithoutOurFields();
    void reply_toHead_announcesTheBodyOnly();
    void reply_statusFields_belongToTheirStatus_data();
    void reply_statusFields_belongToTheirStatus();
    void reply_thatCannotBeMended_namesNoTimeToRetry();
    void reply_everyErrorOfTheList_hasAPhraseAndOneMeaning_data();
    void reply_everyErrorOfTheList_hasAPhraseAndOneMeaning();
    void reply_unlistedStatus_hasAPhraseToo();
};

void TestReply::reply_allMembers_isWrittenToTheByte()
{
    const std::string reply = ownReply({.status = 404,
                                        .reason = "route",
                                        .contentType = "text/plain",
                                        .body = "no such\nroute",
                                        .requestId = "01-a",
                                        .cannotBeMended = true,
                                        .keepAlive = true});
    QCOMPARE(bytes(reply),
             QByteArray("HTTP/1.1 404 Not Found\r\n"
                        "Content-Type: text/plain\r\n"
                        "Content-Length: 13\r\n"
                        "x-gatehouse-reason: route\r\n"
                        "x-gatehouse-request-id: 01-a\r\n"
                        "x-should-retry: false\r\n"
                        "\r\n"
                        "no such\nroute"));
}

void TestReply::reply_defaults_areAClosingErrorWithoutOurFields()
{
    QCOMPARE(bytes(ownReply({})),
             QByteArray("HTTP/1.1 500 Internal Server Error\r\n"
                        "Content-Type: application/json\r\n"
                        "Content-Length: 0\r\n"
                        "Connection: close\r\n"
                        "\r\n"));
}

void TestReply::reply_toHead_announcesTheBodyOnly()
{
    const std::string get = ownReply({.status = 200, .body = "{}"});
    const std::string head = ownReply({.status = 200, .body = "{}", .toHead = true});
    QVERIFY(get.ends_with("\r\n\r\n{}"));
    QCOMPARE(bytes(head + "{}"), bytes(get));
}

void TestReply::reply_statusFields_belongToTheirStatus_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("line");
    QTest::newRow("401") << 401
                         << QByteArray("\r\nWWW-Authenticate: Bearer realm=\"gatehouse\"\r\n");
    QTest::newRow("405") << 405
                         << QByteArray(
                                "\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n");
    QTest::newRow("503") << 503 << QByteArray("\r\nRetry-After: 1\r\n");
}

void TestReply::reply_statusFields_belongToTheirStatus()
{
    QFETCH(int, status);
    QFETCH(QByteArray, line);
    for (int other = 400; other < 600; ++other)
        QCOMPARE(bytes(ownReply({.status = other})).contains(line), other == status);
}

void TestReply::reply_everyErrorOfTheList_hasAPhraseAndOneMeaning_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("reason");
#define X(code, reason, status, source, retryable, what)                                           \
    if ((status) != 499)                                                                           \
        QTest::newRow(reason) << status << QByteArray(reason);
#include "gateway/base/errors.def"
#undef X
}

void TestReply::reply_everyErrorOfTheList_hasAPhraseAndOneMeaning()
{
    QFETCH(int, status);
    QFETCH(QByteArray, reason);
    const std::string reply = ownReply({.status = status,
                                        .reason = view(reason),
                                        .requestId = "r",
                                        .cannotBeMended = true,
                                        .toHead = true});
    ResponseHead head;
    QCOMPARE(outcomeOfResponse(reply, head), QByteArray("ok"));
    QCOMPARE(head.status, status);
    QVERIFY(head.reason != "Error");
    QCOMPARE(head.framing, Framing::Length);
    QCOMPARE(head.contentLength, quint64(0));
    QCOMPARE(bytes(head.find(FieldId::GatehouseReason)->value), reason);
    QVERIFY(!head.keepAlive);
}

void TestReply::reply_thatCannotBeMended_namesNoTimeToRetry()
{
    QVERIFY(ownReply({.status = 503}).find("Retry-After: 1\r\n") != std::string::npos);
    const std::string final = ownReply({.status = 503, .cannotBeMended = true});
    QVERIFY(final.find("Retry-After") == std::string::npos);
    QVERIFY(final.find("x-should-retry: false\r\n") != std::string::npos);
}

void TestReply::reply_unlistedStatus_hasAPhraseToo()
{
    QVERIFY(ownReply({.status = 418}).starts_with("HTTP/1.1 418 Error\r\n"));
}

QTEST_APPLESS_MAIN(TestReply)
#include "tst_reply.moc"
