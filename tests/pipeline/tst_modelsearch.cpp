// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/modelname.h"
#include "tests/pipeline/foundmodels.h"

#include <QTest>

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

/// A multipart body of these parts: each the rest of its Content-Disposition, other lines, and content.
std::string form(const std::vector<std::pair<std::string, std::string>> &parts)
{
    std::string body;
    for (const auto &[head, value] : parts)
        body += "--B\r\nContent-Disposition: form-data; " + head + "\r\n\r\n" + value + "\r\n";
    return body + "--B--\r\n";
}

const std::string formHead = "POST /x\nContent-Type: multipart/form-data; boundary=B";
} // namespace

class TestModelSearch : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void json_anyPlace_isSeen_data();
    void json_anyPlace_isSeen();
    void json_withoutType_isReadAllTheSame_data();
    void json_withoutType_isReadAllTheSame();
    void json_everyCaseOfTheName_isSeen();
    void name_anyCharacterAround_isHidden_data();
    void name_anyCharacterAround_isHidden();
    void models_moreThan64_areHidden();
    void form_anyField_isSeen_data();
    void form_anyField_isSeen();
    void form_manyFields_areRefused();
    void foldedName_longName_keepsItsEnd();
    void depth_ofTheParser_isWalked();
};

void TestModelSearch::json_anyPlace_isSeen_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("found");
    const auto row = [](const char *name, const char *body, const char *found) {
        QTest::newRow(name) << QByteArray(body) << QByteArray(found);
    };
    row("top level", R"({"model":"a","messages":[]})", "a");
    row("escaped name and value", R"({"\u006dodel":"\u0061"})", "a");
    row("none", R"({"messages":[]})", "none");
    row("empty", R"({"model":""})", "none");
    row("null", R"({"model":null})", "none");
    row("other case", R"({"Model":"a"})", "a");
    row("both cases", R"({"model":"a","MODEL":"b","mODEL":"c"})", "a b c");
    row("underscores",
        R"({"base_model":"a","baseModel":"b","model_id":"c","_model":"d"})",
        "a b c d");
    row("models", R"({"model":"a","models":["b","c","a"]})", "a b c");
    row("models with a long s", "{\"model\":\"a\",\"model\u017f\":[\"b\"]}", "a b");
    row("model in a list", R"({"model":["a","b"]})", "a b");
    row("model as an object", R"({"model":{"id":"a","speed":"fast"}})", "a");
    row("models as objects", R"({"models":[{"name":"a"},{"model":"b"}]})", "a b");
    row("another name", R"({"name":"a"})", "a");
    row("another name further in", R"({"x":{"name":"a"}})", "none");
    row("nested", R"({"model":"a","plugins":[{"analysis_models":["b"],"model":"c"}]})", "a b c");
    row("in a tool", R"({"model":"a","tools":[{"type":"advisor","model":"b"}]})", "a b");
    row("in a tool's parameters",
        R"({"model":"a","tools":[{"type":"x","parameters":{"model":"b"}}]})",
        "a b");
    row("fallbacks", R"({"model":"a","fallbacks":[{"model":"b"}]})", "a b");
    row("batch", R"({"requests":[{"params":{"model":"a"}},{"params":{"model":"b"}}]})", "a b");
    row("array at the top", R"([{"model":"a"},{"model":"b"}])", "a b");
    row("text at the top", R"("model")", "none");
    row("content", R"({"model":"a","metadata":{"model":"b"}})", "a");
    row("content of a call",
        R"({"model":"a","messages":[{"content":[{"type":"tool_use","input":{"model":"b"}}]}]})",
        "a");
    row("content in an unknown place", R"({"model":"a","x":{"metadata":{"model":"b"}}})", "a b");
    row("content beside its place",
        R"({"model":"a","messages":[{"content":[{"tools":[{"model":"b"}],"input":{}}]}]})",
        "a b");
    row("schema of something called a model",
        R"({"model":"a","t":{"properties":{"model":{"type":"string","default":"x"}}}})",
        "a");
    row("switch called a model", R"({"model":"a","x":{"use_model":true}})", "a");
    row("tool without its model",
        R"({"model":"a","tools":[{"type":"image_generation"}]})",
        "a hidden");
    row("tool in other case without its model",
        R"({"model":"a","Tools":[{"Type":"Image_Generation"}]})",
        "a hidden");
    row("tool with its model",
        R"({"model":"a","tools":[{"type":"image_generation","model":"b"}]})",
        "a b");
    row("tool with the same model",
        R"({"model":"a","tools":[{"type":"image_generation","model":"a"}]})",
        "a");
    row("tool that only is chosen", R"({"model":"a","choice":{"type":"image_generation"}})", "a");
    row("tools in one another",
        R"({"model":"a","tools":[{"type":"ns","tools":[{"type":"image_generation"}]}]})",
        "a hidden");
    row("preset", R"({"model":"a","preset":"p"})", "a hidden");
    row("preset in other case", R"({"model":"a","PreSet":"p"})", "a hidden");
    row("preset as an object", R"({"model":"a","preset":{"id":"a"}})", "a hidden");
    row("preset in a list", R"({"model":"a","preset":["p"]})", "a hidden");
    row("preset in an empty list", R"({"model":"a","preset":[]})", "a");
    row("no preset", R"({"model":"a","preset":null})", "a");
    row("number", R"({"model":1})", "request:json");
    row("number beside", R"({"model":"a","Model":1})", "request:json");
    row("number in a list", R"({"model":["a",1]})", "request:json");
    row("object without a name", R"({"model":{"x":1}})", "request:json");
    row("twice", R"({"model":"a","model":"b"})", "request:json");
    row("twice, escaped", R"({"model":"a","\u006dodel":"b"})", "request:json");
}

