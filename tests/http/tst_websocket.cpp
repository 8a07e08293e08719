// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/websocket.h"

#include <QTest>

#include <random>

#include <zlib.h>

using gatehouse::http::WebSocketReader;
using Kind = WebSocketReader::Kind;

namespace {

constexpr unsigned final = 0x80;
constexpr unsigned deflated = 0x40;
constexpr unsigned text = 1;
constexpr unsigned binary = 2;
constexpr unsigned closing = 8;
constexpr unsigned ping = 9;

std::string frame(unsigned first, const std::string &payload)
{
    std::string bytes(1, static_cast<char>(first));
    const std::size_t size = payload.size();
    const auto add = [&](int count) {
        for (int i = count - 1; i >= 0; --i)
            bytes += static_cast<char>(size >> (8 * i) & 0xFFU);
    };
    if (size < 126) {
        add(1);
    } else if (size < 65536) {
        bytes += 126;
        add(2);
    } else {
        bytes += 127;
        add(8);
    }
    return bytes + payload;
}

/// Deflates messages as a server does.
class Deflater
{
public:
    Deflater() { deflateInit2(&m_stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY); }
    ~Deflater() { deflateEnd(&m_stream); }
    Q_DISABLE_COPY_MOVE(Deflater)

    std::string message(std::string plain, bool forgets = false)
    {
        std::string out(plain.size() + 1000, '\0');
        m_stream.next_in = reinterpret_cast<Bytef *>(plain.data());
        m_stream.avail_in = static_cast<uInt>(plain.size());
        m_stream.next_out = reinterpret_cast<Bytef *>(out.data());
        m_stream.avail_out = static_cast<uInt>(out.size());
        deflate(&m_stream, Z_SYNC_FLUSH);
        out.resize(out.size() - m_stream.avail_out - 4); // 00 00 ff ff
        if (forgets)
            deflateReset(&m_stream);
        return out;
    }

private:
    z_stream m_stream = {};
};

/// The texts of \a bytes, each with a line feed, given in pieces of \a step bytes; "!" where it broke.
QByteArray textsOf(const std::string &bytes, std::size_t step, std::string_view extensions = {})
{
    auto reader = WebSocketReader::of(extensions);
    if (!reader)
        return "not known";
    QByteArray texts;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        std::string_view piece = std::string_view(bytes).substr(at, step);
        for (;;) {
            const WebSocketReader::Step read = reader->next(piece);
            if (read.kind == Kind::Piece)
                texts.append(read.data.data(), static_cast<qsizetype>(read.data.size()));
            else if (read.kind == Kind::TextEnd)
                texts += '\n';
            else if (read.kind == Kind::Broken)
                return texts + '!';
            else
                break;
        }
        if (!piece.empty())
            return "input was left";
    }
    return texts;
}

} // namespace

class TestWebSocket : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void texts_areRead_howeverTheyAreCut_data();
    void texts_areRead_howeverTheyAreCut();
    void long_messages_areRead();
    void deflated_ofAnySize_areRead();
    void frames_thatNoServerSends_breakIt_data();
    void frames_thatNoServerSends_breakIt();
    void extensions_thatAreNotKnown_areNotRead();
    void bomb_breaksIt();
    void anything_isUsedUp();
};

void TestWebSocket::texts_areRead_howeverTheyAreCut_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QByteArray>("extensions");
    QTest::addColumn<QByteArray>("texts");
    const auto row = [](const char *name,
                        const std::string &bytes,
                        const char *texts,
                        const char *extensions = "") {
        QTest::newRow(name) << QByteArray::fromStdString(bytes) << QByteArray(extensions)
                            << QByteArray(texts);
    };
    row("one", frame(final | text, "{\"a\":1}"), "{\"a\":1}\n");
    row("two", frame(final | text, "a") + frame(final | text, "b"), "a\nb\n");
    row("empty", frame(final | text, "") + frame(final | text, "b"), "\nb\n");
    row("fragments", frame(text, "ab") + frame(0, "") + frame(final, "cd"), "abcd\n");
    row("ping between fragments",
        frame(text, "ab") + frame(final | ping, "xy") + frame(final, "cd"),
        "abcd\n");
    row("binary", frame(final | binary, "xy") + frame(final | text, "b"), "b\n");
    row("binary in fragments",
        frame(binary, "xy") + frame(final, "z") + frame(final | text, "b"),
        "b\n");
    row("126 bytes",
        frame(final | text, std::string(126, 'a')),
        (std::string(126, 'a') + '\n').c_str());
    row("close", frame(final | text, "a") + frame(final | closing, "\x03\xe8"), "a\n");
    row("not its end", frame(text, "ab"), "ab");
    const char *deflate = "permessage-deflate; client_max_window_bits=15";
    Deflater all;
    const std::string first = all.message("hello hello hello");
    const std::string second = all.message("hello hello hello again"); // leans on the first
    row("deflated",
        frame(final | deflated | text, first) + frame(final | deflated | text, second),
        "hello hello hello\nhello hello hello again\n",
        deflate);
    row("deflated and plain",
        frame(final | deflated | text, first) + frame(final | text, "plain")
            + frame(final | deflated | text, second),
        "hello hello hello\nplain\nhello hello hello again\n",
        deflate);
    row("deflated in fragments, ping between",
        frame(deflated | text, first.substr(0, 3)) + frame(final | ping, "p")
            + frame(final, first.substr(3)) + frame(final | deflated | text, second),
        "hello hello hello\nhello hello hello again\n",
        deflate);
    row("deflated binary before",
        frame(final | deflated | binary, first) + frame(final | deflated | text, second),
        "hello hello hello again\n",
        deflate);
    Deflater each;
    const std::string alone = each.message("hello hello hello", true);
    const std::string alike = each.message("hello hello hello", true);
    row("each by itself",
        frame(final | deflated | text, alone) + frame(final | deflated | text, alike),
        "hello hello hello\nhello hello hello\n",
        "Permessage-Deflate ; server_no_context_takeover");
}

