// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/http/text.h"
#include "gateway/pipeline/policytype.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

namespace gatehouse {

namespace {

constexpr std::size_t hashDigits = 64;
/// The first look at a large executable takes as long as reading it.
constexpr std::chrono::seconds lookupLimit{10};

std::string pathProblem(std::string_view text)
{
    const std::filesystem::path path(text);
    return path.is_absolute() && path.lexically_normal() == path && path.has_filename()
               ? std::string()
               : "must be the absolute path of a program, such as /usr/bin/curl";
}

std::string hashProblem(std::string_view text)
{
    const bool isHash = text.size() == hashDigits
                        && std::ranges::all_of(text, [](char c) { return hexValue(c) >= 0; });
    return isHash || text.empty() ? std::string()
                                  : "must be 64 hexadecimal digits, as sha256sum prints them";
}

std::string userProblem(std::string_view text)
{
    return text.empty() || std::ranges::any_of(text, &isControl)
               ? "must be the name or the number of a user"
               : std::string();
}

struct Executable
{
    std::string path;
    std::string sha256;

    bool operator==(const Executable &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Executable::path>(
                {.key = "path",
                 .label = "Path",
                 .help = "Absolute path of the program; symbolic links in it are followed when the "
                         "configuration is read. Of a script it is the interpreter",
                 .required = true,
                 .problem = &pathProblem}),
            field<&Executable::sha256>(
                {.key = "sha256",
                 .label = "SHA-256",
                 .help = "What sha256sum prints of the program: then only these very contents are "
                         "allowed to run, also where the file was replaced by an update since; "
                         "absent: whatever the file at that path is",
                 .problem = &hashProblem}),
        });
        return rows;
    }
};

struct Config
{
    std::vector<Executable> executables;
    std::vector<std::string> users;

    bool operator==(const Config &) const = default;
    static std::span<const Field> fields()
    {
        static constexpr auto rows = std::to_array<Field>({
            field<&Config::executables>(
                {.key = "executables",
                 .label = "Programs",
                 .help = "Programs that may send requests; none listed: all. This holds programs "
                         "apart, not an attacker who may start them: whoever can do that can also "
                         "make them send what he likes",
                 .max = 1000}),
            field<&Config::users>({.key = "users",
                                   .label = "Users",
                                   .help
                                   = "Users of this machine whose programs may send requests, "
                                     "by name or number; none listed: all",
                                   .max = 1000,
                                   .problem = &userProblem}),
        });
        return rows;
    }
};

Reply refuse(std::string_view detail, std::string message)
{
    return {.reason = "process-identity:" + std::string(detail), .message = std::move(message)};
}

/// Lets requests pass that come from known programs of known users of this machine.
class ProcessIdentity final : public Policy
{
public:
    explicit ProcessIdentity(Config config)
        : m_executables(std::move(config.executables))
        , m_users(std::move(config.users))
        , m_depth(std::ranges::any_of(m_executables,
                                      [](const Executable &one) { return !one.sha256.empty(); })
                      ? CallerDepth::Hashed
                      : CallerDepth::Whole)
    {}

    static std::unique_ptr<const Policy> make(Config config, PolicyContext &context)
    {
        if (config.executables.empty() && config.users.empty()) {
            context.problem({}, "must list executables or users");
            return nullptr;
        }
        const std::size_t listed = config.executables.size();
        for (std::size_t i = 0; i < listed; ++i) {
            Executable &executable = config.executables[i];
            executable.sha256 = toLowerAscii(executable.sha256);
            std::error_code error;
            const std::string target = std::filesystem::canonical(executable.path, error).string();
            if (error)
                context.warning({"executables", i, "path"},
                                "there is no such program now: " + error.message());
            else if (target != executable.path)
                executable.path = target;
        }
        return std::make_unique<ProcessIdentity>(std::move(config));
    }

    [[nodiscard]] std::uint8_t phases() const override
    {
        return static_cast<std::uint8_t>(PolicyPhase::RequestHead);
    }

