// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policytest.h"
#include "tests/policies/translated.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

const QByteArray yaml = "username: Aladdin\npassword: env:PASSWORD\n";

QByteArray basic(const QByteArray &pair)
{
    return "Authorization: Basic " + pair.toBase64() + "\r\n";
}

} // namespace

class TestBasicAuth : public QObject
{
    Q_OBJECT

    std::unique_ptr<PolicyTest> m_policy;

private Q_SLOTS:
    void init()
    {
        m_policy = std::make_unique<PolicyTest>("basic-auth");
        m_policy->context.secrets["env:PASSWORD"] = "open sesame";
        QVERIFY2(m_policy->make(yaml), m_policy->context.said().constData());
    }

    void credentials_rfc7617Example_passAndGoNoFurther()
    {
        // RFC 7617 §2
        const auto request = m_policy->start(
            "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\nX-Other: 1\r\n");
        QCOMPARE(request->result(), QByteArray("pass"));
        QCOMPARE(request->fields(), QByteArray("X-Other: 1\n"));
    }

    void scheme_anyCase_passes()
    {
        for (const char *scheme : {"basic", "BASIC", "bAsIc", "Basic "})
            QCOMPARE(m_policy->outcomeOf("Authorization: " + QByteArray(scheme)
                                         + " QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"),
                     QByteArray("pass"));
    }

