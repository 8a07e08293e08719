// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/contentdecoder.h"
#include "tests/http/coders.h"

#include <QTest>

#include <sys/resource.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace gatehouse;
using namespace gatehouse::http;

namespace {

constexpr std::size_t longestPiece = std::size_t(32) << 10;

/// Compressible, and different everywhere.
std::string sampleText(std::size_t size)
{
    std::string text;
    for (int i = 0; text.size() < size; ++i)
        text += "data: {\"id\":" + std::to_string(i) + "}\n\n";
    text.resize(size);
    return text;
}

ContentDecoder decoderOf(std::string_view names)
{
    auto decoder = ContentDecoder::of(names);
    if (!decoder)
        qFatal("%s", decoder.error().context.c_str());
    return std::move(*decoder);
}

/// What \a coded gives cut at \a cut, and behind it in pieces of \a size: the text, then "." where it is
/// finished and "!" where it is malformed.
std::string
decoded(std::string_view names, const std::string &coded, std::size_t cut, std::size_t size)
{
    ContentDecoder decoder = decoderOf(names);
    std::string text;
    bool isMalformed = false;
    const auto take = [&](const std::string &bytes) {
        const auto result = decoder.take(bytes, [&text](std::string_view piece) {
            if (piece.size() > longestPiece)
                qFatal("a piece of %zu bytes", piece.size());
            text += piece;
            return true;
        });
        isMalformed = isMalformed || !result;
    };
    take(coded.substr(0, cut));
    take({});
    for (std::size_t at = cut; at < coded.size(); at += size)
        take(coded.substr(at, size));
    return text + (decoder.isFinished() ? "." : "") + (isMalformed ? "!" : "");
}

/// The same however it is cut, or where it was not.
std::string decodedAnyhow(std::string_view names, const std::string &coded)
{
    std::string expected = decoded(names, coded, 0, coded.size() + 1);
    for (std::size_t cut = 1; cut <= coded.size(); ++cut) {
        if (decoded(names, coded, cut, coded.size() + 1) != expected)
            return "differs when cut at " + std::to_string(cut);
    }
    for (std::size_t size = 1; size <= 3; ++size) {
        if (decoded(names, coded, 0, size) != expected)
            return "differs in pieces of " + std::to_string(size);
    }
    return expected;
}

/// Each text flushed behind its last byte, in pieces; the last one is the end.
using Texts = std::vector<std::string>;
Texts gzipFlushed(const Texts &texts)
{
    z_stream stream = {};
    if (deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        qFatal("deflateInit2");
    Texts pieces;
    for (std::size_t i = 0; i <= texts.size(); ++i) {
        std::string piece(1000, '\0');
        std::string input = i < texts.size() ? texts[i] : std::string();
        stream.next_in = reinterpret_cast<Bytef *>(input.data());
        stream.avail_in = static_cast<uInt>(input.size());
        stream.next_out = reinterpret_cast<Bytef *>(piece.data());
        stream.avail_out = static_cast<uInt>(piece.size());
        deflate(&stream, i < texts.size() ? Z_SYNC_FLUSH : Z_FINISH);
        piece.resize(piece.size() - stream.avail_out);
        pieces.push_back(piece);
    }
    deflateEnd(&stream);
    return pieces;
}

Texts brFlushed(const Texts &texts)
{
    BrotliEncoderState *state = BrotliEncoderCreateInstance(nullptr, nullptr, nullptr);
    Texts pieces;
    for (std::size_t i = 0; i <= texts.size(); ++i) {
        std::string piece(1000, '\0');
        const std::string text = i < texts.size() ? texts[i] : std::string();
        const auto *input = reinterpret_cast<const std::uint8_t *>(text.data());
        std::size_t size = text.size();
        auto *target = reinterpret_cast<std::uint8_t *>(piece.data());
        std::size_t room = piece.size();
        BrotliEncoderCompressStream(state,
                                    i < texts.size() ? BROTLI_OPERATION_FLUSH
                                                     : BROTLI_OPERATION_FINISH,
                                    &size,
                                    &input,
                                    &room,
                                    &target,
                                    nullptr);
        piece.resize(piece.size() - room);
        pieces.push_back(piece);
    }
    BrotliEncoderDestroyInstance(state);
    return pieces;
}

Texts zstdFlushed(const Texts &texts)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    Texts pieces;
    for (std::size_t i = 0; i <= texts.size(); ++i) {
        std::string piece(1000, '\0');
        const std::string text = i < texts.size() ? texts[i] : std::string();
        ZSTD_inBuffer in{text.data(), text.size(), 0};
        ZSTD_outBuffer out{piece.data(), piece.size(), 0};
        ZSTD_compressStream2(context, &out, &in, i < texts.size() ? ZSTD_e_flush : ZSTD_e_end);
        piece.resize(out.pos);
        pieces.push_back(piece);
    }
    ZSTD_freeCCtx(context);
    return pieces;
}

/// Largest memory in use so far, in bytes.
long peakMemory()
{
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss * 1024;
}

} // namespace

