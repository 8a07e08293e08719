// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/contentcoding.h"
#include "tests/http/coders.h"

#include <QTest>

#include <brotli/encode.h>
#include <sys/resource.h>

#include <cstdint>
#include <string>

#include <zlib.h>
#include <zstd.h>

using namespace gatehouse;
using namespace gatehouse::http;

namespace {

constexpr std::size_t enough = std::size_t{1} << 20;

/// Compressible, and different everywhere.
std::string sampleText(std::size_t size)
{
    std::string text;
    for (int i = 0; text.size() < size; ++i)
        text += "{\"model\":\"m" + std::to_string(i) + "\"}\n";
    text.resize(size);
    return text;
}

ErrorCode codeOf(const Result<std::string> &result)
{
    if (result)
        qFatal("decoded, to %zu bytes", result->size());
    return result.error().code;
}

/// Largest memory in use so far, in bytes.
long peakMemory()
{
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss * 1024;
}

} // namespace

class TestContentCoding : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void decode_bombs_stopAtTheLimit_data();
    void decode_bombs_stopAtTheLimit();
    void decode_names_areKnownOrRefused_data();
    void decode_names_areKnownOrRefused();
    void decode_bytesWrittenByHand_areRead_data();
    void decode_bytesWrittenByHand_areRead();
    void decode_bodiesOfEachCoding_areAsTheyWere();
    void decode_chains_goBackwards();
    void decode_limit_holdsToTheByte();
    void decode_chain_holdsEachStepToTheLimit();
    void decode_cutOffAnywhere_isRefused();
    void decode_followedByAnything_isRefused();
    void decode_everyByteChanged_isTheSameOrRefused();
    void decode_whatReadersTakeDifferently_isRefused_data();
    void decode_whatReadersTakeDifferently_isRefused();
    void decode_zstdWindow_isAtMostThatOfRfc9659();
    void decode_errors_sayWhatAndHoldNoBody();
};

// First, since memory in use never shrinks again in the eyes of getrusage.
void TestContentCoding::decode_bombs_stopAtTheLimit_data()
{
    QTest::addColumn<int>("coder");
    for (int i = 0; i < 4; ++i)
        QTest::newRow(coders[i].name) << i;
}

void TestContentCoding::decode_bombs_stopAtTheLimit()
{
    QFETCH(int, coder);
    const Coder &inner = coders[coder];
    const Coder &outer = coders[coder == 0 ? 1 : 0];
    const std::string bomb = inner.encode(std::string(enough, '\0'), 256);
    const std::string twice = outer.encode(bomb, 1);
    QVERIFY(bomb.size() < enough && twice.size() < enough);
    const std::string names = std::string(inner.name) + "," + outer.name;
    const long before = peakMemory();
    QCOMPARE(codeOf(decodeContent(inner.name, bomb, enough)), ErrorCode::BodyNotInspectable);
    QCOMPARE(codeOf(decodeContent(names, twice, enough)), ErrorCode::BodyNotInspectable);
    QVERIFY(peakMemory() - before < 32 << 20); // of 256 MiB
}

