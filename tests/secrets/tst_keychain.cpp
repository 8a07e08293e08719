// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/keychain.h"
#include "gateway/secrets/secretarena.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <sys/socket.h>
#include <sys/un.h>

#include <unistd.h>

using namespace gatehouse;

/// A thread that hangs is left behind with what it holds, on purpose; the leak sanitizer asks this.
extern "C" int __lsan_is_turned_off();
extern "C" int __lsan_is_turned_off()
{
    return 1;
}

namespace {

constexpr int patience = 10000;

/// A session bus that takes connections and never says a word.
class SilentBus
{
public:
    SilentBus()
    {
        const QByteArray path = QFile::encodeName(m_dir.filePath(QStringLiteral("bus")));
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        qstrncpy(address.sun_path, path.constData(), sizeof address.sun_path);
        m_socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::bind(m_socket, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0
            || ::listen(m_socket, 8) != 0)
            qFatal("no socket for the test");
        qputenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=" + path);
    }
    SilentBus(const SilentBus &) = delete;
    SilentBus &operator=(const SilentBus &) = delete;
    ~SilentBus() { hangUp(); }

    void hangUp()
    {
        if (m_socket >= 0)
            ::close(std::exchange(m_socket, -1));
    }

private:
    QTemporaryDir m_dir;
    int m_socket = -1;
};

/// Whether a thread of that name runs in this process.
bool isRunning(const QByteArray &name)
{
    const QDir tasks(QStringLiteral("/proc/self/task"));
    const QStringList ids = tasks.entryList(QDir::Dirs | QDir::NoDotAndDotDot);
    for (const QString &id : ids) {
        QFile file(tasks.filePath(id + QStringLiteral("/comm")));
        if (file.open(QIODevice::ReadOnly) && file.readAll().trimmed() == name)
            return true;
    }
    return false;
}

} // namespace

class TestKeychain : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void end_whileTheBusHangs_givesNoAnswerAfterwards()
    {
        SilentBus bus;
        int answers = 0;
        {
            const auto keychain = Keychain::ofSession(SecretArena::make());
            keychain->read("a", Keychain::Start::No, [&answers](const auto &) { ++answers; });
            QTRY_VERIFY(isRunning("keychain"));
        }
        QVERIFY(isRunning("keychain")); // nobody waits for it
        bus.hangUp();
        QTRY_VERIFY_WITH_TIMEOUT(!isRunning("keychain"), patience);
        QCoreApplication::processEvents();
        QCOMPARE(answers, 0);
    }
};

QTEST_GUILESS_MAIN(TestKeychain)
#include "tst_keychain.moc"
