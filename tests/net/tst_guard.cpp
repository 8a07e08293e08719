// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/guard.h"
#include "tests/support/fakeservices.h"
#include "tests/support/gatewaysetup.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

constexpr const char *accepted = "";

/// A snapshot with a route for each case, and requests judged by it.
class GuardProbe
{
public:
    GuardProbe()
    {
        const QByteArray gateway
            = document("Gateway",
                       "main",
                       "{admin: none, hosts: [localhost, 127.0.0.1, '[::1]', "
                       "gate.example], origins: ['https://app.example:8443']}");
        const QByteArray onlyOpen
            = document("Client",
                       "narrow",
                       "{routes: [ropen], keys: [{id: k1, hash: '" + hashOf(narrowKey) + "'}]}");
        const QByteArray dated = document(
            "Client",
            "dated",
            "{keys: [{id: k1, hash: '" + hashOf(expiredKey)
                + "', expires: '2020-01-01T00:00:00Z'}, {id: k2, hash: '" + hashOf(futureKey)
                + "', expires: '2200-01-01T00:00:00Z'}, {id: k3, revoked: true, hash: '"
                + hashOf(revokedKey) + "'}]}");
        m_snapshot = m_maker.snapshot(gateway + providerDocument("http://127.0.0.1:9")
                                      + routeDocument("/r", "") + routeDocument("/open")
                                      + routeDocument("/r/deep", "") + m_maker.clientDocument()
                                      + onlyOpen + dated);
        m_services = std::make_unique<FakeServices>(m_snapshot->hashKey);
        m_services->wall = std::chrono::system_clock::now();
    }

    /// The reason of the refusal, or `accepted`; then exchange() tells more.
    QByteArray judge(const QByteArray &target,
                     const QByteArray &fields = {},
                     const QByteArray &host = "localhost:4283")
    {
        const QByteArray head
            = "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields + "\r\n";
        m_head = head.toStdString();
        m_exchange.end();
        m_route = nullptr;
        http::RequestHead request;
        if (!http::parseRequestHead(m_head, 16384, request))
            return "not well-formed";
        if (const auto admitted = net::admit(request, *m_snapshot, "default", m_route); !admitted)
            return reasonOf(admitted.error().info().reason);
        const std::string_view path = request.path.substr(m_route->basePath.size());
        if (const auto begun = m_exchange.begin(std::move(request),
                                                {.route = m_route,
                                                 .peer = &m_peer,
                                                 .services = m_services.get(),
                                                 .clients = &m_snapshot->clients,
                                                 .path = path});
            !begun)
            return reasonOf(begun.error().info().reason);
        Reply reply;
        const auto outcome = m_route->pipeline.runRequestHead(m_exchange, reply);
        return outcome == Pipeline::Outcome::Passed ? accepted : reasonOf(reply.reason);
    }
    [[nodiscard]] const RouteEntry *route() const { return m_route; }
    [[nodiscard]] const Exchange &exchange() const { return m_exchange; }
    [[nodiscard]] QByteArray key() const { return m_maker.key(); }

    QByteArray narrowKey = newKey();
    QByteArray expiredKey = newKey();
    QByteArray futureKey = newKey();
    QByteArray revokedKey = newKey();
    QByteArray strangeKey = newKey();

private:
    static QByteArray reasonOf(std::string_view reason)
    {
        return {reason.data(), static_cast<qsizetype>(reason.size())};
    }
    static QByteArray newKey() { return QByteArray::fromStdString(virtualkey::generate().value()); }
    [[nodiscard]] QByteArray hashOf(const QByteArray &key) const { return m_maker.hashOf(key); }

    SnapshotMaker m_maker;
    std::shared_ptr<const Snapshot> m_snapshot;
    std::unique_ptr<FakeServices> m_services;
    Peer m_peer;
    std::string m_head;
    const RouteEntry *m_route = nullptr;
    Exchange m_exchange;
};

} // namespace

