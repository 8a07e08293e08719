// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/origin.h"
#include "gateway/base/result.h"
#include "gateway/pipeline/caller.h"
#include "gateway/pipeline/verdict.h"
#include "gateway/secrets/virtualkey.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gatehouse {

/// An outside service that a policy asks; made by PolicyContext::endpoint.
struct Endpoint
{
    Origin origin;
    std::string target; ///< path and query, "/.well-known/jwks.json"
};

struct FetchRequest
{
    std::shared_ptr<const Endpoint> endpoint;
    std::string method = "GET";
    std::vector<Header> headers = {}; ///< besides Host, Content-Length, Accept-Encoding: identity
    std::string body = {};
    std::chrono::milliseconds timeout{5'000}; ///< for all of it: resolve, connect, TLS, answer
    std::size_t limit = std::size_t{1} << 20; ///< bytes of the answer's body
};

struct FetchResponse
{
    int status = 0;
    std::vector<Header> headers;
    std::string body;

    /// Value of the first header of that name, any case; empty where there is none.
    [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// What a worker offers to policies. Of one worker's thread, but for poster(); callbacks come in that
/// thread, never before the call has returned.
class Services
{
public:
    Services() = default;
    virtual ~Services() = default;
    Services(const Services &) = delete;
    Services(Services &&) = delete;
    Services &operator=(const Services &) = delete;
    Services &operator=(Services &&) = delete;

    /// Sends one request and gives its whole answer, whatever its status. Redirects are not followed.
    /// Fails with a Provider… code where there is no answer. Runs to its end even where nobody waits.
    virtual void fetch(FetchRequest request, std::function<void(Result<FetchResponse>)> done) = 0;
    /// Calls back once, at the earliest after \a delay, in steps of some milliseconds.
    virtual void after(std::chrono::milliseconds delay, std::function<void()> call) = 0;
    /// A function that any thread may call, while the worker lives or after, to run something in this
    /// worker's thread: for what one worker fetches and others wait for.
    [[nodiscard]] virtual std::function<void(std::function<void()>)> poster() = 0;
    [[nodiscard]] virtual std::chrono::steady_clock::time_point now() const = 0;
    [[nodiscard]] virtual std::chrono::system_clock::time_point wallNow() const = 0;
    [[nodiscard]] virtual KeyHash hashKey(std::string_view virtualKey) const = 0;
};

} // namespace gatehouse
