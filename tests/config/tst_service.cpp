// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/service.h"
#include "tests/config/commandline.h"
#include "tests/support/certificates.h"
#include "tests/support/playedkeychain.h"

#include <QTcpServer>
#include <QTest>
#include <QTimer>

using namespace gatehouse;

namespace {

QByteArray gatewayAt(quint16 port)
{
    return document("Gateway",
                    "main",
                    "{listeners: [{name: default, address: '127.0.0.1:" + QByteArray::number(port)
                        + "'}], admin: none, workers: 1}");
}

QByteArray provider(const QByteArray &name, const QByteArray &credential)
{
    return document("Provider",
                    name,
                    "{dialect: openai, baseUrl: 'http://127.0.0.1:9', credential: '" + credential
                        + "'}")
           + document("Route", name, "{basePath: /" + name + ", provider: " + name + "}");
}

/// A running gateway on a configuration of the test.
class Running
{
public:
    explicit Running(const QByteArray &documents)
    {
        dir.write("a.yaml", gatewayAt(0) + documents);
        auto played = std::make_unique<PlayedKeychain>();
        keychain = played.get();
        service = std::make_unique<Service>(Directories{dir.config(), dir.data()},
                                            std::nullopt,
                                            std::move(played),
                                            m_arena,
                                            nullptr);
    }
    /// The newest question about that entry, which must be there.
    void answer(const std::string &name, Result<const char *, SecretProblem> result)
    {
        auto &questions = keychain->questions;
        const auto question = std::ranges::find(questions, name, &PlayedKeychain::Question::name);
        if (question == questions.end())
            qFatal("nobody asked for %s", name.c_str());
        const auto give = std::move(question->answer);
        questions.erase(question);
        if (result)
            give(m_arena->store({*result}));
        else
            give(Unexpected(result.error()));
    }
    [[nodiscard]] bool knows(const std::string &key) const
    {
        return findKey(*service->snapshot(), key) != nullptr;
    }
    [[nodiscard]] const ProviderEntry &providerOf(std::size_t route) const
    {
        return service->snapshot()->routes.at(route).firstProvider();
    }

    const ConfigDir dir;
    PlayedKeychain *keychain = nullptr;
    std::unique_ptr<Service> service;

private:
    std::shared_ptr<SecretArena> m_arena = SecretArena::make();
};

/// A command of gatehouse exec that goes on until the file is let go.
struct Command
{
    explicit Command(const ConfigDir &dir)
    {
        const auto hashKey = loadOrCreateHashKey(dir.data());
        key = *virtualkey::generate();
        const std::string hash = keyHashToText(KeyHasher(*hashKey).hash(key));
        const std::string probe = "hmac-sha256:" + std::string(64, '0');
        auto opened = openSession(
            {"aa", "exec", hash, probe, "2026-11-23T09:00:00Z", "2100-01-01T00:00:00Z"},
            dir.data());
        if (!opened)
            qFatal("%s", opened.error().context.c_str());
        file.emplace(std::move(*opened));
    }

    std::string key;
    std::optional<LiveFile> file;
};

SecretProblem locked()
{
    return {SecretState::Locked, "locked"};
}

} // namespace

class TestService : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void sessions_whileAFileIsGone_comeAndGo()
    {
        const test::CertificateAuthority authority;
        Running running(document("Provider",
                                 "p",
                                 "{dialect: openai, baseUrl: 'https://127.0.0.1:9', credential: "
                                 "none, ca: ca.pem}")
                        + document("Route", "p", "{basePath: /p, provider: p}"));
        running.dir.write("ca.pem", authority.pem());
        QCOMPARE(running.service->start(), ExitDone);
        Command before(running.dir);
        QTRY_VERIFY(running.knows(before.key));
        QVERIFY(QFile::remove(running.dir.file("ca.pem")));
        before.file.reset();
        QTRY_VERIFY_WITH_TIMEOUT(!running.knows(before.key), 1000);
        const Command after(running.dir);
        QTRY_VERIFY_WITH_TIMEOUT(running.knows(after.key), 1000);
    }

    void reload_faultInAnotherFile_takesKeysAllTheSame()
    {
        Running running(provider("p", "none"));
        const std::string one = keyOf(client(running.dir, "add one"));
        const std::string two = keyOf(client(running.dir, "add two"));
        QCOMPARE(running.service->start(), ExitDone);
        QVERIFY(running.knows(one) && running.knows(two));
        running.dir.write("bad.yaml", "{");
        QCOMPARE(client(running.dir, "revoke one").code, 0);
        const std::string next = keyOf(client(running.dir, "rotate two"));
        const std::string late = keyOf(client(running.dir, "add three"));
        running.service->reload();
        QVERIFY(!running.knows(one) && !running.knows(two));
        QVERIFY(running.knows(next) && !running.knows(late));
        const Command command(running.dir); // it does not bring the keys of before back
        QTRY_VERIFY(running.knows(command.key));
        QVERIFY(!running.knows(one) && !running.knows(two) && running.knows(next));
        QVERIFY(QFile::remove(running.dir.file("bad.yaml")));
        running.service->reload();
        QVERIFY(running.knows(next) && running.knows(late) && !running.knows(one));
    }

    void reload_refusedAfterTheKeychainAnswered_keepsWhatItSaid()
    {
        Running running(provider("p", "keychain:a"));
        QTimer::singleShot(
            0, running.service.get(), [&] { running.answer("a", Unexpected(locked())); });
        QCOMPARE(running.service->start(), ExitDone);
        QVERIFY(running.providerOf(0).credentialError);
        QTcpServer other;
        QVERIFY(other.listen(QHostAddress::LocalHost));
        running.dir.write("a.yaml",
                          gatewayAt(other.serverPort()) + provider("p", "keychain:a")
                              + provider("q", "keychain:b"));
        running.service->reload();
        QVERIFY(running.service->isReloading());
        running.answer("a", "sk-1");
        QTest::qWait(60); // the vault gathers answers for 20 ms
        QVERIFY(running.service->isReloading());
        running.answer("b", Unexpected(locked()));
        QTRY_VERIFY(!running.service->isReloading());
        QCOMPARE(running.service->snapshot()->routes.size(), std::size_t(1));
        QVERIFY(!running.providerOf(0).credentialError);
        QVERIFY(running.providerOf(0).credentialLine != nullptr);
    }

    void reload_withErrors_doesNotWaitForTheKeychain()
    {
        Running running(provider("p", "none"));
        QCOMPARE(running.service->start(), ExitDone);
        running.dir.write("b.yaml", provider("q", "keychain:b") + document("Route", "r", "{}"));
        running.service->reload();
        QVERIFY(!running.service->isReloading());
        running.dir.write("b.yaml", provider("q", "keychain:b"));
        running.service->reload();
        QVERIFY(running.service->isReloading());
        running.answer("b", "sk-1");
        QTRY_VERIFY(!running.service->isReloading());
        QCOMPARE(running.service->snapshot()->routes.size(), std::size_t(2));
    }
};

QTEST_GUILESS_MAIN(TestService)
#include "tst_service.moc"
