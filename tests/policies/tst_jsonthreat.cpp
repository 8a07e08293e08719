// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/dialects/dialect.h"
#include "tests/policies/policytest.h"
#include "tests/policies/translated.h"

#include <QTest>

using namespace gatehouse;
using test::PolicyTest;
using test::translated;
using Outcome = Pipeline::Outcome;

namespace {

const std::string post = "POST /p/x HTTP/1.1\r\nContent-Type: application/json\r\n";

std::string nested(int depth)
{
    const auto size = static_cast<std::size_t>(depth);
    return std::string(size, '[') + std::string(size, ']');
}

std::string list(int count, const std::function<std::string(int)> &item)
{
    std::string text;
    for (int i = 0; i < count; ++i)
        text.append(i == 0 ? "" : ",").append(item(i));
    return text;
}

std::string object(int count)
{
    return '{' + list(count, [](int i) { return "\"n" + std::to_string(i) + "\":1"; }) + '}';
}

std::string array(int count)
{
    return '[' + list(count, [](int) { return std::string("1"); }) + ']';
}

/// `{"nn…":"ss…"}`
std::string texts(int nameLength, int stringLength)
{
    return "{\"" + std::string(static_cast<std::size_t>(nameLength), 'n') + "\":\""
           + std::string(static_cast<std::size_t>(stringLength), 's') + "\"}";
}

} // namespace

