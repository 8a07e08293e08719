// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/execgateway.h"

#include "gateway/base/text.h"

#include <QDeadlineTimer>
#include <QSslSocket>
#include <QThread>
#include <QUrl>

#include <algorithm>
#include <optional>

namespace gatehouse {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds pause(20);
constexpr qsizetype longestHead = 65536;

/// What one request found out.
struct Answer
{
    std::string failure = {};               ///< why there is none
    bool isGateways = false;                ///< it has an x-gatehouse-request-id
    std::optional<std::string> reason = {}; ///< x-gatehouse-reason
};

std::optional<std::string> fieldOf(const QByteArray &head, std::string_view name)
{
    const std::string_view bytes(head.constData(), static_cast<std::size_t>(head.size()));
    for (std::string_view line : split(bytes, '\n')) {
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !equalsIgnoreCase(line.substr(0, colon), name))
            continue;
        const QByteArray value = head.mid(line.data() + colon + 1 - head.constData(),
                                          static_cast<qsizetype>(line.size() - colon - 1))
                                     .trimmed();
        return value.toStdString();
    }
    return {};
}

int left(const QDeadlineTimer &deadline)
{
    return static_cast<int>(std::max<qint64>(1, deadline.remainingTime()));
}

Answer ask(const QUrl &url, const std::string &key, const QDeadlineTimer &deadline)
{
    QSslSocket socket;
    // Never a name to look up: that would start a thread, and signals meant for us could come to it.
    const bool isLocalhost = url.host() == QLatin1String("localhost");
    const QString host = isLocalhost ? QStringLiteral("127.0.0.1") : url.host();
    if (url.scheme() == QLatin1String("https")) {
        // Whose port it is the announcement's lock has shown; the tools verify the certificate by
        // their own rules.
        socket.setPeerVerifyMode(QSslSocket::VerifyNone);
        socket.connectToHostEncrypted(host, static_cast<quint16>(url.port()));
        if (!socket.waitForEncrypted(left(deadline)))
            return {.failure = socket.errorString().toStdString()};
    } else {
        socket.connectToHost(host, static_cast<quint16>(url.port()));
        if (!socket.waitForConnected(left(deadline)))
            return {.failure = socket.errorString().toStdString()};
    }
    const QByteArray path = url.path(QUrl::FullyEncoded).toLatin1();
    socket.write("GET " + (path.isEmpty() ? QByteArray("/") : path)
                 + " HTTP/1.1\r\nHost: " + url.authority(QUrl::FullyEncoded).toLatin1()
                 + "\r\nAuthorization: Bearer " + QByteArray::fromStdString(key)
                 + "\r\nAccept: application/json\r\nConnection: close\r\n\r\n");
    QByteArray head;
    while (!head.contains("\r\n\r\n") && head.size() < longestHead) {
        if (socket.bytesAvailable() == 0 && !socket.waitForReadyRead(left(deadline)))
            break;
        head += socket.readAll();
    }
    if (head.isEmpty())
        return {.failure = "no answer came"};
    head.truncate(head.indexOf("\r\n\r\n") + 2); // -1: nothing of a head that has no end
    return {.isGateways = fieldOf(head, "x-gatehouse-request-id").has_value(),
            .reason = fieldOf(head, "x-gatehouse-reason")};
}

} // namespace

Result<void, std::string>
awaitKey(const std::string &url, const std::string &probeKey, milliseconds limit)
{
    const QUrl target(QString::fromStdString(url));
    const QDeadlineTimer deadline(limit);
    std::string problem;
    do {
        const Answer answer = ask(target, probeKey, deadline);
        if (!answer.failure.empty()) {
            problem = "it does not answer at " + url + ": " + answer.failure;
        } else if (!answer.isGateways) {
            return Unexpected(
                "what answers at " + url
                + " is not the gateway (its answer has no x-gatehouse-request-id); "
                  "no key was sent there but one that has expired. End what holds the "
                  "port and start the gateway again");
        } else if (!answer.reason || *answer.reason == "client-key:expired") {
            return {};
        } else {
            problem = "it answers at " + url + " with " + *answer.reason;
        }
        QThread::msleep(static_cast<unsigned long>(pause.count()));
    } while (!deadline.hasExpired());
    return Unexpected("the gateway did not take the key of this command: " + problem
                      + "; see what gatehouse run printed");
}

} // namespace gatehouse
