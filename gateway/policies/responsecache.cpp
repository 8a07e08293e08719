// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/base/units.h"
#include "gateway/http/text.h"
#include "gateway/json/canonical.h"
#include "gateway/pipeline/answererror.h"
#include "gateway/pipeline/answerpart.h"
#include "gateway/pipeline/cachecontrol.h"
#include "gateway/pipeline/policytype.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse {

namespace {

using std::chrono::milliseconds;

/// Of a request that is looked at; a longer one is let pass instead of gathered.
constexpr std::uint64_t longestBody = std::uint64_t{16} << 20;
/// Whoever waits for longer goes to the provider; as long as that may take by itself to begin.
constexpr milliseconds longestWait{std::chrono::minutes(5)};
constexpr std::string_view headerWord = "header:";

/// Fields of a request that change what is answered. Beginnings, in lower case.
constexpr auto answerFields = std::to_array<std::string_view>({"accept",
                                                               "anthropic-",
                                                               "api-version",
                                                               "chatgpt-",
                                                               "content-language",
                                                               "openai-",
                                                               "origin",
                                                               "prefer",
                                                               "x-goog-user-project",
                                                               "x-goog-request-params"});
/// Those that say who asks where no virtual key does.
constexpr auto credentialFields = std::to_array<std::string_view>(
    {"api-key", "authorization", "cookie", "proxy-authorization", "x-api-key", "x-goog-api-key"});

struct Config
{
    milliseconds ttl{std::chrono::minutes(10)};
    ByteSize maxBytes{std::uint64_t{256} << 20};
    std::vector<std::string> key{"body", "client"};
    bool streams = true;

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::ttl>({.key = "ttl",
                                 .label = "Kept for",
                                 .help = "So long an answer stands for the next ones",
                                 .unit = Unit::Milliseconds,
                                 .min = 1000,
                                 .max = 30LL * 24 * 3600 * 1000}),
            field<&Config::maxBytes>(
                {.key = "maxBytes",
                 .label = "Memory",
                 .help = "Bytes that all answers take together; those that were not used for "
                         "longest make room. One that is longer than an eighth of it, or than "
                         "8MiB, is not kept",
                 .unit = Unit::Bytes,
                 .min = 64 << 10}),
            field<&Config::key>(
                {.key = "key",
                 .label = "Same is",
                 .help = "What must be the same: body, however it is written; client, without "
                         "which all clients share their answers; header:NAME for one more field. "
                         "Always the same are route, path, query, credentials of one's own, and "
                         "accept*, anthropic-*, api-version, chatgpt-*, content-language, "
                         "openai-*, origin, prefer, x-goog-user-project and "
                         "x-goog-request-params",
                 .max = 32}),
            field<&Config::streams>(
                {.key = "streams",
                 .label = "Streams too",
                 .help = "Answers that are streams are kept and given again as streams"}),
        });
        return rows;
    }
};

using Part = AnswerPart;

class ResponseCache final : public Policy
{
public:
    ResponseCache(Config config, std::shared_ptr<AnswerCache> cache)
        : m_config(std::move(config))
        , m_maxBytes(m_config.maxBytes.bytes)
        , m_cache(std::move(cache))
    {
        for (const std::string &part : m_config.key) {
            m_isOfClient = m_isOfClient || part == "client";
            if (part.starts_with(headerWord))
                m_headers.push_back(toLowerAscii(part.substr(headerWord.size())));
        }
        std::ranges::sort(m_headers);
    }

    static std::unique_ptr<const Policy> make(Config config, PolicyContext &context)
    {
        bool isValid = true;
        for (std::size_t i = 0; i < config.key.size(); ++i) {
            const std::string_view part = config.key[i];
            const bool isHeader
                = part.starts_with(headerWord) && http::isToken(part.substr(headerWord.size()));
            if (part == "body" || part == "client" || isHeader)
                continue;
            context.problem({"key", i}, "must be body, client or header:NAME");
            isValid = false;
        }
        if (std::ranges::find(config.key, "body") == config.key.end()) {
            context.problem({"key"},
                            "must have body, else each answer would stand for all requests");
            return nullptr;
        }
        if (!isValid)
            return nullptr;
        return std::make_unique<ResponseCache>(std::move(config), context.state<AnswerCache>(""));
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>((PolicyPhase::RequestBody | PolicyPhase::ResponseHead)
                                         | (PolicyPhase::ResponseBody | PolicyPhase::End));
    }
    /// What comes in chunks, or is long, goes by: gathered, it could be refused for its length.
    [[nodiscard]] bool readsBody(const Exchange &exchange) const override
    {
        const http::RequestHead &request = exchange.request();
        return exchange.method() == "POST" && !exchange.isUpgrade()
               && request.framing == http::Framing::Length && request.contentLength <= longestBody
               && (!m_isOfClient || exchange.client() != nullptr) && exchange.route().isStateless
               && exchange.route().isStateless(exchange.decodedPath(), nullptr)
               && !hasCacheDirective(request.fields, "no-store");
    }