class TestGuard : public QObject
{
    Q_OBJECT

private:
    GuardProbe m_guard;

private Q_SLOTS:
    void host_asWritten_isListedOr421_data()
    {
        QTest::addColumn<QByteArray>("host");
        QTest::addColumn<QByteArray>("reason");
        const auto row = [](const char *host, const char *reason) {
            QTest::newRow(host) << QByteArray(host) << QByteArray(reason);
        };
        for (const char *host : {"localhost",
                                 "localhost:4283",
                                 "LocalHost",
                                 "127.0.0.1",
                                 "127.0.0.1:1",
                                 "[::1]",
                                 "[::1]:4283",
                                 "gate.example",
                                 "GATE.EXAMPLE:80"})
            row(host, accepted);
        for (const char *host : {"evil.example",
                                 "localhost.evil.example",
                                 "evil.localhost",
                                 "localhost.",
                                 "127.0.0.2",
                                 "127.1",
                                 "0.0.0.0",
                                 "[::]",
                                 "[::ffff:127.0.0.1]",
                                 "gate.example.evil"})
            row(host, "host");
    }
    void host_asWritten_isListedOr421()
    {
        QFETCH(QByteArray, host);
        QFETCH(QByteArray, reason);
        QCOMPARE(m_guard.judge("/open/x", {}, host), reason);
    }

    void host_ofAbsoluteTarget_counts()
    {
        QCOMPARE(m_guard.judge("http://localhost:4283/open/x"), accepted);
        QCOMPARE(m_guard.judge("http://evil.example/open/x", {}, "evil.example"), "host");
    }

    void browser_originAndSite_areAllowedOr403_data()
    {
        QTest::addColumn<QByteArray>("fields");
        QTest::addColumn<QByteArray>("reason");
        const auto row = [](const char *fields, const char *reason) {
            const QByteArray text = fields;
            QTest::newRow(text.isEmpty() ? "neither" : fields)
                << QByteArray(text).replace("; ", "\r\n") + (text.isEmpty() ? "" : "\r\n")
                << QByteArray(reason);
        };
        row("", accepted);
        row("Sec-Fetch-Mode: cors", accepted);
        row("Origin: https://app.example:8443", accepted);
        row("Origin: HTTPS://APP.example:8443", accepted);
        row("Origin: https://app.example:8443; Sec-Fetch-Site: cross-site", accepted);
        row("Sec-Fetch-Site: cross-site; Origin: https://app.example:8443", accepted);
        row("Sec-Fetch-Site: same-origin", accepted);
        row("Sec-Fetch-Site: none", accepted);
        row("Sec-Fetch-Site: SAME-ORIGIN", accepted);
        row("Origin: https://app.example", "origin");
        row("Origin: http://app.example:8443", "origin");
        row("Origin: https://app.example:8443.evil.example", "origin");
        row("Origin: null", "origin");
        row("Origin:", "origin");
        row("Origin: http://localhost:4283", "origin");
        row("Origin: https://app.example:8443; Origin: null", "origin");
        row("Origin: null; Sec-Fetch-Site: same-origin", "origin");
        row("Sec-Fetch-Site: cross-site", "origin");
        row("Sec-Fetch-Site: same-site", "origin");
        row("Sec-Fetch-Site: Cross-Site", "origin");
        row("Sec-Fetch-Site: unheard-of", "origin");
        row("Sec-Fetch-Site:", "origin");
        row("Sec-Fetch-Site: none; Sec-Fetch-Site: cross-site", "origin");
    }
    void browser_originAndSite_areAllowedOr403()
    {
        QFETCH(QByteArray, fields);
        QFETCH(QByteArray, reason);
        QCOMPARE(m_guard.judge("/open/x", fields), reason);
    }

    void carrier_everyPlace_isAccepted_data()
    {
        QTest::addColumn<QByteArray>("fields");
        QTest::addColumn<QByteArray>("query");
        const auto row = [](const char *name, const char *fields, const char *query = "") {
            QTest::newRow(name) << QByteArray(fields) << QByteArray(query);
        };
        row("bearer", "Authorization: Bearer KEY\r\n");
        row("bearer in capitals", "AUTHORIZATION: BEARER KEY\r\n");
        row("bearer with two spaces", "Authorization: Bearer  KEY\r\n");
        row("x-api-key", "x-api-key: KEY\r\n");
        row("X-Goog-Api-Key", "X-Goog-Api-Key: KEY\r\n");
        row("api-key", "api-key: KEY\r\n");
        row("query", "", "?key=KEY");
        row("query with percent signs", "", "?%6b%65%79=%67hk_REST");
        row("two that agree", "x-api-key: KEY\r\nAuthorization: Bearer KEY\r\n");
        row("all that agree",
            "x-api-key: KEY\r\nAuthorization: Bearer KEY\r\napi-key: KEY\r\n"
            "x-goog-api-key: KEY\r\n",
            "?key=KEY&key=%67hk_REST");
        row("beside a key that is not ours", "x-api-key: KEY\r\nAuthorization: Bearer sk-1\r\n");
    }
    void carrier_everyPlace_isAccepted()
    {
        QFETCH(QByteArray, fields);
        QFETCH(QByteArray, query);
        const QByteArray key = m_guard.key();
        fields.replace("KEY", key);
        query.replace("KEY", key).replace("REST", key.mid(4));
        QCOMPARE(m_guard.judge("/r/x" + query, fields), accepted);
        QVERIFY(m_guard.exchange().key());
        QCOMPARE(m_guard.exchange().client()->name, std::string("c"));
        QCOMPARE(m_guard.exchange().query(), std::string_view());
    }

