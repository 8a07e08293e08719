// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/sessions.h"
#include "tests/config/commandline.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <chrono>

#include <unistd.h>

using namespace gatehouse;
using namespace std::chrono_literals;

namespace {

const ClientSpec specOf(const ConfigDir &dir, std::string_view name)
{
    for (const auto &client : loadDraft(dir.config()).clients) {
        if (client.name == name)
            return client.spec;
    }
    return {};
}

/// A running command of that client.
Result<LiveFile> sessionOf(const ConfigDir &dir, const char *id, const char *clientName)
{
    const std::string hash = "hmac-sha256:" + std::string(62, '0') + std::string(id).substr(0, 2);
    const std::string probe = "hmac-sha256:" + std::string(62, '1') + std::string(id).substr(0, 2);
    return openSession({.id = id,
                        .client = clientName,
                        .hash = hash,
                        .probe = probe,
                        .created = "2026-11-23T09:00:00Z",
                        .expires = "2100-01-01T00:00:00Z"},
                       dir.data());
}

/// Runs the lines as commands, each in a process of its own and all at once. Returns their exit codes.
std::vector<int> allAtOnce(const ConfigDir &dir, const std::vector<std::string> &lines)
{
    std::array<int, 2> gate{};
    if (::pipe(gate.data()) != 0)
        qFatal("no pipe for the test");
    std::vector<pid_t> children;
    for (const std::string &line : lines) {
        const pid_t child = ::fork();
        if (child == 0) {
            ::close(gate[1]);
            char byte = 0;
            [[maybe_unused]] const auto size = ::read(gate[0], &byte, 1); // to its end
            ::_exit(client(dir, line.c_str()).code);
        }
        children.push_back(child);
    }
    ::close(gate[0]);
    ::close(gate[1]);
    std::vector<int> codes;
    for (const pid_t child : children) {
        int status = -1;
        ::waitpid(child, &status, 0);
        codes.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
    return codes;
}

} // namespace

/// What becomes of keys: client rotate, revoke, remove and list.
class TestClientChange : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void rotate_withoutOverlap_leavesTheNewKeyAlone()
    {
        const ConfigDir dir;
        const std::string before = keyOf(client(dir, "add tool --model gpt-* --label team=core"));
        const Ran ran = client(dir, "rotate tool");
        QCOMPARE(ran.code, 0);
        const std::string after = keyOf(ran);
        QVERIFY(virtualkey::isWellFormed(after) && after != before);
        QCOMPARE(ran.out, after + "\n");
        const auto snapshot = snapshotOf(dir);
        QVERIFY(snapshot);
        QVERIFY(findKey(*snapshot, before) == nullptr);
        const KeyEntry *entry = findKey(*snapshot, after);
        QVERIFY(entry != nullptr);
        QCOMPARE(entry->id, std::string("k2"));
        QVERIFY(!entry->expires);
        QVERIFY((specOf(dir, "tool").models == std::vector<std::string>{"gpt-*"}));
        QCOMPARE(loadDraft(dir.config()).clients.at(0).labels.at("team"), std::string("core"));
        QVERIFY(!read(dir.file("client-tool.yaml")).contains(QByteArray::fromStdString(after)));
    }

    void rotate_withOverlap_endsTheOldKeyThen()
    {
        const ConfigDir dir;
        const std::string before = keyOf(client(dir, "add tool"));
        const Ran ran = client(dir, "rotate tool --overlap 24h --expires 90d");
        QCOMPARE(ran.code, 0);
        const auto snapshot = snapshotOf(dir);
        const auto now = std::chrono::system_clock::now();
        const auto leftOf
            = [&](const std::string &key) { return *findKey(*snapshot, key)->expires - now; };
        QVERIFY(leftOf(before) > 23h && leftOf(before) <= 24h);
        QVERIFY(leftOf(keyOf(ran)) > 89 * 24h && leftOf(keyOf(ran)) <= 90 * 24h);
    }

