// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/http/head.h"
#include "gateway/pipeline/attempt.h"
#include "gateway/pipeline/caller.h"
#include "gateway/pipeline/carriers.h"
#include "gateway/pipeline/clientdirectory.h"
#include "gateway/pipeline/requestbody.h"
#include "gateway/pipeline/retrysetting.h"
#include "gateway/pipeline/routeinfo.h"
#include "gateway/pipeline/services.h"
#include "gateway/pipeline/verdict.h"
#include "gateway/usage/usage.h"
#include "gateway/usage/usagerequest.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse {

class PolicyEntry;
struct RequestedModels;

/// A verified certificate of the client side's TLS connection.
struct PeerCertificate
{
    std::string subject;     ///< RFC 4514 text, "CN=ci,O=Example"
    std::string commonName;  ///< of the subject, or empty
    std::string fingerprint; ///< SHA-256 over the DER bytes, 64 lower-case hexadecimal digits
};

/// The other end of the client side's connection.
struct Peer
{
    std::string address; ///< numeric; IPv4-mapped IPv6 as IPv4
    std::uint16_t port = 0;
    bool isLoopback = false;
    std::shared_ptr<const PeerCertificate> certificate = {}; ///< null: none was shown
    /// Asks for the process behind the connection, once a connection; null where it cannot be known.
    /// Empty in tests without one. Of the worker's thread.
    std::function<void(CallerDepth, std::function<void(std::shared_ptr<const Caller>)>)> findCaller
        = {};
};

/// What the gateway waits for while an exchange is with its provider.
enum class Wait : std::uint8_t {
    Connect,   ///< a connection: resolve, TCP, TLS
    FirstByte, ///< from the request's last byte to the answer's first
    Idle,      ///< between two pieces of the answer; not in a WebSocket
    Total      ///< from the head's way through the policies to the end of the answer
};

/// What came of a request at its provider, as far as it is known by now.
struct Answer
{
    bool isSent = false;  ///< bytes of the request went out to a provider
    int status = 0;       ///< 0: no answer has begun
    bool isWhole = false; ///< the provider's last byte is here
    /// The provider said that its answer is complete: its usage is final. Else what `usage` has was told
    /// on the way, and more may have been used.
    bool isUsageFinal = false;
    Usage usage = {}; ///< of answers to POST with a status of 2xx
};

/// What one policy decided about one exchange; for the record.
struct Decision
{
    enum class Kind : std::uint8_t { Pass, Refuse, Change, WouldRefuse, WouldChange, Error };

    const PolicyEntry *policy = nullptr; ///< alive while the exchange's snapshot is
    Kind kind = Kind::Pass;
    std::string detail = {};
};

/// Resumes a paused exchange with a verdict, once. Copyable; does nothing where the exchange is over
/// or was resumed already, so a callback may hold it for as long as it likes. Worker's thread.
class Resume
{
public:
    struct Ticket
    {
        std::function<void(Verdict)> resume;
    };

    explicit Resume(std::weak_ptr<Ticket> ticket)
        : m_ticket(std::move(ticket))
    {}
    void operator()(Verdict verdict) const;
    /// False where nobody waits any more.
    [[nodiscard]] bool isAwaited() const { return !m_ticket.expired(); }

private:
    std::weak_ptr<Ticket> m_ticket;
};

/// What a policy keeps with an exchange from its request to its response.
class PolicyState
{
public:
    PolicyState() = default;
    virtual ~PolicyState() = default;
    PolicyState(const PolicyState &) = delete;
    PolicyState(PolicyState &&) = delete;
    PolicyState &operator=(const PolicyState &) = delete;
    PolicyState &operator=(PolicyState &&) = delete;
};

/// One request and its response, as policies see and change it. In observe mode changes are recorded
/// and not made. Of one worker's thread; reused from one exchange to the next.
class Exchange
{
public:
    Exchange() = default;
    Exchange(const Exchange &) = delete;
    Exchange(Exchange &&) = delete;
    Exchange &operator=(const Exchange &) = delete;
    Exchange &operator=(Exchange &&) = delete;
    ~Exchange() = default;

