// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/announcement.h"
#include "tests/config/configdir.h"

#include <QTest>

using namespace gatehouse;

class TestAnnouncement : public QObject
{
    Q_OBJECT

private:
    /// A snapshot with one listener and one route; the provider's base path decides for OpenAI.
    static Snapshot snapshot(const char *dialect,
                             const char *basePath,
                             const char *providerPath,
                             const char *address = "127.0.0.1")
    {
        Snapshot made;
        made.hosts = {"localhost", "127.0.0.1", "[::1]"};
        made.listeners.push_back({"default", address, 0, nullptr});
        auto provider = std::make_shared<ProviderEntry>();
        provider->basePath = providerPath;
        RouteEntry route;
        route.name = "r";
        route.basePath = basePath;
        route.listener = "default";
        route.dialect = findDialect(dialect);
        route.providers = {provider};
        made.routes.push_back(std::move(route));
        return made;
    }

private Q_SLOTS:
    void baseUrl_ofADialect_isWhatItsSdksTake_data()
    {
        QTest::addColumn<QByteArray>("dialect");
        QTest::addColumn<QByteArray>("basePath");
        QTest::addColumn<QByteArray>("providerPath");
        QTest::addColumn<QByteArray>("expected");
        QTest::newRow("openai") << QByteArray("openai") << QByteArray("/openai/v1")
                                << QByteArray("/v1") << QByteArray("/openai/v1");
        QTest::newRow("openai, version with the provider")
            << QByteArray("openai") << QByteArray("/openai") << QByteArray("/v1")
            << QByteArray("/openai");
        QTest::newRow("openai, version with the client")
            << QByteArray("openai") << QByteArray("/demo") << QByteArray("")
            << QByteArray("/demo/v1");
        QTest::newRow("openai, whole listener")
            << QByteArray("openai") << QByteArray("") << QByteArray("") << QByteArray("/v1");
        QTest::newRow("anthropic") << QByteArray("anthropic") << QByteArray("/anthropic")
                                   << QByteArray("") << QByteArray("/anthropic");
        QTest::newRow("anthropic with the version")
            << QByteArray("anthropic") << QByteArray("/anthropic/v1") << QByteArray("/v1")
            << QByteArray("/anthropic");
        QTest::newRow("gemini with a version") << QByteArray("gemini") << QByteArray("/g/v1beta")
                                               << QByteArray("/v1beta") << QByteArray("/g");
        QTest::newRow("ollama") << QByteArray("ollama") << QByteArray("/ollama") << QByteArray("")
                                << QByteArray("/ollama");
    }
    void baseUrl_ofADialect_isWhatItsSdksTake()
    {
        QFETCH(QByteArray, dialect);
        QFETCH(QByteArray, basePath);
        QFETCH(QByteArray, providerPath);
        QFETCH(QByteArray, expected);
        const Snapshot made
            = snapshot(dialect.constData(), basePath.constData(), providerPath.constData());
        const Announcement announcement
            = announcementOf(made, {QStringLiteral("http://127.0.0.1:4283")}, "/etc/g");
        QCOMPARE(announcement.routes.size(), std::size_t(1));
        const AnnouncedRoute &route = announcement.routes.front();
        QCOMPARE(route.url, "http://127.0.0.1:4283" + basePath.toStdString());
        QCOMPARE(route.baseUrl, "http://127.0.0.1:4283" + expected.toStdString());
        QCOMPARE(route.dialect, dialect.toStdString());
    }

    void url_ofAnAddress_isOneThatIsAnsweredTo()
    {
        const auto url = [](const Snapshot &made, const char *bound) {
            return announcementOf(made, {QString::fromLatin1(bound)}, "/").routes.front().url;
        };
        Snapshot made = snapshot("ollama", "/o", "", "0.0.0.0");
        QCOMPARE(url(made, "https://0.0.0.0:1"), std::string("https://127.0.0.1:1/o"));
        made.hosts = {"localhost"};
        QCOMPARE(url(made, "https://0.0.0.0:1"), std::string("https://localhost:1/o"));
        made = snapshot("ollama", "/o", "", "::");
        QCOMPARE(url(made, "http://[::]:1"), std::string("http://[::1]:1/o"));
        made = snapshot("ollama", "/o", "", "192.0.2.7");
        QCOMPARE(url(made, "http://192.0.2.7:1"), std::string("http://192.0.2.7:1/o"));
    }

    void announcement_ofALivingGateway_readsBack()
    {
        const ConfigDir dir;
        QVERIFY(QDir().mkpath(QString::fromStdString(dir.data())));
        const Announcement written{"/etc/g",
                                   {{"r", "openai", "http://[::1]:1/r", "http://[::1]:1"}}};
        {
            const auto file = announce(written, dir.data());
            QVERIFY(file);
            const auto read = readAnnouncement(dir.data());
            QVERIFY(read && *read == written);
            const auto again = announce({"/etc/h", {}}, dir.data());
            QCOMPARE(readAnnouncement(dir.data())->config, std::string("/etc/h"));
        }
        const auto gone = readAnnouncement(dir.data());
        QVERIFY(!gone);
        QVERIFY(gone.error().context.ends_with("; start it with: gatehouse run"));
    }

    void announcement_thatIsNone_isRefused()
    {
        const ConfigDir dir;
        QVERIFY(QDir().mkpath(QString::fromStdString(dir.data())));
        const std::string path = dir.data() + "/running.yaml";
        for (const char *text : {"", "{", "{config: /x}\n---\n{config: /x}", "{routes: []}"}) {
            const auto file = LiveFile::create(path, text);
            QVERIFY(file && !readAnnouncement(dir.data()));
        }
        QFile dead(QString::fromStdString(path));
        QVERIFY(dead.open(QIODevice::WriteOnly) && dead.write("{config: /x}") > 0);
        dead.close();
        QVERIFY(!readAnnouncement(dir.data()));
    }
};

QTEST_GUILESS_MAIN(TestAnnouncement)
#include "tst_announcement.moc"
