// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/client.h"
#include "app/cli/commands.h"
#include "app/cli/execenvironment.h"
#include "app/cli/execgateway.h"
#include "app/cli/execprocess.h"
#include "app/cli/options.h"
#include "gateway/base/text.h"
#include "gateway/config/loader.h"
#include "gateway/config/sessions.h"
#include "gateway/secrets/virtualkey.h"

#include <QRandomGenerator>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <iostream>

#include <unistd.h>

namespace gatehouse {

namespace {

constexpr std::string_view help
    = R"(Usage: gatehouse exec [--client NAME] [--route ROUTE]... -- COMMAND [ARGUMENT]...

Runs COMMAND with the running gateway's base URLs and a virtual key in its environment. The key dies
with the command, however that ends, and after 24 hours. Keys of LLM vendors, and the variables in
which the configuration keeps credentials, are taken out of the command's environment.

  OPENAI_BASE_URL OPENAI_API_KEY                          OpenAI's SDKs
  ANTHROPIC_BASE_URL ANTHROPIC_API_KEY                    Anthropic's SDKs
  ANTHROPIC_BASE_URL ANTHROPIC_AUTH_TOKEN                 where COMMAND is claude: Claude Code asks
                                                          its user about an ANTHROPIC_API_KEY
  GOOGLE_GEMINI_BASE_URL GEMINI_API_KEY                   Google's Gen AI SDKs, Gemini CLI
  OLLAMA_HOST OLLAMA_API_KEY                              Ollama's clients; they send the key only
                                                          where code tells them to
  CODEX_API_KEY                                           Codex, which takes no base URL from there:
              gatehouse exec -- sh -c 'codex -c "openai_base_url=$OPENAI_BASE_URL"'

GATEHOUSE_KEY is the key once more, for what is configured by file.