    [[nodiscard]] Verdict onRequestHead(Exchange &exchange) const override
    {
        const Peer &peer = exchange.peer();
        if (!peer.isLoopback || !peer.findCaller)
            return decide(nullptr);
        // Known from an earlier request of the connection the answer comes at once.
        struct Pending
        {
            bool isAnswered = false;
            std::shared_ptr<const Caller> caller;
            std::optional<Resume> resume;
        };
        const auto pending = std::make_shared<Pending>();
        peer.findCaller(m_depth, [this, pending](std::shared_ptr<const Caller> caller) {
            pending->isAnswered = true;
            if (!pending->resume)
                pending->caller = std::move(caller);
            else if (pending->resume->isAwaited()) // and so this is alive
                (*pending->resume)(decide(caller.get()));
        });
        if (pending->isAnswered)
            return decide(pending->caller.get());
        const Resume resume = exchange.pause();
        pending->resume = resume;
        exchange.services().after(lookupLimit, [resume] {
            resume(Undecided{"The calling program could not be found out in time; try again"});
        });
        return Pause{};
    }

private:
    [[nodiscard]] Verdict decide(const Caller *caller) const
    {
        if (caller == nullptr)
            return refuse("unknown",
                          "The program that sent this request cannot be known; only programs on "
                          "this machine that call a loopback address can");
        if (!m_users.empty()) {
            if (auto reply = checkUser(*caller))
                return std::move(*reply);
        }
        if (!m_executables.empty()) {
            if (auto reply = checkProgram(*caller))
                return std::move(*reply);
        }
        return Continue{};
    }

    [[nodiscard]] std::optional<Reply> checkUser(const Caller &caller) const
    {
        const std::string number = std::to_string(caller.uid);
        const bool isListed = std::ranges::any_of(m_users, [&](const std::string &user) {
            // Digits are a number, also where somebody bears that name.
            return http::parseDecimal(user) ? user == number : user == caller.user;
        });
        if (!isListed)
            return refuse("user",
                          "Programs of the user " + inQuotes(caller.user) + " may not use this");
        // Who opened the socket is known in any case; who else holds it where we may look.
        if (caller.pid != 0 && !caller.hasOneUser)
            return refuse("shared", "The connection is shared by programs of several users");
        return std::nullopt;
    }

    [[nodiscard]] std::optional<Reply> checkProgram(const Caller &caller) const
    {
        if (caller.executable.empty())
            return refuse(
                "unknown",
                "The program that sent this request cannot be known; the gateway may look "
                "at programs of its own user only");
        if (!caller.hasOneProgram)
            return refuse("shared", "The connection is shared by several programs");
        bool wasReplaced = false;
        for (const Executable &executable : m_executables) {
            if (executable.path != caller.executable)
                continue;
            if (!executable.sha256.empty() && executable.sha256 == caller.executableHash)
                return std::nullopt;
            if (executable.sha256.empty() && caller.isInPlace)
                return std::nullopt;
            wasReplaced = wasReplaced || (executable.sha256.empty() && !caller.isInPlace);
        }
        if (wasReplaced)
            return refuse("executable",
                          "The file " + inQuotes(caller.executable)
                              + " is not the one that runs any more; start the program again");
        return refuse("executable",
                      "The program " + inQuotes(caller.executable) + " may not use this");
    }

    std::vector<Executable> m_executables;
    std::vector<std::string> m_users;
    CallerDepth m_depth;
};

} // namespace

PolicyType processIdentityPolicy()
{
    return describe<Config, ProcessIdentity>(
        {.id = "process-identity",
         .title = "Process identity",
         .category = PolicyCategory::Security,
         .summary
         = "Lets only requests from the listed programs and users of this machine pass, by the "
           "process at the other end of the loopback connection (Linux). All others are refused "
           "with 403, and so is every request whose process cannot be known",
         .example = "executables:\n"
                    "  - path: /usr/bin/curl\n"
                    "users: [alice]\n"});
}

} // namespace gatehouse