    [[nodiscard]] Verdict onRequestBody(Exchange &exchange) const override
    {
        if (!readsBody(exchange))
            return Continue{};
        const auto json = exchange.body().json();
        if (!json)
            return Continue{};
        const json::Value root = (*json)->root();
        const RouteInfo &route = exchange.route();
        if (!route.isStateless(exchange.decodedPath(), &root))
            return Continue{};
        if (!m_config.streams && route.outputCap
            && route.outputCap(exchange.decodedPath(), root).streams)
            return Continue{};
        const AnswerCache::Key key = keyOf(exchange, root);
        if (hasCacheDirective(exchange.request().fields, "no-cache")) {
            exchange.state<Part>().begin({m_cache, m_maxBytes}, key, Part::Role::Renews);
            return Continue{};
        }
        return look(exchange, key);
    }

    void onResponseHead(Exchange &exchange) const override
    {
        Part *part = partOf(exchange);
        if (part == nullptr)
            return;
        if (std::optional<KeptAnswer> answer = beginOf(exchange))
            part->gather(std::move(*answer));
        else
            part->giveUp();
        if (isProviders(exchange))
            exchange.setResponseHeader("x-gatehouse-cache", "miss");
    }

    [[nodiscard]] std::optional<Reply> onResponseBody(Exchange &exchange,
                                                      std::string_view bytes) const override
    {
        Part *part = partOf(exchange);
        if (part != nullptr && part->gathered() != nullptr && !part->append(bytes))
            part->giveUp();
        return std::nullopt;
    }

    void onEnd(Exchange &exchange) const override
    {
        Part *part = partOf(exchange);
        if (part == nullptr)
            return;
        const Answer &answer = exchange.answer();
        const KeptAnswer *gathered = part->gathered();
        const bool isGood
            = gathered != nullptr && answer.status == 200 && answer.isWhole && answer.isUsageFinal
              && !tellsError(gathered->body, gathered->contentType, codingsOf(*gathered));
        if (isGood)
            part->keep(exchange.services().now());
        else
            part->giveUp();
    }

private:
    /// Null where nothing of the exchange is to be kept, any more.
    [[nodiscard]] static Part *partOf(Exchange &exchange)
    {
        if (exchange.findState<Part>() == nullptr)
            return nullptr;
        Part &part = exchange.state<Part>();
        return part.gathersOrMay() ? &part : nullptr;
    }

    /// It carries the virtual key: no provider sees it, and whose it is stands in the key already.
    [[nodiscard]] static bool isOfGateway(const http::Field &field, const CarriedKey &key)
    {
        constexpr std::string_view scheme = "bearer ";
        const std::string_view value = field.value;
        if (key.text.empty() || !value.ends_with(key.text))
            return false;
        const std::string_view before = value.substr(0, value.size() - key.text.size());
        const bool isBearer
            = equalsIgnoreCase(before.substr(0, scheme.size()), scheme)
              && before.find_first_not_of(" \t", scheme.size()) == std::string_view::npos;
        return before.empty() || isBearer;
    }

    /// All that the answer depends on, each behind its length.
    [[nodiscard]] AnswerCache::Key keyOf(const Exchange &exchange, const json::Value &body) const
    {
        std::string text;
        const auto add = [&text](std::string_view part) { json::appendCanonical(text, part); };
        add(m_isOfClient ? exchange.client()->name : std::string_view());
        add(m_isOfClient ? "client" : "all");
        add(exchange.route().name);
        add(exchange.provider());
        add(exchange.path());
        add(exchange.query());
        for (const http::Field &field : exchange.request().fields) {
            const std::string name = toLowerAscii(field.name);
            const auto isBegun
                = [&name](std::string_view begin) { return name.starts_with(begin); };
            if (std::ranges::find(credentialFields, name) != credentialFields.end()) {
                if (isOfGateway(field, exchange.carriedKey()))
                    continue;
                const Sha256 digest = sha256(field.value); // so that no copy of it stays
                add(name);
                add(toHex(digest));
            } else if (std::ranges::any_of(answerFields, isBegun)
                       || std::ranges::binary_search(m_headers, name)) {
                add(name);
                add(field.value);
            }
        }
        json::appendCanonical(text, body);
        return sha256(text);
    }

