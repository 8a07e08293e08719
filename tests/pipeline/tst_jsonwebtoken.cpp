// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/base64.h"
#include "gateway/pipeline/jsonwebtoken.h"
#include "gateway/secrets/secretarena.h"
#include "tests/support/jose.h"
#include "tests/support/joseexamples.h"

#include <QTest>

using namespace gatehouse;
using namespace std::chrono_literals;
using test::base64Url;
using test::SigningKey;

namespace {

const std::chrono::system_clock::time_point now{std::chrono::seconds(1'800'000'000)};

QByteArray detailOf(std::string_view token)
{
    const auto parsed = JsonWebToken::parse(token);
    if (parsed)
        return "ok";
    return QByteArray(parsed.error().detail.data(), qsizetype(parsed.error().detail.size()));
}

std::string tokenOf(std::string_view header, std::string_view payload)
{
    return base64Url(header) + "." + base64Url(payload) + ".AAAA";
}

/// What the rules say of these claims.
QByteArray
checked(const ClaimRules &rules, const std::string &claims, std::chrono::milliseconds later = 0ms)
{
    const auto token = JsonWebToken::parse(tokenOf(R"({"alg":"ES256"})", claims));
    if (!token)
        return "no token";
    const auto problem = rules.check(token->claims(), now + later);
    return problem ? QByteArray(problem->detail.data(), qsizetype(problem->detail.size()))
                   : QByteArray("ok");
}

ClaimRules::Claim claim(std::string_view path, std::string value, bool isRequired = true)
{
    return {std::move(*ClaimPath::parse(path)), std::move(value), isRequired};
}

} // namespace

class TestJsonWebToken : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void parse_rfc7515Examples_areRead()
    {
        for (const test::JoseExample &example : test::joseExamples) {
            if (!example.message.ends_with(test::joeClaims))
                continue;
            const auto token = JsonWebToken::parse(example.message + "." + example.signature);
            QVERIFY2(token, example.name);
            QCOMPARE(token->algorithm(), *signatureAlgorithm(example.algorithm));
            QVERIFY(!token->keyId());
            QCOMPARE(token->claims().find("iss")->text(), std::string_view("joe"));
            QCOMPARE(token->claims().find("exp")->integer(), std::int64_t{1300819380});
        }
        const auto key = VerificationKey::fromSecret(
            SecretArena::make()->store({base64UrlDecoded(test::rfc7515A1Secret).value()}));
        const test::JoseExample &first = test::joseExamples.front();
        QVERIFY(JsonWebToken::parse(first.message + "." + first.signature)->isSignedBy(*key));
    }

    void parse_rfc7515A5Unsecured_isRefused()
    {
        QCOMPARE(detailOf("eyJhbGciOiJub25lIn0." + test::joeClaims + "."), QByteArray("algorithm"));
    }

    void parse_payloadThatIsNoClaims_isRefused()
    {
        const auto &payload = test::joseExamples[3]; // "Payload"
        QCOMPARE(detailOf(payload.message + "." + payload.signature), QByteArray("claims"));
    }

    void parse_attacks_areRefused_data()
    {
        QTest::addColumn<QByteArray>("token");
        QTest::addColumn<QByteArray>("detail");
        const auto row = [](const char *name, const std::string &token, const char *detail) {
            QTest::newRow(name) << QByteArray::fromStdString(token) << QByteArray(detail);
        };
        const auto headed = [](const std::string &header) { return tokenOf(header, "{}"); };
        const std::string good = headed(R"({"alg":"ES256"})");
        row("nothing", "", "malformed");
        row("two dots", "..", "malformed");
        row("two parts", "e30.e30", "malformed");
        row("four parts", good + ".e30", "malformed");
        row("JWE", "e30.e30.e30.e30.e30", "malformed");
        row("JSON serialisation", R"({"payload":"e30","signatures":[]})", "malformed");
        for (const char *name : {"none", "None", "NONE", "nOnE"})
            row(name, headed("{\"alg\":\"" + std::string(name) + "\"}"), "algorithm");
        row("none, unsigned", base64Url(R"({"alg":"none"})") + ".e30.", "algorithm");
        row("algorithm in another case", headed(R"({"alg":"es256"})"), "algorithm");
        row("algorithm with a space", headed(R"({"alg":"ES256 "})"), "algorithm");
        row("algorithm with NUL", headed(R"({"alg":"ES256\u0000"})"), "algorithm");
        row("broken algorithm", headed(R"({"alg":"RS1"})"), "algorithm");
        row("encryption algorithm", headed(R"({"alg":"dir","enc":"A128GCM"})"), "algorithm");
        row("no algorithm", headed("{}"), "malformed");
        row("algorithm null", headed(R"({"alg":null})"), "malformed");
        row("algorithm list", headed(R"({"alg":["ES256"]})"), "malformed");
        row("algorithm twice", headed(R"({"alg":"none","alg":"ES256"})"), "malformed");
        row("algorithm twice, escaped",
            headed(R"({"alg":"ES256","\u0061lg":"none"})"),
            "malformed");
        row("algorithm of another name", headed(R"({"Alg":"ES256"})"), "malformed");
        row("crit", headed(R"({"alg":"ES256","crit":["exp"],"exp":1})"), "malformed");
        row("crit empty", headed(R"({"alg":"ES256","crit":[]})"), "malformed");
        row("b64", headed(R"({"alg":"ES256","b64":false})"), "malformed");
        row("b64 true", headed(R"({"alg":"ES256","b64":true})"), "malformed");
        row("kid number", headed(R"({"alg":"ES256","kid":1})"), "malformed");
        row("kid null", headed(R"({"alg":"ES256","kid":null})"), "malformed");
        row("header is a list", headed("[]"), "malformed");
        row("header is no JSON", headed("alg"), "malformed");
        row("header with a tail", headed(R"({"alg":"ES256"}{})"), "malformed");
        row("header with bad UTF-8", headed("{\"alg\":\"ES256\",\"x\":\"\xff\"}"), "malformed");
        row("byte order mark", headed("\xef\xbb\xbf{\"alg\":\"ES256\"}"), "malformed");
        row("padding", base64Url(R"({"alg":"ES256"})") + "=.e30.AAAA", "malformed");
        row("padding of the signature", good + "==", "malformed");
        row("standard base64", base64Url(R"({"alg":"ES256"})") + ".e30.+/+/", "malformed");
        row("unused bits", base64Url(R"({"alg":"ES256"})") + ".e31.AAAA", "malformed");
        row("white space", good + " ", "malformed");
        row("line break", base64Url(R"({"alg":"ES256"})") + ".\ne30.AAAA", "malformed");
        row("claims twice", tokenOf(R"({"alg":"ES256"})", R"({"sub":"a","sub":"b"})"), "claims");
        row("claims list", tokenOf(R"({"alg":"ES256"})", "[]"), "claims");
        row("claims text", tokenOf(R"({"alg":"ES256"})", "\"a\""), "claims");
        row("claims empty", base64Url(R"({"alg":"ES256"})") + "..AAAA", "claims");
        row("nested token", tokenOf(R"({"alg":"ES256","cty":"JWT"})", good), "claims");
        row("NaN", tokenOf(R"({"alg":"ES256"})", R"({"exp":NaN})"), "claims");
        row("deep claims",
            tokenOf(R"({"alg":"ES256"})",
                    "{\"a\":" + std::string(40, '[') + std::string(40, ']') + "}"),
            "claims");
        row("too long", good + std::string(JsonWebToken::longest + 1 - good.size(), 'A'), "size");
    }
    void parse_attacks_areRefused()
    {
        QFETCH(QByteArray, token);
        QFETCH(QByteArray, detail);
        QCOMPARE(detailOf(token.toStdString()), detail);
    }

    void parse_cutBeforeTheSignature_isRefused()
    {
        const std::string token = SigningKey::ec("P-256").token("ES256", {}, R"({"sub":"a"})");
        const std::size_t lastDot = token.rfind('.');
        for (std::size_t size = 0; size <= lastDot; ++size)
            QCOMPARE(detailOf(token.substr(0, size)), QByteArray("malformed"));
    }

    void parse_longestToken_isRead()
    {
        const std::string head = base64Url(R"({"alg":"ES256"})") + ".e30.";
        const std::size_t rest = (JsonWebToken::longest - head.size()) / 4 * 4;
        QCOMPARE(detailOf(head + std::string(rest, 'A')), QByteArray("ok"));
    }

    void dates_boundaries_areToTheSecond_data()
    {
        QTest::addColumn<QByteArray>("claims");
        QTest::addColumn<int>("leewaySeconds");
        QTest::addColumn<int>("laterMs");
        QTest::addColumn<QByteArray>("detail");
        const auto row =
            [](const char *name, const char *claims, int leeway, int later, const char *detail) {
                QTest::newRow(name) << QByteArray(claims) << leeway << later << QByteArray(detail);
            };
        row("a second left", R"({"exp":1800000001})", 0, 0, "ok");
        row("its last millisecond", R"({"exp":1800000001})", 0, 999, "ok");
        row("on the second of exp", R"({"exp":1800000001})", 0, 1000, "expired");
        row("exp now", R"({"exp":1800000000})", 0, 0, "expired");
        row("within the leeway", R"({"exp":1800000000})", 30, 29'999, "ok");
        row("at its end", R"({"exp":1800000000})", 30, 30'000, "expired");
        row("fraction", R"({"exp":1800000000.5})", 0, 499, "ok");
        row("end of the fraction", R"({"exp":1800000000.5})", 0, 500, "expired");
        row("exponent", R"({"exp":1.800000001e9})", 0, 0, "ok");
        row("long ago", R"({"exp":0})", 30, 0, "expired");
        row("nbf now", R"({"exp":1900000000,"nbf":1800000000})", 0, 0, "ok");
        row("nbf in a second", R"({"exp":1900000000,"nbf":1800000001})", 0, 999, "not-yet");
        row("nbf reached", R"({"exp":1900000000,"nbf":1800000001})", 0, 1000, "ok");
        row("nbf within the leeway", R"({"exp":1900000000,"nbf":1800000030})", 30, 0, "ok");
        row("nbf beyond it", R"({"exp":1900000000,"nbf":1800000031})", 30, 999, "not-yet");
        row("iat to come", R"({"exp":1900000000,"iat":1800009999})", 0, 0, "ok");
        row("latest date", R"({"exp":253402300799})", 0, 0, "ok");
    }
    void dates_boundaries_areToTheSecond()
    {
        QFETCH(QByteArray, claims);
        QFETCH(int, leewaySeconds);
        QFETCH(int, laterMs);
        QFETCH(QByteArray, detail);
        ClaimRules rules;
        rules.leeway = std::chrono::seconds(leewaySeconds);
        QCOMPARE(checked(rules, claims.toStdString(), std::chrono::milliseconds(laterMs)), detail);
    }

    void dates_thatAreNone_areRefused_data()
    {
        QTest::addColumn<QByteArray>("value");
        for (const char *value : {"\"1900000000\"",
                                  "null",
                                  "true",
                                  "[]",
                                  "[1900000000]",
                                  "{}",
                                  "-1",
                                  "-0.5",
                                  "253402300800",
                                  "1e12",
                                  "1e300",
                                  "1e999",
                                  "\"\"",
                                  "\"2027-01-01T00:00:00Z\""})
            QTest::newRow(value) << QByteArray(value);
    }
    void dates_thatAreNone_areRefused()
    {
        QFETCH(QByteArray, value);
        ClaimRules rules;
        rules.requireExpiry = false;
        for (const char *name : {"exp", "nbf", "iat"})
            QCOMPARE(checked(rules, "{\"" + std::string(name) + "\":" + value.toStdString() + "}"),
                     QByteArray("claims"));
    }

    void dates_required_mustBeThere()
    {
        ClaimRules rules;
        QCOMPARE(checked(rules, "{}"), QByteArray("expired"));
        rules.requireExpiry = false;
        QCOMPARE(checked(rules, "{}"), QByteArray("ok"));
        rules.requireNotBefore = true;
        QCOMPARE(checked(rules, "{}"), QByteArray("not-yet"));
        QCOMPARE(checked(rules, R"({"nbf":1})"), QByteArray("ok"));
    }

    void issuer_anythingElse_isRefused()
    {
        ClaimRules rules{.issuer = "https://issuer.example", .requireExpiry = false};
        for (const char *claims :
             {"{\"iss\":\"https://issuer.example\"}", "{\"iss\":\"https:\\/\\/issuer.example\"}"})
            QCOMPARE(checked(rules, claims), QByteArray("ok"));
        for (const char *claims : {"{}",
                                   "{\"iss\":\"https://issuer.example/\"}",
                                   "{\"iss\":\"https://ISSUER.example\"}",
                                   "{\"iss\":[\"https://issuer.example\"]}",
                                   R"({"iss":null})",
                                   "{\"ISS\":\"https://issuer.example\"}"})
            QCOMPARE(checked(rules, claims), QByteArray("issuer"));
    }

    void audience_textOrList_mustHaveOneOfOurs()
    {
        ClaimRules rules{.audiences = {"a", "b"}, .requireExpiry = false};
        for (const char *claims : {R"({"aud":"a"})", R"({"aud":"b"})", R"({"aud":["x","b"]})"})
            QCOMPARE(checked(rules, claims), QByteArray("ok"));
        for (const char *claims : {"{}",
                                   R"({"aud":"A"})",
                                   R"({"aud":"a b"})",
                                   R"({"aud":[]})",
                                   R"({"aud":["x"]})",
                                   R"({"aud":[["a"]]})",
                                   R"({"aud":["a",1]})",
                                   R"({"aud":{"a":"a"}})",
                                   R"({"aud":null})",
                                   R"({"aud":1})"})
            QCOMPARE(checked(rules, claims), QByteArray("audience"));
        rules.requireAudience = false;
        QCOMPARE(checked(rules, "{}"), QByteArray("ok"));
        QCOMPARE(checked(rules, R"({"aud":"x"})"), QByteArray("audience"));
        rules.audiences.clear();
        QCOMPARE(checked(rules, R"({"aud":"x"})"), QByteArray("ok"));
    }

    void claims_values_mustBeThere_data()
    {
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<QByteArray>("value");
        QTest::addColumn<QByteArray>("claims");
        QTest::addColumn<bool>("isFine");
        const auto row = [](const char *path, const char *value, const char *claims, bool isFine) {
            QTest::addRow("%s = %s in %s", path, value, claims)
                << QByteArray(path) << QByteArray(value) << QByteArray(claims) << isFine;
        };
        row("team", "core", R"({"team":"core"})", true);
        row("team", "core", R"({"team":"Core"})", false);
        row("team", "core", R"({"team":["core"]})", false);
        row("team", "core", "{}", false);
        row("ok", "true", R"({"ok":true})", true);
        row("ok", "true", R"({"ok":"true"})", true);
        row("ok", "true", R"({"ok":false})", false);
        row("level", "3", R"({"level":3})", true);
        row("level", "3", R"({"level":3.0})", false);
        row("nothing", "null", R"({"nothing":null})", false);
        row("https://example.com/role", "x", "{\"https://example.com/role\":\"x\"}", true);
        row("a.b", "x", R"({"a":{"b":"x"}})", false);
        row("/a/b", "x", R"({"a":{"b":"x"}})", true);
        row("/roles/*", "admin", R"({"roles":["user","admin"]})", true);
        row("/roles/*", "admin", R"({"roles":["user"]})", false);
        row("/roles/*", "admin", R"({"roles":"admin"})", false);
        row("/a~1b", "x", R"({"a/b":"x"})", true);
    }
    void claims_values_mustBeThere()
    {
        QFETCH(QByteArray, path);
        QFETCH(QByteArray, value);
        QFETCH(QByteArray, claims);
        QFETCH(bool, isFine);
        ClaimRules rules;
        rules.requireExpiry = false;
        rules.claims.push_back(claim(path.toStdString(), value.toStdString()));
        QCOMPARE(checked(rules, claims.toStdString()), QByteArray(isFine ? "ok" : "claim"));
    }

    void claims_ifPresent_mayBeAbsent()
    {
        ClaimRules rules;
        rules.requireExpiry = false;
        rules.claims.push_back(claim("team", "core", false));
        QCOMPARE(checked(rules, "{}"), QByteArray("ok"));
        QCOMPARE(checked(rules, R"({"team":"core"})"), QByteArray("ok"));
        QCOMPARE(checked(rules, R"({"team":"other"})"), QByteArray("claim"));
        QCOMPARE(checked(rules, R"({"team":null})"), QByteArray("claim"));
    }

    void path_ofOneText_isThatText()
    {
        const auto token = JsonWebToken::parse(
            tokenOf(R"({"alg":"ES256"})", R"({"a":"x","n":1,"l":["x","y"],"one":["z"]})"));
        QVERIFY(token);
        const auto text = [&](std::string_view path) {
            return ClaimPath::parse(path)->textIn(token->claims());
        };
        QCOMPARE(text("a"), std::string_view("x"));
        QCOMPARE(text("/a"), std::string_view("x"));
        QCOMPARE(text("/l/1"), std::string_view("y"));
        QCOMPARE(text("/one/*"), std::string_view("z"));
        QVERIFY(!text("/l/*")); // which of them would it be?
        QVERIFY(!text("n"));
        QVERIFY(!text("b"));
        QVERIFY(!ClaimPath::parse(""));
        QVERIFY(!ClaimPath::parse("/a~"));
    }
};

QTEST_APPLESS_MAIN(TestJsonWebToken)
#include "tst_jsonwebtoken.moc"
