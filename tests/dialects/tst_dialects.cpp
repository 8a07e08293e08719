// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <algorithm>
#include <set>

using namespace gatehouse;

namespace {

QByteArray bytes(std::string_view text)
{
    return {text.data(), static_cast<qsizetype>(text.size())};
}

/// The error body of \a dialect, parsed; an empty object where it is not JSON.
QJsonObject errorOf(const char *dialect,
                    int status,
                    std::string_view message = "no",
                    std::string_view reason = "r")
{
    const std::string body = findDialect(dialect)->errorBody(status, reason, message);
    return QJsonDocument::fromJson(bytes(body)).object();
}

QString text(std::string_view literal)
{
    return QString::fromUtf8(literal.data(), static_cast<qsizetype>(literal.size()));
}

} // namespace

class TestDialects : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void list_always_hasEachDialectOnceInOrder();
    void findDialect_unknownName_isNull();
    void openaiError_anyStatus_hasTheFourMembers_data();
    void openaiError_anyStatus_hasTheFourMembers();
    void anthropicError_anyStatus_hasTheTypeOfTheStatus_data();
    void anthropicError_anyStatus_hasTheTypeOfTheStatus();
    void geminiError_anyStatus_hasCodeAndRpcStatus_data();
    void geminiError_anyStatus_hasCodeAndRpcStatus();
    void ollamaError_anyStatus_isOneString();
    void errorBody_hostileText_readsBackAsWritten_data();
    void errorBody_hostileText_readsBackAsWritten();
    void errorBody_everyControlCharacter_isOneLineOfJson();
    void credentialHeader_apiKey_isTheVendorsOwn_data();
    void credentialHeader_apiKey_isTheVendorsOwn();
    void credentialHeader_anthropicOauthToken_isBearer();
    void presets_always_areUsable();
    void presets_always_areTheOnesWePromise();
    void presets_thatTellUsageUnasked_areTheseOnly();
    void findProviderPreset_unknownName_isNull();
};

void TestDialects::list_always_hasEachDialectOnceInOrder()
{
    QByteArrayList names;
    for (const Dialect *dialect : dialects()) {
        names += bytes(dialect->name());
        QCOMPARE(findDialect(dialect->name()), dialect);
    }
    QCOMPARE(names, (QByteArrayList{"openai", "anthropic", "gemini", "ollama"}));
}

void TestDialects::findDialect_unknownName_isNull()
{
    QVERIFY(!findDialect("cohere"));
    QVERIFY(!findDialect("OpenAI"));
    QVERIFY(!findDialect(""));
}

void TestDialects::openaiError_anyStatus_hasTheFourMembers_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("type");
    for (const int status : {400, 401, 403, 404, 405, 408, 413, 414, 421, 431})
        QTest::addRow("%d", status) << status << QStringLiteral("invalid_request_error");
    QTest::addRow("429") << 429 << QStringLiteral("rate_limit_error");
    QTest::addRow("503") << 503 << QStringLiteral("service_unavailable_error");
    for (const int status : {500, 502, 504, 505})
        QTest::addRow("%d", status) << status << QStringLiteral("server_error");
}

void TestDialects::openaiError_anyStatus_hasTheFourMembers()
{
    QFETCH(int, status);
    QFETCH(QString, type);
    const QJsonObject body = errorOf("openai", status, "No such key", "client-key:unknown");
    QCOMPARE(body.keys(), QStringList{QStringLiteral("error")});
    QCOMPARE(body[u"error"].toObject(),
             (QJsonObject{{QStringLiteral("message"), QStringLiteral("No such key")},
                          {QStringLiteral("type"), type},
                          {QStringLiteral("param"), QJsonValue::Null},
                          {QStringLiteral("code"), QStringLiteral("client-key:unknown")}}));
}

void TestDialects::anthropicError_anyStatus_hasTheTypeOfTheStatus_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("type");
    const auto row = [](int status, const char *type) {
        QTest::addRow("%d", status) << status << QString::fromLatin1(type);
    };
    row(400, "invalid_request_error");
    row(401, "authentication_error");
    row(402, "billing_error");
    row(403, "permission_error");
    row(404, "not_found_error");
    row(405, "invalid_request_error");
    row(413, "request_too_large");
    row(421, "invalid_request_error");
    row(429, "rate_limit_error");
    row(500, "api_error");
    row(502, "api_error");
    row(503, "api_error");
    row(504, "timeout_error");
    row(529, "overloaded_error");
}

