// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/multipart.h"
#include "tests/http/forms.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::http;

class TestMultipartHead : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void boundary_contentTypes_haveOneOrNone_data();
    void boundary_contentTypes_haveOneOrNone();
    void boundary_length_holdsToTheByte();
    void parse_heads_areReadOrRefused_data();
    void parse_heads_areReadOrRefused();
};

void TestMultipartHead::boundary_contentTypes_haveOneOrNone_data()
{
    QTest::addColumn<QByteArray>("type");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const QByteArray &type, const char *expected) {
        QTest::newRow(name) << type << QByteArray(expected);
    };
    row("token", "multipart/form-data; boundary=abc", "abc");
    row("quoted", "multipart/form-data; boundary=\"a b:c\"", "a b:c");
    row("of a browser",
        "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
        "----WebKitFormBoundary7MA4YWxkTrZu0gW");
    row("any case", "Multipart/Form-Data;BOUNDARY=aB", "aB");
    row("blanks", "multipart/form-data \t;\t boundary=a \t", "a");
    row("charset", "multipart/form-data; charset=UTF-8; boundary=a", "a");
    row("charset by another name", "multipart/form-data; charset=utf8; boundary=a", "a");
    row("extended filename", "multipart/form-data; filename*=utf-8''x; boundary=a", "-");
    row("unknown parameter", "multipart/form-data; x=\"; boundary=z\"; boundary=a", "a");
    row("every character allowed",
        "multipart/form-data; boundary=\"'()+_,-./:=?09azAZ\"",
        "'()+_,-./:=?09azAZ");
    row("none", "multipart/form-data", "-");
    row("empty", "multipart/form-data; boundary=", "-");
    row("empty and quoted", "multipart/form-data; boundary=\"\"", "-");
    row("twice", "multipart/form-data; boundary=a; boundary=b", "-");
    row("twice the same", "multipart/form-data; boundary=a; boundary=a", "-");
    row("twice in another case", "multipart/form-data; boundary=a; Boundary=b", "-");
    row("extended too", "multipart/form-data; boundary=a; boundary*=utf-8''b", "-");
    row("continued", "multipart/form-data; boundary*0=a; boundary*1=b", "-");
    row("no quotes where they are needed", "multipart/form-data; boundary=a:b", "-");
    row("two words", "multipart/form-data; boundary=a b", "-");
    row("comma", "multipart/form-data; boundary=a, multipart/form-data; boundary=b", "-");
    row("open quotes", "multipart/form-data; boundary=\"a", "-");
    row("text behind the quotes", "multipart/form-data; boundary=\"a\"b", "-");
    row("escape", "multipart/form-data; boundary=\"a\\b\"", "-");
    row("blank at the end", "multipart/form-data; boundary=\"a \"", "-");
    row("character not allowed", "multipart/form-data; boundary=\"a;b\"", "-");
    row("line end", "multipart/form-data; boundary=\"a\r\nb\"", "-");
    row("NUL", QByteArray("multipart/form-data; boundary=\"a\0b\"", 34), "-");
    row("UTF-8", "multipart/form-data; boundary=\"\xc3\xa9\"", "-");
    row("blank before the value", "multipart/form-data; boundary= a", "-");
    row("blank before the equals sign", "multipart/form-data; boundary =a", "-");
    row("no semicolon", "multipart/form-data boundary=a", "-");
    row("semicolon at the end", "multipart/form-data; boundary=a;", "-");
    row("empty parameter", "multipart/form-data;; boundary=a", "-");
    row("another charset", "multipart/form-data; boundary=a; charset=utf-16", "-");
    row("another type", "multipart/mixed; boundary=a", "-");
    row("nothing", "", "-");
}

void TestMultipartHead::boundary_contentTypes_haveOneOrNone()
{
    QFETCH(QByteArray, type);
    QFETCH(QByteArray, expected);
    const auto boundary = multipartBoundary(type.toStdString());
    QCOMPARE(boundary ? *boundary : "-", expected.toStdString());
    QVERIFY(boundary || boundary.error().code == ErrorCode::BodyEncoding);
}

void TestMultipartHead::boundary_length_holdsToTheByte()
{
    const std::string longest(70, 'x');
    const std::string type = "multipart/form-data; boundary=" + longest;
    QCOMPARE(*multipartBoundary(type), longest);
    QVERIFY(!multipartBoundary(type + "x"));
    QVERIFY(!multipartBoundary(type + std::string(1 << 20, 'x')));
    QCOMPARE(shown("--" + longest + "--", longest), std::string());
    QCOMPARE(shown("--" + longest + "x--", longest + "x"), std::string("unreadable"));
    std::string manyParameters = "multipart/form-data";
    for (int i = 0; i < 15; ++i)
        manyParameters += "; p" + std::to_string(i) + "=1";
    QVERIFY(multipartBoundary(manyParameters + "; boundary=a"));
    QVERIFY(!multipartBoundary(manyParameters + "; q=1; boundary=a"));
}