void TestModelSearch::json_anyPlace_isSeen()
{
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, found);
    QCOMPARE(bytes(foundIn(jsonHead, body.toStdString())), found);
}

void TestModelSearch::json_withoutType_isReadAllTheSame_data()
{
    QTest::addColumn<QByteArray>("fields");
    const auto row
        = [](const char *name, const char *fields) { QTest::newRow(name) << QByteArray(fields); };
    row("none", "");
    row("plain text", "\nContent-Type: text/plain");
    row("a form", "\nContent-Type: application/x-www-form-urlencoded");
    row("a multipart form", "\nContent-Type: multipart/form-data; boundary=B");
    row("something unknown", "\nContent-Type: x");
    row("UTF-8", "\nContent-Type: application/json; charset=UTF-8");
    row("UTF-8, quoted", "\nContent-Type: application/json;charset=\"utf-8\"");
}

void TestModelSearch::json_withoutType_isReadAllTheSame()
{
    QFETCH(QByteArray, fields);
    QCOMPARE(bytes(foundIn("POST /x" + fields.toStdString(), " \r\n\t{\"model\":\"a\"}")),
             QByteArray("a"));
    QCOMPARE(bytes(foundIn("PUT /x" + fields.toStdString(), "[{\"model\":\"a\"}]")),
             QByteArray("a"));
}

void TestModelSearch::json_everyCaseOfTheName_isSeen()
{
    const std::string name = "models";
    for (unsigned mask = 0; mask < 1U << name.size(); ++mask) {
        std::string written = name;
        for (std::size_t i = 0; i < name.size(); ++i) {
            if ((mask >> i & 1U) != 0)
                written[i] = static_cast<char>(written[i] - 'a' + 'A');
        }
        QCOMPARE(bytes(foundIn(jsonHead, "{\"" + written + "\":\"a\"}")), QByteArray("a"));
    }
}