    // The request; not to be asked any more in the response phases, but for method and model.
    /// With the changes of the policies before.
    [[nodiscard]] const http::RequestHead &request() const { return m_request; }
    [[nodiscard]] std::string_view method() const { return m_request.method; }
    /// Below the route's base path, as written, without the query: "/chat/completions", or "".
    [[nodiscard]] std::string_view path() const { return m_path; }
    /// The same percent-decoded once: what rules, globs and expressions look at.
    [[nodiscard]] std::string_view decodedPath() const { return m_decodedPath; }
    /// As written, with its '?', without the virtual key; may be empty.
    [[nodiscard]] std::string_view query() const { return m_query; }
    [[nodiscard]] bool isUpgrade() const { return m_request.upgradeWebsocket; }
    /// Value of the first field of that name, any case.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
    /// Complete in onRequestBody only, and empty where there is none.
    [[nodiscard]] RequestBody &body() { return m_body; }
    /// What the route's modelFinder finds in the request as it is now; looked for once by all policies that
    /// ask. In onRequestBody only, and of routes with a modelFinder. Valid until the head is changed.
    [[nodiscard]] const Result<RequestedModels> &requestedModels();

    [[nodiscard]] const RouteInfo &route() const { return *m_route; }
    [[nodiscard]] const Peer &peer() const { return *m_peer; }
    [[nodiscard]] Services &services() const { return *m_services; }
    [[nodiscard]] const ClientDirectory &clients() const { return *m_clients; }
    [[nodiscard]] const CarriedKey &carriedKey() const { return m_carriedKey; }
    [[nodiscard]] std::string_view requestId() const { return m_requestId; }
    /// The policy's decision will not be carried out.
    [[nodiscard]] bool isObserved() const { return m_isObserved; }

    // Who asks
    /// Null before client-key, and on public routes without a key.
    [[nodiscard]] const ClientEntry *client() const { return m_client; }
    [[nodiscard]] const KeyEntry *key() const { return m_key; }
    [[nodiscard]] const KeyHash &keyHash() const { return m_keyHash; }
    void setKey(const KeyEntry &key, const KeyHash &hash);
    /// A token names the client instead of a virtual key; \a client is one of clients().
    void setClient(const ClientEntry &client);

    // Changes to the request. Names and values must be valid fields; Host and what frames the message
    // cannot be changed (see isChangeable), and such a call does nothing.
    /// Replaces all fields of that name, or appends it.
    void setRequestHeader(std::string_view name, std::string_view value);
    /// Appends a field beside those of that name.
    void addRequestHeader(std::string_view name, std::string_view value);
    /// Removes the fields for which \a isMeant says yes; returns how many.
    std::size_t removeRequestHeaders(const std::function<bool(std::string_view name)> &isMeant);
    /// The request's body may have this many bytes: a longer one is answered with \a refusal (413), also
    /// midway. The refusal is the policy's and lives as long.
    void limitBody(std::uint64_t bytes, const Reply &refusal);
    /// The gateway waits no longer than \a longest, in place of its own limit, and then answers with
    /// \a refusal (504), or breaks off an answer that has begun. The shortest of several holds. The
    /// refusal is the policy's and lives as long.
    void limitTime(Wait wait, std::chrono::milliseconds longest, const Reply &refusal);
    /// The request may be sent again; the last policy that says so counts. \a setting is the policy's and
    /// lives as long.
    void retry(const RetrySetting &setting);
    /// The request goes to \a provider only where no other of the route is left. The name is one of
    /// route().providerNames.
    void avoid(std::string_view provider);
    /// The request goes to \a provider first, to see whether it is well, where it is meant for the request's
    /// model. The name is one of route().providerNames.
    void prefer(std::string_view provider);
    /// The response's body ends after this many bytes, and the connection with it.
    void cutResponseAfter(std::uint64_t bytes);

    // Changes to the response, in onResponseHead, also of the gateway's own answers.
    [[nodiscard]] int responseStatus() const { return m_response->status; }
    [[nodiscard]] std::optional<std::string_view> responseHeader(std::string_view name) const;
    void setResponseHeader(std::string_view name, std::string_view value);
    void addResponseHeader(std::string_view name, std::string_view value);
    std::size_t removeResponseHeaders(const std::function<bool(std::string_view name)> &isMeant);
    /// Its fields as they are now; in onResponseHead.
    [[nodiscard]] const std::vector<http::Field> &responseFields() const
    {
        return m_response->fields;
    }

