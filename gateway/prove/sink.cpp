// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/prove/sink.h"

#include "gateway/net/guard.h"

#include <algorithm>
#include <utility>

namespace gatehouse {

void SinkServices::fetch(FetchRequest request, std::function<void(Result<FetchResponse>)> done)
{
    wasAsked = true;
    after(std::chrono::milliseconds(0),
          [this, request = std::move(request), done = std::move(done)] {
              if (answer)
                  done(answer(request));
              else
                  done(Unexpected(Error{ErrorCode::ProviderUnreachable, "nothing is asked here"}));
          });
}

void SinkServices::after(std::chrono::milliseconds delay, std::function<void()> call)
{
    m_timers.push_back({m_now + delay, std::move(call)});
}

std::function<void(std::function<void()>)> SinkServices::poster()
{
    return [this](std::function<void()> call) {
        after(std::chrono::milliseconds(0), std::move(call));
    };
}

bool SinkServices::run()
{
    const auto due
        = std::ranges::find_if(m_timers, [this](const Timer &timer) { return timer.due <= m_now; });
    if (due == m_timers.end())
        return false;
    const auto call = std::move(due->call);
    m_timers.erase(due);
    call();
    return true;
}

void SinkServices::advance(std::chrono::steady_clock::duration by)
{
    m_now += by;
    m_wall += std::chrono::duration_cast<std::chrono::system_clock::duration>(by);
    while (run()) {
    }
}

/// It was never sent on, so what was taken for it is given back.
Sink::Request::~Request()
{
    if (m_route != nullptr)
        m_route->pipeline.runEnd(m_exchange);
    m_exchange.end();
}

std::string_view Sink::Request::refusedBy() const
{
    if (m_state != State::Refused)
        return {};
    // The last one: errors before it were let pass (onError: allow).
    const auto &decisions = m_exchange.decisions();
    const bool isByPolicy = !decisions.empty()
                            && (decisions.back().kind == Decision::Kind::Refuse
                                || decisions.back().kind == Decision::Kind::Error);
    return isByPolicy ? decisions.back().policy->name() : std::string_view();
}

std::string_view Sink::Request::heldBy() const
{
    return isHeld() && m_exchange.currentPolicy() != nullptr ? m_exchange.currentPolicy()->name()
                                                             : std::string_view();
}

bool Sink::Request::wasSeenBy(std::string_view policy) const
{
    return std::ranges::any_of(m_exchange.decisions(), [policy](const Decision &decision) {
        return decision.policy->name() == policy;
    });
}

void Sink::Request::answer(int status)
{
    if (!isReached())
        return;
    for (const std::string &provider : m_route->providerNames) {
        m_exchange.setProvider(provider);
        m_exchange.beginAttempt(m_services.now());
        m_exchange.noteAnswer(status, m_services.now());
        m_route->pipeline.runAttempt(m_exchange);
    }
    m_exchange.answerSoFar()
        = {.isSent = true, .status = status, .isWhole = true, .isUsageFinal = true};
}

void Sink::Request::settle(Pipeline::Outcome outcome, bool isInBody)
{
    m_isInBody = isInBody;
    if (outcome == Pipeline::Outcome::Refused)
        m_state = State::Refused;
    else if (outcome == Pipeline::Outcome::Passed && isInBody)
        m_state = State::Reached;
    else if (outcome == Pipeline::Outcome::Passed)
        afterHead(outcome);
}

/// As ExchangeRun::afterHead and Relay take the body in.
void Sink::Request::afterHead(Pipeline::Outcome)
{
    const std::uint64_t size = m_probe.isChunked
                                   ? m_probe.body.size()
                                   : m_probe.announcedLength.value_or(m_probe.body.size());
    if (const Reply *tooLong = m_exchange.checkBodySize(size)) {
        m_reply = *tooLong;
        m_state = State::Refused;
        return;
    }
    if (m_route->pipeline.needsBody(m_exchange)) {
        if (size > RequestBody::inspectionLimit) {
            m_reply = Reply::of({ErrorCode::BodyNotInspectable, {}});
            m_state = State::Refused;
            return;
        }
        m_exchange.body().append(m_probe.body);
    }
    settle(m_route->pipeline.runRequestBody(m_exchange, m_reply), true);
}

std::unique_ptr<Sink::Request> Sink::send(const RouteEntry &route, const Probe &probe)
{
    std::unique_ptr<Request> sent(new Request(m_services));
    Request &request = *sent;
    request.m_probe = probe;
    request.m_head = headOf(probe, route.basePath);
    request.m_peer.address = probe.address;
    request.m_peer.isLoopback = probe.address == "127.0.0.1";
    request.m_peer.findCaller = [&request](CallerDepth, const auto &done) {
        request.m_services.after(std::chrono::milliseconds(0), [&request, done] {
            done(request.m_probe.caller ? std::make_shared<const Caller>(*request.m_probe.caller)
                                        : nullptr);
        });
    };
    http::RequestHead head;
    const auto refuse = [&](const Error &error) {
        request.m_reply = Reply::of(error);
        request.m_state = Request::State::Refused;
    };
    if (auto parsed = http::parseRequestHead(request.m_head, m_snapshot->limits.target, head);
        !parsed) {
        refuse(parsed.error());
        return sent;
    }
    if (auto admitted = net::admit(head, *m_snapshot, route.listener, request.m_route); !admitted) {
        refuse(admitted.error());
        return sent;
    }
    request.m_exchange.setResumed([&request](Verdict verdict) {
        const Pipeline::Outcome outcome = request.m_route->pipeline.resume(
            request.m_exchange, std::move(verdict), request.m_reply);
        request.settle(outcome, request.m_isInBody);
    });
    const ProviderEntry &provider = request.m_route->firstProvider();
    const std::string_view path = head.path.substr(request.m_route->basePath.size());
    const auto begun = request.m_exchange.begin(
        std::move(head),
        {.route = request.m_route,
         .peer = &request.m_peer,
         .services = &m_services,
         .clients = &m_snapshot->clients,
         .requestId = "prove",
         .path = path,
         .dropKeys = provider.dialect->takesKeyFromQuery() && provider.credentialLine != nullptr});
    if (!begun) {
        refuse(begun.error());
        return sent;
    }
    request.settle(request.m_route->pipeline.runRequestHead(request.m_exchange, request.m_reply),
                   false);
    while (request.isHeld() && m_services.run()) {
    }
    return sent;
}

} // namespace gatehouse