    void rotate_inASharedFile_keepsTheOtherBytes()
    {
        const ConfigDir dir;
        client(dir, "add one");
        client(dir, "add two");
        const QByteArray two = read(dir.file("client-two.yaml"));
        const QByteArray shared = "# first \xc3\xa4\r\n" + read(dir.file("client-one.yaml"))
                                  + "---   # second, odd   spaces\n" + two + "# end";
        QVERIFY(QFile::remove(dir.file("client-one.yaml"))
                && QFile::remove(dir.file("client-two.yaml")));
        dir.write("all.yaml", shared);
        QCOMPARE(client(dir, "rotate one").code, 0);
        const QByteArray after = read(dir.file("all.yaml"));
        QVERIFY(after.startsWith("# first \xc3\xa4\r\n"));
        QVERIFY(after.endsWith(QByteArray("---   # second, odd   spaces\n" + two + "# end")));
        QCOMPARE(specOf(dir, "one").keys.size(), std::size_t(2));
    }

    void rotate_manyAtOnce_losesNoKey()
    {
        const ConfigDir dir;
        QByteArray shared;
        std::vector<std::string> lines;
        for (const char *name : {"a", "bb", "ccc", "dddd"}) {
            client(dir, (std::string("add ") + name).c_str());
            const QString file = dir.file((std::string("client-") + name + ".yaml").c_str());
            shared += "---\n" + read(file);
            QVERIFY(QFile::remove(file));
            lines.insert(lines.end(), 3, std::string("rotate ") + name);
        }
        dir.write("all.yaml", shared);
        QVERIFY(allAtOnce(dir, lines) == std::vector<int>(lines.size(), 0));
        QVERIFY(!hasErrors(loadDraft(dir.config()).diagnostics));
        for (const char *name : {"a", "bb", "ccc", "dddd"}) {
            std::vector<std::string> ids;
            for (const KeySpec &key : specOf(dir, name).keys)
                ids.push_back(key.id + (key.revoked ? "-" : "+"));
            QVERIFY((ids == std::vector<std::string>{"k1-", "k2-", "k3-", "k4+"}));
        }
    }

    void add_manyAtOnce_makesOne()
    {
        const ConfigDir dir;
        auto codes = allAtOnce(dir, std::vector<std::string>(6, "add tool"));
        std::ranges::sort(codes);
        QVERIFY((codes == std::vector<int>{0, 1, 1, 1, 1, 1}));
        QCOMPARE(specOf(dir, "tool").keys.size(), std::size_t(1));
    }

    void change_errorInAnotherFile_isSaid_data()
    {
        QTest::addColumn<QString>("line");
        for (const char *line :
             {"rotate tool", "revoke tool", "revoke tool --key k1", "remove tool"})
            QTest::newRow(line) << QString::fromLatin1(line);
    }
    void change_errorInAnotherFile_isSaid()
    {
        QFETCH(QString, line);
        const ConfigDir dir;
        client(dir, "add tool");
        dir.write("bad.yaml", "{");
        const Ran ran = client(dir, line.toLatin1().constData());
        QCOMPARE(ran.code, 0); // a running gateway takes it all the same
        QVERIFY(ran.err.starts_with("gatehouse: the configuration has errors, see: "));
    }

    void rotate_again_neverGivesAnIdTwice()
    {
        const ConfigDir dir;
        client(dir, "add tool");
        client(dir, "revoke tool");
        client(dir, "rotate tool");
        client(dir, "revoke tool --key k2");
        client(dir, "rotate tool");
        std::vector<std::string> ids;
        for (const KeySpec &key : specOf(dir, "tool").keys)
            ids.push_back(key.id);
        QVERIFY((ids == std::vector<std::string>{"k1", "k2", "k3"}));
    }

    void rotate_asManyKeysAsOneMayHave_isRefused()
    {
        const ConfigDir dir;
        QByteArray keys;
        for (int i = 1; i <= 1000; ++i)
            keys += QByteArray(i == 1 ? "" : ", ") + "{id: k" + QByteArray::number(i)
                    + ", revoked: true, hash: 'hmac-sha256:"
                    + QByteArray::number(i).rightJustified(64, '0') + "'}";
        dir.write("a.yaml", document("Client", "tool", "{keys: [" + keys + "]}"));
        const Ran ran = client(dir, "rotate tool");
        QCOMPARE(ran.code, 1);
        QCOMPARE(ran.out, std::string());
        QVERIFY(!hasErrors(loadDraft(dir.config()).diagnostics));
    }