    void credentials_others_areRefused_data()
    {
        QTest::addColumn<QByteArray>("fields");
        QTest::addColumn<QByteArray>("outcome");
        const auto row = [](const char *name, const QByteArray &fields, const char *outcome) {
            QTest::newRow(name) << fields << QByteArray(outcome);
        };
        const char *missing = "401 basic-auth:missing";
        const char *malformed = "401 basic-auth:malformed";
        const char *wrong = "401 basic-auth:wrong";
        const QByteArray good = basic("Aladdin:open sesame");
        row("none", {}, missing);
        row("empty", "Authorization:\r\n", missing);
        row("scheme alone", "Authorization: Basic\r\n", missing);
        row("no scheme", "Authorization: QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n", missing);
        row("another scheme", "Authorization: Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n", missing);
        row("tab for a space", "Authorization: Basic\tQWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n", missing);
        row("in the proxy's header",
            "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n",
            missing);
        row("two headers", good + good, "400 basic-auth:authorization");
        row("good and other", good + "authorization: Bearer x\r\n", "400 basic-auth:authorization");
        row("not base64", "Authorization: Basic Aladdin:open\r\n", malformed);
        row("no padding", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ\r\n", malformed);
        row("unused bits", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZR==\r\n", malformed);
        row("two of them", "Authorization: Basic QWxh, Basic QWxh\r\n", malformed);
        row("no colon", basic("Aladdin"), malformed);
        row("too long", "Authorization: Basic " + QByteArray(8196, 'A') + "\r\n", malformed);
        row("wrong password", basic("Aladdin:open sesamE"), wrong);
        row("wrong username", basic("aladdin:open sesame"), wrong);
        row("both wrong", basic("x:y"), wrong);
        row("password cut", basic("Aladdin:open"), wrong);
        row("password longer", basic("Aladdin:open sesame "), wrong);
        row("no password", basic("Aladdin:"), wrong);
        row("no username", basic(":open sesame"), wrong);
        row("swapped", basic("open sesame:Aladdin"), wrong);
        row("NUL behind", basic(QByteArray("Aladdin:open sesame\0", 20)), wrong);
        row("NUL in the username", basic(QByteArray("Aladdin\0:open sesame", 20)), wrong);
        row("another encoding",
            basic("Al\xe4"
                  "ddin:open sesame"),
            wrong);
    }
    void credentials_others_areRefused()
    {
        QFETCH(QByteArray, fields);
        QFETCH(QByteArray, outcome);
        const auto request = m_policy->start(fields);
        QVERIFY(request);
        QCOMPARE(request->result(), outcome);
        QVERIFY(!request->reply.retryable);
        QVERIFY(request->reply.message.find("sesame") == std::string::npos);
        QCOMPARE(request->replyFields(),
                 QByteArray(request->reply.status == 401
                                ? "www-authenticate: Basic realm=\"gatehouse\", charset=\"UTF-8\"\n"
                                : ""));
    }

    void password_withColonsAndUsernameInUtf8_passes()
    {
        m_policy->context.secrets["env:PASSWORD"] = "a:b::c";
        QVERIFY(m_policy->make("username: \xc3\x84nne\npassword: env:PASSWORD\n"));
        QCOMPARE(m_policy->outcomeOf(basic("\xc3\x84nne:a:b::c")), QByteArray("pass"));
        QCOMPARE(m_policy->outcomeOf(basic("\xc4nne:a:b::c")), QByteArray("401 basic-auth:wrong"));
    }

    void virtualKey_inAnotherCarrier_isNoConflict()
    {
        const auto request = m_policy->start(basic("Aladdin:open sesame") + "x-api-key: ghk_x\r\n");
        QCOMPARE(request->result(), QByteArray("pass"));
        QCOMPARE(request->exchange.carriedKey().text, std::string_view("ghk_x"));
    }

    void forward_set_leavesTheHeader()
    {
        QVERIFY(m_policy->make(yaml + "forward: true\n"));
        const auto request = m_policy->start(basic("Aladdin:open sesame"));
        QVERIFY(request->fields().startsWith("Authorization: Basic "));
    }

    void password_thatCannotBeRead_isUndecided()
    {
        m_policy->context.secrets.clear();
        QVERIFY(m_policy->make(yaml));
        QCOMPARE(m_policy->outcomeOf(basic("Aladdin:open sesame")),
                 QByteArray("503 basic-auth:unavailable"));
        QVERIFY(m_policy->make(yaml, false, true));
        QCOMPARE(m_policy->outcomeOf({}), QByteArray("pass"));
        // What is let pass undecided is no more the provider's than what is let pass.
        const auto allowed = m_policy->start(basic("Aladdin:open sesame") + "X-Other: 1\r\n");
        QCOMPARE(allowed->result(), QByteArray("pass"));
        QCOMPARE(allowed->fields(), QByteArray("X-Other: 1\n"));
        QVERIFY(m_policy->make(yaml + "forward: true\n", false, true));
        QVERIFY(m_policy->start(basic("Aladdin:open sesame"))->fields().contains("Authorization"));
        QVERIFY(m_policy->make(yaml, true, true));
        QVERIFY(m_policy->start(basic("Aladdin:open sesame"))->fields().contains("Authorization"));
    }

    void observed_changesNothing()
    {
        QVERIFY(m_policy->make(yaml, true));
        QCOMPARE(m_policy->outcomeOf({}), QByteArray("pass"));
        const auto request = m_policy->start(basic("Aladdin:open sesame"));
        QVERIFY(request->fields().startsWith("Authorization: Basic "));
    }

    void config_mistakes_areRefused_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::newRow("no password") << QByteArray("username: a\n");
        QTest::newRow("password none") << QByteArray("username: a\npassword: none\n");
        QTest::newRow("password itself") << QByteArray("username: a\npassword: hunter2\n");
        QTest::newRow("no username") << QByteArray("password: env:PASSWORD\n");
        QTest::newRow("colon") << QByteArray("username: a:b\npassword: env:PASSWORD\n");
    }
    void config_mistakes_areRefused()
    {
        QFETCH(QByteArray, config);
        QVERIFY(!m_policy->make(config));
        QVERIFY(m_policy->context.said().startsWith("config:"));
        QVERIFY(!m_policy->context.said().contains("hunter2"));
    }

    void flex_documentedExample_meansTheSame()
    {
        QByteArray said;
        const QByteArray node
            = translated("basic-auth", "username: chris\npassword: admin\n", said);
        QVERIFY(says(node, "username: chris"));
        QVERIFY(says(node, "password: file:"));
        QVERIFY(says(node, "forward: true"));
        QVERIFY(!says(node, "admin") && !said.contains("admin"));
    }

    void flex_missing_isNotLoaded()
    {
        QByteArray said;
        QCOMPARE(translated("basic-auth", "username: chris\n", said), QByteArray());
        QVERIFY2(said.contains("password: is missing"), said.constData());
        QCOMPARE(translated("basic-auth", "password: admin\n", said), QByteArray());
        QCOMPARE(translated("basic-auth", "username: 'a:b'\npassword: admin\n", said),
                 QByteArray());
    }
};

QTEST_APPLESS_MAIN(TestBasicAuth)
#include "tst_basicauth.moc"