  --client NAME  a configured client, whose routes, models, tier and labels hold for the command
                 (default: exec, which need not be configured and may use everything)
  --route ROUTE  the route for its dialect (default: the one that is called as the dialect, else the
                 first by name); may be repeated
  --config DIR   configuration directory (default: that of the running gateway)
  --data DIR     data directory (default: $XDG_DATA_HOME/gatehouse)
  --help         print this

Exit code: that of the command, 128 + N where signal N ended it, 127 where it is not found, 126 where
it cannot be run; 1 the client or route is not there, 2 wrong usage, 3 no gateway is running
)";

constexpr std::chrono::hours longestSession(24);
constexpr std::chrono::milliseconds longestWait(3000);

bool isSameDirectory(const std::string &one, const std::string &other)
{
    std::error_code problem;
    return std::filesystem::equivalent(one, other, problem);
}

std::string shortId()
{
    constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuvwxyz";
    std::string id;
    for (int i = 0; i < 8; ++i)
        id += letters[QRandomGenerator::system()->bounded(static_cast<quint32>(letters.size()))];
    return id;
}

/// A session with its key, and the key that asks whether the gateway knows it.
struct Opened
{
    LiveFile file;
    std::string key;
    std::string probe;
};

Result<Opened> open(const std::string &client, const std::string &dataDir)
{
    const Instant now = std::chrono::system_clock::now();
    const std::string id = shortId();
    auto key = makeKey(sessionKeyId(id), now + longestSession, dataDir);
    if (!key)
        return Unexpected(std::move(key).error());
    auto probe = makeKey(id, now, dataDir);
    if (!probe)
        return Unexpected(std::move(probe).error());
    auto file = openSession({.id = id,
                             .client = client,
                             .hash = key->spec.hash,
                             .probe = probe->spec.hash,
                             .created = key->spec.created,
                             .expires = key->spec.expires},
                            dataDir);
    if (!file)
        return Unexpected(std::move(file).error());
    return Opened{std::move(*file), std::move(key->text), std::move(probe->text)};
}

/// What the client may use; an exit code where it is not there.
Result<std::vector<std::string>, ExitCode> scopeOf(const std::string &name, const Draft &draft)
{
    if (const ClientResource *client = findClient(draft, name))
        return client->spec.routes;
    if (name == execClient)
        return std::vector<std::string>();
    warnOfErrors(draft);
    std::vector<std::string_view> names;
    for (const ClientResource &client : draft.clients)
        names.push_back(client.name);
    fail(ExitNo, "there is no client " + inQuotes(name) + didYouMean(name, names));
    return Unexpected(ExitNo);
}

std::vector<std::string> ownEnvironment()
{
    std::vector<std::string> variables;
    for (char **variable = environ; *variable != nullptr; ++variable)
        variables.emplace_back(*variable);
    return variables;
}

/// Qt ignores SIGPIPE once it has a socket, and a command would inherit that.
class KeptPipeSignal
{
public:
    KeptPipeSignal() { ::sigaction(SIGPIPE, nullptr, &m_before); }
    void restore() const { ::sigaction(SIGPIPE, &m_before, nullptr); }

private:
    struct sigaction m_before = {};
};

/// Where a request comes to the check of its key whatever it asks for.
const std::string &probeUrl(std::span<const AnnouncedRoute> chosen,
                            std::span<const AnnouncedRoute> all)
{
    for (const auto routes : {chosen, all}) {
        const auto whole = std::ranges::find(routes, false, &AnnouncedRoute::isPartial);
        if (whole != routes.end())
            return whole->url;
    }
    return chosen.front().url;
}

int execute(const CommandLine &line, char *const *words)
{
    const KeptPipeSignal pipeSignal;
    const Directories directories = line.directories();
    const auto gateway = readAnnouncement(directories.data);
    if (!gateway)
        return fail(ExitCannotRun, gateway.error().context);
    if (line.isSet(QStringLiteral("config"))
        && !isSameDirectory(directories.config, gateway->config))
        return fail(ExitCannotRun,
                    "the gateway that runs on " + directories.data + " serves the configuration "
                        + gateway->config + ", not " + directories.config);
    const std::string client = line.isSet(QStringLiteral("client"))
                                   ? line.value(QStringLiteral("client"))
                                   : std::string(execClient);
    const auto scope = scopeOf(client, loadDraft(gateway->config));
    if (!scope)
        return scope.error();
    std::vector<std::string> wanted;
    for (const QString &route : line.values(QStringLiteral("route")))
        wanted.push_back(route.toStdString());
    const auto routes = chooseRoutes(gateway->routes, wanted, *scope);
    if (!routes)
        return fail(ExitNo, routes.error());
    if (routes->empty())
        return fail(ExitNo, "the gateway has no route that client " + client + " may use");

    const auto session = open(client, directories.data);
    if (!session)
        return fail(ExitCannotRun, session.error().message());
    if (const auto taken
        = awaitKey(probeUrl(*routes, gateway->routes), session->probe, longestWait);
        !taken)
        return fail(ExitCannotRun, taken.error());
    const std::string command = std::filesystem::path(*words).filename().string();
    pipeSignal.restore();
    return runInForeground(
        words,
        childEnvironment(
            ownEnvironment(), secretVariables(gateway->config), *routes, session->key, command));
}

} // namespace

int runExec(char *const *words)
{
    CommandLine line(help);
    line.addOption(QStringLiteral("client"), QStringLiteral("NAME"));
    line.addOption(QStringLiteral("route"), QStringLiteral("ROUTE"));
    QStringList options;
    for (; *words != nullptr && std::string_view(*words) != "--"; ++words)
        options.append(QString::fromLocal8Bit(*words));
    if (const auto code = line.parse(options))
        return *code;
    if (!line.words().isEmpty() || *words == nullptr)
        return line.refuse("put -- before the command");
    ++words;
    if (*words == nullptr)
        return line.refuse("say which command to run after --");
    return execute(line, words);
}

} // namespace gatehouse
