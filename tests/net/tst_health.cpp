// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/gatewaysetup.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

/// A route whose requests go to p, and to q where p cannot answer or is not well.
class HealthSetup : public GatewaySetup
{
public:
    explicit HealthSetup(const QByteArray &health, unsigned workers = 1)
        : GatewaySetup(workers)
    {
        maker.write("p.key", "sk-of-p");
        use(health, workers);
    }
    void use(const QByteArray &health, unsigned workers = 1)
    {
        apply(gatewayDocument(workers)
              + providerDocument(baseUrl(provider) + "/one", ", credential: 'file:p.key'" + health)
              + providerDocument(baseUrl(other) + "/two", ", credential: none", "q")
              + routeDocument("/p", ", public: true, fallbacks: [q]"));
    }
    /// The path of the provider that gets the next request, which it answers.
    QByteArray asked(Listener &by, const QByteArray &answer)
    {
        TestPeer peer = client();
        peer.send(post("/p/chat", "{}"));
        for (;;) {
            TestPeer answering = by.accept();
            const Message got = answering.readMessage();
            if (got.head.startsWith("GET ")) { // a check came between
                answering.send(ok("fine", "Connection: close\r\n"));
                continue;
            }
            answering.send(answer);
            (void)peer.readMessage();
            return got.head.left(got.head.indexOf(" HTTP"));
        }
    }
    /// The next check of p, answered so.
    Message checked(const QByteArray &answer)
    {
        TestPeer check = provider.accept();
        Message got = check.readMessage();
        check.send(answer);
        return got;
    }

    Listener other;
};

QByteArray fine()
{
    return ok("fine", "Connection: close\r\n");
}

QByteArray failure(int status = 500)
{
    return "HTTP/1.1 " + QByteArray::number(status)
           + " X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
}

const QByteArray ejection = ", outlierEjection: {failures: 2, time: 1h, longest: 1h}";
const QByteArray check
    = ", healthCheck: {path: '/models?limit=1', interval: 1s, failures: 1, successes: 1}";

} // namespace

/// Providers that are left alone for how they fare; those that the test plays are the witnesses.
class TestHealth : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void failuresInARow_eject()
    {
        HealthSetup setup(ejection);
        QTest::ignoreMessage(QtWarningMsg,
                             "provider p failed 2 times in a row and is asked after others for 1h");
        for (int i = 0; i < 2; ++i)
            QCOMPARE(setup.asked(setup.provider, failure()), "POST /one/chat");
        for (int i = 0; i < 3; ++i)
            QCOMPARE(setup.asked(setup.other, fine()), "POST /two/chat");
        QVERIFY(!setup.provider.hasCaller());
    }

    void ejected_isAskedWhenTheOthersFail()
    {
        HealthSetup setup(ejection);
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(QStringLiteral("provider p failed")));
        for (int i = 0; i < 2; ++i)
            (void)setup.asked(setup.provider, failure());
        TestPeer client = setup.client();
        client.send(post("/p/chat", "{}"));
        TestPeer q = setup.other.accept();
        (void)q.readMessage();
        q.send(failure(503));
        TestPeer p = setup.provider.accept();
        QVERIFY(p.readMessage().head.contains("sk-of-p"));
        p.send(fine());
        QCOMPARE(client.readMessage().body, QByteArray("fine"));
    }

    void clientsFault_isNoFailure()
    {
        HealthSetup setup(ejection);
        for (int i = 0; i < 5; ++i)
            QCOMPARE(setup.asked(setup.provider, failure(i % 2 == 0 ? 400 : 401)),
                     "POST /one/chat");
    }

    void reload_keepsWhatIsKnown_ofTheSameAddress()
    {
        HealthSetup setup(ejection);
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(QStringLiteral("provider p failed")));
        for (int i = 0; i < 2; ++i)
            (void)setup.asked(setup.provider, failure());
        setup.use(", outlierEjection: {failures: 9}");
        QCOMPARE(setup.asked(setup.other, fine()), "POST /two/chat");
    }

    void check_isAskedOfTheProvider_withoutItsCredential_data()
    {
        QTest::addColumn<unsigned>("workers");
        QTest::newRow("one worker") << 1U;
        QTest::newRow("two workers") << 2U;
    }
    void check_isAskedOfTheProvider_withoutItsCredential()
    {
        QFETCH(const unsigned, workers);
        HealthSetup setup(check, workers);
        const Message first = setup.checked(failure(401));
        QVERIFY2(first.head.startsWith("GET /one/models?limit=1 HTTP/1.1\r\n"),
                 first.head.constData());
        QVERIFY(!first.head.contains("sk-of-p"));
        QCOMPARE(first.field("host"), baseUrl(setup.provider).mid(7));
        // By one of the workers, and no client is needed for it; 401 is an answer.
        const Message second = setup.checked(fine());
        QVERIFY(second.head.startsWith("GET /one/models"));
        QVERIFY(!setup.provider.hasCaller());
        QCOMPARE(setup.asked(setup.provider, fine()), "POST /one/chat");
    }

    void check_thatFails_sendsRequestsToOthers_untilOneIsGood()
    {
        HealthSetup setup(check);
        QTest::ignoreMessage(QtWarningMsg,
                             "provider p is unwell and is asked after others: it answered 500");
        QTest::ignoreMessage(QtWarningMsg, "provider p is well again");
        (void)setup.checked(failure());
        // Told before the next check, which comes a second later.
        QVERIFY(QTest::qWaitFor([&] { return setup.provider.hasCaller(); }));
        QCOMPARE(setup.asked(setup.other, fine()), "POST /two/chat");
        (void)setup.checked(fine());
        QVERIFY(QTest::qWaitFor([&] { return setup.provider.hasCaller(); }));
        (void)setup.checked(fine());
        QCOMPARE(setup.asked(setup.provider, fine()), "POST /one/chat");
    }

    void check_withoutConnection_isAFailure()
    {
        HealthSetup setup(check);
        QTest::ignoreMessage(
            QtWarningMsg,
            QRegularExpression(QStringLiteral("provider p is unwell .*: The provider closed")));
        setup.provider.accept().close();
        QVERIFY(QTest::qWaitFor([&] { return setup.provider.hasCaller(); }));
        QCOMPARE(setup.asked(setup.other, fine()), "POST /two/chat");
    }

    void checksThatAreTakenAway_leaveItWell()
    {
        HealthSetup setup(check);
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(QStringLiteral("p is unwell")));
        (void)setup.checked(failure());
        QVERIFY(QTest::qWaitFor([&] { return setup.provider.hasCaller(); }));
        setup.provider.accept().close();
        setup.use({});
        QCOMPARE(setup.asked(setup.provider, fine()), "POST /one/chat");
    }
};

QTEST_GUILESS_MAIN(TestHealth)
#include "tst_health.moc"
