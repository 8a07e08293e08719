// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/prove/trial.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace gatehouse {

namespace {

/// Longer than any window.
constexpr std::chrono::hours afterAllWindows{24 * 40};
constexpr std::size_t mostUncovered = 4;

/// As Content-Encoding says it, and what it is.
constexpr auto codings
    = std::to_array<std::pair<const char *, const char *>>({{"gzip", "gzip"},
                                                            {"GZIP", "gzip"},
                                                            {"x-gzip", "gzip"},
                                                            {"deflate", "deflate"},
                                                            {"br", "br"},
                                                            {"zstd", "zstd"}});

struct KnownEndpoint
{
    std::string path;
    std::string body;
};

std::string jsonBody(const std::string &model, std::string_view rest)
{
    return "{\"model\":\"" + model + "\"," + std::string(rest) + "}";
}

std::vector<KnownEndpoint> endpointsOf(const RouteEntry &route, const std::string &model)
{
    constexpr std::string_view messages
        = R"("messages":[{"role":"user","content":"hi"}],"max_tokens":16)";
    constexpr std::string_view contents
        = R"({"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{"maxOutputTokens":16}})";
    std::vector<KnownEndpoint> endpoints;
    if (route.dialectName == "anthropic") {
        endpoints = {{"/v1/messages", jsonBody(model, messages)},
                     {"/v1/messages/count_tokens", jsonBody(model, messages)}};
    } else if (route.dialectName == "gemini") {
        endpoints = {{"/v1beta/models/" + model + ":generateContent", std::string(contents)},
                     {"/v1beta/models/" + model + ":streamGenerateContent", std::string(contents)},
                     {"/v1/models/" + model + ":generateContent", std::string(contents)},
                     {"/v1beta/openai/chat/completions", jsonBody(model, messages)}};
    } else if (route.dialectName == "ollama") {
        endpoints
            = {{"/api/chat",
                jsonBody(
                    model,
                    R"("messages":[{"role":"user","content":"hi"}],"options":{"num_predict":16})")},
               {"/api/generate", jsonBody(model, R"("prompt":"hi","options":{"num_predict":16})")},
               {"/v1/chat/completions", jsonBody(model, messages)}};
    } else {
        const bool hasVersion
            = !route.firstProvider().basePath.empty() || route.basePath.ends_with("/v1");
        const std::string version = hasVersion ? "" : "/v1";
        endpoints
            = {{version + "/chat/completions", jsonBody(model, messages)},
               {version + "/responses", jsonBody(model, R"("input":"hi","max_output_tokens":16)")},
               {version + "/embeddings", jsonBody(model, R"("input":"hi")")}};
    }
    endpoints.push_back({"/gatehouse-prove/unknown", jsonBody(model, messages)});
    return endpoints;
}

} // namespace

std::string ConfigReader::text(std::string_view key, std::string_view otherwise) const
{
    const Node *node = m_config.find(key);
    return node != nullptr && node->kind == Node::Kind::Scalar ? node->text
                                                               : std::string(otherwise);
}

std::optional<ConfigReader> ConfigReader::record(std::string_view key) const
{
    const Node *node = m_config.find(key);
    return node == nullptr ? std::nullopt : std::optional<ConfigReader>(*node);
}

std::int64_t ConfigReader::number(std::string_view key, std::int64_t otherwise) const
{
    const std::string digits = text(key);
    std::int64_t value = otherwise;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() ? value : otherwise;
}

std::vector<std::string> ConfigReader::texts(std::string_view key) const
{
    std::vector<std::string> found;
    if (const Node *node = m_config.find(key)) {
        for (const Node &item : node->items)
            found.push_back(item.text);
    }
    return found;
}

std::vector<ConfigReader> ConfigReader::records(std::string_view key) const
{
    std::vector<ConfigReader> found;
    if (const Node *node = m_config.find(key)) {
        for (const Node &item : node->items)
            found.emplace_back(item);
    }
    return found;
}

Trial::Trial(Setting setting)
    : m_setting(std::move(setting))
    , m_config(*m_setting.config)
{
    findGood();
}

/// A request that passes, so that one that does not was stopped for what is wrong with it.
void Trial::findGood()
{
    for (const std::string &model : m_setting.models) {
        m_model = model;
        for (Probe &probe : everywhere(model)) {
            m_good = std::move(probe);
            if (passes(m_good))
                return;
        }
    }
    if (m_setting.models.empty())
        return;
    m_model = m_setting.models.front();
    m_good = everywhere(m_model).front();
}

std::vector<Probe> endpointProbes(const RouteEntry &route, const std::string &model)
{
    std::vector<Probe> probes;
    for (KnownEndpoint &endpoint : endpointsOf(route, model)) {
        Probe probe;
        probe.what = endpoint.path;
        probe.path = std::move(endpoint.path);
        probe.body = std::move(endpoint.body);
        probes.push_back(std::move(probe));
    }
    return probes;
}

std::vector<Probe> Trial::everywhere(const std::string &model) const
{
    std::vector<Probe> probes = endpointProbes(*m_setting.route, model);
    for (Probe &probe : probes)
        probe.key = m_setting.key;
    return probes;
}

std::unique_ptr<Sink::Request> Trial::send(const Probe &probe)
{
    ++m_count;
    return m_setting.sink->send(*m_setting.route, probe);
}

bool Trial::passes(const Probe &probe)
{
    m_setting.sink->services().advance(afterAllWindows);
    const auto request = send(probe);
    return request->isReached() && request->route() == m_setting.route;
}

bool Trial::mustStop(const Probe &probe)
{
    m_setting.sink->services().advance(afterAllWindows);
    return judge(probe, *send(probe));
}

