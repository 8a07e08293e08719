// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/everytype.h"

#include <QRegularExpression>

// What holds for requests and answers on their way through a policy of any type, with its example's
// config.

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

struct Request
{
    const char *name;
    std::string head;
    std::string body;
};

std::vector<Request> requests()
{
    const std::string json = "Content-Type: application/json\r\n";
    return {
        {"get", "GET /p/v1/models?limit=2&key=x HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\n", {}},
        {"chat",
         "POST /p/v1/chat/completions HTTP/1.1\r\nAuthorization: Basic YTpi\r\n" + json,
         R"({"model": "gpt-x",  "messages": [{"role":"user","content":"h\u00e9"}]})"},
        {"duplicate names", "POST /p/v1/responses HTTP/1.1\r\n" + json, R"({"a":1,"a":2})"},
        {"no json", "POST /p/v1/responses HTTP/1.1\r\n" + json, "\xff{"},
        {"deep", "POST /p/v1/responses HTTP/1.1\r\n" + json, std::string(5000, '[')},
        {"encoded",
         "POST /p/v1/responses HTTP/1.1\r\nContent-Encoding: gzip\r\n" + json,
         "no gzip at all"},
        {"form",
         "POST /p/v1/files HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n",
         "model=a&model=b&x=%"},
        {"multipart",
         "POST /p/v1/audio HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\n",
         "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b--\r\n"},
        {"preflight",
         "OPTIONS /p/v1/models HTTP/1.1\r\nOrigin: https://evil.example\r\n"
         "Access-Control-Request-Method: PUT\r\n",
         {}},
        {"browser", "POST /p/v1/models HTTP/1.1\r\nOrigin: https://app.example.com\r\n", "{}"},
        {"upgrade",
         "GET /p/v1/realtime?model=m HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
         {}},
        {"forwarded",
         "DELETE /p/%61%2e%2E/x HTTP/1.1\r\nX-Forwarded-For: 10.0.0.1, 192.0.2.1\r\n"
         "User-Agent: t\r\nCookie: a=b\r\n",
         {}},
        {"bearer", "GET /p/x HTTP/1.1\r\nAuthorization: Bearer eyJhbGciOiJub25lIn0.e30.\r\n", {}},
    };
}

/// What goes on to the provider and back to the client.
struct Passage
{
    std::string request;
    QByteArray response;
    bool isPassed = false;
    bool isCut = false;
};

Passage passageOf(PolicyTest &test, const Request &request)
{
    if (!test.route.modelFinder)
        test.route.modelFinder = std::make_shared<const ModelFinder>(ModelPlaces{});
    test.route.outputCap = [](std::string_view, const json::Value &) { return OutputCap{}; };
    test.route.lastTurn = [](std::string_view, const json::Value &, TurnForm) {
        return std::optional<std::string>("a turn");
    };
    Passage passage;
    test.send(request.head, request.body);
    for (int i = 0; i < 20 && test.isPaused(); ++i) {
        while (!test.services.fetches.empty())
            test.services.answer(500, "{}");
        test.services.advance(std::chrono::seconds(1));
    }
    passage.isPassed = test.isPassed();
    passage.isCut = test.exchange.cutAfter().has_value();
    const http::RequestHead &head = test.exchange.request();
    passage.request.append(head.method).append(" ").append(test.exchange.path());
    passage.request.append(test.exchange.query()).append("\n");
    for (const http::Field &field : head.fields)
        passage.request.append(field.name).append(": ").append(field.value).append("\n");
    // What nobody gathers passes by as it is.
    passage.request += test.exchange.body().isEmpty() ? request.body : test.exchange.body().bytes();
    passage.response = test.respond("Server: s\r\nVary: accept\r\nX-A: 1\r\nx-a: 2\r\n"
                                    "Access-Control-Allow-Origin: *\r\n"
                                    "Content-Type: application/json\r\n");
    return passage;
}

} // namespace

