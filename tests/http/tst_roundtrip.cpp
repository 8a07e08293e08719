// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/forward.h"
#include "tests/http/messages.h"

#include <QRandomGenerator>
#include <QTest>

using namespace gatehouse;
using namespace gatehouse::http;

/// What the writers write is read by the parsers as what was meant.
class TestRoundTrip : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void request_generated_isReadAgainAsTheSame();
    void response_generated_isReadAgainAsTheSame();
};

void TestRoundTrip::request_generated_isReadAgainAsTheSame()
{
    QRandomGenerator random(7);
    const std::vector<std::string> pool{"Accept: */*",
                                        "X-A:",
                                        "x-a: \t1 ",
                                        "Content-Length: 12",
                                        "Transfer-Encoding: chunked",
                                        "Connection: close",
                                        "Connection: x-a, keep-alive",
                                        "Connection: Upgrade",
                                        "Upgrade: websocket",
                                        "TE: trailers",
                                        "Trailer: X-Sum",
                                        "Expect: 100-continue",
                                        "Cookie: a=b",
                                        "Authorization: Bearer own",
                                        "x-api-key: ghk_a",
                                        "Content-Type: a/b",
                                        "X-Text: \xe9\xff\x80 (\"\\",
                                        "x-gatehouse-reason: a",
                                        "Origin: null"};
    const std::vector<std::string> lines{"GET /a HTTP/1.1",
                                         "POST /a?b=c&d HTTP/1.1",
                                         "PUT //%41;x HTTP/1.0",
                                         "m! http://h/?/../ HTTP/1.1"};
    int accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string fields;
        for (int i = random.bounded(7); i > 0; --i)
            fields += pool[random.bounded(quint32(pool.size()))] + "\r\n";
        const std::string head = requestWith(fields, lines[random.bounded(quint32(lines.size()))]);
        RequestHead first;
        if (outcomeOfRequest(head, first) != "ok")
            continue;
        ++accepted;
        const RequestRewrite rewrite{.basePath = {},
                                     .path = first.path,
                                     .query = first.query,
                                     .authority = "h",
                                     .credentialLine = {}};
        std::string once;
        writeRequestHead(once, first, rewrite);
        RequestHead second;
        QCOMPARE(outcomeOfRequest(once, second), QByteArray("ok"));
        QCOMPARE(bytes(second.method), bytes(first.method));
        QCOMPARE(bytes(second.path), bytes(first.path));
        QCOMPARE(bytes(second.query), bytes(first.query));
        QCOMPARE(second.framing, first.framing);
        QCOMPARE(second.contentLength, first.contentLength);
        QCOMPARE(second.upgradeWebsocket, first.upgradeWebsocket);
        QVERIFY(second.keepAlive && !second.expectContinue);
        std::string twice;
        writeRequestHead(twice, second, rewrite);
        QCOMPARE(bytes(twice), bytes(once));
    }
    QVERIFY(accepted > 2'000);
}

void TestRoundTrip::response_generated_isReadAgainAsTheSame()
{
    QRandomGenerator random(8);
    const std::vector<std::string> pool{"A: b",
                                        "X-A:",
                                        "Content-Length: 12",
                                        "Transfer-Encoding: chunked",
                                        "Connection: close",
                                        "Connection: x-a",
                                        "Keep-Alive: a",
                                        "Trailer: X-Sum",
                                        "X-Text: \xe9\xff",
                                        "Upgrade: h2c",
                                        "x-gatehouse-request-id: a",
                                        "Set-Cookie: a"};
    const std::vector<std::string> lines{"HTTP/1.1 200 OK",
                                         "HTTP/1.0 503 ",
                                         "HTTP/1.1 304 \xe9 \t",
                                         "HTTP/1.1 204 a",
                                         "HTTP/1.1 103 b"};
    for (int round = 0; round < 20'000; ++round) {
        std::string fields;
        for (int i = random.bounded(6); i > 0; --i)
            fields += pool[random.bounded(quint32(pool.size()))] + "\r\n";
        const std::string head = responseWith(fields, lines[random.bounded(quint32(lines.size()))]);
        ResponseHead first;
        if (outcomeOfResponse(head, first) != "ok")
            continue;
        const Framing framing
            = first.framing == Framing::UntilClose ? Framing::Chunked : first.framing;
        std::string once;
        writeResponseHead(once, first, {.framing = framing});
        ResponseHead second;
        QCOMPARE(outcomeOfResponse(once, second), QByteArray("ok"));
        QCOMPARE(second.status, first.status);
        QCOMPARE(bytes(second.reason), bytes(first.reason));
        QCOMPARE(second.framing, framing);
        QCOMPARE(second.contentLength,
                 first.status == 204 || first.status == 103 ? 0 : first.contentLength);
        std::string twice;
        writeResponseHead(twice, second, {.framing = framing});
        QCOMPARE(bytes(twice), bytes(once));
    }
}

QTEST_APPLESS_MAIN(TestRoundTrip)
#include "tst_roundtrip.moc"
