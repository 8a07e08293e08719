// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/forward.h"
#include "tests/http/messages.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::http;

namespace {

constexpr const char *key = "ghk_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// The head that goes to the provider for one with these field lines, or the refusal.
QByteArray forwarded(const std::string &head, const RequestRewrite &rewrite)
{
    RequestHead request;
    const QByteArray outcome = outcomeOfRequest(head, request);
    if (outcome != "ok")
        return outcome;
    std::string out;
    writeRequestHead(out, request, rewrite);
    return bytes(out);
}

RequestRewrite rewriteWith(std::string_view credentialLine = {})
{
    return {.basePath = "/base",
            .path = "/x",
            .query = "?q",
            .authority = "up:1",
            .credentialLine = credentialLine};
}

QByteArray answered(std::string_view head, const ResponseRewrite &rewrite)
{
    ResponseHead response;
    const QByteArray outcome = outcomeOfResponse(head, response);
    if (outcome != "ok")
        return outcome;
    std::string out;
    writeResponseHead(out, response, rewrite);
    return bytes(out);
}

/// Field lines behind the first line and before the empty one.
QByteArray linesOf(const QByteArray &head)
{
    const qsizetype first = head.indexOf("\r\n") + 2;
    return head.mid(first, head.size() - first - 2);
}

} // namespace

class TestForward : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void request_endToEndFields_keepOrderAndSpelling();
    void request_target_isMadeOfItsParts_data();
    void request_target_isMadeOfItsParts();
    void request_fields_areDroppedOrKept_data();
    void request_fields_areDroppedOrKept();
    void request_credential_replacesAllCarriers();
    void response_endToEndFields_keepOrderAndSpelling();
    void response_fields_areDroppedOrKept_data();
    void response_fields_areDroppedOrKept();
    void response_rewrites_showTheEnd_data();
    void response_rewrites_showTheEnd();
    void trailers_fields_areReadAgain();
    void writers_output_isAppended();
};

void TestForward::request_endToEndFields_keepOrderAndSpelling()
{
    const std::string head = "POST /r/x HTTP/1.0\r\nx-FIRST:1\r\nhOsT: h\r\n"
                             "accept:  a ,\tb \r\nx-first: 2\r\nX-Empty:\r\n"
                             "Content-Length: 05\r\nCookie: c\r\n\r\n";
    QCOMPARE(forwarded(head, rewriteWith()),
             QByteArray("POST /base/x?q HTTP/1.1\r\nx-FIRST: 1\r\nhOsT: up:1\r\n"
                        "accept: a ,\tb\r\nx-first: 2\r\nX-Empty: \r\n"
                        "Content-Length: 05\r\nCookie: c\r\n\r\n"));
}

void TestForward::request_target_isMadeOfItsParts_data()
{
    QTest::addColumn<QByteArray>("basePath");
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QByteArray>("query");
    QTest::addColumn<QByteArray>("target");
    const auto row = [](const char *base, const char *path, const char *query, const char *target) {
        QTest::addRow("%s + %s + %s", base, path, query)
            << QByteArray(base) << QByteArray(path) << QByteArray(query) << QByteArray(target);
    };
    row("", "", "", "/");
    row("", "", "?a", "/?a");
    row("", "/", "", "/");
    row("", "/x", "?a", "/x?a");
    row("/b", "", "", "/b");
    row("/b", "", "?a", "/b?a");
    row("/b", "/x", "", "/b/x");
}

void TestForward::request_target_isMadeOfItsParts()
{
    QFETCH(QByteArray, basePath);
    QFETCH(QByteArray, path);
    QFETCH(QByteArray, query);
    QFETCH(QByteArray, target);
    const QByteArray head = forwarded(requestWith(""),
                                      {.basePath = view(basePath),
                                       .path = view(path),
                                       .query = view(query),
                                       .authority = "u",
                                       .credentialLine = {}});
    QCOMPARE(head, QByteArray("POST " + target + " HTTP/1.1\r\nHost: u\r\n\r\n"));
}

