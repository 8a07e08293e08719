// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/options.h"
#include "app/cli/secretinput.h"
#include "gateway/base/hardening.h"
#include "gateway/config/build.h"
#include "gateway/config/loader.h"
#include "gateway/secrets/vault.h"

#include <QEventLoop>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <iostream>
#include <map>
#include <optional>
#include <vector>

namespace gatehouse {

namespace {

constexpr std::string_view help = R"(Usage: gatehouse secret set NAME
       gatehouse secret list [--json] [--config DIR]
       gatehouse secret remove NAME

set     puts a key into the keychain, for `credential: keychain:NAME`; reads it from standard
        input, or from a hidden prompt on a terminal
list    prints what the keychain holds for Gatehouse and what the configuration names, each with
        its state and never with the secret
remove  takes a key out of the keychain; a running gateway stops using it

  --json        print one JSON object instead of lines
  --config DIR  configuration directory (default: $XDG_CONFIG_HOME/gatehouse)
  --data DIR    data directory (default: $XDG_DATA_HOME/gatehouse); not read
  --help        print this

Exit code: 0 done, 1 the secret cannot be used or is not there, 2 wrong usage, 3 the keychain cannot
be used
)";

constexpr auto longestWait = std::chrono::seconds(7);

int fail(const SecretProblem &problem)
{
    return fail(problem.state == SecretState::Missing ? ExitNo : ExitCannotRun, problem.text);
}

/// Asks the keychain and waits for its answer, which it always gives.
template<typename T, typename Ask>
Result<T, SecretProblem> answerOf(Ask ask)
{
    std::optional<Result<T, SecretProblem>> answer;
    QEventLoop loop;
    ask([&](Result<T, SecretProblem> given) {
        answer = std::move(given);
        loop.quit();
    });
    if (!answer)
        loop.exec();
    return std::move(*answer);
}

int setSecret(const std::string &name)
{
    const auto arena = SecretArena::make();
    const auto keychain = Keychain::ofSession(arena);
    const auto secret = readSecretInput("Key for keychain:" + name + " (not shown): ", *arena);
    if (!secret)
        return fail(secret.error().code == ErrorCode::ConfigInvalid ? ExitNo : ExitCannotRun,
                    secret.error().context);
    const auto written
        = answerOf<void>([&](auto answer) { keychain->write(name, *secret, std::move(answer)); });
    if (!written)
        return fail(written.error());
    std::cerr << "The keychain has it; name it as credential: \"keychain:" << name << "\"\n";
    return ExitDone;
}

int removeSecret(const std::string &name)
{
    const auto keychain = Keychain::ofSession(SecretArena::make());
    const auto removed
        = answerOf<void>([&](auto answer) { keychain->remove(name, std::move(answer)); });
    return removed ? ExitDone : fail(removed.error());
}

/// Passes questions on and notes what was asked for: the configuration's references, whoever in it
/// has one.
class Listener final : public SecretSource
{
public:
    explicit Listener(SecretSource &source)
        : m_source(source)
    {}

