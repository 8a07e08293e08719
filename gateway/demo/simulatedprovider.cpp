// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/demo/simulatedprovider.h"

#include "gateway/demo/simulatedconnection.h"
#include "gateway/net/acceptor.h"

#ifdef __linux__
#include "gateway/net/eventdispatcher.h"
#endif

#include <QTcpServer>
#include <QThread>

#include <utility>

#include <unistd.h>

namespace gatehouse {

class SimulatedProvider::Thread final : public QThread
{
public:
    /// Owns \a descriptor, a listening socket.
    Thread(int descriptor, const SimulatedSettings &settings)
        : m_descriptor(descriptor)
        , m_settings(settings)
    {
        setObjectName(QStringLiteral("demo"));
#ifdef __linux__
        setEventDispatcher(new net::EventDispatcher);
#endif
        start();
    }
    ~Thread() override
    {
        quit();
        wait();
    }
    Q_DISABLE_COPY_MOVE(Thread)

protected:
    void run() override
    {
        QTcpServer server;
        if (!server.setSocketDescriptor(m_descriptor)) {
            ::close(m_descriptor);
            return;
        }
        connect(&server, &QTcpServer::newConnection, &server, [this, &server] {
            while (QTcpSocket *socket = server.nextPendingConnection())
                new demo::SimulatedConnection(
                    std::unique_ptr<QTcpSocket>(socket), m_settings, &server);
        });
        exec();
    }

private:
    const int m_descriptor;
    const SimulatedSettings m_settings;
};

SimulatedProvider::SimulatedProvider(std::unique_ptr<Thread> thread, std::uint16_t port)
    : m_thread(std::move(thread))
    , m_port(port)
{}

SimulatedProvider::~SimulatedProvider() = default;

Result<std::unique_ptr<SimulatedProvider>>
SimulatedProvider::start(const SimulatedSettings &settings)
{
    const auto socket = net::bindListener("127.0.0.1", 0);
    if (!socket)
        return Unexpected(socket.error());
    auto thread = std::make_unique<Thread>(socket->descriptor, settings);
    return std::unique_ptr<SimulatedProvider>(
        new SimulatedProvider(std::move(thread), socket->port));
}

} // namespace gatehouse