void TestForward::request_fields_areDroppedOrKept_data()
{
    QTest::addColumn<QByteArray>("lines");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const QByteArray &lines, const QByteArray &expected) {
        QTest::newRow(name) << lines << expected;
    };
    const auto kept = [&](const char *name, const QByteArray &lines) { row(name, lines, lines); };
    row("Connection", "Connection: close\r\n", "");
    row("Keep-Alive", "Keep-Alive: timeout=5\r\n", "");
    row("Proxy-Connection", "Proxy-Connection: keep-alive\r\n", "");
    row("Proxy-Authenticate", "Proxy-Authenticate: Basic\r\n", "");
    row("Proxy-Authorization", "PROXY-AUTHORIZATION: Basic eA==\r\n", "");
    row("TE", "TE: trailers\r\nConnection: te\r\n", "");
    row("Upgrade",
        "Upgrade: h2c\r\nConnection: upgrade\r\nHTTP2-Settings: a\r\n",
        "HTTP2-Settings: a\r\n");
    row("Expect", "Expect: 100-continue\r\nContent-Length: 1\r\n", "Content-Length: 1\r\n");
    row("named by Connection",
        "X-A: 1\r\nConnection: x-a, X-B\r\nX-b: 2\r\nX-C: 3\r\n",
        "X-C: 3\r\n");
    row("named in a second field",
        "Connection: close\r\nConnection: x-a\r\nX-A: 1\r\nx-a: 2\r\n",
        "");
    row("named behind keep-alive", "X-A: 1\r\nConnection: keep-alive,x-a\r\n", "");
    row("field named close", "Connection: close\r\nclose: a\r\nX-A: 1\r\n", "X-A: 1\r\n");
    row("our names", "x-gatehouse-reason: a\r\nX-Gatehouse-Request-ID: b\r\n", "");
    row("chunked",
        "transfer-encoding: CHUNKED\r\nX-A: 1\r\n",
        "X-A: 1\r\nTransfer-Encoding: chunked\r\n");
    row("Trailer of chunks",
        "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n",
        "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n");
    row("Trailer without chunks",
        "Trailer: X-Sum\r\nContent-Length: 1\r\n",
        "Content-Length: 1\r\n");
    kept("own credential of the client", "Authorization: Bearer sk-own\r\n");
    kept("own credentials of the client", "x-api-key: a\r\nx-goog-api-key: b\r\nApi-Key: c\r\n");
    row("virtual keys",
        QByteArray("Authorization: Bearer ") + key + "\r\nX-Api-Key: " + key
            + "\r\nx-goog-api-key: " + key + "\r\napi-key: " + key + "\r\nX-A: 1\r\n",
        "X-A: 1\r\n");
    row("virtual key beside another",
        QByteArray("x-api-key: ") + key + "\r\napi-key: own\r\n",
        "api-key: own\r\n");
    kept("fields about the content",
         "Content-Type: a/b\r\nContent-Encoding: gzip\r\nOrigin: http://o\r\n"
         "Sec-Fetch-Site: none\r\nCookie: a\r\nX-Forwarded-For: b\r\nVia: c\r\n");
}

void TestForward::request_fields_areDroppedOrKept()
{
    QFETCH(QByteArray, lines);
    QFETCH(QByteArray, expected);
    const QByteArray head = forwarded(requestWith(view(lines)), rewriteWith());
    QCOMPARE(linesOf(head), QByteArray("Host: up:1\r\n" + expected));
}