    Result<ResolvedSecret> read(const SecretReference &reference,
                                const std::filesystem::path &directory) override
    {
        m_heard.insert_or_assign(toText(reference), reference);
        return m_source.read(reference, directory);
    }
    [[nodiscard]] const std::map<std::string, SecretReference> &heard() const { return m_heard; }

private:
    SecretSource &m_source;
    std::map<std::string, SecretReference> m_heard;
};

/// One line of the list.
struct Row
{
    SecretProblem found = {SecretState::Readable, {}};
    bool isNamed = false;  ///< by the configuration
    bool isStored = false; ///< in the keychain, as far as that can be seen
};

struct Listing
{
    SecretProblem keychain = {SecretState::Readable, {}};
    std::map<std::string, Row> rows; ///< by reference
};

std::string_view nameOf(SecretState state)
{
    switch (state) {
    case SecretState::Readable:
        return "readable";
    case SecretState::Pending:
        return "pending";
    case SecretState::Missing:
        return "missing";
    case SecretState::Unusable:
        return "unusable";
    case SecretState::Locked:
        return "locked";
    case SecretState::NoCollection:
        return "no-collection";
    case SecretState::NoService:
        return "no-service";
    case SecretState::NotAnswering:
        return "not-answering";
    }
    return {};
}

Listing gather(const std::string &directory)
{
    const auto arena = SecretArena::make();
    auto owned = Keychain::ofSession(arena);
    Keychain &keychain = *owned;
    Vault vault(std::move(owned), arena);
    Listener listener(vault);
    const Draft draft = loadDraft(directory);
    if (hasErrors(checkDraft(draft, listener)))
        std::cerr << "gatehouse: the configuration has errors, see: gatehouse check --config "
                  << directory << '\n';
    vault.wait(longestWait);

    Listing listing;
    for (const auto &[text, reference] : listener.heard())
        listing.rows[text] = {vault.look(reference, directory), true, false};
    const auto names = answerOf<std::vector<std::string>>(
        [&](auto answer) { keychain.list(std::move(answer)); });
    if (!names) {
        listing.keychain = names.error();
        return listing;
    }
    for (const std::string &name : *names)
        listing.rows["keychain:" + name].isStored = true;
    return listing;
}

QString stateName(const SecretProblem &problem)
{
    const std::string_view name = nameOf(problem.state);
    return QString::fromLatin1(name.data(), static_cast<qsizetype>(name.size()));
}

void printJson(const Listing &listing)
{
    QJsonArray secrets;
    for (const auto &[reference, row] : listing.rows)
        secrets.append(QJsonObject{{QStringLiteral("reference"), QString::fromStdString(reference)},
                                   {QStringLiteral("state"), stateName(row.found)},
                                   {QStringLiteral("problem"), textOrNull(row.found.text)},
                                   {QStringLiteral("configured"), row.isNamed},
                                   {QStringLiteral("stored"), row.isStored}});
    const QJsonObject keychain{{QStringLiteral("state"), stateName(listing.keychain)},
                               {QStringLiteral("problem"), textOrNull(listing.keychain.text)}};
    const QJsonObject object{{QStringLiteral("keychain"), keychain},
                             {QStringLiteral("secrets"), secrets}};
    std::cout << QJsonDocument(object).toJson(QJsonDocument::Compact).constData() << '\n';
}

void printLines(const Listing &listing)
{
    std::size_t width = 0;
    for (const auto &[reference, row] : listing.rows)
        width = std::max(width, reference.size());
    for (const auto &[reference, row] : listing.rows) {
        std::cout << std::left << std::setw(static_cast<int>(width)) << reference << "  "
                  << std::setw(13) << nameOf(row.found.state) << "  "
                  << (row.isNamed ? "configured" : "not configured") << '\n';
        if (!row.found.text.empty())
            std::cerr << "gatehouse: " << row.found.text << '\n';
    }
    if (!listing.keychain.text.empty())
        std::cerr << "gatehouse: the keychain's entries are not listed: " << listing.keychain.text
                  << '\n';
}

} // namespace

int runSecret(const QStringList &args)
{
    CommandLine line(help);
    line.addOption(QStringLiteral("json"));
    if (const auto code = line.parse(args))
        return *code;
    const QStringList words = line.words();
    const std::string action = words.value(0).toStdString();
    const std::string name = words.value(1).toStdString();
    hardenProcess();
    if (action == "list" && words.size() == 1) {
        const Listing listing = gather(line.directories().config);
        if (line.isSet(QStringLiteral("json")))
            printJson(listing);
        else
            printLines(listing);
        return ExitDone;
    }
    if ((action != "set" && action != "remove") || words.size() != 2)
        return line.refuse("say set NAME, list or remove NAME");
    if (!isKeychainName(name))
        return line.refuse("NAME has letters, digits and . _ - only");
    return action == "set" ? setSecret(name) : removeSecret(name);
}

} // namespace gatehouse
