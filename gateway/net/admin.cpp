// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/net/admin.h"

#include "gateway/base/text.h"
#include "gateway/http/head.h"
#include "gateway/http/reply.h"

#include <QTcpSocket>
#include <QTimer>

namespace gatehouse::net {

namespace {

constexpr qsizetype maxHead = qsizetype{8} * 1024;
constexpr int maxConnections = 64;
constexpr std::chrono::seconds requestTime{5};

bool isLoopbackHost(std::string_view host)
{
    return host == "127.0.0.1" || host == "[::1]" || equalsIgnoreCase(host, "localhost");
}

http::OwnReply replyTo(const http::RequestHead &request, bool isReady)
{
    const bool isRead = request.method == "GET" || request.method == "HEAD";
    http::OwnReply reply{.contentType = "text/plain; charset=utf-8",
                         .toHead = request.method == "HEAD"};
    // A web page whose name was rebound to loopback sends its own name here.
    if (!isLoopbackHost(request.host)) {
        reply.status = 421;
        reply.body = "Ask by an address of loopback or as localhost.\n";
    } else if (request.path != "/healthz" && request.path != "/readyz") {
        reply.status = 404;
        reply.body = "There are /healthz and /readyz.\n";
    } else if (!isRead) {
        reply.status = 405;
        reply.body = "Only GET and HEAD.\n";
    } else if (request.path == "/readyz" && !isReady) {
        reply.status = 503;
        reply.body = "stopping\n";
    } else {
        reply.status = 200;
        reply.body = "ok\n";
    }
    return reply;
}

} // namespace

AdminServer::AdminServer(int descriptor, QObject *parent)
    : QTcpServer(parent)
{
    setMaxPendingConnections(maxConnections);
    connect(this, &QTcpServer::newConnection, this, &AdminServer::accept);
    setSocketDescriptor(descriptor);
}

void AdminServer::accept()
{
    while (QTcpSocket *socket = nextPendingConnection()) {
        if (findChildren<QTcpSocket *>().size() > maxConnections) {
            delete socket;
            continue;
        }
        socket->setReadBufferSize(maxHead);
        connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
        connect(socket, &QTcpSocket::readyRead, this, [this, socket] { answer(*socket); });
        QTimer::singleShot(requestTime, socket, [socket] { socket->abort(); });
    }
}

void AdminServer::answer(QTcpSocket &socket) const
{
    const QByteArray bytes = socket.peek(maxHead);
    const std::string_view view(bytes.constData(), static_cast<std::size_t>(bytes.size()));
    http::HeadScanner scanner;
    const auto outcome = scanner.scan(view);
    if (outcome == http::HeadScanner::Outcome::NeedMore && bytes.size() < maxHead)
        return;
    http::RequestHead request;
    http::OwnReply reply{.status = 400, .contentType = "text/plain; charset=utf-8"};
    if (outcome == http::HeadScanner::Outcome::Complete
        && http::parseRequestHead(view.substr(0, scanner.length()), maxHead, request))
        reply = replyTo(request, m_isReady);
    socket.disconnect(this); // one answer, whatever else comes
    const std::string out = http::ownReply(reply);
    socket.write(out.data(), static_cast<qint64>(out.size()));
    socket.disconnectFromHost();
}

} // namespace gatehouse::net
