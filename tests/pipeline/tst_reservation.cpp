// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/reservation.h"

#include <QTest>

using namespace gatehouse;

class TestReservation : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    static void textBytes_leaveOutPictures()
    {
        const std::string text = R"({"messages":[{"content":"some words here"}]})";
        QCOMPARE(textBytesOf(text), std::uint64_t(text.size()));
        const std::string words = "{\"content\":\"" + std::string(9000, ' ') + "\"}";
        QCOMPARE(textBytesOf(words), std::uint64_t(words.size()));
        const std::string picture
            = "{\"url\":\"data:image/png;base64," + std::string(100'000, 'A') + "\"}";
        QCOMPARE(textBytesOf(picture), std::uint64_t(6000 + 10));
        QCOMPARE(textBytesOf("{\"a\":\"\\\"" + std::string(10, 'x')), std::uint64_t(18)); // no end
        QCOMPARE(textBytesOf("\"\\"), std::uint64_t(2));
        QCOMPARE(textBytesOf(""), std::uint64_t(0));
    }
};

QTEST_APPLESS_MAIN(TestReservation)
#include "tst_reservation.moc"