void TestForward::request_credential_replacesAllCarriers()
{
    const std::string lines = std::string("Authorization: Bearer own\r\nX-API-Key: own\r\n"
                                          "x-goog-api-key: own\r\napi-key: own\r\nX-A: 1\r\n");
    QCOMPARE(linesOf(forwarded(requestWith(lines), rewriteWith("x-api-key: sk-real\r\n"))),
             QByteArray("Host: up:1\r\nX-A: 1\r\nx-api-key: sk-real\r\n"));
    const std::string websocket = requestWith("Connection: keep-alive, Upgrade\r\n"
                                              "Sec-WebSocket-Key: k\r\nUpgrade: WebSocket\r\n",
                                              "GET / HTTP/1.1");
    QCOMPARE(linesOf(forwarded(websocket, rewriteWith("A: s\r\n"))),
             QByteArray("Host: up:1\r\nSec-WebSocket-Key: k\r\nA: s\r\n"
                        "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
}

void TestForward::response_endToEndFields_keepOrderAndSpelling()
{
    QCOMPARE(answered("HTTP/1.0 201 Made  it\r\nx-B:1\r\nSet-Cookie: a\r\nset-cookie: b\r\n"
                      "CONTENT-LENGTH: 5\r\n\r\n",
                      {.framing = Framing::Length, .requestId = "id"}),
             QByteArray("HTTP/1.1 201 Made  it\r\nx-B: 1\r\nSet-Cookie: a\r\nset-cookie: b\r\n"
                        "CONTENT-LENGTH: 5\r\nx-gatehouse-request-id: id\r\n\r\n"));
}

void TestForward::response_fields_areDroppedOrKept_data()
{
    QTest::addColumn<QByteArray>("lines");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const QByteArray &lines, const QByteArray &expected) {
        QTest::newRow(name) << lines << expected;
    };
    row("hop by hop",
        "Connection: close\r\nKeep-Alive: a\r\nProxy-Authenticate: b\r\nProxy-Connection: c\r\n"
        "TE: d\r\nUpgrade: e\r\n",
        "");
    row("named by Connection", "X-A: 1\r\nConnection: X-a\r\nX-B: 2\r\n", "X-B: 2\r\n");
    row("our names",
        "X-Gatehouse-Reason: route\r\nx-gatehouse-request-id: forged\r\nA: b\r\n",
        "A: b\r\n");
    row("Trailer without chunks", "Trailer: X-Sum\r\nA: b\r\n", "A: b\r\n");
    row("what a client may need",
        "WWW-Authenticate: Basic\r\nRetry-After: 3\r\nx-should-retry: true\r\nVary: *\r\n",
        "WWW-Authenticate: Basic\r\nRetry-After: 3\r\nx-should-retry: true\r\nVary: *\r\n");
}

void TestForward::response_fields_areDroppedOrKept()
{
    QFETCH(QByteArray, lines);
    QFETCH(QByteArray, expected);
    const std::string head = responseWith(view("Content-Length: 1\r\n" + lines));
    QCOMPARE(linesOf(answered(head, {.framing = Framing::Length})),
             QByteArray("Content-Length: 1\r\n" + expected));
}

void TestForward::response_rewrites_showTheEnd_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<int>("framing");
    QTest::addColumn<bool>("toHttp10");
    QTest::addColumn<bool>("close");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name,
                        const char *head,
                        const ResponseRewrite &rewrite,
                        const char *expected) {
        QTest::newRow(name) << QByteArray(head) << static_cast<int>(rewrite.framing)
                            << rewrite.toHttp10 << rewrite.close << QByteArray(expected);
    };
    const char *chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n";
    row("chunks",
        chunks,
        {.framing = Framing::Chunked},
        "Trailer: A\r\nTransfer-Encoding: chunked\r\n");
    row("chunks, then closed",
        chunks,
        {.framing = Framing::Chunked, .close = true},
        "Trailer: A\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n");
    row("chunks to HTTP/1.0",
        chunks,
        {.framing = Framing::UntilClose, .toHttp10 = true, .close = true},
        "Connection: close\r\n");
    row("until close, to chunks",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        {.framing = Framing::Chunked},
        "Transfer-Encoding: chunked\r\n");
    const char *length = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
    row("length", length, {.framing = Framing::Length}, "Content-Length: 3\r\n");
    row("length to HTTP/1.0",
        length,
        {.framing = Framing::Length, .toHttp10 = true},
        "Content-Length: 3\r\nConnection: keep-alive\r\n");
    row("length to HTTP/1.0, then closed",
        length,
        {.framing = Framing::Length, .toHttp10 = true, .close = true},
        "Content-Length: 3\r\nConnection: close\r\n");
    row("not modified", "HTTP/1.1 304 x\r\nContent-Length: 3\r\n\r\n", {}, "Content-Length: 3\r\n");
    row("no content", "HTTP/1.1 204 x\r\nContent-Length: 3\r\nA: b\r\n\r\n", {}, "A: b\r\n");
    row("interim", "HTTP/1.1 103 x\r\nContent-Length: 3\r\nLink: b\r\n\r\n", {}, "Link: b\r\n");
    row("switch",
        "HTTP/1.1 101 x\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nA: b\r\n\r\n",
        {.close = true},
        "A: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n");
}

void TestForward::response_rewrites_showTheEnd()
{
    QFETCH(QByteArray, head);
    QFETCH(int, framing);
    QFETCH(bool, toHttp10);
    QFETCH(bool, close);
    QFETCH(QByteArray, expected);
    const QByteArray out = answered(
        view(head),
        {.framing = static_cast<Framing>(framing), .toHttp10 = toHttp10, .close = close});
    QCOMPARE(linesOf(out), expected);
}

void TestForward::trailers_fields_areReadAgain()
{
    const std::string section = "a:b\r\nX-Sum:  c \r\nE:\r\n\r\n";
    const auto fields = parseTrailers(section, ErrorCode::BadRequest);
    QVERIFY(fields);
    std::string out;
    writeTrailers(out, *fields);
    QCOMPARE(bytes(out), QByteArray("a: b\r\nX-Sum: c\r\nE: \r\n\r\n"));
    std::string none;
    writeTrailers(none, {});
    QCOMPARE(bytes(none), QByteArray("\r\n"));
}

void TestForward::writers_output_isAppended()
{
    std::string out = "before";
    RequestHead request;
    const std::string head = requestWith("", "GET / HTTP/1.1");
    QCOMPARE(outcomeOfRequest(head, request), QByteArray("ok"));
    writeRequestHead(out, request, rewriteWith());
    QCOMPARE(bytes(out), QByteArray("beforeGET /base/x?q HTTP/1.1\r\nHost: up:1\r\n\r\n"));
}

QTEST_APPLESS_MAIN(TestForward)
#include "tst_forward.moc"
