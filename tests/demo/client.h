// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/demo/simulatedprovider.h"
#include "gateway/http/body.h"

#include <QByteArray>
#include <QTcpSocket>
#include <QTest>

namespace gatehouse::demo {

struct Response
{
    int status = 0;
    QByteArray head;
    QByteArray body; ///< without its chunks' framing
};

/// Sends raw bytes and reads one response at a time.
class Client
{
public:
    explicit Client(const SimulatedProvider &provider)
    {
        socket.connectToHost(QStringLiteral("127.0.0.1"), provider.port());
        QVERIFY(socket.waitForConnected());
    }

    void send(const QByteArray &bytes) { socket.write(bytes); }

    /// Status 0 where no complete response came.
    Response receive()
    {
        Response response;
        http::HeadScanner scanner;
        while (scanner.scan(view()) != http::HeadScanner::Outcome::Complete) {
            if (!more())
                return {};
        }
        http::ResponseHead head;
        response.head = m_read.left(static_cast<qsizetype>(scanner.length()));
        if (!http::parseResponseHead(response.head.toStdString(), "GET", head))
            return {};
        m_read.remove(0, response.head.size());
        if (head.status == 100)
            return {.status = 100, .head = response.head, .body = {}};
        http::BodyReader reader(head);
        for (;;) {
            std::string_view rest = view();
            const auto step = reader.next(rest);
            response.body.append(step.data.data(), static_cast<qsizetype>(step.data.size()));
            m_read.remove(0, m_read.size() - static_cast<qsizetype>(rest.size()));
            if (step.event == http::BodyReader::Event::End)
                break;
            if (step.event == http::BodyReader::Event::Malformed)
                return {};
            if (step.event == http::BodyReader::Event::NeedMore && !more())
                return {};
        }
        response.status = head.status;
        return response;
    }

    Response exchange(const QByteArray &request)
    {
        send(request);
        return receive();
    }

    /// False at the end of the connection.
    bool waitForBytes() { return socket.bytesAvailable() > 0 || socket.waitForReadyRead(10'000); }
    /// Reads what comes next, for receive(); false at the end of the connection.
    bool more()
    {
        if (!waitForBytes())
            return false;
        m_read += socket.readAll();
        return true;
    }

    bool isClosedByPeer()
    {
        return socket.state() == QAbstractSocket::UnconnectedState
               || socket.waitForDisconnected(10'000);
    }

    QTcpSocket socket;

private:
    std::string_view view() const
    {
        return {m_read.constData(), static_cast<std::size_t>(m_read.size())};
    }

    QByteArray m_read;
};

} // namespace gatehouse::demo