void TestContentCoding::decode_names_areKnownOrRefused_data()
{
    QTest::addColumn<QByteArray>("names");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<bool>("isRead");
    const auto row = [](const char *name, const char *names, const std::string &body, bool isRead) {
        QTest::newRow(name) << QByteArray(names) << QByteArray::fromStdString(body) << isRead;
    };
    row("none", "", "text", true);
    row("identity", "identity", "text", true);
    row("identity in any case", "IdEntity", "text", true);
    row("gzip", "gzip", gzipped("text"), true);
    row("gzip in any case", "GZip", gzipped("text"), true);
    row("x-gzip", "x-gzip", gzipped("text"), true);
    row("deflate", "Deflate", deflated("text"), true);
    row("br", "BR", brotlied("text"), true);
    row("zstd", "ZSTD", zstded("text"), true);
    row("blanks", " \tgzip\t ", gzipped("text"), true);
    row("identity and another", "identity, gzip", gzipped("text"), true);
    row("another and identity", "gzip,identity", gzipped("text"), true);
    row("two", "gzip, br", brotlied(gzipped("text")), true);
    row("three", "gzip,br , zstd", zstded(brotlied(gzipped("text"))), true);
    row("four", "gzip, br, zstd, deflate", deflated(zstded(brotlied(gzipped("text")))), false);
    row("four with identity", "gzip, br, zstd, identity", zstded(brotlied(gzipped("text"))), false);
    row("twice", "gzip, gzip", gzipped(gzipped("text")), false);
    row("twice by another name", "gzip, x-gzip", gzipped(gzipped("text")), false);
    row("identity twice", "identity, identity", "text", false);
    row("compress", "compress", "text", false);
    row("chunked", "chunked", "text", false);
    row("unknown", "gzipx", gzipped("text"), false);
    row("part of a name", "gzi", gzipped("text"), false);
    row("star", "*", "text", false);
    row("parameter", "gzip;q=1", gzipped("text"), false);
    row("quoted", "\"gzip\"", gzipped("text"), false);
    row("no comma", "gzip br", brotlied(gzipped("text")), false);
    row("empty first", ",gzip", gzipped("text"), false);
    row("empty last", "gzip,", gzipped("text"), false);
    row("blank", " ", "text", false);
    row("the wrong order", "br, gzip", brotlied(gzipped("text")), false);
    row("coded in fact", "identity", gzipped("text"), true);
    row("not coded in fact", "gzip", "text", false);
    row("empty body", "gzip", "", false);
    row("empty body of br", "br", "", false);
    row("empty body of zstd", "zstd", "", false);
}

void TestContentCoding::decode_names_areKnownOrRefused()
{
    QFETCH(QByteArray, names);
    QFETCH(QByteArray, body);
    QFETCH(bool, isRead);
    const auto decoded = decodeContent(names.toStdString(), body.toStdString(), enough);
    QCOMPARE(decoded.has_value(), isRead);
    if (!isRead)
        QCOMPARE(decoded.error().code, ErrorCode::BodyEncoding);
    else if (names != "identity" || body == "text")
        QCOMPARE(*decoded, std::string("text"));
    else
        QCOMPARE(*decoded, body.toStdString());
}

void TestContentCoding::decode_bytesWrittenByHand_areRead_data()
{
    QTest::addColumn<QByteArray>("coding");
    QTest::addColumn<QByteArray>("hex");
    QTest::addColumn<QByteArray>("expected");
    const auto row
        = [](const char *name, const char *coding, const char *hex, const char *expected) {
              QTest::newRow(name) << QByteArray(coding) << QByteArray(hex) << QByteArray(expected);
          };
    row("empty gzip", "gzip", "1f8b080000000000000303000000000000000000", "");
    row("stored gzip", "gzip", "1f8b080000000000000301010 0feff61 43beb7e8 01000000", "a");
    row("gzip with a file name",
        "gzip",
        "1f8b08080000000000037800 010100feff61 43beb7e8 01000000",
        "a");
    row("gzip with a checksum of its head",
        "gzip",
        "1f8b0802000000000003a777 03000000000000000000",
        "");
    row("empty deflate", "deflate", "789c030000000001", "");
    row("stored deflate", "deflate", "7801 010100feff61 00620062", "a");
    row("empty br", "br", "3b", "");
    row("empty zstd", "zstd", "28b52ffd2000010000", "");
    row("raw zstd", "zstd", "28b52ffd200109000061", "a");
    row("zstd of one repeated byte", "zstd", "28b52ffd20031b000061", "aaa");
}

void TestContentCoding::decode_bytesWrittenByHand_areRead()
{
    QFETCH(QByteArray, coding);
    QFETCH(QByteArray, hex);
    QFETCH(QByteArray, expected);
    const auto decoded
        = decodeContent(coding.toStdString(), QByteArray::fromHex(hex).toStdString(), enough);
    QVERIFY2(decoded.has_value(), decoded ? "" : decoded.error().context.c_str());
    QCOMPARE(*decoded, expected.toStdString());
}