    void carrier_severalPlacesThatDiffer_is400_data()
    {
        QTest::addColumn<QByteArray>("fields");
        QTest::addColumn<QByteArray>("query");
        const auto row = [](const char *name, const char *fields, const char *query = "") {
            QTest::newRow(name) << QByteArray(fields) << QByteArray(query);
        };
        row("two fields", "x-api-key: KEY\r\nAuthorization: Bearer OTHER\r\n");
        row("field and query", "x-api-key: KEY\r\n", "?key=OTHER");
        row("query twice", "", "?key=KEY&a=b&key=OTHER");
        row("one of three", "api-key: KEY\r\nx-api-key: KEY\r\n", "?key=OTHER");
        row("one that is malformed", "api-key: KEY\r\nx-api-key: ghk_short\r\n");
    }
    void carrier_severalPlacesThatDiffer_is400()
    {
        QFETCH(QByteArray, fields);
        QFETCH(QByteArray, query);
        for (const auto &[first, second] : {std::pair(m_guard.key(), m_guard.strangeKey),
                                            std::pair(m_guard.strangeKey, m_guard.key())}) {
            const auto filled = [&](QByteArray text) {
                return text.replace("KEY", first).replace("OTHER", second);
            };
            QCOMPARE(m_guard.judge("/r/x" + filled(query), filled(fields)), "client-key:conflict");
            QVERIFY(!m_guard.exchange().key());
        }
    }

    void key_state_decides_data()
    {
        QTest::addColumn<QByteArray>("key");
        QTest::addColumn<QByteArray>("target");
        QTest::addColumn<QByteArray>("reason");
        const auto row
            = [](const char *name, const QByteArray &key, const char *target, const char *reason) {
                  QTest::newRow(name) << key << QByteArray(target) << QByteArray(reason);
              };
        QByteArray mistyped = m_guard.key();
        mistyped[20] = mistyped[20] == 'a' ? 'b' : 'a';
        row("good", m_guard.key(), "/r/x", accepted);
        row("none", {}, "/r/x", "client-key:missing");
        row("none on a public route", {}, "/open/x", accepted);
        row("good on a public route", m_guard.key(), "/open/x", accepted);
        row("unknown", m_guard.strangeKey, "/r/x", "client-key:unknown");
        row("unknown on a public route", m_guard.strangeKey, "/open/x", "client-key:unknown");
        row("mistyped", mistyped, "/r/x", "client-key:unknown");
        row("too short", "ghk_1", "/r/x", "client-key:unknown");
        row("too long", m_guard.key() + "0", "/r/x", "client-key:unknown");
        row("of a provider", "sk-live-1", "/r/x", "client-key:missing");
        row("expired", m_guard.expiredKey, "/r/x", "client-key:expired");
        row("to expire", m_guard.futureKey, "/r/x", accepted);
        row("revoked", m_guard.revokedKey, "/r/x", "client-key:unknown");
        row("out of scope", m_guard.narrowKey, "/r/x", "client-key:scope");
        row("in scope", m_guard.narrowKey, "/open/x", accepted);
    }
    void key_state_decides()
    {
        QFETCH(QByteArray, key);
        QFETCH(QByteArray, target);
        QFETCH(QByteArray, reason);
        const QByteArray field = key.isEmpty() ? QByteArray() : "x-api-key: " + key + "\r\n";
        QCOMPARE(m_guard.judge(target, field), reason);
        QCOMPARE(m_guard.exchange().key() != nullptr, reason.isEmpty() && !key.isEmpty());
    }