class TestContentDecoder : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void take_bombs_stopWhereTheSinkSays_data();
    void take_bombs_stopWhereTheSinkSays();
    void take_long_isAsItWas();
    void take_codings_areReadHoweverTheyAreCut_data();
    void take_codings_areReadHoweverTheyAreCut();
    void take_chains_goBackwards();
    void take_events_comeAsTheyWereFlushed_data();
    void take_events_comeAsTheyWereFlushed();
    void take_afterAnError_givesNothing();
    void of_whatIsNotKnown_isRefused();
};

// First, since memory in use never shrinks again in the eyes of getrusage.
void TestContentDecoder::take_bombs_stopWhereTheSinkSays_data()
{
    QTest::addColumn<int>("coder");
    for (int i = 0; i < 4; ++i)
        QTest::newRow(coders[i].name) << i;
}

void TestContentDecoder::take_bombs_stopWhereTheSinkSays()
{
    QFETCH(int, coder);
    constexpr std::size_t most = std::size_t(1) << 20;
    const Coder &inner = coders[coder];
    const Coder &outer = coders[coder == 0 ? 1 : 0];
    const std::string bomb = outer.encode(inner.encode(std::string(most, '\0'), 256), 1);
    const long before = peakMemory();
    ContentDecoder decoder = decoderOf(std::string(inner.name) + "," + outer.name);
    std::size_t size = 0;
    const auto sink = [&size](std::string_view piece) {
        size += piece.size();
        return size < most;
    };
    QVERIFY(decoder.take(bomb, sink).has_value());
    QCOMPARE(size, most);
    QVERIFY(decoder.take(bomb, sink).has_value());
    QCOMPARE(size, most);
    QVERIFY(!decoder.isFinished());
    QVERIFY(peakMemory() - before < 32 << 20); // of 256 MiB
}

void TestContentDecoder::take_long_isAsItWas()
{
    for (const Coder &coder : coders) {
        for (const std::size_t size : {longestPiece - 1,
                                       longestPiece,
                                       longestPiece + 1,
                                       4 * longestPiece,
                                       40 * longestPiece}) {
            const std::string text = sampleText(size);
            const std::string coded = coder.encode(text, 1);
            QVERIFY2(decoded(coder.name, coded, 0, coded.size()) == text + ".", coder.name);
            QVERIFY2(decoded(coder.name, coded, 1, 1000) == text + ".", coder.name);
        }
    }
    const std::string text = sampleText(5 * longestPiece);
    QVERIFY(decoded("", text, 0, text.size()) == text);
}

void TestContentDecoder::take_codings_areReadHoweverTheyAreCut_data()
{
    QTest::addColumn<QByteArray>("names");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name,
                        const char *names,
                        const std::string &body,
                        const std::string &expected) {
        QTest::newRow(name) << QByteArray(names) << QByteArray::fromStdString(body)
                            << QByteArray::fromStdString(expected);
    };
    const auto hex = [](const char *digits) { return QByteArray::fromHex(digits).toStdString(); };
    const std::string text = sampleText(1000);
    row("none", "", text, text);
    row("identity", "identity", text, text);
    row("gzip", "gzip", gzipped(text), text + ".");
    row("x-gzip", "X-GZip", gzipped(text), text + ".");
    row("deflate", "deflate", deflated(text), text + ".");
    row("br", "br", brotlied(text), text + ".");
    row("zstd", "zstd", zstded(text), text + ".");
    row("three", "gzip, br,zstd", zstded(brotlied(gzipped(text))), text + ".");
    row("nothing", "gzip", "", "");
    row("gzip of nothing", "gzip", gzipped(""), ".");
    row("deflate without its wrapper", "deflate", zlibEncoded(text, 1, -MAX_WBITS), text + ".");
    row("stored deflate without its wrapper", "deflate", hex("010100feff61"), "a.");
    row("two gzip members", "gzip", gzipped(text) + gzipped("more"), text + "more.");
    row("a gzip member of nothing between",
        "gzip",
        gzipped("a") + gzipped("") + gzipped("b"),
        "ab.");
    row("two zstd frames", "zstd", zstded(text) + zstded("more"), text + "more.");
    const std::string skippable = hex("5f2a4d1801000000aa");
    row("skippable zstd frames",
        "zstd",
        skippable + zstded("a") + skippable + zstded("b") + skippable,
        "ab.");
    row("zeros behind gzip", "gzip", gzipped(text) + std::string(20, '\0'), text + ".");
    row("text behind gzip", "gzip", gzipped(text) + "text", text + ".");
    row("a member like one behind gzip", "gzip", gzipped("a") + hex("1f8bff") + gzipped("b"), "a.");
    row("text behind deflate", "deflate", deflated(text) + deflated(text), text + ".");
    row("text behind br", "br", brotlied(text) + brotlied(text), text + ".");
    row("text behind zstd", "zstd", zstded(text) + "text" + zstded(text), text + ".");
    row("an older zstd format behind zstd", "zstd", zstded("a") + hex("27b52ffd2000010000"), "a.");
    row("cut gzip", "gzip", gzipped("text").substr(0, 20), "text");
    row("cut zstd", "zstd", zstded("text").substr(0, 3), "");
    row("cut in the second member", "gzip", gzipped("a") + gzipped("b").substr(0, 5), "a");
    row("no gzip", "gzip", "text", "!");
    row("deflate as gzip", "gzip", deflated("text"), "!");
    row("no zstd", "zstd", "(\xb5/\xfe and text", "!");
    row("an older zstd format", "zstd", hex("27b52ffd2000010000"), "!");
    row("the wrong order", "br, gzip", brotlied(gzipped("text")), "!");
    row("gzip with a wrong checksum",
        "gzip",
        hex("1f8b0800000000000003010100feff61000000000100000000"),
        "a!");
    row("an error within", "br, gzip", gzipped(hex("ffffff")), "!");
}