void TestModelSearch::name_anyCharacterAround_isHidden_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<bool>("isPlain");
    const auto row = [](const char *what, const char *name, bool isPlain) {
        QTest::newRow(what) << QByteArray(name) << isPlain;
    };
    row("plain", "gpt-5.1", true);
    row("vendor and variant", "openai/gpt-x:free@1", true);
    row("letters beyond ASCII", "org/über modell", true);
    row("percent sign", "50%", true);
    row("dots", "a..b/.c", true);
    row("256 bytes", QByteArray(256, 'm').constData(), true);
    row("257 bytes", QByteArray(257, 'm').constData(), false);
    row("space before", " a", false);
    row("space behind", "a ", false);
    row("no-break space behind", "a\u00a0", false);
    row("byte order mark before", "\ufeffa", false);
    row("ideographic space behind", "a\u3000", false);
    row("escape", "a%2Fb", false);
    row("query", "a?b", false);
    row("fragment", "a#b", false);
    row("backslash", "a\\b", false);
    row("dot segment", "a/../b", false);
    row("dot segment before", "./a", false);
    row("dot segment behind", "a/..", false);
    row("dots alone", "..", false);
}

void TestModelSearch::name_anyCharacterAround_isHidden()
{
    QFETCH(QByteArray, name);
    QFETCH(bool, isPlain);
    std::string written = name.toStdString();
    if (const std::size_t at = written.find('\\'); at != std::string::npos)
        written.insert(at, 1, '\\');
    const std::string found = foundIn(jsonHead, R"({"model":")" + written + R"("})");
    QCOMPARE(bytes(found), isPlain ? name : QByteArray("hidden"));
    for (const char *control : {"\\n", "\\t", "\\u0000", "\\u007f"}) {
        for (const std::string &text : {written + control, control + written})
            QCOMPARE(bytes(foundIn(jsonHead, R"({"model":")" + text + R"("})")),
                     QByteArray("hidden"));
    }
    QVERIFY(!isPlainModel("\xff"));
    QVERIFY(!isPlainModel(""));
}

