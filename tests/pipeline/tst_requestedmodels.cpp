// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/pipeline/foundmodels.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

class TestRequestedModels : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void url_anyPlace_isSeen_data();
    void url_anyPlace_isSeen();
    void method_thatMakesNothing_needsNoModel_data();
    void method_thatMakesNothing_needsNoModel();
    void upgrade_withoutFixedModel_isHidden_data();
    void upgrade_withoutFixedModel_isHidden();
    void body_thatCannotBeRead_isAnError_data();
    void body_thatCannotBeRead_isAnError();
    void body_whereNoneIsNeeded_isNotRead();
    void isAmong_eitherSpelling_matches();
    void requestedModels_untilTheHeadChanges_areFoundOnce();
};

void TestRequestedModels::url_anyPlace_isSeen_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<QByteArray>("found");
    const auto row = [](const char *name, const char *head, const char *found) {
        QTest::newRow(name) << QByteArray(head) << QByteArray(found);
    };
    row("query", "POST /x?a=b&model=a", "a");
    row("query, twice", "POST /x?model=a&model=b", "a b");
    row("query, other case and escaped", "POST /x?MODE%4C=%61", "a");
    row("query, another parameter", "POST /x?Deployment=a", "a");
    row("query, decoded once", "POST /x?model=%2561", "hidden");
    row("query of a list", "GET /x?model=a", "a needless");
    row("query, semicolon", "GET /x?a=1;model=b", "request");
    row("query, malformed", "GET /x?a=%", "request");
    row("empty query", "POST /x?", "none");
    row("path", "POST /models/a/x", "a");
    row("path, escaped", "POST /models/%61", "a");
    row("path, escaped slash", "POST /models/a%2Fb/x", "a a/b");
    row("path, parameter", "POST /models/a;v=1/x", "a;v=1 a");
    row("path, escaped twice", "POST /models/%2561", "hidden");
    row("path, space", "POST /models/a%20", "hidden");
    row("path of a card", "GET /models/a", "needless");
    row("path of a card, deleted", "DELETE /models/a", "a needless");
    row("header", "POST /x\nX-Deployment: a\nx-deployment: b", "a b");
    row("retyped body", "POST /x?$ct=application/x-protobuf&model=a", "a hidden");
}

void TestRequestedModels::url_anyPlace_isSeen()
{
    QFETCH(QByteArray, head);
    QFETCH(QByteArray, found);
    QCOMPARE(bytes(foundIn(head.toStdString())), found);
}

void TestRequestedModels::method_thatMakesNothing_needsNoModel_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("found");
    const auto row = [](const char *head, const char *body, const char *found) {
        QTest::newRow(head) << QByteArray(head) << QByteArray(body) << QByteArray(found);
    };
    row("GET /x", "", "needless");
    row("HEAD /x", "", "needless");
    row("OPTIONS /x", "", "needless");
    row("DELETE /x", "", "needless");
    row("POST /x", "", "none");
    row("PUT /x", "", "none");
    row("get /x", "", "none");
    row("QUERY /x", "", "none");
    row("GET /x ", "{}", "none");
    row("GET /x  ", R"({"model":"a"})", "a");
    row("GET /x\nX-HTTP-Method-Override: POST", "", "none");
    row("GET /x\nx-http-method: POST", "", "none");
    row("GET /x\nX-Method-Override: POST", "", "none");
    row("GET /x?$httpMethod=POST", "", "none");
    row("GET /x?%24httpmethod=POST", "", "none");
    row("GET /x?_method=POST", "", "none");
    row("GET /models/a\nX-HTTP-Method-Override: POST", "", "a");
    row("GET /batches", "", "needless");
    row("POST /batches", R"({"model":"a"})", "a hidden");
    row("GET /batches?_method=POST", "", "hidden");
    row("GET /x\nContent-Encoding: gzip", "", "needless");
    row("POST /threads", "{}", "needless");
    row("POST /threads ", R"({"model":"a"})", "a needless");
}

void TestRequestedModels::method_thatMakesNothing_needsNoModel()
{
    QFETCH(QByteArray, head);
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, found);
    QCOMPARE(bytes(foundIn(head.trimmed().toStdString(), body.toStdString())), found);
}

void TestRequestedModels::upgrade_withoutFixedModel_isHidden_data()
{
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("found");
    const auto row = [](const char *target, const char *found) {
        QTest::newRow(target) << QByteArray(target) << QByteArray(found);
    };
    row("/realtime?model=a", "a");
    row("/realtime", "hidden");
    row("/realtime?deployment=a&model=b", "a b");
    row("/responses?model=a", "a hidden");
    row("/x/realtime?model=a", "a hidden");
    row("/models/a", "a hidden");
    row("/files", "hidden");
    row("/threads", "hidden");
}

void TestRequestedModels::upgrade_withoutFixedModel_isHidden()
{
    QFETCH(QByteArray, target);
    QFETCH(QByteArray, found);
    QCOMPARE(bytes(foundIn("GET " + target.toStdString()
                           + "\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13"
                             "\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")),
             found);
}