    void query_withAKey_keepsTheRestExactly_data()
    {
        QTest::addColumn<QByteArray>("query");
        QTest::addColumn<QByteArray>("rest");
        const auto row = [](const char *query, const char *rest) {
            QTest::newRow(query) << QByteArray(query) << QByteArray(rest);
        };
        row("?key=KEY", "");
        row("?a=1&key=KEY", "?a=1");
        row("?key=KEY&a=1", "?a=1");
        row("?a=1&key=KEY&b=%2F+%zz", "?a=1&b=%2F+%zz");
        row("?a&key=KEY&&b==&", "?a&&b==&");
        row("?key=sk-1&key=KEY", "?key=sk-1");
        row("?Keys=1&key=KEY", "?Keys=1");
        row("?alt=sse&$x=~!*'()&key=KEY", "?alt=sse&$x=~!*'()");
    }
    void query_withAKey_keepsTheRestExactly()
    {
        QFETCH(QByteArray, query);
        QFETCH(QByteArray, rest);
        query.replace("KEY", m_guard.key());
        QCOMPARE(m_guard.judge("/r/x" + query), accepted);
        QCOMPARE(QByteArray(m_guard.exchange().query().data(),
                            qsizetype(m_guard.exchange().query().size())),
                 rest);
    }

    void query_withoutAKey_isUntouched()
    {
        const QByteArray field = "x-api-key: " + m_guard.key() + "\r\n";
        for (const char *query :
             {"", "?", "?&", "?a=%67&&=", "?key=", "?key", "?ghk=ghk", "?%", "?a=%6"}) {
            QCOMPARE(m_guard.judge(QByteArray("/r/x") + query, field), accepted);
            QCOMPARE(QByteArray(m_guard.exchange().query().data(),
                                qsizetype(m_guard.exchange().query().size())),
                     query);
        }
    }

    void query_keyWhereNobodyAskedForIt_is400_data()
    {
        QTest::addColumn<QByteArray>("query");
        for (const char *query : {"?token=KEY",
                                  "?Key=KEY",
                                  "?a=1&api_key=KEY",
                                  "?token=%67hk_REST",
                                  "?KEY",
                                  "?KEY=1",
                                  "?a=1;key=KEY",
                                  "?key=Bearer%20KEY",
                                  "?a=%67%68%6b%5fREST;b",
                                  "?q=xKEYx"})
            QTest::newRow(query) << QByteArray(query);
    }
    void query_keyWhereNobodyAskedForIt_is400()
    {
        QFETCH(QByteArray, query);
        query.replace("KEY", m_guard.key()).replace("REST", m_guard.key().mid(4));
        QCOMPARE(m_guard.judge("/open/x" + query), "request");
    }

    void route_path_isTheLongestWholePrefix_data()
    {
        QTest::addColumn<QByteArray>("target");
        QTest::addColumn<QByteArray>("route");
        QTest::addColumn<QByteArray>("path");
        const auto row = [](const char *target, const char *route, const char *path) {
            QTest::newRow(target) << QByteArray(target) << QByteArray(route) << QByteArray(path);
        };
        row("/r", "rr", "");
        row("/r/", "rr", "/");
        row("/r/a%2Fb?x", "rr", "/a%2Fb");
        row("/r/deep", "rrrdeep", "");
        row("/r/deep/x", "rrrdeep", "/x");
        row("/r/deeper", "rr", "/deeper");
        row("/rx", "", "");
        row("/R/x", "", "");
        row("/", "", "");
    }
    void route_path_isTheLongestWholePrefix()
    {
        QFETCH(QByteArray, target);
        QFETCH(QByteArray, route);
        QFETCH(QByteArray, path);
        const QByteArray reason = m_guard.judge(target, "x-api-key: " + m_guard.key() + "\r\n");
        QCOMPARE(reason, route.isEmpty() ? QByteArray("route") : QByteArray(accepted));
        const RouteEntry *found = m_guard.route();
        QCOMPARE(found ? QByteArray::fromStdString(found->name) : QByteArray(), route);
        if (found)
            QCOMPARE(std::string(m_guard.exchange().path()), path.toStdString());
    }

    void order_hostBeforeOriginBeforeRouteBeforeKey_isKept()
    {
        QCOMPARE(m_guard.judge("/none", "Origin: null\r\nx-api-key: ghk_1\r\n", "evil"), "host");
        QCOMPARE(m_guard.judge("/none", "Origin: null\r\nx-api-key: ghk_1\r\n"), "origin");
        QCOMPARE(m_guard.judge("/none", "x-api-key: ghk_1\r\n"), "route");
        QVERIFY(!m_guard.route());
        QCOMPARE(m_guard.judge("/r/x", "x-api-key: ghk_1\r\n"), "client-key:unknown");
        QVERIFY2(m_guard.route(), "the refusal needs its dialect");
    }
};

QTEST_GUILESS_MAIN(TestGuard)
#include "tst_guard.moc"
