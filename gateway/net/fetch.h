// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/net/providerconnection.h"
#include "gateway/net/providerpool.h"
#include "gateway/net/workercontext.h"
#include "gateway/pipeline/services.h"

#include <QtGlobal>

#include <functional>
#include <optional>
#include <string>

namespace gatehouse::net {

/// One request of a policy's to an outside service, over the worker's pool. Tells its outcome once,
/// never before start() has returned, and is then of no further use. Of one worker's thread.
class Fetch final : public Buriable, private ProviderUser
{
public:
    using Done = std::function<void(Fetch &fetch, Result<FetchResponse> response)>;

    Fetch(WorkerContext &context, FetchRequest request, Done done);
    /// The same at \a provider, reached by \a target; the request's endpoint says only what is asked for.
    Fetch(WorkerContext &context,
          FetchRequest request,
          const ProviderEntry &provider,
          ProviderTarget target,
          Done done);
    ~Fetch() override;
    Q_DISABLE_COPY_MOVE(Fetch)

    void start();

private:
    struct Timeout final : Deadline
    {
        explicit Timeout(Fetch &fetch)
            : owner(fetch)
        {}
        void expired() override { owner.finish(); }
        Fetch &owner;
    };

    void providerOpened() override;
    void providerInterim(const http::ResponseHead &) override {}
    void providerHead(const http::ResponseHead &head) override;
    void providerBody(std::string_view bytes) override;
    void providerEnd(const std::vector<http::Field> &trailers) override;
    void providerFlush() override {}
    void providerFailed(const Error &error) override;
    void providerDrained() override {}
    [[nodiscard]] bool mayTakeResponse() const override { return !m_isOver; }

    void connect();
    void over(std::optional<Error> error);
    void finish();

    WorkerContext &m_context;
    FetchRequest m_request;
    Done m_done;
    ProviderEntry m_entry; ///< the endpoint, in the form that connections take
    ProviderTarget m_target;
    ProviderConnection *m_connection = nullptr;
    Timeout m_timeout{*this};
    FetchResponse m_response;
    std::optional<Error> m_error; ///< also while nothing came: what it means if nothing comes
    bool m_isOver = false;        ///< the outcome is known, and told with the next tick
};

} // namespace gatehouse::net