bool Trial::mustStopNow(const Probe &probe)
{
    return judge(probe, *send(probe));
}

bool Trial::mustNotWait(const Probe &probe)
{
    const auto request = send(probe);
    if (request->heldBy() != m_setting.entry->name())
        return true;
    bypassed(probe, "waits for the answer to another request");
    return false;
}

bool Trial::judge(const Probe &probe, const Sink::Request &request)
{
    const std::string_view name = m_setting.entry->name();
    if (!request.isReached()) {
        if (request.refusedBy() == name || request.heldBy() == name)
            ++m_stops;
        else
            m_shadow = request.refusedBy().empty()
                           ? "the gateway's own checks (" + request.reply().message + ")"
                           : "policy " + std::string(request.refusedBy());
        return true;
    }
    if (request.wasSeenBy(name) || m_isVariant)
        bypassed(probe, "got through");
    else
        leaveOut(probe, request);
    return false;
}

/// It passed, and this policy was not asked.
void Trial::leaveOut(const Probe &probe, const Sink::Request &request)
{
    std::string endpoint = probe.method + " " + probe.path;
    if (request.route() != m_setting.route)
        endpoint += " (route " + request.route()->name + " takes it)";
    if (m_uncovered.size() < mostUncovered
        && std::ranges::find(m_uncovered, endpoint) == m_uncovered.end())
        m_uncovered.push_back(std::move(endpoint));
}

std::vector<Probe> Trial::spellings(const Probe &probe) const
{
    std::vector<Probe> all;
    const auto add = [&](std::string what, const auto &change) {
        Probe variant = probe;
        variant.what += ", " + what;
        change(variant);
        all.push_back(std::move(variant));
    };
    if (!probe.key.empty()) {
        for (const KeyPlace carrier :
             {KeyPlace::XApiKey, KeyPlace::XGoogApiKey, KeyPlace::ApiKey, KeyPlace::Query})
            add("another carrier", [carrier](Probe &p) { p.carrier = carrier; });
    }
    if (!probe.body.empty() && !probe.announcedLength) {
        add("chunked", [](Probe &p) { p.isChunked = true; });
        for (const auto &[said, coding] : codings) {
            add(said, [said = said, coding = coding](Probe &p) {
                p.body = encoded(p.body, coding);
                p.headers.emplace_back("Content-Encoding", said);
                p.headers.emplace_back("Content-Type", "application/json");
            });
        }
        add("gzip, br", [](Probe &p) {
            p.body = encoded(encoded(p.body, "gzip"), "br");
            p.headers.emplace_back("Content-Encoding", "gzip, br");
        });
        add("said to be plain text",
            [](Probe &p) { p.headers.emplace_back("Content-Type", "text/plain"); });
    }
    if (!probe.isOfMethod) {
        for (const char *method : {"PUT", "PATCH", "DELETE", "QUERY"})
            add(std::string("method ") + method, [method](Probe &p) { p.method = method; });
    }
    const std::size_t letter = probe.path.find_last_of('/') + 1;
    if (letter < probe.path.size() && probe.path[letter] != '%') {
        add("a letter as %XX", [letter](Probe &p) {
            constexpr std::string_view digits = "0123456789ABCDEF";
            const auto code = static_cast<unsigned char>(p.path[letter]);
            p.path.replace(letter, 1, std::string("%") + digits[code / 16] + digits[code % 16]);
        });
        add("two slashes", [letter](Probe &p) { p.path.insert(letter, "/"); });
        add("a slash at the end", [](Probe &p) { p.path += '/'; });
    }
    return all;
}

void Trial::mustStopHowever(const Probe &probe)
{
    const int stopsBefore = m_stops;
    if (!mustStop(probe))
        return;
    m_isVariant = m_stops > stopsBefore;
    for (const Probe &variant : spellings(probe))
        mustStop(variant);
    m_isVariant = false;
}

void Trial::mustChange(const Probe &probe, const std::function<bool(const Exchange &)> &check)
{
    m_setting.sink->services().advance(afterAllWindows);
    const auto request = send(probe);
    if (!request->isReached()) {
        m_shadow = "what stopped the request (" + request->reply().reason + ")";
        return;
    }
    if (check(request->exchange()))
        ++m_stops;
    else if (request->wasSeenBy(m_setting.entry->name()))
        bypassed(probe, "reached the provider unchanged");
    else
        leaveOut(probe, *request);
}

void Trial::notProven(std::string reason)
{
    m_isNotProven = true;
    m_reasons.push_back(std::move(reason));
}

void Trial::bypassed(const Probe &probe, std::string_view why)
{
    if (!std::exchange(m_isBypassed, true)) {
        m_reasons.insert(m_reasons.begin(), probe.what + ": " + std::string(why));
        m_probe = curlOf(probe, m_setting.route->basePath);
    }
}

void Trial::conclude()
{
    if (!m_uncovered.empty()) {
        std::string text = "it does not look at";
        for (const std::string &endpoint : m_uncovered)
            text += (text.ends_with("at") ? " " : ", ") + endpoint;
        notProven(text + ": its rules or its target leave that out");
    }
    if (m_stops == 0 && !m_isBypassed && !m_isNotProven)
        notProven(m_shadow.empty() ? "it never had anything to say"
                                   : "shadowed: " + m_shadow
                                         + " is before it, so that it never had anything to say");
}

Trial::Standing Trial::standing() const
{
    if (m_isBypassed)
        return Standing::Bypassable;
    return m_isNotProven ? Standing::NotProven : Standing::Proven;
}

} // namespace gatehouse