void TestModelSearch::models_moreThan64_areHidden()
{
    const auto request = [](int count) {
        std::string list;
        for (int i = 0; i < count; ++i)
            list += (i == 0 ? "\"m" : ",\"m") + std::to_string(i) + '"';
        return "{\"models\":[" + list + "]}";
    };
    QVERIFY(foundIn(jsonHead, request(64)).ends_with("m63"));
    QVERIFY(foundIn(jsonHead, request(65)).ends_with("m63 hidden"));
    // A hostile one takes no longer for it.
    QVERIFY(foundIn(jsonHead, request(200'000)).ends_with("m63 hidden"));
}

void TestModelSearch::form_anyField_isSeen_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("found");
    const auto parts = [](const char *name,
                          const std::vector<std::pair<std::string, std::string>> &list,
                          const char *found) {
        QTest::newRow(name) << bytes(formHead) << bytes(form(list)) << QByteArray(found);
    };
    parts("model", {{"name=\"model\"", "a"}}, "a");
    parts(
        "model behind a file", {{R"(name="file"; filename="f")", "{x"}, {"name=model", "a"}}, "a");
    parts("model twice", {{"name=model", "a"}, {"name=model", "b"}}, "a b");
    parts("model in other case", {{"name=model", "a"}, {"name=MODEL", "b"}}, "a b");
    parts("models", {{"name=\"models[]\"", "a"}, {"name=\"models[1]\"", "b"}}, "a b");
    parts("model as a file", {{R"(name="model"; filename="f")", "a"}}, "a");
    parts("place as a file", {{"name=session; filename=f", R"({"model":"a"})"}}, "a");
    parts("place as a file, broken",
          {{"name=model", "a"}, {"name=session; filename=f", "{\"model\""}},
          "request:json");
    parts("JSON with an empty filename", {{R"(name=x; filename="")", R"({"model":"a"})"}}, "a");
    parts("model with a line end", {{"name=model", "a\r\n"}}, "hidden");
    parts("in brackets", {{"name=\"session[model]\"", "a"}}, "a");
    parts("dotted", {{"name=\"session.model\"", "a"}}, "a");
    parts("content", {{"name=\"metadata[model]\"", "b"}, {"name=model", "a"}}, "a");
    parts("content as JSON", {{"name=metadata", R"({"model":"b"})"}, {"name=model", "a"}}, "a");
    parts("JSON", {{"name=session", R"({"model":"a","x":{"model":"b"}})"}}, "a b");
    parts("JSON of a tool", {{"name=tools", R"([{"type":"image_generation"}])"}}, "hidden");
    parts("JSON with its type",
          {{"name=x\r\nContent-Type: application/json", R"({"model":"a"})"}},
          "a");
    parts("JSON file with its type",
          {{"name=x; filename=f\r\nContent-Type: application/vnd.x+json", R"({"model":"a"})"}},
          "a");
    parts("JSON list of models", {{"name=models", R"(["a","b"])"}}, "a b");
    for (const char *before : {"\xef\xbb\xbf", "\f", "\v", "\xff\xfe"}) {
        const std::string json = before + std::string(R"({"model":"b"})");
        const QByteArray name = "JSON behind " + QByteArray(before).toHex();
        parts(name.constData(), {{"name=model", "a"}, {"name=session", json}}, "request:json");
        parts(("unknown field, " + name.toStdString()).c_str(),
              {{"name=model", "a"}, {"name=x", json}},
              "request:json");
    }
    parts("text in brackets", {{"name=model", "a"}, {"name=prompt", "[verse] la"}}, "a");
    parts("file in brackets", {{"name=model", "a"}, {"name=f; filename=f", "{\"model\":"}}, "a");
    parts("broken JSON", {{"name=session", R"({"model":"a")"}}, "request:json");
    parts("broken JSON with its type",
          {{"name=x\r\nContent-Type: application/json", "{"}},
          "request:json");
    parts("broken list of models", {{"name=models", R"(["a")"}}, "request:json");
    parts("number", {{"name=session", R"({"model":1})"}}, "request:json");
    parts("preset", {{"name=preset", "p"}}, "hidden");
    parts("none", {{"name=prompt", "p"}}, "none");
    const auto pairs = [](const char *name, const char *body, const char *found) {
        QTest::newRow(name) << QByteArray(
            "POST /x\nContent-Type: application/x-www-form-urlencoded")
                            << QByteArray(body) << QByteArray(found);
    };
    pairs("urlencoded", "x=1&model=a", "a");
    pairs("urlencoded, escaped", "%6Dodel=%61", "a");
    pairs("urlencoded, twice", "model=a&Model=b", "a b");
    pairs("urlencoded, space", "model=a+", "hidden");
    pairs("urlencoded, semicolon", "model=a;model=b", "request:encoding");
    pairs("urlencoded, malformed", "model=%zz", "request:encoding");
    pairs("urlencoded, JSON behind a NUL", "model=a&session=%00{\"model\":\"b\"}", "request:json");
    // what says that it is a form, and to others is JSON
    pairs("JSON", R"({"model":"a","x":"1 & 2 = 3; {100%} && y = [z]; &=;"})", "a");
    pairs("JSON, model as a form", R"({"model":"a","x":"&model=b&prompt=hi&y="})", "a hidden");
    pairs("JSON, model at the end", R"({"model":"a","x":"&model=b"})", "a hidden");
    pairs("JSON, the same model as a form", R"({"model":"a","x":"&model=a&y="})", "a hidden");
    pairs("JSON, model only as a form", R"({"x":"&model=b&y="})", "hidden");
    pairs("JSON, list", R"(["&model=b&"])", "hidden");
    pairs("JSON, escaped", R"({"model":"a","x":"&mod%65l%5B%5D=b&y="})", "a hidden");
    pairs("JSON, escaped and malformed", R"({"model":"a","x":"%zz&mod%65l=%zz&"})", "a hidden");
    pairs("JSON, semicolon", R"({"model":"a","x":";model=b;y="})", "a hidden");
    pairs("JSON, JSON as a form",
          R"({"model":"a","x":"&x=%7B%22model%22:%22b%22%7D&y="})",
          "a hidden");
    pairs("JSON, JSON with a semicolon as a form",
          R"({"model":"a","x":"&x=%7B%22model%22:%22b%22,%22;%22:0%7D&y="})",
          "a hidden");
    pairs("JSON, place as a form", R"({"model":"a","x":"&session=[&y="})", "a hidden");
    pairs("JSON, preset as a form", R"({"model":"a","x":"&preset=b&y="})", "a hidden");
    pairs("JSON, content as a form", R"({"model":"a","x":"&metadata[model]=b&y="})", "a");
    pairs("JSON, model without a value", R"({"model":"a","x":"&model&model=&y="})", "a");
}

void TestModelSearch::form_anyField_isSeen()
{
    QFETCH(QByteArray, head);
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, found);
    QCOMPARE(bytes(foundIn(head.toStdString(), body.toStdString())), found);
}

void TestModelSearch::form_manyFields_areRefused()
{
    const auto repeated = [](const char *pair, int count) {
        std::string text;
        for (int i = 0; i < count; ++i)
            text += pair;
        return text;
    };
    const std::string head = "POST /x\nContent-Type: application/x-www-form-urlencoded";
    QCOMPARE(bytes(foundIn(head, repeated("a=[&", 999) + "model=a")), QByteArray("a"));
    QCOMPARE(bytes(foundIn(head, repeated("a=[&", 1000) + "&&&")), QByteArray("none"));
    QCOMPARE(bytes(foundIn(head, repeated("a=[&", 1000) + "model=a")),
             QByteArray("request:inspection-size"));
    // JSON is no form for most, so there may be more that looks like one.
    const auto json
        = [](const std::string &text) { return R"({"model":"a","x":")" + text + R"("})"; };
    QCOMPARE(bytes(foundIn(head, json(repeated("&a=[", 10'000)))), QByteArray("a"));
    QCOMPARE(bytes(foundIn(head, json(repeated("&a=[", 10'001)))), QByteArray("a hidden"));
    QCOMPARE(bytes(foundIn(head, json(repeated("&", 100'000)))), QByteArray("a"));
    QCOMPARE(bytes(foundIn(jsonHead, json("&model=b&"))), QByteArray("a"));
}

void TestModelSearch::foldedName_longName_keepsItsEnd()
{
    QVERIFY(FoldedName("my-model").isModel());
    QVERIFY(!FoldedName("modeled").isModel());
    QVERIFY(!FoldedName("model_sample").isModel());
    QVERIFY(!FoldedName("").isModel());
    const FoldedName whole(std::string(64, 'x'));
    QVERIFY(whole.isWhole());
    QCOMPARE(whole.text().size(), std::size_t(64));
    const FoldedName cut(std::string(100, 'x') + "_Model");
    QVERIFY(!cut.isWhole() && cut.isModel());
    // Of such a name only its end is known, so it is no place: this is not "metadata".
    const std::string name = 'x' + std::string(60, '_') + "metadata";
    QCOMPARE(bytes(foundIn(jsonHead, R"({"model":"a",")" + name + R"(":{"model":"b"}})")),
             QByteArray("a b"));
}

void TestModelSearch::depth_ofTheParser_isWalked()
{
    constexpr int depth = 500;
    std::string body;
    for (int i = 0; i < depth; ++i)
        body += i % 2 == 0 ? R"({"x":)" : "[";
    body += R"({"model":"a"})";
    for (int i = depth; i-- > 0;)
        body += i % 2 == 0 ? "}" : "]";
    QCOMPARE(bytes(foundIn(jsonHead, body)), QByteArray("a"));
}

QTEST_APPLESS_MAIN(TestModelSearch)
#include "tst_modelsearch.moc"