    [[nodiscard]] Verdict look(Exchange &exchange, const AnswerCache::Key &key) const
    {
        using Place = AnswerCache::Found::Place;
        Part &part = exchange.state<Part>();
        std::optional<Resume> resume;
        const auto makeWaiter = [&] {
            resume = exchange.pause(2 * longestWait); // its own timer comes before
            auto waiter = waiterFor(exchange, key, *resume);
            part.begin({m_cache, m_maxBytes}, key, Part::Role::Waits, waiter);
            return waiter;
        };
        const auto now = exchange.services().now();
        const auto found = exchange.isObserved()
                               ? m_cache->find(key, now, m_config.ttl, nullptr)
                               : m_cache->find(key, now, m_config.ttl, makeWaiter);
        switch (found.place) {
        case Place::Hit:
            return replyOf(*found.answer, now);
        case Place::Lead:
            part.begin({m_cache, m_maxBytes}, key, Part::Role::Leads);
            return Continue{};
        case Place::Apart:
            return Continue{};
        case Place::Wait:
            break;
        }
        exchange.services().after(longestWait, [resume = *resume, &part] {
            if (resume.isAwaited() && part.leave())
                resume(Continue{});
        });
        return Pause{};
    }

    /// Whoever tells it may be another worker.
    [[nodiscard]] std::shared_ptr<AnswerCache::Waiter>
    waiterFor(Exchange &exchange, const AnswerCache::Key &key, const Resume &resume) const
    {
        auto waiter = std::make_shared<AnswerCache::Waiter>();
        waiter->told = [post = exchange.services().poster(),
                        cache = m_cache,
                        key,
                        resume,
                        &exchange,
                        &part = exchange.state<Part>()](const auto &answer) {
            post([cache, key, resume, &exchange, &part, answer] {
                if (!resume.isAwaited()) { // it went meanwhile, and its state with it
                    if (!answer)
                        cache->endLead(key);
                    return;
                }
                part.setTold(!answer);
                if (answer)
                    resume(replyOf(*answer, exchange.services().now()));
                else
                    resume(Continue{});
            });
        };
        return waiter;
    }

    /// None where the answer cannot stand for others.
    [[nodiscard]] std::optional<KeptAnswer> beginOf(const Exchange &exchange) const
    {
        if (!isProviders(exchange) || exchange.responseStatus() != 200)
            return std::nullopt;
        std::optional<KeptAnswer> answer = keepableHead(exchange.responseFields());
        if (!answer)
            return std::nullopt;
        answer->streams = isStreamType(answer->contentType);
        if (answer->streams && !m_config.streams)
            return std::nullopt;
        return answer;
    }

    /// Not the gateway's own, and not another policy's.
    [[nodiscard]] static bool isProviders(const Exchange &exchange)
    {
        return exchange.answer().status == exchange.responseStatus();
    }

    [[nodiscard]] static Reply replyOf(const KeptAnswer &answer,
                                       std::chrono::steady_clock::time_point now)
    {
        const auto age = std::chrono::floor<std::chrono::seconds>(now - answer.at).count();
        Reply reply{.status = 200,
                    .reason = "response-cache",
                    .message = "A policy of type response-cache gives an answer again",
                    .retryable = true,
                    .headers = answer.headers,
                    .hasOwnBody = true,
                    .body = answer.body,
                    .contentType = answer.contentType,
                    .streams = answer.streams};
        // Another worker's clock may be a moment behind.
        reply.headers.push_back({"age", std::to_string(std::max<std::int64_t>(age, 0))});
        reply.headers.push_back({"x-gatehouse-cache", "hit"});
        return reply;
    }

    Config m_config;
    std::size_t m_maxBytes;
    std::shared_ptr<AnswerCache> m_cache;
    std::vector<std::string> m_headers; ///< of the key, in lower case, in order
    bool m_isOfClient = false;
};

} // namespace

PolicyType responseCachePolicy()
{
    return describe<Config, ResponseCache>(
        {.id = "response-cache",
         .title = "Response cache",
         .category = PolicyCategory::QualityOfService,
         .summary
         = "Gives the answer to a request again where the same one comes once more, from memory: "
           "streams as streams, for the same client alone, without asking the provider and "
           "without counting for token-limit and budget, which come after it. While the first one "
           "is under way, the same ones wait for its answer. Only complete answers of endpoints "
           "that keep nothing are kept, and no-store is obeyed. Refuses nothing",
         .defaultOrder = 57,
         .example = "ttl: 1h\n"
                    "maxBytes: 64MiB\n"
                    "key: [body, client]\n"});
}

} // namespace gatehouse