    void revoke_oneKey_leavesTheOthers()
    {
        const ConfigDir dir;
        const std::string one = keyOf(client(dir, "add tool"));
        const std::string two = keyOf(client(dir, "rotate tool --overlap 1h"));
        QCOMPARE(client(dir, "revoke tool --key k1").code, 0);
        const auto snapshot = snapshotOf(dir);
        QVERIFY(findKey(*snapshot, one) == nullptr && findKey(*snapshot, two) != nullptr);
        const Ran unknown = client(dir, "revoke tool --key k3");
        QCOMPARE(unknown.code, 1);
        QVERIFY(unknown.err.find("client tool has no key \"k3\"") != std::string::npos);
    }

    void revoke_nameMistyped_suggestsTheNearest()
    {
        const ConfigDir dir;
        client(dir, "add laptop");
        const Ran ran = client(dir, "revoke labtop");
        QCOMPARE(ran.code, 1);
        QVERIFY(ran.err.ends_with("there is no client \"labtop\"; did you mean \"laptop\"?\n"));
    }

    void revoke_aClient_endsItsSessionsAlone()
    {
        const ConfigDir dir;
        client(dir, "add tool");
        QVERIFY(QDir().mkpath(QString::fromStdString(dir.data() + "/sessions")));
        const auto first = sessionOf(dir, "aa", "tool");
        const auto second = sessionOf(dir, "bb", "tool");
        const auto other = sessionOf(dir, "cc", "exec");
        QVERIFY(first && second && other);
        QCOMPARE(client(dir, "revoke tool --key exec-bb").code, 0);
        QCOMPARE(liveSessions(dir.data())->size(), std::size_t(2));
        QVERIFY(!specOf(dir, "tool").keys.at(0).revoked);
        QCOMPARE(client(dir, "revoke tool").code, 0);
        QVERIFY(specOf(dir, "tool").keys.at(0).revoked);
        QCOMPARE(liveSessions(dir.data())->size(), std::size_t(1));
        // exec is not configured, and can be revoked all the same
        QCOMPARE(client(dir, "revoke exec").code, 0);
        QVERIFY(liveSessions(dir.data())->empty());
        QCOMPARE(client(dir, "revoke exec").code, 1);
    }

    void remove_aClient_endsItsSessions()
    {
        const ConfigDir dir;
        client(dir, "add tool");
        QVERIFY(QDir().mkpath(QString::fromStdString(dir.data() + "/sessions")));
        const auto session = sessionOf(dir, "aa", "tool");
        QVERIFY(session);
        QCOMPARE(client(dir, "remove tool").code, 0);
        QVERIFY(liveSessions(dir.data())->empty());
    }

    void revoke_inASharedFile_changesThatClientAlone()
    {
        const ConfigDir dir;
        const std::string one = keyOf(client(dir, "add one"));
        const std::string two = keyOf(client(dir, "add two"));
        const QByteArray shared = "# the first\n" + read(dir.file("client-one.yaml"))
                                  + "--- # the second\n" + read(dir.file("client-two.yaml"));
        QVERIFY(QFile::remove(dir.file("client-one.yaml"))
                && QFile::remove(dir.file("client-two.yaml")));
        dir.write("clients/all.yaml", shared);
        QCOMPARE(client(dir, "revoke one").code, 0);
        const auto snapshot = snapshotOf(dir);
        QVERIFY(snapshot);
        QVERIFY(findKey(*snapshot, one) == nullptr);
        QVERIFY(findKey(*snapshot, two) != nullptr);
        const QByteArray after = read(dir.file("clients/all.yaml"));
        QVERIFY(after.startsWith("# the first\n") && after.contains("--- # the second\n"));
    }

