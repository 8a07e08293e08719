// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/reservation.h"

#include <QTest>

#include <random>

using namespace gatehouse;

namespace {

/// Byte by byte, with pictures of more than 4,000 bytes without a space counted as 6,000.
std::uint64_t plainTextBytes(std::string_view json)
{
    constexpr std::size_t longest = 4096;
    constexpr std::uint64_t picture = 6000;
    std::uint64_t total = json.size();
    for (std::size_t i = 0; i < json.size(); ++i) {
        if (json[i] != '"')
            continue;
        const std::size_t begin = ++i;
        while (i < json.size() && json[i] != '"')
            i += json[i] == '\\' ? 2 : 1;
        const std::string_view text = json.substr(begin, std::min(i, json.size()) - begin);
        if (text.size() > longest && text.substr(0, longest).find(' ') == std::string_view::npos)
            total -= text.size() - std::min<std::uint64_t>(text.size(), picture);
    }
    return total;
}

} // namespace

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

    static void textBytes_ofAnything_areThoseOfThePlainWay()
    {
        std::mt19937 random(1); // the same each time
        constexpr std::string_view likely = "\"\"\\\\ab ";
        for (int round = 0; round < 20'000; ++round) {
            std::string text;
            for (std::size_t i = random() % 20; i > 0; --i) {
                text += likely[random() % likely.size()];
                if (random() % 40 == 0)
                    text.append(4000 + random() % 5000, 'A');
            }
            QCOMPARE(textBytesOf(text), plainTextBytes(text));
        }
    }
};

QTEST_APPLESS_MAIN(TestReservation)
#include "tst_reservation.moc"
