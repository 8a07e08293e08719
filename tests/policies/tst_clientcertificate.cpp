// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/policies/policyrun.h"
#include "tests/policies/translated.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

const QByteArray fingerprint = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";

QByteArray separated(char separator)
{
    QByteArray text = fingerprint;
    for (qsizetype i = text.size() - 2; i > 0; i -= 2)
        text.insert(i, separator);
    return text;
}

std::shared_ptr<const PeerCertificate> certificate(const QByteArray &subject,
                                                   const QByteArray &commonName)
{
    return std::make_shared<PeerCertificate>(
        PeerCertificate{.subject = subject.toStdString(),
                        .commonName = commonName.toStdString(),
                        .fingerprint = fingerprint.toStdString()});
}

} // namespace

class TestClientCertificate : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void connection_withoutCertificate_isRefused()
    {
        for (const char *config : {"", "subjects: [ci]", "fingerprints: []"}) {
            PolicyRun run("client-certificate", config);
            QVERIFY2(run.isMade, run.problems.constData());
            QCOMPARE(run.outcomeOf("X-Client-Cert: CN=ci\r\nX-SSL-Client-S-DN: CN=ci\r\n"),
                     QByteArray("403 client-certificate:missing"));
        }
    }

    void connection_withAnyCertificate_passesWhereNoneIsListed()
    {
        PolicyRun run("client-certificate", "");
        run.peer.certificate = certificate("CN=whoever", "whoever");
        QCOMPARE(run.outcomeOf(), QByteArray("pass"));
    }

    void subject_ofACertificate_isCompared_data()
    {
        QTest::addColumn<QByteArray>("listed");
        QTest::addColumn<QByteArray>("subject");
        QTest::addColumn<bool>("matches");
        const auto row = [](const char *listed, const char *subject, bool matches) {
            QTest::addRow("%s | %s", listed, subject)
                << QByteArray(listed) << QByteArray(subject) << matches;
        };
        row("CN=ci,O=Example", "CN=ci,O=Example", true);
        row("cn=ci, o=Example", "CN=ci,O=Example", true);
        row("  CN = ci ,  O = Example  ", "CN=ci,O=Example", true);
        row("CN=ci,O=Example", "CN=ci,O=example", false);
        row("CN=ci,O=Example", "O=Example,CN=ci", false);
        row("CN=ci,O=Example", "CN=ci", false);
        row("CN=ci", "CN=ci,O=Example", false);
        row("CN=ci,O=Example", "CN=ci,O=Example,C=DE", false);
        row("CN=ci", "CN=ci2", false);
        row("CN=c", "CN=ci", false);
        row("CN=ci+UID=7", "UID=7+CN=ci", true);
        row("CN=ci+UID=7", "CN=ci,UID=7", false);
        row("CN=a\\,O\\=b", "CN=a\\,O\\=b", true);
        row("CN=a\\,O\\=b", "CN=a,O=b", false);
        row("CN=a,O=b", "CN=a\\,O\\=b", false);
        row("CN=a\\2CO\\3Db", "CN=a\\,O\\=b", true);
        row("CN=M\xc3\xbcller", "CN=M\\C3\\BCller", true);
        row("CN=M\xc3\xbcller", "CN=Muller", false);
        row("CN=two  words", "CN=two  words", true);
        row("CN=two  words", "CN=two words", false);
        row("CN=x\\ ", "CN=x\\ ", true);
        row("CN=x\\ ", "CN=x", false);
        row("1.2.3=#0403616263", "1.2.3=#0403616263", true);
        row("1.2.3=#0403616263", "1.2.3=\\#0403616263", false);
        row("CN=a", "CN=a\\00b", false);
        row("CN=a", "not a name", false);
        row("CN=a", "", false);
    }
    void subject_ofACertificate_isCompared()
    {
        QFETCH(QByteArray, listed);
        QFETCH(QByteArray, subject);
        QFETCH(bool, matches);
        QByteArray quoted = listed;
        const QByteArray config
            = "subjects: [other, 'CN=other', '" + quoted.replace('\'', "''") + "']";
        PolicyRun run("client-certificate", config);
        QVERIFY2(run.isMade, run.problems.constData());
        run.peer.certificate = certificate(subject, "common");
        QCOMPARE(run.outcomeOf(),
                 matches ? QByteArray("pass") : QByteArray("403 client-certificate:unknown"));
    }

    void commonName_alone_isComparedWhole_data()
    {
        QTest::addColumn<QByteArray>("commonName");
        QTest::addColumn<bool>("matches");
        QTest::newRow("the same") << QByteArray("laptop 7") << true;
        QTest::newRow("another case") << QByteArray("Laptop 7") << false;
        QTest::newRow("longer") << QByteArray("laptop 77") << false;
        QTest::newRow("shorter") << QByteArray("laptop") << false;
        QTest::newRow("none") << QByteArray() << false;
    }
    void commonName_alone_isComparedWhole()
    {
        QFETCH(QByteArray, commonName);
        QFETCH(bool, matches);
        PolicyRun run("client-certificate", "subjects: ['laptop 7']");
        // The subject holds the name elsewhere: that is no common name.
        run.peer.certificate = certificate("CN=" + commonName + ",O=laptop 7", commonName);
        QCOMPARE(run.outcomeOf(),
                 matches ? QByteArray("pass") : QByteArray("403 client-certificate:unknown"));
    }

    void fingerprint_inEachUsualSpelling_isTheSame_data()
    {
        QTest::addColumn<QByteArray>("listed");
        QTest::newRow("plain") << fingerprint;
        QTest::newRow("capitals") << fingerprint.toUpper();
        QTest::newRow("colons") << separated(':').toUpper();
        QTest::newRow("dashes") << separated('-');
        QTest::newRow("blanks") << separated(' ');
        QTest::newRow("as OpenSSL prints it") << "sha256 Fingerprint=" + separated(':').toUpper();
        QTest::newRow("with its algorithm") << "SHA256:" + fingerprint;
        QTest::newRow("with its algorithm, too") << "sha-256:" + separated(':');
    }
    void fingerprint_inEachUsualSpelling_isTheSame()
    {
        QFETCH(QByteArray, listed);
        const QByteArray config = "fingerprints: ['" + listed + "']";
        PolicyRun run("client-certificate", config);
        QVERIFY2(run.isMade, run.problems.constData());
        run.peer.certificate = certificate("CN=x", "x");
        QCOMPARE(run.outcomeOf(), QByteArray("pass"));
        auto other = std::make_shared<PeerCertificate>(*run.peer.certificate);
        other->fingerprint.back() = 'e';
        run.peer.certificate = other;
        QCOMPARE(run.outcomeOf(), QByteArray("403 client-certificate:unknown"));
        QVERIFY(QByteArray::fromStdString(run.reply.message).contains("\"CN=x\""));
    }

    void certificate_withEitherSubjectOrFingerprint_passes()
    {
        const QByteArray config = "{subjects: [ci], fingerprints: ['" + fingerprint + "']}";
        PolicyRun run("client-certificate", config);
        auto shown = *certificate("CN=else", "else");
        run.peer.certificate = std::make_shared<PeerCertificate>(shown);
        QCOMPARE(run.outcomeOf(), QByteArray("pass"));
        shown.fingerprint = std::string(64, 'a');
        run.peer.certificate = std::make_shared<PeerCertificate>(shown);
        QCOMPARE(run.outcomeOf(), QByteArray("403 client-certificate:unknown"));
        shown.commonName = "ci";
        run.peer.certificate = std::make_shared<PeerCertificate>(shown);
        QCOMPARE(run.outcomeOf(), QByteArray("pass"));
    }

    void config_malformed_isRefused_data()
    {
        QTest::addColumn<QByteArray>("yaml");
        const auto row
            = [](const char *name, const QByteArray &yaml) { QTest::newRow(name) << yaml; };
        row("too short", "fingerprints: ['" + fingerprint.chopped(1) + "']");
        row("too long", "fingerprints: ['" + fingerprint + "0']");
        row("SHA-1", "fingerprints: ['" + fingerprint.left(40) + "']");
        row("no digit", "fingerprints: ['" + fingerprint.chopped(1) + "g']");
        row("mixed separators", "fingerprints: ['" + separated(':').replace(5, 1, "-") + "']");
        row("separator at the end", "fingerprints: ['" + separated(':') + ":']");
        row("separator at the front", "fingerprints: ['" + separated(':').prepend(':') + "']");
        row("label alone", "fingerprints: ['sha256:']");
        row("no fingerprint", "fingerprints: ['']");
        row("no subject", "subjects: ['']");
        row("OpenSSL's old form", "subjects: ['/O=Example/CN=ci']");
        row("no type", "subjects: ['=ci']");
        row("no value", "subjects: ['CN=,O=x']");
        row("no second type", "subjects: ['CN=ci,Example']");
        row("comma at the end", "subjects: ['CN=ci,']");
        row("quotes", "subjects: ['CN=\"ci\"']");
        row("unknown escape", "subjects: ['CN=c\\i']");
        row("escape at the end", "subjects: ['CN=ci\\']");
        row("NUL", "subjects: ['CN=ci\\00']");
        row("unknown key", "subject: [ci]");
    }
    void config_malformed_isRefused()
    {
        QFETCH(QByteArray, yaml);
        const PolicyRun run("client-certificate", yaml);
        QVERIFY(!run.isMade);
        QVERIFY(!run.problems.isEmpty());
    }

    void flex_tls_isRefusedWithWhatToDo()
    {
        QByteArray said;
        QCOMPARE(translated("client-certificate", "requireClientCertificate: true", said),
                 QByteArray());
        QVERIFY2(said.contains("client-certificate"), said.constData());
    }
};

QTEST_GUILESS_MAIN(TestClientCertificate)
#include "tst_clientcertificate.moc"
