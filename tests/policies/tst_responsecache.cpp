// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/cachetest.h"

#include <QTest>

#include <chrono>
#include <string>

using namespace gatehouse;
using namespace gatehouse::test;
using namespace std::chrono_literals;

class TestResponseCache : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void sameRequest_isAnsweredAgain_untilItIsTooOld()
    {
        CacheTest cache("{ttl: 10s}");
        cache.send(chat, question);
        QCOMPARE(cache.result(), "pass");
        const QByteArray head = CacheTest::give(cache, jsonType + "X-Id: 7\r\n");
        QVERIFY(head.contains("x-gatehouse-cache: miss"));
        cache.services.advance(10s - 1ms);
        cache.send(chat, question);
        QCOMPARE(cache.result(), hit);
        QCOMPARE(cache.reply.body, std::string("{\"answer\":1}"));
        QCOMPARE(cache.reply.contentType, std::string("application/json"));
        QVERIFY(cache.reply.hasOwnBody && !cache.reply.streams);
        QCOMPARE(cache.replyFields(), "X-Id: 7\nage: 9\nx-gatehouse-cache: hit\n");
        QVERIFY(!cache.respond(jsonType).contains("miss"));
        cache.finish({});
        cache.services.advance(1ms);
        QCOMPARE(cache.ask(), "pass");
        QCOMPARE(cache.ask(), hit);
    }

    void whatIsTheSame_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<QByteArray>("head");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<bool>("isSame");
        const QByteArray post = QByteArray::fromStdString(chat);
        const QByteArray body = QByteArray::fromStdString(question);
        QTest::newRow("the same") << QByteArray() << post << body << true;
        QTest::newRow("written otherwise")
            << QByteArray() << post
            << QByteArray(
                   "{\"messages\" : [{\"content\":\"\\u0068i\",\"role\":\"user\"}], \"model\":"
                   "\"m\"}")
            << true;
        QTest::newRow("another word")
            << QByteArray() << post << QByteArray(body).replace("hi", "ho") << false;
        QTest::newRow("another path")
            << QByteArray() << QByteArray("POST /p/chat/completions HTTP/1.1\r\n") << body << false;
        QTest::newRow("a query") << QByteArray()
                                 << QByteArray("POST /p/v1/chat/completions?x=1 HTTP/1.1\r\n")
                                 << body << false;
        for (const char *field : {"OpenAI-Organization: o",
                                  "openai-project: o",
                                  "anthropic-beta: b",
                                  "Accept: text/event-stream",
                                  "accept-encoding: gzip",
                                  "Authorization: Bearer of-ones-own",
                                  "x-api-key: of-ones-own",
                                  "Cookie: who=me",
                                  "Authorization: Basic ghk_one",
                                  "x-goog-api-key: x ghk_one"})
            QTest::newRow(field) << QByteArray() << post + field + "\r\n" << body << false;
        for (const char *field : {"x-stainless-retry-count: 1",
                                  "traceparent: 00-1-2-03",
                                  "User-Agent: x",
                                  "Authorization: Bearer ghk_one",
                                  "authorization: bearer  ghk_one",
                                  "x-api-key: ghk_one",
                                  "x-team: 1"})
            QTest::newRow(field) << QByteArray() << post + field + "\r\n" << body << true;
        QTest::newRow("a header of the key")
            << QByteArray("{key: [body, client, \"header:X-Team\"]}") << post + "x-team: 1\r\n"
            << body << false;
    }
    void whatIsTheSame()
    {
        QFETCH(const QByteArray, config);
        QFETCH(const QByteArray, head);
        QFETCH(const QByteArray, body);
        QFETCH(const bool, isSame);
        CacheTest cache(config);
        QCOMPARE(cache.ask(), "pass");
        QCOMPARE(cache.ask(head.toStdString(), body.toStdString()), isSame ? hit : "pass");
        QCOMPARE(cache.ask(), hit);
    }

    void credentialsOfTheirOwn_areApart()
    {
        CacheTest cache("{key: [body]}");
        cache.knownClient = nullptr;
        QCOMPARE(cache.ask(chat + "Authorization: Bearer one\r\n"), "pass");
        QCOMPARE(cache.ask(chat + "Authorization: Bearer two\r\n"), "pass");
        QCOMPARE(cache.ask(chat + "x-api-key: Bearer one\r\n"), "pass");
        QCOMPARE(cache.ask(chat + "Authorization: Bearer one\r\n"), hit);
    }

    void clients_areApart_unlessTold()
    {
        CacheTest cache;
        QCOMPARE(cache.ask(), "pass");
        cache.knownClient = &ben;
        QCOMPARE(cache.ask(), "pass");
        QCOMPARE(cache.ask(), hit);
        QVERIFY(cache.make("{key: [body]}"));
        QCOMPARE(cache.ask(), "pass"); // what was kept for one client is for that one
        cache.knownClient = &ann;
        QCOMPARE(cache.ask(), hit);
    }

    void withoutClient_isKept_onlyWhereNoneIsNamed()
    {
        CacheTest cache;
        cache.knownClient = nullptr;
        QCOMPARE(cache.ask(), "pass");
        QCOMPARE(cache.ask(), "pass");
        QVERIFY(cache.make("{key: [body]}"));
        QCOMPARE(cache.ask(), "pass");
        QCOMPARE(cache.ask(), hit);
    }

    void whatIsNotLookedAt_data()
    {
        QTest::addColumn<QByteArray>("head");
        QTest::addColumn<QByteArray>("body");
        const QByteArray post = QByteArray::fromStdString(chat);
        const QByteArray body = QByteArray::fromStdString(question);
        const QByteArray responses = "POST /p/v1/responses HTTP/1.1\r\n";
        QTest::newRow("no-store") << post + "Cache-Control: max-age=1 , No-Store\r\n" << body;
        QTest::newRow("in a second field")
            << post + "Cache-Control: x\r\ncache-control: no-store\r\n"
            << body;
        QTest::newRow("another method")
            << QByteArray("PUT /p/v1/chat/completions HTTP/1.1\r\n") << body;
        QTest::newRow("an unknown endpoint") << QByteArray("POST /p/v1/files HTTP/1.1\r\n") << body;
        QTest::newRow("no JSON") << post << QByteArray("hi");
        QTest::newRow("read in two ways") << post << QByteArray("{\"n\":1,\"n\":2}");
        QTest::newRow("stored") << post << QByteArray("{\"store\":true}");
        QTest::newRow("a response, stored unasked")
            << responses << QByteArray("{\"input\":\"hi\"}");
        QTest::newRow("of a conversation")
            << responses << QByteArray("{\"store\":false,\"previous_response_id\":\"r\"}");
        QTest::newRow("too long") << post
                                  << QByteArray("{\"messages\":\"")
                                         + QByteArray((16 << 20) - 14, 'x') + "\"}";
    }
    void whatIsNotLookedAt()
    {
        QFETCH(const QByteArray, head);
        QFETCH(const QByteArray, body);
        CacheTest cache;
        for (int i = 0; i < 2; ++i) {
            cache.send(head.toStdString(), body.toStdString());
            QCOMPARE(cache.result(), "pass");
            QVERIFY(!CacheTest::give(cache).contains("x-gatehouse-cache"));
        }
    }

    void longestBody_isLookedAt()
    {
        CacheTest cache;
        const std::string body = "{\"messages\":\"" + std::string((16 << 20) - 15, 'x') + "\"}";
        QCOMPARE(body.size(), std::size_t(16) << 20);
        QCOMPARE(cache.ask(chat, body), "pass");
        QCOMPARE(cache.ask(chat, body), hit);
    }

    void responses_areKept_whereNothingIsStored()
    {
        CacheTest cache;
        const std::string head = "POST /p/v1/responses HTTP/1.1\r\n";
        QCOMPARE(cache.ask(head, R"({"input":"hi","store":false})"), "pass");
        QCOMPARE(cache.ask(head, R"({"input":"hi","store":false})"), hit);
    }

    void noCache_renews()
    {
        CacheTest cache;
        QCOMPARE(cache.ask(), "pass");
        cache.send(chat + "Cache-Control: no-cache\r\n", question);
        QCOMPARE(cache.result(), "pass");
        CacheTest::give(cache, jsonType, "{\"answer\":2}");
        cache.send(chat, question);
        QCOMPARE(cache.result(), hit);
        QCOMPARE(cache.reply.body, std::string("{\"answer\":2}"));
    }

    void whatIsNotKept_data()
    {
        QTest::addColumn<QByteArray>("fields");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<int>("status");
        QTest::addColumn<bool>("isWhole");
        QTest::addColumn<bool>("isFinal");
        QTest::addColumn<bool>("isKept");
        const QByteArray type = QByteArray::fromStdString(jsonType);
        const QByteArray stream = QByteArray::fromStdString(eventType);
        const QByteArray body = "{}";
        QTest::newRow("whole") << type << body << 200 << true << true << true;
        QTest::newRow("cut") << type << body << 200 << false << true << false;
        QTest::newRow("without its end") << stream << body << 200 << true << false << false;
        QTest::newRow("created") << type << body << 201 << true << true << false;
        QTest::newRow("limited") << type << body << 429 << true << true << false;
        QTest::newRow("no-store") << type + "Cache-Control: no-store\r\n"
                                  << body << 200 << true << true << false;
        QTest::newRow("private, no-cache") << type + "Cache-Control: private, no-cache\r\n"
                                           << body << 200 << true << true << true;
        QTest::newRow("max-age=0") << type + "Cache-Control: max-age=0\r\n"
                                   << body << 200 << true << true << true;
        QTest::newRow("a cookie") << type + "Set-Cookie: a=b\r\n"
                                  << body << 200 << true << true << false;
        QTest::newRow("Vary: *") << type + "Vary: *\r\n" << body << 200 << true << true << false;
        QTest::newRow("Vary: Origin") << type + "Vary: Origin\r\n"
                                      << body << 200 << true << true << true;
        QTest::newRow("an error after all")
            << type << QByteArray("{\"error\":{\"code\":1}}") << 200 << true << true << false;
        QTest::newRow("error: null")
            << type << QByteArray("{\"error\":null}") << 200 << true << true << true;
        QTest::newRow("an event with an error")
            << stream << QByteArray("data: {\"a\":1}\n\ndata: {\"error\":{}}\n\ndata: [DONE]\n\n")
            << 200 << true << true << false;
        QTest::newRow("an error event")
            << stream << QByteArray("event: error\ndata: {}\n\n") << 200 << true << true << false;
        QTest::newRow("a coding that nobody knows") << type + "Content-Encoding: x\r\n"
                                                    << body << 200 << true << true << false;
    }
    void whatIsNotKept()
    {
        QFETCH(const QByteArray, fields);
        QFETCH(const QByteArray, body);
        QFETCH(const int, status);
        QFETCH(const bool, isWhole);
        QFETCH(const bool, isFinal);
        QFETCH(const bool, isKept);
        CacheTest cache;
        cache.send(chat, question);
        CacheTest::give(
            cache,
            fields.toStdString(),
            body.toStdString(),
            {.isSent = true, .status = status, .isWhole = isWhole, .isUsageFinal = isFinal});
        QCOMPARE(cache.ask(), isKept ? hit : "pass");
    }

    void ownAnswer_isNotKept()
    {
        CacheTest cache;
        cache.send(chat, question);
        QVERIFY(!cache.respond(jsonType).contains("x-gatehouse-cache")); // a policy behind it
        cache.finish({});
        cache.exchange.end();
        QCOMPARE(cache.ask(), "pass");
    }

    void fieldsOfOnce_areNotSaidAgain()
    {
        CacheTest cache;
        cache.send(chat, question);
        CacheTest::give(
            cache,
            jsonType
                + "x-ratelimit-remaining-tokens: 3\r\nAnthropic-RateLimit-x: 1\r\nAge: 8\r\n"
                  "Connection: close\r\nTransfer-Encoding: chunked\r\n"
                  "x-gatehouse-cache: hit\r\nContent-Encoding: identity\r\nx-id: 1\r\n"
                  "x-gatehouse-request-id: forged\r\n");
        cache.send(chat, question);
        QCOMPARE(cache.replyFields(),
                 "Content-Encoding: identity\nx-id: 1\nage: 0\nx-gatehouse-cache: hit\n");
    }

    void streams_comeAsStreams()
    {
        CacheTest cache;
        const std::string body = "data: {\"a\":1}\n\ndata: [DONE]\n\n";
        cache.send(chat, question);
        CacheTest::give(cache, "Content-Type: text/event-stream; charset=utf-8\r\n", body);
        cache.send(chat, question);
        QCOMPARE(cache.result(), hit);
        QVERIFY(cache.reply.streams);
        QCOMPARE(cache.reply.body, body);
        QCOMPARE(cache.reply.contentType, std::string("text/event-stream; charset=utf-8"));
    }

    void streamsOff_keepsNone()
    {
        CacheTest cache("{streams: false}");
        cache.send(chat, question);
        CacheTest::give(cache, eventType, "data: [DONE]\n\n");
        QCOMPARE(cache.ask(), "pass");
        QCOMPARE(cache.ask(), hit);
        const std::string streaming = R"({"stream":true,"messages":[]})";
        cache.send(chat, streaming);
        QCOMPARE(cache.result(), "pass"); // nobody waits for it either
        QVERIFY(!CacheTest::give(cache, jsonType).contains("x-gatehouse-cache"));
        QCOMPARE(cache.ask(chat, streaming), "pass");
    }

    void longAnswers_areNotKept_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<int>("size");
        QTest::addColumn<bool>("isKept");
        QTest::newRow("an eighth") << QByteArray("{maxBytes: 64KiB}") << 8192 << true;
        QTest::newRow("more") << QByteArray("{maxBytes: 64KiB}") << 8193 << false;
        QTest::newRow("8 MiB") << QByteArray() << (8 << 20) << true;
        QTest::newRow("more than 8 MiB") << QByteArray() << (8 << 20) + 1 << false;
    }
    void longAnswers_areNotKept()
    {
        QFETCH(const QByteArray, config);
        QFETCH(const int, size);
        QFETCH(const bool, isKept);
        CacheTest cache(config);
        cache.send(chat, question);
        const auto length = static_cast<std::size_t>(size);
        CacheTest::give(cache, jsonType, "\"" + std::string(length - 2, 'x') + "\"");
        QCOMPARE(cache.ask(), isKept ? hit : "pass");
    }

    void fullCache_forgetsTheLongestUnused()
    {
        CacheTest cache("{maxBytes: 64KiB}");
        const auto body = [](int i) { return "{\"messages\":" + std::to_string(i) + "}"; };
        const auto keep = [&](int i) {
            cache.send(chat, body(i));
            const bool isKept = cache.isRefused();
            if (!isKept)
                CacheTest::give(cache, jsonType, "\"" + std::string(7000, 'x') + "\"");
            return isKept;
        };
        for (int i = 0; i < 7; ++i)
            QVERIFY(!keep(i));
        QVERIFY(keep(0));  // used again
        QVERIFY(!keep(7)); // an eighth and a ninth do not fit
        QVERIFY(!keep(8));
        QVERIFY(keep(0));
        QVERIFY(!keep(1));
    }

    void observe_answersNothing_andHoldsNobody()
    {
        CacheTest cache;
        QVERIFY(cache.make("{}", true));
        cache.send(chat, question);
        QVERIFY(!CacheTest::give(cache).contains("x-gatehouse-cache"));
        cache.send(chat, question);
        QCOMPARE(cache.result(), "pass");
        QCOMPARE(cache.decision(), "would-refuse");
        cache.send(chat, R"({"messages":1})");
        auto second = cache.start({}, nullptr, R"({"messages":1})");
        QCOMPARE(second->result(), "pass");
    }

    void reload_keepsAnswers()
    {
        CacheTest cache;
        QCOMPARE(cache.ask(), "pass");
        QVERIFY(cache.make("{ttl: 1m, maxBytes: 1MiB}"));
        QCOMPARE(cache.ask(), hit);
        cache.services.advance(1min);
        QCOMPARE(cache.ask(), "pass");
    }

    void config_isChecked_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<QByteArray>("says");
        QTest::newRow("without body")
            << QByteArray("{key: [client]}")
            << QByteArray("must have body, else each answer would stand for all requests");
        QTest::newRow("an unknown part") << QByteArray("{key: [body, model]}")
                                         << QByteArray("must be body, client or header:NAME");
        QTest::newRow("a header without a name")
            << QByteArray("{key: [body, \"header:\"]}")
            << QByteArray("must be body, client or header:NAME");
        QTest::newRow("no time") << QByteArray("{ttl: 0s}") << QByteArray("ttl");
        QTest::newRow("no room") << QByteArray("{maxBytes: 1KiB}") << QByteArray("maxBytes");
    }
    void config_isChecked()
    {
        QFETCH(const QByteArray, config);
        QFETCH(const QByteArray, says);
        CacheTest cache(config);
        QVERIFY(!cache.make());
        QVERIFY2(cache.context.said().contains(says), cache.context.said().constData());
    }
};

QTEST_GUILESS_MAIN(TestResponseCache)
#include "tst_responsecache.moc"