void TestMultipartHead::parse_heads_areReadOrRefused_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const std::string &head, const char *expected) {
        QTest::newRow(name) << QByteArray::fromStdString(head) << QByteArray(expected);
    };
    const std::string form = "Content-Disposition: form-data; ";
    row("quoted", form + "name=\"a\"", "a");
    row("token", form + "name=a", "a");
    row("any case", "content-DISPOSITION:Form-Data;NAME=a", "a");
    row("blanks", "Content-Disposition: \tform-data ; \t name=\"a\" \t", "a");
    row("unknown parameter", form + "size=1; name=\"a\"", "a");
    row("other fields", "X-A: b|" + form + "name=a|Y:", "a");
    row("UTF-8", form + "name=\"caf\xc3\xa9\"", "caf\xc3\xa9");
    row("percent sign", form + "name=\"%6dodel\"", "%6dodel");
    row("name within quotes", form + "filename=\"; name=z\"; name=a", "a(; name=z)");
    row("filename as .NET writes it", form + "name=a; filename=x; filename*=utf-8''x", "a(x)");
    row("extended filename first",
        form + "FileName*=utf-8'de'%e2%82%ac; name=a; filename=x",
        "a(x)");
    row("type", form + "name=a|Content-Type: text/plain", "a<text/plain>");
    row("charset",
        form + "name=a|Content-Type: text/plain; charset=\"UTF-8\"",
        "a<text/plain; charset=\"UTF-8\">");
    row("empty type", form + "name=a|Content-Type:", "a");
    row("charset of a file",
        form + "name=a; filename=b|Content-Type: text/plain; charset=utf-16",
        "a(b)<text/plain; charset=utf-16>");
    row("other name of UTF-8",
        form + "name=a|Content-Type: a/b; charset=UTF8",
        "a<a/b; charset=UTF8>");
    row("binary", form + "name=a|Content-Transfer-Encoding: Binary", "a");
    row("8bit", form + "name=a|Content-Transfer-Encoding: 8bit", "a");

    row("no disposition", "Content-Type: text/plain", "-");
    row("two dispositions", disposition + "|" + disposition, "-");
    row("two dispositions, any case",
        disposition + "|content-disposition: form-data; name=model",
        "-");
    row("two types", disposition + "|Content-Type: a/b|Content-Type: a/b", "-");
    row("no name", "Content-Disposition: form-data", "-");
    row("filename only", form + "filename=a", "-");
    row("empty name", form + "name=\"\"", "-");
    row("no value", form + "name", "-");
    row("empty value", form + "name=", "-");
    row("two names", form + "name=a; name=model", "-");
    row("two names, any case", form + "name=a; Name=model", "-");
    row("two filenames", form + "name=a; filename=b; filename=c", "-");
    row("extended name", form + "name=a; name*=utf-8''model", "-");
    row("extended name beside a filename", form + "name=a; filename=b; name*=utf-8''model", "-");
    row("extended filename", form + "name=a; filename*=utf-8''x", "-");
    row("two extended filenames",
        form + "name=a; filename=b; filename*=utf-8''b; Filename*=utf-8''c",
        "-");
    row("continued filename", form + "name=a; filename=b; filename*0=c; filename*1=d", "-");
    row("continued and extended filename", form + "name=a; filename=b; filename*0*=c", "-");
    row("extended filename of a type",
        form + "name=a; filename=b|Content-Type: text/plain; filename*=utf-8''x",
        "-");
    row("continued name", form + "name*0=mo; name*1=del; name=a", "-");
    row("encoded word", form + "name=\"=?utf-8?q?model?=\"", "-");
    row("escaped quote", form + "name=\"a\\\"; name=\\\"model\"", "-");
    row("backslash in a filename", form + "name=a; filename=\"C:\\x\"", "-");
    row("open quotes", form + "name=\"a", "-");
    row("text behind the quotes", form + "name=\"a\"b", "-");
    row("single quotes with a blank", form + "name='a b'", "-");
    row("blank around the equals sign", form + "name = \"a\"", "-");
    row("comma", form + "name=a, name=model", "-");
    row("semicolon at the end", form + "name=a;", "-");
    row("attachment", "Content-Disposition: attachment; name=a", "-");
    row("no type of disposition", "Content-Disposition: ; name=a", "-");
    row("malformed UTF-8", form + "name=\"\xff\"", "-");
    row("malformed UTF-8 in a filename", form + "name=a; filename=\"\xff\"", "-");
    row("tab in a name", form + "name=\"a\tb\"", "-");
    row("NUL in a name", form + std::string("name=\"a\0\"", 9), "-");
    row("control in another field", disposition + "|X: \x01", "-");
    row("_charset_", form + "name=_charset_", "-");
    row("_Charset_", form + "name=_Charset_", "-");
    row("folded line", "Content-Disposition: form-data;| name=a", "-");
    row("folded line first", " X: y|" + disposition, "-");
    row("blank before the colon", "Content-Disposition : form-data; name=a", "-");
    row("no colon", disposition + "|X", "-");
    row("no field name", disposition + "|: x", "-");
    row("UTF-7", disposition + "|Content-Type: text/plain; charset=utf-7", "-");
    row("UTF-16", disposition + "|Content-Type: text/plain; charset=UTF-16LE", "-");
    row("two charsets",
        disposition + "|Content-Type: text/plain; charset=utf-8; charset=utf-16",
        "-");
    row("type without a slash", disposition + "|Content-Type: text", "-");
    row("type with a blank", disposition + "|Content-Type: multipart /mixed", "-");
    row("parts of parts", disposition + "|Content-Type: multipart/mixed; boundary=c", "-");
    row("base64", disposition + "|Content-Transfer-Encoding: base64", "-");
    row("quoted-printable", disposition + "|content-transfer-encoding: quoted-printable", "-");
    row("no transfer encoding", disposition + "|Content-Transfer-Encoding:", "-");
    row("content encoding", disposition + "|Content-Encoding: gzip", "-");
}

void TestMultipartHead::parse_heads_areReadOrRefused()
{
    QFETCH(QByteArray, head);
    QFETCH(QByteArray, expected);
    QCOMPARE(shown(withHead(head.toStdString())),
             expected == "-" ? "unreadable" : expected.toStdString() + ":x;model:gpt;");
}

QTEST_APPLESS_MAIN(TestMultipartHead)
#include "tst_multiparthead.moc"
