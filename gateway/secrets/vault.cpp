// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/vault.h"

#include "gateway/secrets/backends.h"

#include <QEventLoop>

#include <algorithm>
#include <utility>

namespace gatehouse {

namespace {

using namespace std::chrono_literals;

constexpr auto burst = 20ms;
/// gnome-keyring 42 says nothing when the login unlocks it. Asked only while something is missing.
constexpr auto pollInterval = 300ms;

/// True for what an open keychain says of an entry: what was held of it is good no more.
bool isVerdictOnEntry(SecretState state)
{
    return state == SecretState::Missing || state == SecretState::Unusable;
}

} // namespace

Vault::Vault(std::unique_ptr<Keychain> keychain,
             std::shared_ptr<SecretArena> arena,
             QObject *parent)
    : QObject(parent)
    , m_arena(std::move(arena))
    , m_keychain(std::move(keychain))
{
    m_change.setSingleShot(true);
    m_change.setInterval(burst);
    m_poll.setInterval(pollInterval);
    connect(&m_change, &QTimer::timeout, this, &Vault::changed);
    connect(&m_poll, &QTimer::timeout, this, &Vault::poll);
    if (m_keychain)
        connect(m_keychain.get(), &Keychain::changed, this, &Vault::askAgain);
}

Vault::~Vault() = default;

Result<ResolvedSecret> Vault::read(const SecretReference &reference,
                                   const std::filesystem::path &directory)
{
    auto found = find(reference, directory);
    if (!found)
        return Unexpected(Error{ErrorCode::CredentialUnavailable, found.error().text});
    return std::move(*found);
}

SecretProblem Vault::look(const SecretReference &reference, const std::filesystem::path &directory)
{
    const auto found = find(reference, directory);
    return found ? SecretProblem{SecretState::Readable, {}} : found.error();
}

Result<ResolvedSecret, SecretProblem> Vault::find(const SecretReference &reference,
                                                  const std::filesystem::path &directory)
{
    switch (reference.kind) {
    case SecretReference::Kind::None:
        return ResolvedSecret{};
    case SecretReference::Kind::Environment:
        return readEnvironmentSecret(reference.name, *m_arena);
    case SecretReference::Kind::File:
        return readFileSecret(directory / reference.name, *m_arena);
    case SecretReference::Kind::Keychain:
        return findInKeychain(reference.name);
    }
    return ResolvedSecret{};
}

Result<ResolvedSecret, SecretProblem> Vault::findInKeychain(const std::string &name)
{
    if (!m_keychain)
        return Unexpected(SecretProblem{
            SecretState::NoService,
            "keychain:" + name + ": there is no keychain here; use env:NAME or file:PATH"});
    const auto [place, isNew] = m_entries.try_emplace(name);
    Entry &entry = place->second;
    // What is held is looked at again, too: a reload is how the user asks for that.
    if (!std::exchange(entry.isNamed, true) || isNew)
        ask(name, Keychain::Start::Allowed);
    if (entry.value)
        return ResolvedSecret{entry.value};
    if (entry.problem)
        return Unexpected(*entry.problem);
    return Unexpected(SecretProblem{
        SecretState::Pending,
        "keychain:" + name + ": the keychain has not answered yet; try again in a moment"});
}

void Vault::ask(const std::string &name, Keychain::Start start)
{
    Entry &entry = m_entries.at(name);
    if (entry.isBeingRead) {
        entry.mustReadAgain = true;
        return;
    }
    entry.isBeingRead = true;
    m_keychain->read(
        name, start, [this, name](auto answer) { takeAnswer(name, std::move(answer)); });
    if (!m_poll.isActive())
        m_poll.start();
}

void Vault::takeAnswer(const std::string &name,
                       Result<std::shared_ptr<const LockedSecret>, SecretProblem> answer)
{
    const auto found = m_entries.find(name);
    if (found == m_entries.end())
        return;
    Entry &entry = found->second;
    entry.isBeingRead = false;
    if (answer) {
        if (std::string problem = secretProblem((*answer)->reveal()); !problem.empty())
            answer = Unexpected(
                SecretProblem{SecretState::Unusable,
                              "the entry " + problem + "; run: gatehouse secret set " + name});
    }
    if (answer) {
        if (!entry.value || entry.value->reveal() != (*answer)->reveal()) {
            entry.value = std::move(*answer);
            announce();
        }
        entry.problem.reset();
    } else if (!entry.value || isVerdictOnEntry(answer.error().state)) {
        SecretProblem problem = std::move(answer).error();
        problem.text.insert(0, "keychain:" + name + ": ");
        if (entry.value || entry.problem != problem)
            announce();
        entry.value.reset();
        entry.problem = std::move(problem);
    }
    if (std::exchange(entry.mustReadAgain, false))
        ask(name, Keychain::Start::No);
}

void Vault::announce()
{
    if (!m_change.isActive())
        m_change.start();
}

void Vault::askAgain()
{
    for (const auto &[name, entry] : m_entries)
        ask(name, Keychain::Start::No);
}

void Vault::poll()
{
    bool isAllHeld = true;
    for (const auto &[name, entry] : m_entries) {
        if (entry.value)
            continue;
        isAllHeld = false;
        if (!entry.isBeingRead)
            ask(name, Keychain::Start::No);
    }
    if (isAllHeld)
        m_poll.stop();
}

bool Vault::isWaiting() const
{
    return std::ranges::any_of(
        m_entries, [](const auto &named) { return !named.second.value && !named.second.problem; });
}

void Vault::wait(std::chrono::milliseconds limit)
{
    if (!isWaiting())
        return;
    QEventLoop loop;
    const auto leaveIfDone = [&] {
        if (!isWaiting())
            loop.quit();
    };
    connect(this, &Vault::changed, &loop, leaveIfDone);
    QTimer::singleShot(limit, &loop, &QEventLoop::quit);
    loop.exec();
}

void Vault::beginRound()
{
    for (auto &[name, entry] : m_entries)
        entry.isNamed = false;
}

void Vault::endRound()
{
    std::erase_if(m_entries, [](const auto &named) { return !named.second.isNamed; });
}

std::string Vault::takeWarning()
{
    if (m_hasWarned)
        return {};
    std::string warning = m_arena->warning();
    m_hasWarned = !warning.empty();
    return warning;
}

} // namespace gatehouse