    // The answer, in the response phases.
    [[nodiscard]] const Answer &answer() const { return m_answer; }
    /// Who answers, or would: the name of the provider that the request goes to; in onEnd the last one.
    [[nodiscard]] std::string_view provider() const { return m_provider; }
    /// Where the request went, in this order; complete in onEnd.
    [[nodiscard]] const std::vector<Attempt> &attempts() const { return m_attempts; }

    /// Call before returning Pause{}; the Resume takes the verdict that the policy would have returned.
    /// \a longest: after which it is held to be stuck; none: as the configuration says of all policies
    /// (policyTimeout).
    [[nodiscard]] Resume pause(std::optional<std::chrono::milliseconds> longest = {});

    /// This policy's state in this exchange; made at its first use.
    template<typename T>
    [[nodiscard]] T &state()
    {
        std::unique_ptr<PolicyState> &slot = currentState();
        if (!slot)
            slot = std::make_unique<T>();
        return static_cast<T &>(*slot);
    }
    /// The same, null where it was not used yet.
    template<typename T>
    [[nodiscard]] const T *findState() const
    {
        if (m_part != nullptr)
            return static_cast<const T *>(m_part->get());
        return m_place < m_states.size() ? static_cast<const T *>(m_states[m_place].get())
                                         : nullptr;
    }
    /// What \a call returns, which finds \a part in place of this policy's state: for a policy that is made
    /// up of others.
    template<typename Call>
    auto withPart(std::unique_ptr<PolicyState> &part, Call call)
    {
        m_part = &part;
        auto result = call();
        m_part = nullptr;
        return result;
    }

    [[nodiscard]] const std::vector<Decision> &decisions() const { return m_decisions; }

    /// False for fields that frame the message or belong to one connection, Host, and the gateway's own.
    [[nodiscard]] static bool isChangeable(std::string_view name);

    // For the owner of the exchange: the connection that it came by, or what tries a policy.
    /// The policy that holds it back; while one does.
    [[nodiscard]] const PolicyEntry *currentPolicy() const { return m_current; }
    /// As pause() was told last.
    [[nodiscard]] std::optional<std::chrono::milliseconds> longestPause() const
    {
        return m_longestPause;
    }
    struct Setting
    {
        const RouteInfo *route = nullptr;
        const Peer *peer = nullptr;
        Services *services = nullptr;
        const ClientDirectory *clients = nullptr;
        std::string_view requestId = {};
        std::string_view path = {}; ///< below the base path, a part of the request's target
        bool dropKeys = false;      ///< the query's `key=` goes too: a credential takes its place
    };
    /// Takes \a request, whose views must stay valid until own(), end() or the last use of the request.
    /// Refuses where a virtual key would reach the provider (takeCarriers).
    [[nodiscard]] Result<void> begin(http::RequestHead &&request, const Setting &setting);
    /// Copies what the request's views point into, \a head, so that it may go.
    void own(std::string_view head);
    /// The request was sent on: what its views point into may go. Its method stays readable.
    void forgetRequest();
    /// Forgets the request and all that is known of it, who asks too; what was paused is never
    /// resumed. Large buffers are given back.
    void end();
    /// Resumes what is paused with \a verdict, in the policy's place; its own comes too late then.
    void resumeFor(Verdict verdict) const;
    /// Called, in the worker's thread, when a paused policy has its verdict, for Pipeline::resume.
    void setResumed(std::function<void(Verdict)> resumed) { m_resumed = std::move(resumed); }
    /// Changes the body, which is complete and not coded, and what the head says of its length; the client is not
    /// to see what the answer tells for it.
    void askForUsage(const UsageSplice &splice);
    /// askForUsage() was called.
    [[nodiscard]] bool isAskedForUsage() const { return m_isAskedForUsage; }
    /// The request's body has this many bytes by now: the refusal where that is more than a policy
    /// allows, else null. Call whenever it grows.
    [[nodiscard]] const Reply *checkBodySize(std::uint64_t bytes);
    [[nodiscard]] std::optional<std::uint64_t> cutAfter() const { return m_cutAfter; }
    /// Null where it may be sent once only.
    [[nodiscard]] const RetrySetting *retrySetting() const { return m_retry; }
    /// An attempt failed, and another one follows: for the record, as a decision of the policy if one said
    /// that there may be others.
    void noteRetry(std::string why);
    [[nodiscard]] Answer &answerSoFar() { return m_answer; }
    /// \a name lives as long as the exchange.
    void setProvider(std::string_view name) { m_provider = name; }
    [[nodiscard]] bool isAvoided(std::string_view provider) const;
    [[nodiscard]] bool isPreferred(std::string_view provider) const
    {
        return m_preferred == provider;
    }
    /// From now on it is with provider().
    void beginAttempt(std::chrono::steady_clock::time_point now);
    /// The answer has begun.
    void noteAnswer(int status, std::chrono::steady_clock::time_point now);
    /// The provider did not give a whole answer. What was noted first stands.
    void noteFailure(ErrorCode error, std::chrono::steady_clock::time_point now);
    /// How long a policy lets the gateway wait.
    [[nodiscard]] std::optional<std::chrono::milliseconds> timeLimit(Wait wait) const;
    /// It has waited for that long: the refusal, where a policy set that limit, else null.
    [[nodiscard]] const Reply *timedOut(Wait wait);
    /// True where checkObservedTime() is to be called.
    [[nodiscard]] bool observesTimes() const { return m_observesTimes; }
    /// A wait is over: records what policies that only observe would have refused.
    void checkObservedTime(Wait wait, std::chrono::steady_clock::duration waited);

private:
    friend class Pipeline;

