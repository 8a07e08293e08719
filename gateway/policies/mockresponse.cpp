// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/http/text.h"
#include "gateway/pipeline/fieldrules.h"
#include "gateway/pipeline/policytype.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gatehouse {

namespace {

struct Config
{
    std::int64_t status = 200;
    std::map<std::string, std::string> headers;
    std::string body;
    bool stream = false;

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::status>({.key = "status",
                                    .label = "Status",
                                    .help = "Status of the answer",
                                    .min = 200,
                                    .max = 599}),
            field<&Config::headers>(
                {.key = "headers",
                 .label = "Headers",
                 .help = "Headers of the answer; the type of the content is told from the body "
                         "where none is named",
                 .max = 100}),
            field<&Config::body>({.key = "body",
                                  .label = "Body",
                                  .help = "What the answer says, as it is",
                                  .max = std::int64_t{1} << 20,
                                  .multiline = true}),
            field<&Config::stream>(
                {.key = "stream",
                 .label = "Stream",
                 .help = "The body is a stream of server-sent events, each sent by itself; an "
                         "empty line ends an event"}),
        });
        return rows;
    }
};

/// The number of the first line that is no line of an event stream, 0 where all are. A line without
/// a colon is a field too, but one that nobody means. HTML standard, section "Server-sent events".
std::size_t findForeignLine(std::string_view body)
{
    constexpr auto begins
        = std::to_array<std::string_view>({"data:", "event:", "id:", "retry:", ":"});
    const auto lines = split(body, '\n');
    const auto found = std::ranges::find_if_not(lines, [&begins](std::string_view line) {
        return line.empty() || std::ranges::any_of(begins, [line](std::string_view begin) {
                   return line.starts_with(begin);
               });
    });
    return found == lines.end() ? 0 : static_cast<std::size_t>(found - lines.begin()) + 1;
}

std::string_view contentTypeOf(const Config &config)
{
    const std::string_view body = config.body;
    const std::size_t first = body.find_first_not_of(" \t\n");
    if (config.stream)
        return "text/event-stream";
    if (first != std::string_view::npos && (body[first] == '{' || body[first] == '['))
        return "application/json";
    return body.empty() ? "" : "text/plain; charset=utf-8";
}

class MockResponse final : public Policy
{
public:
    explicit MockResponse(Reply reply)
        : m_reply(std::move(reply))
    {}

    static std::unique_ptr<const Policy> make(Config config, PolicyContext &context)
    {
        bool isValid = true;
        const auto report = [&](std::initializer_list<PathStep> field, std::string message) {
            isValid = false;
            context.problem(field, std::move(message));
        };
        Reply reply{.status = static_cast<int>(config.status),
                    .reason = "mock-response",
                    .message = "A policy of type mock-response answers for the provider",
                    .retryable
                    = true, // the clients shall do what the provider's answer would make them do
                    .hasOwnBody = true,
                    .contentType = std::string(contentTypeOf(config)),
                    .streams = config.stream};
        for (const auto &[name, value] : config.headers) {
            if (std::string problem = fieldNameProblem(name); !problem.empty())
                report({"headers", name}, std::move(problem));
            else if (!isFieldValue(value))
                report({"headers", name}, "must not be empty, nor begin or end with a blank");
            else if (equalsIgnoreCase(name, "content-type"))
                reply.contentType = value;
            else
                reply.headers.push_back({name, value});
        }
        const bool hasNoContent = config.status == 204 || config.status == 205
                                  || config.status == 304; // RFC 9110 §6.4.1
        if (hasNoContent && (config.stream || !config.body.empty()))
            report({"body"}, "must be left out: an answer of this status has no content");
        if (config.stream) {
            if (const std::size_t line = findForeignLine(config.body); line != 0)
                report({"body"},
                       "must be a stream of events: line " + std::to_string(line)
                           + " begins with none of data:, event:, id:, retry: and :");
            while (!config.body.empty() && !config.body.ends_with("\n\n"))
                config.body += '\n'; // without its empty line the last event would never come
        }
        reply.body = std::move(config.body);
        return isValid ? std::make_unique<MockResponse>(std::move(reply)) : nullptr;
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        // After those that look at bodies: only what would have reached the provider is answered.
        return static_cast<std::uint8_t>(PolicyPhase::RequestBody);
    }
    [[nodiscard]] bool readsBody(const Exchange &) const override { return false; }
    [[nodiscard]] Verdict onRequestBody(Exchange &) const override { return m_reply; }

private:
    Reply m_reply;
};

} // namespace

PolicyType mockResponsePolicy()
{
    return describe<Config, MockResponse>(
        {.id = "mock-response",
         .title = "Mock response",
         .category = PolicyCategory::Troubleshooting,
         .summary
         = "Answers for the provider with a fixed answer, as one piece or as a stream of "
           "events; the request goes nowhere. Only requests that all other policies let pass "
           "are answered",
         .defaultOrder = 90,
         .example = "status: 200\n"
                    "stream: true\n"
                    "body: |\n"
                    "  data: {\"choices\": [{\"index\": 0, \"delta\": {\"content\": \"Hello\"}}]}\n"
                    "\n"
                    "  data: [DONE]\n"});
}

} // namespace gatehouse