class TestJsonThreat : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void measure_atTheLimit_passes_data()
    {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<QByteArray>("most");
        QTest::addColumn<QByteArray>("more");
        QTest::addColumn<QByteArray>("refusal");
        const auto row = [](const char *name,
                            const char *config,
                            const std::string &most,
                            const std::string &more,
                            const char *refusal) {
            QTest::newRow(name) << QByteArray(config) << QByteArray::fromStdString(most)
                                << QByteArray::fromStdString(more) << QByteArray(refusal);
        };
        row("depth", "maxDepth: 3", nested(3), nested(4), "400 json-threat:depth");
        row("depth by default", "", nested(64), nested(65), "400 json-threat:depth");
        row("depth of all", "maxDepth: 0", nested(512), nested(513), "400 json-threat:depth");
        row("entries", "maxEntries: 3", object(3), object(4), "400 json-threat:entries");
        row("entries by default", "", object(10000), object(10001), "400 json-threat:entries");
        row("name", "maxNameLength: 5", texts(5, 9), texts(6, 9), "400 json-threat:name");
        row("name by default", "", texts(1024, 0), texts(1025, 0), "400 json-threat:name");
        row("elements", "maxElements: 3", array(3), array(4), "400 json-threat:elements");
        row("elements by default", "", array(100000), array(100001), "400 json-threat:elements");
        row("string", "maxString: 5", texts(9, 5), texts(9, 6), "400 json-threat:string");
        row("string by default",
            "",
            texts(1, 8 << 20),
            texts(1, (8 << 20) + 1),
            "400 json-threat:string");
        row("escapes count as what they are",
            "maxString: 2",
            R"(["\u00e9"])",
            R"(["\u00e9a"])",
            "400 json-threat:string");
        row("further in",
            "{maxElements: 1, maxDepth: 0}",
            R"({"a":{"b":[1]}})",
            R"({"a":{"b":[1,2]}})",
            "400 json-threat:elements");
    }
    void measure_atTheLimit_passes()
    {
        QFETCH(QByteArray, config);
        QFETCH(QByteArray, most);
        QFETCH(QByteArray, more);
        QFETCH(QByteArray, refusal);
        PolicyTest policy("json-threat", config);
        QCOMPARE(policy.send(post, most.toStdString()), Outcome::Passed);
        QCOMPARE(policy.send(post, more.toStdString()), Outcome::Refused);
        QCOMPARE(QByteArray::fromStdString(policy.refusal()), refusal);
        QVERIFY(policy.reply.message.size() < 200);
    }

    void limit_ofZero_isNone()
    {
        PolicyTest policy(
            "json-threat",
            "{maxDepth: 0, maxEntries: 0, maxNameLength: 0, maxElements: 0, maxString: 0}");
        for (const std::string &body :
             {nested(500), object(10001), array(100001), texts(1025, (8 << 20) + 1)})
            QCOMPARE(policy.send(post, body), Outcome::Passed);
    }

    void body_thatReadersTakeDifferently_isRefused_data()
    {
        QTest::addColumn<QByteArray>("head");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<QByteArray>("refusal");
        const auto row
            = [](const char *name, const char *fields, const char *body, const char *refusal) {
                  QTest::newRow(name) << QByteArray("POST /p/x HTTP/1.1\r\n") + fields
                                      << QByteArray(body) << QByteArray(refusal);
              };
        row("name twice", "", R"({"a":1,"\u0061":2})", "400 json-threat:duplicate");
        row("broken", "Content-Type: application/json\r\n", "{\"a\":", "400 json-threat:malformed");
        row("no JSON", "Content-Type: application/json\r\n", "a=b", "400 json-threat:malformed");
        row("bad UTF-8", "", "[\"\xff\"]", "400 json-threat:malformed");
        row("byte order mark", "", "\xef\xbb\xbf{}", "400 json-threat:malformed");
        row("two texts", "", "{}\n{}", "400 json-threat:malformed");
        row("charset",
            "Content-Type: application/json; charset=utf-16\r\n",
            "{}",
            "415 json-threat:encoding");
        row("two types",
            "Content-Type: text/plain\r\nContent-Type: application/json\r\n",
            "{}",
            "415 json-threat:encoding");
        row("unknown coding", "Content-Encoding: x\r\n", "{}", "415 json-threat:encoding");
        row("false coding", "Content-Encoding: gzip\r\n", "{}", "415 json-threat:encoding");
        // what is JSON whatever it says
        row("no type", "", R"({"a":[[[]]]})", "400 json-threat:depth");
        row("another type", "Content-Type: text/plain\r\n", "[[[[]]]]", "400 json-threat:depth");
        row("a form",
            "Content-Type: application/x-www-form-urlencoded\r\n",
            "[[[[]]]]",
            "400 json-threat:depth");
        row("a multipart form",
            "Content-Type: multipart/form-data; boundary=B\r\n",
            "[[[[]]]]",
            "400 json-threat:depth");
    }
    void body_thatReadersTakeDifferently_isRefused()
    {
        QFETCH(QByteArray, head);
        QFETCH(QByteArray, body);
        QFETCH(QByteArray, refusal);
        PolicyTest policy("json-threat", "maxDepth: 3");
        QCOMPARE(policy.send(head.toStdString(), body.toStdString()), Outcome::Refused);
        QCOMPARE(QByteArray::fromStdString(policy.refusal()), refusal);
    }

    void body_thatIsNoJson_passes()
    {
        PolicyTest policy("json-threat", "maxDepth: 1");
        for (const char *fields : {"",
                                   "Content-Type: audio/wav\r\n",
                                   "Content-Type: application/x-www-form-urlencoded\r\n",
                                   "Content-Type: multipart/form-data; boundary=B\r\n"}) {
            const std::string head = std::string("POST /p/x HTTP/1.1\r\n") + fields;
            QCOMPARE(policy.send(head, "a=[[[["), Outcome::Passed);
            QCOMPARE(policy.send(head), Outcome::Passed);
        }
        QCOMPARE(policy.send("GET /p/x HTTP/1.1\r\n"), Outcome::Passed);
    }

    void upload_ofAFile_isNotGathered()
    {
        PolicyTest policy("json-threat", "maxDepth: 1");
        policy.route.modelFinder
            = std::make_shared<const ModelFinder>(findDialect("openai")->modelPlaces());
        const auto upload = [&policy](const char *path, const char *type) {
            return policy.send(std::string("POST /p") + path + " HTTP/1.1\r\nContent-Type: " + type
                                   + "\r\n",
                               "[[[[]]]]");
        };
        QCOMPARE(upload("/files", "multipart/form-data; boundary=B"), Outcome::Passed);
        QVERIFY(policy.exchange.body().isEmpty());
        QCOMPARE(upload("/files", "application/json"), Outcome::Refused);
        QCOMPARE(upload("/vector_stores", "application/json"), Outcome::Refused);
        QCOMPARE(upload("/audio/transcriptions", "multipart/form-data; boundary=B"),
                 Outcome::Refused);
        QCOMPARE(policy.send("POST /p/files HTTP/1.1\r\n", "[[[[]]]]"), Outcome::Refused);
        QCOMPARE(upload("/files", "text/plain\r\nContent-Type: application/json"),
                 Outcome::Refused);
        QCOMPARE(upload("/x%2Ffiles", "text/plain"), Outcome::Refused);
        QCOMPARE(upload("/uploads/u/parts", "application/octet-stream"), Outcome::Passed);
        QCOMPARE(upload("/containers/c/files", "multipart/form-data; boundary=B"), Outcome::Passed);
        // Requests that name no model are parsed all the same.
        for (const char *path : {"/threads/t/messages",
                                 "/v1/threads/t/messages",
                                 "/vector_stores/v/files",
                                 "/batches"})
            QCOMPARE(upload(path, "text/plain"), Outcome::Refused);
    }

    void upload_atOtherVendors_isNotGathered_data()
    {
        QTest::addColumn<QByteArray>("dialect");
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<bool>("isStored");
        const auto row = [](const char *dialect, const char *path, bool isStored) {
            QTest::newRow(path) << QByteArray(dialect) << QByteArray(path) << isStored;
        };
        row("anthropic", "/v1/files", true);
        row("anthropic", "/v1/skills/s/versions", true);
        row("anthropic", "/v1/messages/batches/b/cancel", false);
        row("gemini", "/upload/v1beta/files", true);
        row("gemini", "/upload/v1beta/fileSearchStores/s:uploadToFileSearchStore", true);
        row("gemini", "/v1beta/cachedContents/c", false);
        row("gemini", "/v1beta/fileSearchStores", false);
        row("ollama", "/api/blobs/sha256:x", true);
        row("ollama", "/api/blobs/sha256-x", true);
        row("ollama", "/api/web_search", false);
    }
    void upload_atOtherVendors_isNotGathered()
    {
        QFETCH(QByteArray, dialect);
        QFETCH(QByteArray, path);
        QFETCH(bool, isStored);
        PolicyTest policy("json-threat", "maxDepth: 1");
        policy.route.modelFinder
            = std::make_shared<const ModelFinder>(findDialect(dialect.constData())->modelPlaces());
        QCOMPARE(policy.send("POST /p" + path.toStdString()
                                 + " HTTP/1.1\r\nContent-Type: text/plain\r\n",
                             "[[[[]]]]"),
                 isStored ? Outcome::Passed : Outcome::Refused);
    }

    void config_outOfRange_isRefused()
    {
        for (const char *config : {"maxDepth: 513", "maxDepth: -1", "maxString: -1", "depth: 1"}) {
            PolicyTest policy("json-threat", config);
            QVERIFY2(!policy.make(), config);
        }
    }

    void flexConfig_everyKey_isTranslated()
    {
        QByteArray problems;
        QCOMPARE(translated("json-threat",
                            "maxContainerDepth: 10\n"
                            "maxObjectEntryCount: 10000\n"
                            "maxObjectEntryNameLength: 80\n"
                            "maxArrayElementCount: -1\n",
                            problems),
                 QByteArray("maxDepth: 10\nmaxEntries: 10000\nmaxNameLength: 80\n"
                            "maxElements: 0\nmaxString: 0\n"));
        QCOMPARE(problems, QByteArray());
        QCOMPARE(translated("json-threat", "maxContainerDepth: 600", problems).left(13),
                 QByteArray("maxDepth: 512"));
        QVERIFY(problems.contains("512"));
        QVERIFY(!translated("json-threat", "maxDepth: 1", problems).isEmpty());
        QVERIFY(problems.contains("maxDepth")); // not a key of theirs
    }

    void flexConfig_whatCannotMeanTheSame_isRefused()
    {
        for (const char *yaml :
             {"maxContainerDepth: 0", "maxStringValueLength: -2", "maxArrayElementCount: many"}) {
            QByteArray problems;
            QCOMPARE(translated("json-threat", yaml, problems), QByteArray());
            QVERIFY2(problems.contains("must be"), yaml);
        }
    }
};

QTEST_APPLESS_MAIN(TestJsonThreat)
#include "tst_jsonthreat.moc"