    void remove_theOnlyClientOfAFile_removesTheFile()
    {
        const ConfigDir dir;
        const std::string one = keyOf(client(dir, "add one"));
        const std::string two = keyOf(client(dir, "add two"));
        QCOMPARE(client(dir, "remove one").code, 0);
        QVERIFY((configFiles(dir.config()) == std::vector<std::string>{"client-two.yaml"}));
        const auto snapshot = snapshotOf(dir);
        QVERIFY(findKey(*snapshot, one) == nullptr && findKey(*snapshot, two) != nullptr);
    }

    void revoke_fileWithErrors_isLeftAlone()
    {
        const ConfigDir dir;
        const QByteArray broken = document("Client", "tool", "{tiers: gold}");
        dir.write("a.yaml", broken);
        QCOMPARE(client(dir, "revoke tool").code, 3);
        QCOMPARE(read(dir.file("a.yaml")), broken);
    }

    void list_asJson_hasNoHash()
    {
        const ConfigDir dir;
        dir.write("a.yaml",
                  document("Provider", "ollama", "{}")
                      + document("Route", "r", "{basePath: /x, provider: ollama}"));
        client(dir, "add one --route r --expires 2100-01-01 --label team=core");
        client(dir, "add two");
        client(dir, "revoke two");
        QVERIFY(QDir().mkpath(QString::fromStdString(dir.data() + "/sessions")));
        const auto session = sessionOf(dir, "aa", "exec");
        const Ran ran = client(dir, "list --json");
        QCOMPARE(ran.code, 0);
        QVERIFY(ran.out.find("hmac") == std::string::npos);
        const QJsonArray clients
            = QJsonDocument::fromJson(QByteArray::fromStdString(ran.out)).array();
        QCOMPARE(clients.size(), 3);
        const auto keysOf = [&](qsizetype index) {
            return clients.at(index).toObject()[QStringLiteral("keys")].toArray();
        };
        QCOMPARE(clients.at(0).toObject()[QStringLiteral("name")].toString(),
                 QStringLiteral("one"));
        const QJsonObject key = keysOf(0).at(0).toObject();
        QCOMPARE(key[QStringLiteral("state")].toString(), QStringLiteral("valid"));
        QCOMPARE(key[QStringLiteral("expires")].toString(), QStringLiteral("2100-01-01T00:00:00Z"));
        const QJsonObject revoked = keysOf(1).at(0).toObject();
        QCOMPARE(revoked[QStringLiteral("state")].toString(), QStringLiteral("revoked"));
        QVERIFY(revoked[QStringLiteral("expires")].isNull());
        QCOMPARE(keysOf(2).size(), 1);
        QCOMPARE(keysOf(2).at(0).toObject()[QStringLiteral("id")].toString(),
                 QStringLiteral("exec-aa"));
    }

    void list_asText_isALineForEachKey()
    {
        const ConfigDir dir;
        const QByteArray created = ", created: '2026-01-02T03:04:05Z'";
        const QByteArray hash = ", hash: 'hmac-sha256:" + QByteArray(63, '0');
        const QByteArray in10Days
            = QByteArray::fromStdString(formatInstant(std::chrono::system_clock::now() + 241h));
        dir.write("a.yaml",
                  document("Client",
                           "tool",
                           "{tier: gold, models: [gpt-*, o3], keys: [{id: k1" + created + hash
                               + "1'}, {id: k2" + created + hash + "2', expires: '" + in10Days
                               + "'}, {id: k3" + created + hash
                               + "3', expires: 2020-01-01}, {id: k4" + created + hash
                               + "4', revoked: true}]}")
                      + document("Client", "empty", "{}"));
        const std::string rest = "\tcreated 2026-01-02T03:04:05Z\troutes all\tmodels gpt-*,o3"
                                 "\ttier gold\n";
        QCOMPARE(client(dir, "list").out,
                 "tool\tk1\tvalid" + rest + "tool\tk2\texpires in 10d" + rest + "tool\tk3\texpired"
                     + rest + "tool\tk4\trevoked" + rest
                     + "empty\t-\tno keys\t-\troutes all\tmodels all\ttier standard\n");
    }
};

QTEST_GUILESS_MAIN(TestClientChange)
#include "tst_clientchange.moc"