void TestDialects::anthropicError_anyStatus_hasTheTypeOfTheStatus()
{
    QFETCH(int, status);
    QFETCH(QString, type);
    const QJsonObject error{{QStringLiteral("type"), type},
                            {QStringLiteral("message"), QStringLiteral("no")}};
    QCOMPARE(errorOf("anthropic", status),
             (QJsonObject{{QStringLiteral("type"), QStringLiteral("error")},
                          {QStringLiteral("error"), error},
                          {QStringLiteral("request_id"), QJsonValue::Null}}));
}

void TestDialects::geminiError_anyStatus_hasCodeAndRpcStatus_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("rpc");
    const auto row = [](int status, const char *rpc) {
        QTest::addRow("%d", status) << status << QString::fromLatin1(rpc);
    };
    row(400, "INVALID_ARGUMENT");
    row(401, "UNAUTHENTICATED");
    row(403, "PERMISSION_DENIED");
    row(404, "NOT_FOUND");
    row(408, "DEADLINE_EXCEEDED");
    row(409, "ABORTED");
    row(413, "INVALID_ARGUMENT");
    row(429, "RESOURCE_EXHAUSTED");
    row(500, "INTERNAL");
    row(502, "UNAVAILABLE");
    row(503, "UNAVAILABLE");
    row(504, "DEADLINE_EXCEEDED");
    row(505, "INTERNAL");
}

void TestDialects::geminiError_anyStatus_hasCodeAndRpcStatus()
{
    QFETCH(int, status);
    QFETCH(QString, rpc);
    QCOMPARE(errorOf("gemini", status)[u"error"].toObject(),
             (QJsonObject{{QStringLiteral("code"), status},
                          {QStringLiteral("message"), QStringLiteral("no")},
                          {QStringLiteral("status"), rpc}}));
}

void TestDialects::ollamaError_anyStatus_isOneString()
{
    QCOMPARE(errorOf("ollama", 404, "model not found"),
             (QJsonObject{{QStringLiteral("error"), QStringLiteral("model not found")}}));
}

void TestDialects::errorBody_hostileText_readsBackAsWritten_data()
{
    using namespace std::string_view_literals;
    QTest::addColumn<QByteArray>("written");
    QTest::addColumn<QString>("read");
    const auto same = [](const char *name, std::string_view written) {
        QTest::newRow(name) << bytes(written) << text(written);
    };
    same("empty", "");
    same("quotes and backslashes", R"(a "b" \c\\ \u0041 ",")");
    same("line ends and tabs", "a\r\nb\tc\bd\fe");
    same("a NUL inside", "a\0b"sv);
    same("DEL",
         "a\x7f"
         "b");
    same("two, three and four bytes", "é € 😀 \u2028");
    same("slashes and markup", "</script> & ' /");
    const auto mended = [](const char *name, std::string_view written, std::string_view read) {
        QTest::newRow(name) << bytes(written) << text(read);
    };
    mended("a lone continuation byte", "a\x80z", "a\uFFFDz");
    mended("bytes that never occur", "\xff\xfe", "\uFFFD\uFFFD");
    mended("an overlong slash", "\xc0\xaf", "\uFFFD\uFFFD");
    mended("a surrogate", "\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD");
    mended("cut off at the end", "ok\xe2\x82", "ok\uFFFD\uFFFD");
    mended("cut off by a quote", "\xe2\"", "\uFFFD\"");
}

void TestDialects::errorBody_hostileText_readsBackAsWritten()
{
    QFETCH(QByteArray, written);
    QFETCH(QString, read);
    const std::string_view message(written.data(), static_cast<std::size_t>(written.size()));
    QCOMPARE(errorOf("openai", 400, message)[u"error"][u"message"].toString(), read);
    QCOMPARE(errorOf("openai", 400, "no", message)[u"error"][u"code"].toString(), read);
    QCOMPARE(errorOf("anthropic", 400, message)[u"error"][u"message"].toString(), read);
    QCOMPARE(errorOf("gemini", 400, message)[u"error"][u"message"].toString(), read);
    QCOMPARE(errorOf("ollama", 400, message)[u"error"].toString(), read);
}

