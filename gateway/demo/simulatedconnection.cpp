// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/demo/simulatedconnection.h"

#include "gateway/http/reply.h"

#include <array>
#include <charconv>
#include <utility>

namespace gatehouse::demo {

namespace {

constexpr qsizetype readSize = 65'536;
constexpr std::size_t headLimit = 65'536;
constexpr std::size_t targetLimit = 8'192;
constexpr std::size_t bodyLimit = 32UL << 20;
/// Not more than this and one event is made ahead of what the client takes.
constexpr qint64 enoughQueued = 32'768;
constexpr std::chrono::seconds lingerTime{1};
constexpr std::string_view label = "x-gatehouse-simulated: true\r\n";

std::string asChunk(std::string_view data)
{
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), data.size(), 16).ptr;
    std::string chunk(digits.begin(), end);
    chunk += "\r\n";
    chunk += data;
    return chunk += "\r\n";
}

} // namespace

SimulatedConnection::SimulatedConnection(std::unique_ptr<QTcpSocket> socket,
                                         const SimulatedSettings &settings,
                                         QObject *parent)
    : QObject(parent)
    , m_settings(settings)
    , m_socket(std::move(socket))
{
    m_socket->setParent(nullptr); // it is ours, no longer its server's
    m_socket->setReadBufferSize(readSize);
    m_socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
    m_timer.setSingleShot(true);
    m_timer.setTimerType(Qt::PreciseTimer);
    connect(&m_timer, &QTimer::timeout, this, &SimulatedConnection::advance);
    connect(m_socket.get(), &QTcpSocket::readyRead, this, &SimulatedConnection::advance);
    connect(m_socket.get(), &QTcpSocket::bytesWritten, this, &SimulatedConnection::advance);
    connect(m_socket.get(), &QTcpSocket::disconnected, this, [this] {
        m_timer.stop();
        m_state = State::Ending;
        deleteLater();
    });
}

SimulatedConnection::~SimulatedConnection()
{
    m_socket->disconnect(this);
}

void SimulatedConnection::advance()
{
    for (bool more = true; more && m_socket->state() == QAbstractSocket::ConnectedState;) {
        switch (m_state) {
        case State::Head:
            more = takeHead();
            break;
        case State::Body:
            more = takeBody();
            break;
        case State::Answering:
            more = sendAnswer();
            break;
        case State::Ending:
            m_socket->skip(m_socket->bytesAvailable());
            more = false;
            break;
        }
    }
}

bool SimulatedConnection::fillInput()
{
    const QByteArray read = m_socket->read(readSize);
    m_input.append(read.constData(), static_cast<std::size_t>(read.size()));
    return !read.isEmpty();
}

bool SimulatedConnection::takeHead()
{
    if (m_socket->bytesToWrite() >= enoughQueued)
        return false;
    using Outcome = http::HeadScanner::Outcome;
    const Outcome outcome = m_scanner.scan(m_input);
    if (outcome == Outcome::NeedMore && m_input.size() <= headLimit)
        return fillInput();
    if (outcome == Outcome::Malformed) {
        refuse(400, "The request is not well-formed HTTP/1.1");
        return true;
    }
    const std::size_t length = m_scanner.length();
    if (outcome == Outcome::NeedMore || length > headLimit) {
        refuse(431, "The request head is larger than 64 KiB");
        return true;
    }
    m_scanner = {};
    http::RequestHead head;
    if (auto parsed = http::parseRequestHead({m_input.data(), length}, targetLimit, head); !parsed)
        refuse(parsed.error().info().status, parsed.error().message());
    else
        begin(head);
    m_input.erase(0, length);
    return true;
}

void SimulatedConnection::begin(const http::RequestHead &head)
{
    if (head.framing == http::Framing::Length && head.contentLength > bodyLimit) {
        refuse(413, "The body is larger than 32 MiB");
        return;
    }
    m_state = State::Body;
    m_bodyReader = http::BodyReader(head);
    m_method = head.method;
    m_path = head.path;
    m_body.clear();
    m_keepAlive = head.keepAlive;
    m_chunked = head.version == http::Version::Http11;
    m_wrongOverride.clear();
    if (auto pace = overridden(m_settings, head))
        m_pace = *pace;
    else
        m_wrongOverride = std::move(pace).error();
    if (head.expectContinue && head.framing != http::Framing::None)
        write("HTTP/1.1 100 Continue\r\n\r\n");
}

