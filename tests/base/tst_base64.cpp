// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/base64.h"

#include <QByteArray>
#include <QTest>

using namespace gatehouse;

class TestBase64 : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void decoded_rfcVectors_areTheBytes_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("bytes");
        // RFC 4648 §10
        QTest::newRow("nothing") << QByteArray() << QByteArray();
        QTest::newRow("f") << QByteArray("Zg==") << QByteArray("f");
        QTest::newRow("fo") << QByteArray("Zm8=") << QByteArray("fo");
        QTest::newRow("foo") << QByteArray("Zm9v") << QByteArray("foo");
        QTest::newRow("foob") << QByteArray("Zm9vYg==") << QByteArray("foob");
        QTest::newRow("foobar") << QByteArray("Zm9vYmFy") << QByteArray("foobar");
        QTest::newRow("both last digits") << QByteArray("+/+/") << QByteArray("\xfb\xff\xbf");
    }
    void decoded_rfcVectors_areTheBytes()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, bytes);
        QCOMPARE(base64Decoded(text.toStdString()), bytes.toStdString());
        const QByteArray url
            = bytes.toBase64(QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals);
        QCOMPARE(base64UrlDecoded(url.toStdString()), bytes.toStdString());
    }

    void decoded_everyByteAtEveryLength_comesBack()
    {
        QByteArray bytes;
        for (int i = 0; i < 300; ++i) {
            QCOMPARE(base64Decoded(bytes.toBase64().toStdString()), bytes.toStdString());
            bytes.append(static_cast<char>(i * 7));
        }
    }

    void decoded_otherTexts_areRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("without padding") << QByteArray("Zg");
        QTest::newRow("half the padding") << QByteArray("Zg=");
        QTest::newRow("too much padding") << QByteArray("Zm9v====");
        QTest::newRow("padding alone") << QByteArray("====");
        QTest::newRow("padding within") << QByteArray("Zg==Zg==");
        QTest::newRow("unused bits of one byte") << QByteArray("Zh==");
        QTest::newRow("unused bits of two bytes") << QByteArray("Zm9=");
        QTest::newRow("line break") << QByteArray("Zm9v\nZm9v");
        QTest::newRow("space") << QByteArray("Zm9v Zm9");
        QTest::newRow("alphabet of URLs") << QByteArray("-_-_");
        QTest::newRow("NUL") << QByteArray("Zm9\0", 4);
        QTest::newRow("high byte") << QByteArray("Zm9\xc3");
    }
    void decoded_otherTexts_areRefused()
    {
        QFETCH(QByteArray, text);
        QVERIFY(!base64Decoded(text.toStdString()));
    }

    void urlDecoded_otherTexts_areRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("padding") << QByteArray("Zg==");
        QTest::newRow("one digit left over") << QByteArray("Zm9vY");
        QTest::newRow("unused bits of one byte") << QByteArray("Zh");
        QTest::newRow("unused bits of two bytes") << QByteArray("Zm9");
        QTest::newRow("standard alphabet") << QByteArray("+/+/");
        QTest::newRow("dot") << QByteArray("Zm9.");
        QTest::newRow("white space") << QByteArray("Zm9v\tZm9v");
    }
    void urlDecoded_otherTexts_areRefused()
    {
        QFETCH(QByteArray, text);
        QVERIFY(!base64UrlDecoded(text.toStdString()));
    }
};

QTEST_APPLESS_MAIN(TestBase64)
#include "tst_base64.moc"