void TestContentCoding::decode_bodiesOfEachCoding_areAsTheyWere()
{
    constexpr std::size_t piece = 32 * 1024; // what is decoded at a time
    for (const Coder &coder : coders)
        for (const std::size_t size :
             {std::size_t{0}, std::size_t{1}, piece - 1, piece, piece + 1, 4 * piece, enough}) {
            const std::string text = sampleText(size);
            const auto decoded = decodeContent(coder.name, coder.encode(text, 1), enough);
            QVERIFY2(decoded && *decoded == text, coder.name);
        }
}

void TestContentCoding::decode_chains_goBackwards()
{
    const std::string text = sampleText(100'000);
    for (const Coder &first : coders)
        for (const Coder &second : coders) {
            if (&first == &second)
                continue;
            const std::string names = std::string(first.name) + "," + second.name;
            const auto decoded
                = decodeContent(names, second.encode(first.encode(text, 1), 1), enough);
            QVERIFY2(decoded && *decoded == text, names.c_str());
        }
}

void TestContentCoding::decode_limit_holdsToTheByte()
{
    for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, std::size_t{100'000}}) {
        const std::string text = sampleText(size);
        QVERIFY(decodeContent("", text, size));
        QCOMPARE(codeOf(decodeContent("", text, size - 1)), ErrorCode::BodyNotInspectable);
        QCOMPARE(codeOf(decodeContent("identity", text, size - 1)), ErrorCode::BodyNotInspectable);
        for (const Coder &coder : coders) {
            const std::string coded = coder.encode(text, 1);
            QVERIFY2(decodeContent(coder.name, coded, size), coder.name);
            QCOMPARE(codeOf(decodeContent(coder.name, coded, size - 1)),
                     ErrorCode::BodyNotInspectable);
        }
    }
    for (const Coder &coder : coders)
        QVERIFY(decodeContent(coder.name, coder.encode({}, 1), 0));
}

void TestContentCoding::decode_chain_holdsEachStepToTheLimit()
{
    const std::string small = gzipped("a");
    const std::string coded = brotlied(small);
    QVERIFY(decodeContent("gzip, br", coded, small.size()));
    QCOMPARE(codeOf(decodeContent("gzip, br", coded, small.size() - 1)),
             ErrorCode::BodyNotInspectable);
}

void TestContentCoding::decode_cutOffAnywhere_isRefused()
{
    for (const Coder &coder : coders) {
        const std::string coded = coder.encode(sampleText(2000), 1);
        for (std::size_t size = 0; size < coded.size(); ++size)
            QCOMPARE(codeOf(decodeContent(coder.name, coded.substr(0, size), enough)),
                     ErrorCode::BodyEncoding);
    }
}

void TestContentCoding::decode_followedByAnything_isRefused()
{
    for (const Coder &coder : coders) {
        const std::string coded = coder.encode("text", 1);
        for (int byte = 0; byte < 256; ++byte)
            QCOMPARE(codeOf(decodeContent(coder.name, coded + static_cast<char>(byte), enough)),
                     ErrorCode::BodyEncoding);
        QCOMPARE(codeOf(decodeContent(coder.name, coded + std::string(512, '\0'), enough)),
                 ErrorCode::BodyEncoding);
        QCOMPARE(codeOf(decodeContent(coder.name, coded + coded, enough)), ErrorCode::BodyEncoding);
        QCOMPARE(codeOf(decodeContent(coder.name, coded + coder.encode({}, 1), enough)),
                 ErrorCode::BodyEncoding);
        QCOMPARE(codeOf(decodeContent(coder.name, coder.encode({}, 1) + coded, enough)),
                 ErrorCode::BodyEncoding);
    }
}

void TestContentCoding::decode_everyByteChanged_isTheSameOrRefused()
{
    const std::string text = sampleText(300);
    for (const Coder &coder : coders) {
        const std::string coded = coder.encode(text, 1);
        for (std::size_t at = 0; at < coded.size(); ++at)
            for (int byte = 0; byte < 256; ++byte) {
                std::string changed = coded;
                changed[at] = static_cast<char>(byte);
                const auto decoded = decodeContent(coder.name, changed, enough);
                // Brotli has no checksum to find another text by.
                QVERIFY2(!decoded || *decoded == text || !coder.hasChecksum, coder.name);
            }
    }
}

void TestContentCoding::decode_whatReadersTakeDifferently_isRefused_data()
{
    QTest::addColumn<QByteArray>("coding");
    QTest::addColumn<QByteArray>("body");
    const auto row = [](const char *name, const char *coding, const std::string &body) {
        QTest::newRow(name) << QByteArray(coding) << QByteArray::fromStdString(body);
    };
    const auto hex = [](const char *digits) { return QByteArray::fromHex(digits).toStdString(); };
    const std::string frame = zstded("text");
    row("deflate without its wrapper", "deflate", zlibEncoded("text", 1, -MAX_WBITS));
    row("gzip as deflate", "deflate", gzipped("text"));
    row("deflate as gzip", "gzip", deflated("text"));
    row("deflate with a dictionary", "deflate", zlibEncoded("text", 1, MAX_WBITS, true));
    row("gzip with reserved flags", "gzip", hex("1f8b088000000000000303000000000000000000"));
    row("gzip of another method", "gzip", hex("1f8b070000000000000303000000000000000000"));
    row("gzip with a wrong length", "gzip", hex("1f8b080000000000000303000000000001000000"));
    row("gzip with a wrong checksum", "gzip", hex("1f8b080000000000000303000100000000000000"));
    row("gzip with a wrong checksum of its head",
        "gzip",
        hex("1f8b08020000000000030000 03000000000000000000"));
    row("deflate with a wrong checksum", "deflate", hex("789c030000000002"));
    row("two gzip members, the second of nothing", "gzip", gzipped("text") + gzipped(""));
    row("skippable zstd frame first", "zstd", hex("502a4d1801000000aa") + frame);
    row("skippable zstd frame last", "zstd", frame + hex("502a4d1801000000aa"));
    row("skippable zstd frame alone", "zstd", hex("502a4d1801000000aa"));
    row("zstd with a dictionary", "zstd", hex("28b52ffd21070109000061"));
    row("zstd with a reserved bit", "zstd", hex("28b52ffd280109000061"));
    row("zstd with a reserved block", "zstd", hex("28b52ffd20010f000061"));
    row("zstd of another size than it says", "zstd", hex("28b52ffd200209000061"));
    row("br with a window over 16 MiB", "br", hex("111a0600027465787403"));
    row("older zstd format", "zstd", hex("27b52ffd2000010000"));
}

void TestContentCoding::decode_whatReadersTakeDifferently_isRefused()
{
    QFETCH(QByteArray, coding);
    QFETCH(QByteArray, body);
    QCOMPARE(codeOf(decodeContent(coding.toStdString(), body.toStdString(), enough)),
             ErrorCode::BodyEncoding);
}

void TestContentCoding::decode_zstdWindow_isAtMostThatOfRfc9659()
{
    const std::string text = sampleText(1000);
    QVERIFY(decodeContent("zstd", zstdEncoded(text, 1, 23), enough));
    QCOMPARE(codeOf(decodeContent("zstd", zstdEncoded(text, 1, 24), enough)),
             ErrorCode::BodyEncoding);
}

void TestContentCoding::decode_errors_sayWhatAndHoldNoBody()
{
    const std::string secret = "sk-canary-0123456789";
    QCOMPARE(decodeContent("gzip", secret, enough).error().context,
             std::string("the gzip data is malformed, or needs a dictionary or a larger window"));
    QCOMPARE(decodeContent("gzip", gzipped(secret) + secret, enough).error().context,
             std::string("the gzip data is followed by more"));
    QCOMPARE(decodeContent("br", brotlied(secret).substr(0, 5), enough).error().context,
             std::string("the br data is cut off"));
    QCOMPARE(decodeContent("gzip, lzma", secret, enough).error().context,
             std::string("content-encoding \"lzma\" is not known; use gzip, deflate, br or zstd"));
    QCOMPARE(decodeContent("br, br", secret, enough).error().context,
             std::string("content-encoding names br twice"));
    QCOMPARE(decodeContent("", secret, 3).error().context,
             std::string("more than 3 bytes when decoded"));
}

QTEST_APPLESS_MAIN(TestContentCoding)
#include "tst_contentcoding.moc"