    struct BodyLimit
    {
        std::uint64_t bytes = 0;
        const Reply *refusal = nullptr;
        const PolicyEntry *policy = nullptr;
        bool isObserved = false;
    };

    struct TimeLimit
    {
        Wait wait = Wait::Total;
        std::chrono::milliseconds longest{0};
        const Reply *refusal = nullptr;
        const PolicyEntry *policy = nullptr;
        bool isObserved = false;
        bool isSaid = false; ///< of an observed one: recorded
    };

    [[nodiscard]] const TimeLimit *shortestLimit(Wait wait) const;
    [[nodiscard]] std::unique_ptr<PolicyState> &currentState();
    /// All that points into the head.
    void clearViews();
    /// False, and recorded, where the current policy only observes.
    [[nodiscard]] bool mayChange();
    std::string_view keepText(std::string_view text);

    http::RequestHead m_request;
    http::ResponseHead *m_response = nullptr; ///< while onResponseHead runs
    std::string m_headBytes;                  ///< what m_request points into, once it is owned
    std::string_view m_path;
    std::string m_decodedPath;
    std::string m_query;
    std::string m_requestId;
    std::string m_method;            ///< once the request is forgotten
    std::deque<std::string> m_texts; ///< what policies put into heads
    RequestBody m_body;
    std::shared_ptr<const Result<RequestedModels>> m_models; ///< null: not looked for yet
    CarriedKey m_carriedKey;
    const RouteInfo *m_route = nullptr;
    const Peer *m_peer = nullptr;
    Services *m_services = nullptr;
    const ClientDirectory *m_clients = nullptr;
    const ClientEntry *m_client = nullptr;
    const KeyEntry *m_key = nullptr;
    KeyHash m_keyHash{};
    std::vector<BodyLimit> m_bodyLimits;
    std::optional<std::uint64_t> m_cutAfter;
    std::vector<TimeLimit> m_timeLimits;
    Answer m_answer;
    std::string_view m_provider;
    std::vector<Decision> m_decisions;
    std::vector<std::unique_ptr<PolicyState>>
        m_states;                             ///< by place in the pipeline, as far as used
    std::vector<bool> m_applies;              ///< by place in the pipeline
    std::shared_ptr<Resume::Ticket> m_ticket; ///< while paused
    std::function<void(Verdict)> m_resumed;
    std::optional<std::chrono::milliseconds> m_longestPause;
    const PolicyEntry *m_current = nullptr;         ///< whose hook runs, or which paused
    std::size_t m_place = 0;                        ///< of the current policy
    std::unique_ptr<PolicyState> *m_part = nullptr; ///< while withPart() runs
    std::uint8_t m_phase = 0;                       ///< PolicyPhase that runs or paused
    bool m_isObserved = false;
    bool m_hasChanged = false; ///< in the hook that runs
    bool m_observesTimes = false;
    bool m_isAskedForUsage = false;
    const RetrySetting *m_retry = nullptr;
    const PolicyEntry *m_retryPolicy = nullptr;
    std::vector<Attempt> m_attempts;
    std::vector<std::string_view> m_avoided;
    std::string_view m_preferred;
};

} // namespace gatehouse
