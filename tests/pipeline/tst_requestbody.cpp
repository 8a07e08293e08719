// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/requestbody.h"

#include <QTest>

#include <zlib.h>

using namespace gatehouse;

namespace {

struct Sent
{
    http::RequestHead head;
    RequestBody body;

    explicit Sent(const char *contentType, std::string_view bytes, const char *encoding = "")
    {
        if (*contentType != '\0')
            head.fields.push_back({http::FieldId::ContentType, "Content-Type", contentType});
        if (*encoding != '\0')
            head.fields.push_back({http::FieldId::ContentEncoding, "Content-Encoding", encoding});
        body.begin(head);
        body.append(bytes);
    }
};

std::string gzipped(std::string_view text, int level = 6)
{
    z_stream stream{};
    if (deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        qFatal("deflateInit2");
    std::string coded(deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef *>(coded.data());
    stream.avail_out = static_cast<uInt>(coded.size());
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        qFatal("deflate");
    coded.resize(coded.size() - stream.avail_out);
    deflateEnd(&stream);
    return coded;
}

} // namespace

class TestRequestBody : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void kind_ofBytesAndType_isWhatReadersTake_data()
    {
        using namespace std::string_view_literals;
        QTest::addColumn<QByteArray>("type");
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<BodyKind>("kind");
        const auto row
            = [](const char *name, const char *type, std::string_view text, BodyKind kind) {
                  QTest::newRow(name)
                      << QByteArray(type)
                      << QByteArray(text.data(), static_cast<qsizetype>(text.size())) << kind;
              };
        const char *form = "application/x-www-form-urlencoded";
        row("nothing", "application/json", "", BodyKind::None);
        row("JSON", "application/json", "{}", BodyKind::Json);
        row("JSON by its suffix", "application/vnd.x+JSON; v=1", "x", BodyKind::Json);
        row("JSON as text", "Text/Json", "1", BodyKind::Json);
        row("suffix alone", "+json", "x", BodyKind::Opaque);
        row("object without a type", "", "{}", BodyKind::Json);
        row("array without a type", "", "\n[1]", BodyKind::Json);
        row("object as a form", form, "{}", BodyKind::Json);
        row("object as a multipart form", "multipart/form-data; boundary=B", "{}", BodyKind::Json);
        row("white space of other readers", "", "\f\v {", BodyKind::Json);
        row("byte order mark", "", "\xef\xbb\xbf{", BodyKind::Json);
        row("UTF-16BE", "", "\0{\0}"sv, BodyKind::Json);
        row("UTF-16LE with a mark", "", "\xff\xfe{\0"sv, BodyKind::Json);
        row("form", form, "a=b", BodyKind::Form);
        row("form with a charset",
            "application/x-www-form-urlencoded;charset=UTF-8",
            "a",
            BodyKind::Form);
        row("multipart", "Multipart/Form-Data; boundary=B", "--B--", BodyKind::Multipart);
        row("multipart of another kind", "multipart/mixed; boundary=B", "--B--", BodyKind::Opaque);
        row("text without a type", "", "a=b", BodyKind::Opaque);
        row("sound", "audio/wav", "RIFF", BodyKind::Opaque);
        row("zeros", "", "\0\0\0"sv, BodyKind::Opaque);
    }
    void kind_ofBytesAndType_isWhatReadersTake()
    {
        QFETCH(QByteArray, type);
        QFETCH(QByteArray, bytes);
        QFETCH(BodyKind, kind);
        Sent sent(type.constData(), {bytes.constData(), static_cast<std::size_t>(bytes.size())});
        const auto found = sent.body.kind();
        QVERIFY(found);
        QCOMPARE(*found, kind);
    }

    void charset_otherThanUtf8_isRefused_data()
    {
        QTest::addColumn<QByteArray>("type");
        QTest::addColumn<bool>("isTaken");
        const auto row = [](const char *type, bool isTaken) {
            QTest::newRow(type) << QByteArray(type) << isTaken;
        };
        row("application/json", true);
        row("application/json; charset=utf-8", true);
        row("application/json;CHARSET = \"UTF-8\" ;x=1", true);
        row("application/json; charset=utf8", true);
        row("application/json; charset=us-ascii", true);
        row("application/json; charset=utf-16", false);
        row("application/json; charset=utf-7", false);
        row("application/json; charset=gbk", false);
        row("application/json; charset=utf-8; charset=utf-7", false);
        row("application/json; charset*=utf-8''utf-7", false);
        row("application/json; charset", false);
        row("application/json; charset=", false);
        row("application/json; charset=\"\"", false);
        row("application/json; charset=utf-8, x/y; charset=utf-7", false);
    }
    void charset_otherThanUtf8_isRefused()
    {
        QFETCH(QByteArray, type);
        QFETCH(bool, isTaken);
        Sent sent(type.constData(), "{}");
        const auto kind = sent.body.kind();
        QCOMPARE(bool(kind), isTaken);
        if (!isTaken)
            QCOMPARE(kind.error().code, ErrorCode::BodyEncoding);
        // Where nobody reads text, it does not matter.
        Sent opaque(type.replace("application/json", "text/plain").constData(), "x");
        QVERIFY(opaque.body.kind());
    }

    void contentType_twice_isRefused()
    {
        Sent sent("application/json", "{}");
        sent.head.fields.push_back(
            {http::FieldId::ContentType, "content-type", "application/json"});
        QCOMPARE(sent.body.kind().error().code, ErrorCode::BodyEncoding);
        sent.body.clear();
        QCOMPARE(*sent.body.kind(), BodyKind::None);
    }

    void contentType_changedByAPolicy_counts()
    {
        Sent sent("text/plain", "a=b");
        QCOMPARE(*sent.body.kind(), BodyKind::Opaque);
        sent.head.fields.front().value = "application/x-www-form-urlencoded";
        QCOMPARE(*sent.body.kind(), BodyKind::Form);
        QCOMPARE(sent.body.contentType(), std::string_view("application/x-www-form-urlencoded"));
        sent.head.fields.clear();
        QCOMPARE(sent.body.contentType(), std::string_view());
    }

    void decoded_codedBody_isTheText()
    {
        const std::string coded = gzipped(R"({"a":1})");
        Sent sent("", coded, "gzip");
        QCOMPARE(*sent.body.decoded(), std::string_view(R"({"a":1})"));
        QCOMPARE(*sent.body.kind(), BodyKind::Json);
        const auto document = sent.body.json();
        QVERIFY(document);
        QCOMPARE((*document)->root().find("a")->integer(), std::optional<std::int64_t>(1));
        QCOMPARE(sent.body.bytes(), std::string_view(coded)); // which goes on
    }

    void decoded_severalFields_areOneList()
    {
        const std::string coded = gzipped("{}");
        Sent sent("", coded, "identity");
        sent.head.fields.push_back({http::FieldId::ContentEncoding, "Content-Encoding", "gzip"});
        QCOMPARE(*sent.body.decoded(), std::string_view("{}"));
        Sent twice("", coded, "gzip");
        twice.head.fields.push_back({http::FieldId::ContentEncoding, "Content-Encoding", "gzip"});
        QCOMPARE(twice.body.decoded().error().code, ErrorCode::BodyEncoding);
    }

    void decoded_whatCannotBe_isAnError()
    {
        Sent unknown("", "{}", "rot13");
        QCOMPARE(unknown.body.decoded().error().code, ErrorCode::BodyEncoding);
        QCOMPARE(unknown.body.kind().error().code, ErrorCode::BodyEncoding);
        QCOMPARE(unknown.body.json().error().code, ErrorCode::BodyEncoding);
        QVERIFY(!unknown.body.jsonProblem());
        Sent empty("", "", "rot13");
        QCOMPARE(*empty.body.kind(), BodyKind::None);
        const std::string most(RequestBody::inspectionLimit, ' ');
        Sent large("", gzipped(most, Z_NO_COMPRESSION), "gzip");
        QCOMPARE(large.body.decoded()->size(), most.size());
        Sent longer("", gzipped(most + ' ', Z_NO_COMPRESSION), "gzip");
        QCOMPARE(longer.body.decoded().error().code, ErrorCode::BodyNotInspectable);
    }

    void decoded_fewBytesThatGrowLarge_areRefused()
    {
        constexpr std::size_t freely = std::size_t{1} << 20;
        Sent most("", gzipped(std::string(freely, ' ')), "gzip");
        QCOMPARE(most.body.decoded()->size(), freely);
        Sent more("", gzipped(std::string(freely + 1, ' ')), "gzip");
        QCOMPARE(more.body.decoded().error().code, ErrorCode::BodyNotInspectable);
    }

    void json_malformed_saysWhyAgainAndAgain()
    {
        Sent sent("", R"({"a":1,"a":2})");
        for (int i = 0; i < 2; ++i) {
            const auto document = sent.body.json();
            QVERIFY(!document);
            QCOMPARE(document.error().code, ErrorCode::BodyNotJson);
            QVERIFY(QString::fromStdString(document.error().message())
                        .contains(QLatin1String("at byte 7")));
            QCOMPARE(sent.body.jsonProblem()->kind, json::Problem::Kind::DuplicateName);
        }
    }

    void clear_betweenExchanges_forgetsAll()
    {
        Sent sent("", "{", "");
        QVERIFY(!sent.body.json());
        sent.body.clear();
        QVERIFY(sent.body.isEmpty() && !sent.body.jsonProblem());
        sent.body.append("{\"b\":");
        sent.body.append("2}"); // in pieces, as it comes
        const auto document = sent.body.json();
        QVERIFY(document);
        QCOMPARE(*sent.body.json(), *document); // read once
        sent.body.clear();
        sent.body.append(std::string(std::size_t{1} << 20, ' ') + "[]");
        QVERIFY(sent.body.json());
        sent.body.clear();
        sent.body.append("[]");
        QVERIFY((*sent.body.json())->capacity() < std::size_t{1} << 20);
    }
};

QTEST_APPLESS_MAIN(TestRequestBody)
#include "tst_requestbody.moc"