void TestRequestedModels::body_thatCannotBeRead_isAnError_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("found");
    const auto row
        = [](const char *name, const char *head, const QByteArray &body, const char *found) {
              QTest::newRow(name) << QByteArray(head) << body << QByteArray(found);
          };
    const QByteArray json = R"({"model":"a"})";
    const char *plain = "POST /x\nContent-Type: text/plain";
    const QString text = QString::fromUtf8(json);
    const auto wide = [&text](bool isBigEndian, int size) {
        QByteArray wideText;
        for (const QChar c : text) {
            QByteArray unit(size, '\0');
            unit[isBigEndian ? size - 1 : 0] = c.toLatin1();
            wideText += unit;
        }
        return wideText;
    };
    row("no JSON", "POST /x\nContent-Type: application/json", "model=a", "request:json");
    row("byte order mark", plain, "\xef\xbb\xbf" + json, "request:json");
    row("UTF-16LE", plain, wide(false, 2), "request:json");
    row("UTF-16BE", plain, wide(true, 2), "request:json");
    row("UTF-16LE with a mark", plain, "\xff\xfe" + wide(false, 2), "request:json");
    row("UTF-16BE with a mark", plain, "\xfe\xff" + wide(true, 2), "request:json");
    row("UTF-32LE", plain, wide(false, 4), "request:json");
    row("UTF-32BE", plain, wide(true, 4), "request:json");
    row("lines", plain, json + "\n" + json, "request:json");
    row("charset",
        "POST /x\nContent-Type: application/json; charset=utf-7",
        json,
        "request:encoding");
    row("two types",
        "POST /x\nContent-Type: application/json\nContent-Type: text/plain",
        json,
        "request:encoding");
    row("unknown coding", "POST /x\nContent-Encoding: x", json, "request:encoding");
    row("not what the coding says", "POST /x\nContent-Encoding: gzip", json, "request:encoding");
    row("opaque", "POST /x\nContent-Type: audio/wav", "RIFF", "hidden");
    row("opaque without a type", "POST /x", "model=a", "hidden");
    row("opaque, model in the URL", "POST /x?model=a", "RIFF", "a hidden");
    row("opaque where the URL decides", "POST /realtime?model=a", "v=0", "a");
    row("opaque where the URL would decide", "POST /realtime", "v=0", "hidden");
    row("no form",
        "POST /x\nContent-Type: multipart/form-data; boundary=B",
        "RIFF",
        "request:encoding");
    row("no boundary", "POST /x\nContent-Type: multipart/form-data", "--B--", "request:encoding");
    row("another multipart",
        "POST /x\nContent-Type: multipart/mixed; boundary=B",
        "--B--",
        "hidden");
}

void TestRequestedModels::body_thatCannotBeRead_isAnError()
{
    QFETCH(QByteArray, head);
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, found);
    QCOMPARE(bytes(foundIn(head.toStdString(), body.toStdString())), found);
}

void TestRequestedModels::body_whereNoneIsNeeded_isNotRead()
{
    QCOMPARE(bytes(foundIn("POST /files", R"({"model":"a"})")), QByteArray("needless"));
    QCOMPARE(bytes(foundIn("POST /files\nContent-Encoding: x", "x")), QByteArray("needless"));
    QCOMPARE(bytes(foundIn("POST /files?model=a", "x")), QByteArray("a needless"));
    // The provider may see another path.
    QCOMPARE(bytes(foundIn("POST /%66iles", "x")), QByteArray("needless"));
    QCOMPARE(bytes(foundIn("POST /x/files", R"({"model":"a"})")), QByteArray("needless"));
    QCOMPARE(bytes(foundIn("POST /x%2Ffiles", R"({"model":"a"})")), QByteArray("a"));
}

void TestRequestedModels::isAmong_eitherSpelling_matches()
{
    ModelRequest request(jsonHead, R"({"model":"a"})");
    const auto found = ModelFinder(places).find(request.exchange());
    QVERIFY(found);
    const auto isAmong = [&found](const char *text) {
        const auto glob = Glob::parse(text, Glob::Kind::Name);
        return found->models.front().isAmong({&*glob, 1});
    };
    QVERIFY(isAmong("a"));
    QVERIFY(isAmong("full/a"));
    QVERIFY(isAmong("full/*"));
    QVERIFY(!isAmong("A"));
    QVERIFY(!isAmong("b"));
    QVERIFY(!found->models.front().isAmong({}));
}

void TestRequestedModels::requestedModels_untilTheHeadChanges_areFoundOnce()
{
    ModelRequest request("POST /x\nX-Deployment: a\nContent-Type: text/plain", "model=b");
    request.route().modelFinder = std::make_shared<const ModelFinder>(places);
    Exchange &exchange = request.exchange();
    const auto names = [&exchange] {
        const auto &found = exchange.requestedModels();
        if (!found)
            return QByteArray(found.error().info().reason.data());
        QByteArray text = found->isHidden ? "hidden" : "";
        for (const RequestedModel &model : found->models)
            text += ' ' + bytes(model.name);
        return text;
    };
    QCOMPARE(names(), QByteArray("hidden a"));
    const auto *first = &exchange.requestedModels();
    QCOMPARE(&exchange.requestedModels(), first);
    exchange.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
    QCOMPARE(names(), QByteArray(" a b"));
    exchange.addRequestHeader("X-Deployment", "c");
    QCOMPARE(names(), QByteArray(" a c b"));
    exchange.removeRequestHeaders([](std::string_view name) { return name == "X-Deployment"; });
    QCOMPARE(names(), QByteArray(" b"));
    exchange.addRequestHeader("Content-Type", "text/plain");
    QCOMPARE(names(), QByteArray("request:encoding"));
}

QTEST_APPLESS_MAIN(TestRequestedModels)
#include "tst_requestedmodels.moc"