void TestWebSocket::texts_areRead_howeverTheyAreCut()
{
    QFETCH(const QByteArray, bytes);
    QFETCH(const QByteArray, extensions);
    QFETCH(const QByteArray, texts);
    const std::string all = bytes.toStdString();
    for (std::size_t step = 1; step <= all.size(); ++step)
        QCOMPARE(textsOf(all, step, extensions.toStdString()), texts);
}

void TestWebSocket::long_messages_areRead()
{
    const std::string words(200'000, 'w');
    const auto expected = QByteArray::fromStdString(words + '\n');
    QCOMPARE(textsOf(frame(final | text, words), 4096), expected);
    QCOMPARE(textsOf(frame(final | text, words), 1'000'000), expected);
    Deflater deflater;
    const std::string small = deflater.message(words); // 16 KiB of it come out at a time
    QCOMPARE(textsOf(frame(final | deflated | text, small), 7, "permessage-deflate"), expected);
    QCOMPARE(textsOf(frame(final | deflated | text, small), 1'000'000, "permessage-deflate"),
             expected);
}

void TestWebSocket::deflated_ofAnySize_areRead()
{
    std::mt19937 random(1); // the same each time
    Deflater deflater;
    std::string bytes;
    QByteArray expected;
    for (int i = 0; i < 300; ++i) {
        std::string plain(random() % 3000, ' ');
        for (char &c : plain)
            c = static_cast<char>('a' + random() % (1 + i % 26));
        bytes += frame(final | deflated | text, deflater.message(plain));
        expected += QByteArray::fromStdString(plain + '\n');
    }
    for (const std::size_t step : {1UL, 2UL, 3UL, 1000UL, 100'000UL})
        QCOMPARE(textsOf(bytes, step, "permessage-deflate"), expected);
}

void TestWebSocket::frames_thatNoServerSends_breakIt_data()
{
    QTest::addColumn<QByteArray>("bytes");
    const auto row = [](const char *name, const std::string &bytes) {
        QTest::newRow(name) << QByteArray::fromStdString(bytes);
    };
    row("masked", std::string("\x81\x81\x01\x02\x03\x04x", 7));
    row("deflated unasked", frame(final | deflated | text, "x"));
    row("another reserved bit", frame(final | 0x20 | text, "x"));
    row("reserved opcode", frame(final | 3, "x"));
    row("reserved control", frame(final | 11, "x"));
    row("control in fragments", frame(ping, "x"));
    row("long control", frame(final | ping, std::string(126, 'x')));
    row("continues nothing", frame(final, "x"));
    row("a text within another", frame(text, "") + frame(final | text, "x"));
}

void TestWebSocket::frames_thatNoServerSends_breakIt()
{
    QFETCH(const QByteArray, bytes);
    const std::string all = bytes.toStdString() + frame(final | text, "later");
    for (std::size_t step = 1; step <= all.size(); ++step)
        QCOMPARE(textsOf(all, step), "!");
}

void TestWebSocket::extensions_thatAreNotKnown_areNotRead()
{
    QVERIFY(!WebSocketReader::of("x-webkit-deflate-frame"));
    QVERIFY(!WebSocketReader::of("permessage-deflate, permessage-bzip2"));
    QVERIFY(!WebSocketReader::of("permessage-deflate, permessage-deflate"));
    QVERIFY(WebSocketReader::of(""));
    QVERIFY(WebSocketReader::of("permessage-deflate"));
    QCOMPARE(textsOf(frame(final | deflated | text, "\xff\xff\xff"), 9, "permessage-deflate"), "!");
}

void TestWebSocket::bomb_breaksIt()
{
    Deflater deflater;
    std::string bytes;
    const std::string zeros(std::size_t{1} << 20, '0');
    for (int i = 0; i < 65; ++i)
        bytes += frame((i == 0 ? deflated | text : 0),
                       deflater.message(zeros) + std::string("\0\0\xff\xff", 4));
    QVERIFY(bytes.size() < 200'000);
    QVERIFY(textsOf(bytes, 65536, "permessage-deflate").endsWith('!'));
}

void TestWebSocket::anything_isUsedUp()
{
    std::mt19937 random(2); // the same each time
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes(random() % 60, '\0');
        for (char &c : bytes)
            c = static_cast<char>(random() % 4 == 0 ? random() : random() % 12);
        const std::size_t step = 1 + random() % 9;
        const QByteArray cut = textsOf(bytes, step, "permessage-deflate");
        const QByteArray whole = textsOf(bytes, 100, "permessage-deflate");
        QCOMPARE(cut.endsWith('!'), whole.endsWith('!'));
        if (!whole.endsWith('!')) // what is broken may say more or less before
            QCOMPARE(cut, whole);
        QVERIFY(cut != "input was left");
    }
}

QTEST_APPLESS_MAIN(TestWebSocket)
#include "tst_websocket.moc"
