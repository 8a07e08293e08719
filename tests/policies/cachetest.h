// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/dialects/dialect.h"
#include "tests/policies/policytest.h"

#include <memory>
#include <string>

namespace gatehouse::test {

inline const Answer wholeAnswer{
    .isSent = true, .status = 200, .isWhole = true, .isUsageFinal = true};
inline const std::string chat = "POST /p/v1/chat/completions HTTP/1.1\r\n";
inline const std::string jsonType = "Content-Type: application/json\r\n";
inline const std::string eventType = "Content-Type: text/event-stream\r\n";
inline const std::string question = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
inline const ClientEntry ann{.name = "ann"};
inline const ClientEntry ben{.name = "ben"};

class CacheTest : public PolicyTest
{
public:
    explicit CacheTest(QByteArrayView config = {})
        : PolicyTest("response-cache", config)
    {
        knownClient = &ann;
        route.isStateless = [](std::string_view path, const json::Value *body) {
            if (path == "/v1") // of start()
                return true;
            return findDialect("openai")->isStateless(path, body);
        };
        route.outputCap = [](std::string_view path, const json::Value &body) {
            return findDialect("openai")->outputCap(path, body);
        };
    }

    /// A request to wait beside others, of another \a worker if need be.
    [[nodiscard]] std::unique_ptr<TestRequest> another(FakeServices *worker = nullptr)
    {
        return start({}, worker, question);
    }
    /// The provider's answer to a request that passed.
    static QByteArray give(TestRequest &request,
                           const std::string &fields = jsonType,
                           const std::string &body = "{\"answer\":1}",
                           const Answer &answer = wholeAnswer)
    {
        request.exchange.answerSoFar().status = answer.status;
        const QByteArray head = request.respond(fields, answer.status);
        for (std::size_t i = 0; i < body.size(); i += 5)
            (void)request.pass(body.substr(i, 5));
        request.finish(answer);
        request.exchange.end();
        return head;
    }
    /// Asks, and gives the answer where it passes: "pass" or what was answered.
    QByteArray ask(const std::string &head = chat, const std::string &body = question)
    {
        send(head, body);
        const QByteArray said = result();
        if (isPassed())
            give(*this);
        return said;
    }
};

inline const QByteArray hit = "200 response-cache";

} // namespace gatehouse::test
