// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QTcpServer>

#include <atomic>

namespace gatehouse::net {

/// The admin listener: GET /healthz (the process answers) and /readyz (it takes requests), for
/// supervisors and scripts. Nothing can be changed through it. Few and small requests: it runs in
/// the thread that made it, on Qt's own sockets.
class AdminServer final : public QTcpServer
{
    Q_OBJECT

public:
    /// \a descriptor: a listening socket, owned from now on.
    explicit AdminServer(int descriptor, QObject *parent = nullptr);

    /// What /readyz says.
    void setReady(bool ready) { m_isReady = ready; }

private:
    void accept();
    void answer(QTcpSocket &socket) const;

    bool m_isReady = false;
};

} // namespace gatehouse::net