void TestContentDecoder::take_codings_areReadHoweverTheyAreCut()
{
    QFETCH(QByteArray, names);
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, expected);
    QCOMPARE(QByteArray::fromStdString(decodedAnyhow(names.toStdString(), body.toStdString())),
             expected);
}

void TestContentDecoder::take_chains_goBackwards()
{
    const std::string text = sampleText(300);
    for (const Coder &first : coders) {
        for (const Coder &second : coders) {
            if (&first == &second)
                continue;
            const std::string names = std::string(first.name) + "," + second.name;
            QCOMPARE(decodedAnyhow(names, second.encode(first.encode(text, 1), 1)), text + ".");
        }
    }
}

void TestContentDecoder::take_events_comeAsTheyWereFlushed_data()
{
    QTest::addColumn<QByteArray>("coding");
    for (const char *coding : {"gzip", "br", "zstd"})
        QTest::newRow(coding) << QByteArray(coding);
}

void TestContentDecoder::take_events_comeAsTheyWereFlushed()
{
    QFETCH(QByteArray, coding);
    const Texts events{"data: {\"a\":1}\n\n", ": ping\n\n", sampleText(500), "data: [DONE]\n\n"};
    const Texts pieces = coding == "gzip" ? gzipFlushed(events)
                         : coding == "br" ? brFlushed(events)
                                          : zstdFlushed(events);
    ContentDecoder decoder = decoderOf(coding.toStdString());
    std::string text;
    const auto sink = [&text](std::string_view piece) {
        text += piece;
        return true;
    };
    for (std::size_t i = 0; i < events.size(); ++i) {
        text.clear();
        QVERIFY(decoder.take(pieces[i], sink).has_value());
        QCOMPARE(text, events[i]);
        QVERIFY(!decoder.isFinished());
    }
    QVERIFY(decoder.take(pieces.back(), sink).has_value());
    QVERIFY(decoder.isFinished());
}

void TestContentDecoder::take_afterAnError_givesNothing()
{
    ContentDecoder decoder = decoderOf("gzip");
    int calls = 0;
    const auto sink = [&calls](std::string_view) { return ++calls > 0; };
    const auto result = decoder.take("sk-canary", sink);
    QVERIFY(!result);
    QCOMPARE(result.error().code, ErrorCode::BodyEncoding);
    QCOMPARE(result.error().context,
             std::string("the gzip data is malformed, or needs a dictionary or a larger window"));
    QVERIFY(decoder.take(gzipped("text"), sink).has_value());
    QCOMPARE(calls, 0);
    QVERIFY(!decoder.isFinished());
}

void TestContentDecoder::of_whatIsNotKnown_isRefused()
{
    for (const char *names : {"compress",
                              "gzip;q=1",
                              "gzip, gzip",
                              "gzip,",
                              "gzip, br, zstd, deflate",
                              "aws-chunked"}) {
        const auto decoder = ContentDecoder::of(names);
        QVERIFY2(!decoder, names);
        QCOMPARE(decoder.error().code, ErrorCode::BodyEncoding);
    }
}

QTEST_APPLESS_MAIN(TestContentDecoder)
#include "tst_contentdecoder.moc"