void TestDialects::errorBody_everyControlCharacter_isOneLineOfJson()
{
    for (const Dialect *dialect : dialects()) {
        for (int control = 0; control < 0x20; ++control) {
            const std::string message(1, static_cast<char>(control));
            const std::string body = dialect->errorBody(500, "internal", message);
            QVERIFY(std::ranges::all_of(body, [](unsigned char c) { return c >= 0x20; }));
        }
    }
}

void TestDialects::credentialHeader_apiKey_isTheVendorsOwn_data()
{
    QTest::addColumn<QByteArray>("dialect");
    QTest::addColumn<QByteArray>("line");
    QTest::newRow("openai") << QByteArray("openai") << QByteArray("Authorization: Bearer sk-x");
    QTest::newRow("anthropic") << QByteArray("anthropic") << QByteArray("x-api-key: sk-x");
    QTest::newRow("gemini") << QByteArray("gemini") << QByteArray("x-goog-api-key: sk-x");
    QTest::newRow("ollama") << QByteArray("ollama") << QByteArray("Authorization: Bearer sk-x");
}

void TestDialects::credentialHeader_apiKey_isTheVendorsOwn()
{
    QFETCH(QByteArray, dialect);
    QFETCH(QByteArray, line);
    const CredentialHeader header = findDialect(dialect.constData())->credentialHeader("sk-x");
    QCOMPARE(QByteArray(bytes(header.name) + ": " + bytes(header.prefix) + "sk-x"), line);
}

void TestDialects::credentialHeader_anthropicOauthToken_isBearer()
{
    const Dialect &anthropic = *findDialect("anthropic");
    const CredentialHeader oauth = anthropic.credentialHeader("sk-ant-oat01-abc");
    QCOMPARE(bytes(oauth.name), "Authorization");
    QCOMPARE(bytes(oauth.prefix), "Bearer ");
    QCOMPARE(bytes(anthropic.credentialHeader("sk-ant-api03-abc").name), "x-api-key");
    QCOMPARE(bytes(anthropic.credentialHeader("").name), "x-api-key");
}

void TestDialects::presets_always_areUsable()
{
    std::set<std::string_view> names;
    for (const ProviderPreset &preset : providerPresets()) {
        QVERIFY2(names.insert(preset.name).second, preset.name.data());
        QCOMPARE(findProviderPreset(preset.name), &preset);
        QVERIFY2(findDialect(preset.dialect), preset.name.data());
        const bool local = preset.baseUrl.starts_with("http://127.0.0.1:");
        QVERIFY2(preset.baseUrl.empty() || local || preset.baseUrl.starts_with("https://"),
                 preset.name.data());
        QVERIFY2(!preset.baseUrl.ends_with('/'), preset.name.data());
    }
}

void TestDialects::presets_always_areTheOnesWePromise()
{
    for (const char *name : {"openai",
                             "anthropic",
                             "gemini",
                             "azure-openai",
                             "mistral",
                             "groq",
                             "deepseek",
                             "xai",
                             "openrouter",
                             "together",
                             "cohere",
                             "huggingface",
                             "ollama",
                             "llama-cpp",
                             "vllm",
                             "lm-studio"})
        QVERIFY2(findProviderPreset(name), name);
    QCOMPARE(bytes(findProviderPreset("azure-openai")->credentialHeader), "api-key");
    QVERIFY(findProviderPreset("azure-openai")->baseUrl.empty());
}

void TestDialects::presets_thatTellUsageUnasked_areTheseOnly()
{
    QByteArrayList names;
    for (const ProviderPreset &preset : providerPresets()) {
        if (preset.tellsUsageUnasked)
            names += bytes(preset.name);
    }
    QCOMPARE(names, (QByteArrayList{"mistral", "groq", "openrouter"}));
}

void TestDialects::findProviderPreset_unknownName_isNull()
{
    QVERIFY(!findProviderPreset("nobody"));
}

QTEST_GUILESS_MAIN(TestDialects)
#include "tst_dialects.moc"