class TestPassage : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void observing_changesNoByte_data() { addTypes(); }
    void observing_changesNoByte()
    {
        QFETCH(QString, id);
        // Without a policy: one that matches no request.
        PolicyTest without("header-removal");
        PolicyTest observed(id.toStdString(), std::string(typeOf(id).info.example));
        observed.settings.observes = true;
        QVERIFY2(observed.make(), observed.context.said().constData());
        for (const Request &request : requests()) {
            const Passage expected = passageOf(without, request);
            const Passage found = passageOf(observed, request);
            QVERIFY2(expected.isPassed && found.isPassed, request.name);
            QVERIFY2(!found.isCut, request.name);
            QCOMPARE(QByteArray::fromStdString(found.request),
                     QByteArray::fromStdString(expected.request));
            QCOMPARE(found.response, expected.response);
            QVERIFY2(observed.exchange.client() == nullptr, request.name);
        }
    }

    void observing_recordsADecision_data() { addTypes(); }
    void observing_recordsADecision()
    {
        QFETCH(QString, id);
        PolicyTest observed(id.toStdString(), std::string(typeOf(id).info.example));
        observed.settings.observes = true;
        for (const Request &request : requests()) {
            (void)passageOf(observed, request);
            QVERIFY2(!observed.exchange.decisions().empty(), request.name);
            for (const Decision &decision : observed.exchange.decisions())
                QVERIFY2(decision.kind != Decision::Kind::Refuse
                             && decision.kind != Decision::Kind::Change,
                         request.name);
        }
    }

    void reply_ofEachType_isReadyForTheWire_data() { addTypes(); }
    void reply_ofEachType_isReadyForTheWire()
    {
        QFETCH(QString, id);
        static const QRegularExpression reason(
            QStringLiteral("^[a-z0-9]+(-[a-z0-9]+)*(:[a-z0-9]+(-[a-z0-9]+)*)?$"));
        PolicyTest test(id.toStdString(), std::string(typeOf(id).info.example));
        for (const Request &request : requests()) {
            if (passageOf(test, request).isPassed)
                continue;
            const QString text = QString::fromStdString(test.reply.reason);
            QVERIFY2(reason.match(text).hasMatch(), qPrintable(text));
            QVERIFY2(text.section(QLatin1Char(':'), 0, 0) == id
                         || text.startsWith(QLatin1String("request:")),
                     qPrintable(text));
            QVERIFY(test.reply.status >= 200 && test.reply.status <= 599);
            QVERIFY2(!test.reply.message.empty(), request.name);
            for (const Header &header : test.reply.headers)
                QVERIFY2(header.value.find_first_of("\r\n") == std::string::npos,
                         header.name.c_str());
        }
    }

    void exchange_ended_knowsNothingOfItsRequest()
    {
        PolicyTest test("header-removal");
        QCOMPARE(test.send("GET /p/v1/%6dodels?limit=2 HTTP/1.1\r\nX-A: 1\r\n"),
                 Pipeline::Outcome::Passed);
        QCOMPARE(test.exchange.decodedPath(), std::string_view("/v1/models"));
        test.exchange.end();
        QVERIFY(test.exchange.request().fields.empty());
        for (const std::string_view text : {test.exchange.method(),
                                            test.exchange.path(),
                                            test.exchange.decodedPath(),
                                            test.exchange.query(),
                                            test.exchange.requestId(),
                                            test.exchange.request().target})
            QCOMPARE(text, std::string_view());
        QCOMPARE(test.send("GET /p/plain HTTP/1.1\r\n"), Pipeline::Outcome::Passed);
        QCOMPARE(test.exchange.decodedPath(), std::string_view("/plain"));
    }

    void request_random_neverCrashes_data() { addTypes(); }
    void request_random_neverCrashes()
    {
        QFETCH(QString, id);
        std::mt19937 random(20261124); // NOLINT: the same bytes in every run
        PolicyTest test(id.toStdString(), std::string(typeOf(id).info.example));
        const std::vector<Request> all = requests();
        for (int i = 0; i < 400; ++i) {
            Request request = all[random() % all.size()];
            std::string value = randomText(random, 60);
            std::erase_if(value, [](char c) {
                return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
            });
            static constexpr auto names = std::to_array<std::string_view>({"Authorization",
                                                                           "X-Forwarded-For",
                                                                           "Forwarded",
                                                                           "Origin",
                                                                           "Content-Type",
                                                                           "X-Api-Key",
                                                                           "User-Agent"});
            const std::string_view name = names[random() % names.size()];
            const bool isThere = request.head.find(std::string(name)) != std::string::npos;
            if (!isThere)
                request.head.append(name).append(": x").append(value).append("x\r\n");
            if (!request.body.empty())
                request.body.replace(
                    random() % request.body.size(), random() % 16, randomText(random, 200));
            (void)passageOf(test, request);
        }
    }
};

QTEST_APPLESS_MAIN(TestPassage)
#include "tst_passage.moc"
