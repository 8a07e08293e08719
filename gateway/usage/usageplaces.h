// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/usage/usage.h"

#include <span>
#include <string_view>

namespace gatehouse {

namespace json {
class Value;
} // namespace json

/// What was read of an answer by now.
struct AnswerUsage
{
    Usage usage;
    /// Of the event, or of the whole where it is no stream: it says that the answer is complete, but for
    /// so many choices.
    bool isFinished = false;
    int openChoices = 0;
    /// The usage was begun by one event and is carried on by others, which tell what has changed.
    bool comesInParts = false;
};

/// A member of an answer, or of an event of it, that tells what was used, by which model, or that it is
/// the end.
struct UsagePlace
{
    std::string_view pointer; ///< as json::MemberPlaces takes it
    /// Reads the member, which is not null, into the second; false where it is not written as this
    /// dialect writes it, so that another one is asked.
    bool (*read)(const json::Value &, AnswerUsage &);
};

/// Where a dialect's answers tell what they used. Filled by a dialect.
struct UsagePlaces
{
    std::span<const UsagePlace> members = {};
    /// Types of events behind which nothing comes: "message_stop".
    std::span<const std::string_view> lastEvents = {};
};

} // namespace gatehouse
