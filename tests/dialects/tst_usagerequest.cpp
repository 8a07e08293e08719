// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "gateway/json/document.h"

#include <QTest>

using namespace gatehouse;

namespace {

/// \a body as it is sent; "as it came" where nothing is changed.
QByteArray sent(const std::string &body)
{
    const auto splice = askForUsage(body);
    if (!splice)
        return "as it came";
    if (splice->offset > body.size() || splice->length > body.size() - splice->offset)
        return "beyond the body";
    std::string changed = body;
    changed.replace(splice->offset, splice->length, splice->text);
    return QByteArray::fromStdString(changed);
}

} // namespace

class TestUsageRequest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void askForUsage_bodies_areChangedThereOnly_data();
    void askForUsage_bodies_areChangedThereOnly();
    void askForUsage_changedBody_asksOnce();
    void mayAskForUsage_requests_areCompletions_data();
    void mayAskForUsage_requests_areCompletions();
};

void TestUsageRequest::askForUsage_bodies_areChangedThereOnly_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, const char *body, const char *expected) {
        QTest::newRow(name) << QByteArray(body) << QByteArray(expected);
    };
    const auto same = [row](const char *name, const char *body) { row(name, body, "as it came"); };
    row("stream alone",
        R"({"stream":true})",
        R"({"stream_options":{"include_usage":true},"stream":true})");
    row("white space and order are kept",
        "\r\n { \"model\" : \"m\\u0041\" ,\t\"stream\" : true, \"n\": 1.0e0 }\n",
        "\r\n {\"stream_options\":{\"include_usage\":true}, \"model\" : \"m\\u0041\" ,\t\"stream\" "
        ": true, \"n\": 1.0e0 }\n");
    row("options null",
        R"({"stream":true,"stream_options": null ,"a":1})",
        R"({"stream":true,"stream_options": {"include_usage":true} ,"a":1})");
    row("options empty",
        R"({"stream_options":{ },"stream":true})",
        R"({"stream_options":{"include_usage":true },"stream":true})");
    row("options with another member",
        R"({"stream":true,"stream_options":{"include_obfuscation":false}})",
        R"({"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}})");
    row("the client says no",
        R"({"stream":true,"stream_options":{"include_usage" : false}})",
        R"({"stream":true,"stream_options":{"include_usage" : true}})");
    row("the client says null",
        R"({"stream":true,"stream_options":{"include_usage":null}})",
        R"({"stream":true,"stream_options":{"include_usage":true}})");
    row("the name with escapes",
        R"({"\u0073tream":true})",
        R"({"stream_options":{"include_usage":true},"\u0073tream":true})");
    row("all names with escapes",
        R"({"str\u0065am":true,"stream\u005foptions":{"include\u005Fusage":false}})",
        R"({"str\u0065am":true,"stream\u005foptions":{"include\u005Fusage":true}})");
    row("the same names further within",
        R"({"metadata":{"stream_options":{"include_usage":true}},"stream":true})",
        R"({"stream_options":{"include_usage":true},"metadata":{"stream_options":{"include_usage":true}},"stream":true})");
    same("asks already", R"({"stream":true,"stream_options":{"include_usage":true}})");
    same("no stream", R"({"model":"m"})");
    same("stream false", R"({"stream":false})");
    same("stream false, with options", R"({"stream":false,"stream_options":{}})");
    same("stream null", R"({"stream":null})");
    same("stream in quotes", R"({"stream":"true"})");
    same("stream within", R"({"a":{"stream":true}})");
    same("stream in a text", R"({"a":"\"stream\":true"})");
    same("options no object", R"({"stream":true,"stream_options":"x"})");
    same("usage no boolean", R"({"stream":true,"stream_options":{"include_usage":1}})");
    same("the stream twice", R"({"stream":true,"stream":true})");
    same("the options twice", R"({"stream":true,"stream_options":{},"stream_options":{}})");
    same("the member twice",
         R"({"stream":true,"stream_options":{"include_usage":false,"include_usage":false}})");
    same("twice, once with escapes", R"({"stream":true,"\u0073tream":false})");
    same("a list", R"([{"stream":true}])");
    same("cut off", R"({"stream":true)");
    same("followed by more", R"({"stream":true}{})");
    same("with a byte order mark", "\xef\xbb\xbf{\"stream\":true}");
    same("no JSON", R"("stream")");
    same("empty", "");
    same("Azure, with data of one's own", R"({"stream":true,"data_sources":[]})");
}

void TestUsageRequest::askForUsage_bodies_areChangedThereOnly()
{
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, expected);
    QCOMPARE(sent(body.toStdString()), expected);
    json::Document document;
    if (document.parse(body.toStdString()))
        QVERIFY(askForUsage(document.root()) == askForUsage(body.toStdString()));
}

void TestUsageRequest::askForUsage_changedBody_asksOnce()
{
    for (const char *body : {R"({"stream":true})",
                             R"({"stream":true,"stream_options":null})",
                             R"({"stream":true,"stream_options":{}})",
                             R"({"stream":true,"stream_options":{"include_usage":false,"a":1}})"}) {
        json::Document document;
        QVERIFY(document.parse(sent(body).toStdString()).has_value());
        QCOMPARE(document.root().find("stream_options")->find("include_usage")->boolean(),
                 std::optional(true));
        QVERIFY(!askForUsage(document.root()));
    }
}

void TestUsageRequest::mayAskForUsage_requests_areCompletions_data()
{
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<bool>("may");
    const auto row = [](const char *method, const char *target, bool may) {
        QTest::addRow("%s %s", method, target) << QByteArray(method) << QByteArray(target) << may;
    };
    row("POST", "/chat/completions", true);
    row("POST", "/v1/completions", true);
    row("POST", "/v1/chat/completions?a=b", true);
    row("POST", "/openai/deployments/d/chat/completions?api-version=2024-10-21", true);
    row("POST", "/openai/deployments/d/chat/completions?api-version=2024-09-01-preview", true);
    row("POST", "/openai/deployments/d/chat/completions?api-version=2024-08-01-preview", false);
    row("POST", "/openai/deployments/d/chat/completions?a=b&api-version=2023-05-15&c", false);
    row("POST", "/openai/v1/chat/completions?api-version=preview", true);
    row("POST", "/v1/chat/completions?xapi-version=2023-05-15", true);
    row("GET", "/v1/chat/completions", false);
    row("post", "/v1/chat/completions", false);
    row("POST", "/v1/chat/completions/x", false);
    row("POST", "/v1/chat/completions/", false);
    row("POST", "/v1/mycompletions", false);
    row("POST", "/v1/completion", false);
    row("POST", "/v1/responses", false);
    row("POST", "/v1/responses?/completions", false);
    row("POST", "/v1/messages", false);
    row("POST", "", false);
}

void TestUsageRequest::mayAskForUsage_requests_areCompletions()
{
    QFETCH(QByteArray, method);
    QFETCH(QByteArray, target);
    QFETCH(bool, may);
    QCOMPARE(mayAskForUsage(method.toStdString(), target.toStdString()), may);
}

QTEST_APPLESS_MAIN(TestUsageRequest)
#include "tst_usagerequest.moc"
