// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/policies/policytest.h"

#include <QByteArray>

#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse::test {

/// A PolicyTest made at once.
class PolicyRun : public PolicyTest
{
public:
    enum class Mode : std::uint8_t { Enforce, Observe };

    explicit PolicyRun(std::string_view type, QByteArrayView config = {}, Mode mode = Mode::Enforce)
        : PolicyTest(type, config)
    {
        settings.observes = mode == Mode::Observe;
        isMade = make();
        problems = context.said();
    }

    /// \a lines: fields, each with its CRLF.
    void
    ask(const std::string &requestLine, const std::string &lines = {}, const std::string &body = {})
    {
        send(requestLine + " HTTP/1.1\r\n" + lines, body);
    }

    bool isMade = false;
    QByteArray problems;
};

} // namespace gatehouse::test