bool SimulatedConnection::takeBody()
{
    using Event = http::BodyReader::Event;
    std::string_view rest = m_input;
    http::BodyReader::Step step = m_bodyReader.next(rest);
    for (; step.event == Event::Data; step = m_bodyReader.next(rest)) {
        m_body += step.data;
        if (m_body.size() > bodyLimit) {
            refuse(413, "The body is larger than 32 MiB");
            return true;
        }
    }
    m_input.erase(0, m_input.size() - rest.size());
    if (step.event == Event::NeedMore)
        return fillInput();
    if (step.event == Event::Malformed)
        refuse(400, "The request body is not well-formed HTTP/1.1");
    else
        answer();
    return true;
}

void SimulatedConnection::answer()
{
    m_state = State::Answering;
    m_arrived = std::chrono::steady_clock::now();
    m_streamBegun = false;
    m_answer = m_wrongOverride.empty() ? answerTo(m_method, m_path, m_body)
                                       : errorAnswer(400, m_wrongOverride, {}, "invalid_header");
}

bool SimulatedConnection::sendAnswer()
{
    if (m_answer.events)
        return sendEvents();
    if (m_answer.tokens && waitsFor(*m_answer.tokens))
        return false;
    sendReply(m_answer.status, m_answer.body);
    finish();
    return true;
}

bool SimulatedConnection::sendEvents()
{
    while (m_socket->bytesToWrite() < enoughQueued) {
        if (waitsFor(m_answer.events->tokensGiven()))
            return false;
        if (!m_streamBegun)
            sendStreamHead();
        const std::string event = m_answer.events->next();
        if (event.empty()) {
            if (m_chunked)
                write("0\r\n\r\n");
            finish();
            return true;
        }
        write(m_chunked ? asChunk(event) : event);
    }
    return false;
}

bool SimulatedConnection::waitsFor(std::size_t tokens)
{
    const auto due = m_arrived + dueAfter(m_pace, tokens);
    const auto left = due - std::chrono::steady_clock::now();
    if (left.count() <= 0)
        return false;
    m_timer.start(std::chrono::ceil<std::chrono::milliseconds>(left));
    return true;
}

void SimulatedConnection::sendStreamHead()
{
    m_streamBegun = true;
    m_keepAlive = m_keepAlive && m_chunked;
    std::string head = "HTTP/1.1 200 OK\r\n";
    head += label;
    head += "Content-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n";
    head += m_chunked ? "Transfer-Encoding: chunked\r\n" : "";
    head += m_keepAlive ? "\r\n" : "Connection: close\r\n\r\n";
    write(head);
}

void SimulatedConnection::sendReply(int status, std::string_view body)
{
    std::string reply = http::ownReply(
        {.status = status, .body = body, .toHead = m_method == "HEAD", .keepAlive = m_keepAlive});
    reply.insert(reply.find("\r\n") + 2, label);
    write(reply);
}

/// For what cannot be read to its end: the rest is thrown away for a while before the connection is
/// closed, because closing with bytes unread would destroy the answer on its way (RFC 9112 §9.6).
void SimulatedConnection::refuse(int status, std::string_view message)
{
    m_state = State::Ending;
    m_method.clear();
    m_keepAlive = false;
    sendReply(status, errorAnswer(status, message).body);
    QTimer::singleShot(lingerTime, this, &SimulatedConnection::end);
}

void SimulatedConnection::finish()
{
    m_answer = {};
    m_body = {};
    m_state = State::Head;
    if (!m_keepAlive)
        end();
}

void SimulatedConnection::end()
{
    m_state = State::Ending;
    m_socket->disconnectFromHost();
}

void SimulatedConnection::write(std::string_view bytes)
{
    m_socket->write(bytes.data(), static_cast<qint64>(bytes.size()));
}

} // namespace gatehouse::demo
