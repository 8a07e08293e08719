// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/demo/pace.h"
#include "gateway/demo/simulatedanswer.h"
#include "gateway/http/body.h"

#include <QObject>
#include <QTcpSocket>
#include <QTimer>

#include <memory>

namespace gatehouse::demo {

/// One client of the simulated provider: reads a request, answers it in its time, reads the next.
/// Deletes itself when the client is gone.
class SimulatedConnection final : public QObject
{
public:
    SimulatedConnection(std::unique_ptr<QTcpSocket> socket,
                        const SimulatedSettings &settings,
                        QObject *parent);
    ~SimulatedConnection() override;
    Q_DISABLE_COPY_MOVE(SimulatedConnection)

private:
    enum class State { Head, Body, Answering, Ending };

    void advance();
    /// These say whether another step can be made at once.
    [[nodiscard]] bool takeHead();
    [[nodiscard]] bool takeBody();
    [[nodiscard]] bool sendAnswer();

    void begin(const http::RequestHead &head);
    void answer();
    [[nodiscard]] bool sendEvents();
    [[nodiscard]] bool waitsFor(std::size_t tokens);
    void sendStreamHead();
    void sendReply(int status, std::string_view body);
    void refuse(int status, std::string_view message);
    void finish();
    void end();

    [[nodiscard]] bool fillInput();
    void write(std::string_view bytes);

    const SimulatedSettings m_settings;
    std::unique_ptr<QTcpSocket> m_socket;
    QTimer m_timer; ///< until the next piece of the answer is due
    State m_state = State::Head;
    std::string m_input; ///< read, not yet used
    http::HeadScanner m_scanner;

    // of the request at hand
    http::BodyReader m_bodyReader;
    std::string m_method;
    std::string m_path;
    std::string m_body;
    std::string m_wrongOverride; ///< says why, where an override cannot be obeyed
    SimulatedSettings m_pace;
    bool m_keepAlive = true;
    bool m_chunked = true; ///< the client knows chunks
    bool m_streamBegun = false;
    Answer m_answer;
    std::chrono::steady_clock::time_point m_arrived;
};

} // namespace gatehouse::demo
