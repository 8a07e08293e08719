// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/secrets/keychain.h"

#include <string>
#include <utility>
#include <vector>

namespace gatehouse {

/// A keychain that the test plays.
class PlayedKeychain final : public Keychain
{
public:
    struct Question
    {
        std::string name;
        Start start;
        Answer<std::shared_ptr<const LockedSecret>> answer;
    };

    void read(const std::string &name,
              Start start,
              Answer<std::shared_ptr<const LockedSecret>> answer) override
    {
        questions.push_back({name, start, std::move(answer)});
        ++asked;
    }
    void write(const std::string &, std::shared_ptr<const LockedSecret>, Answer<void>) override {}
    void remove(const std::string &, Answer<void>) override {}
    void list(Answer<std::vector<std::string>>) override {}

    std::vector<Question> questions; ///< without an answer yet
    int asked = 0;
};

} // namespace gatehouse
