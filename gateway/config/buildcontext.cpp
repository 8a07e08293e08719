// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/buildcontext.h"

#include "gateway/base/file.h"
#include "gateway/base/text.h"
#include "gateway/config/address.h"
#include "gateway/config/url.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace gatehouse {

namespace {

constexpr std::size_t longestText = std::size_t{64} * 1024;

/// Printable ASCII without what a request target cannot have. RFC 3986 §2.
bool isTargetCharacter(char c)
{
    constexpr std::string_view forbidden = "\"<>\\^`{|}#";
    return c > 0x20 && c < 0x7f && forbidden.find(c) == std::string_view::npos;
}

} // namespace

void BuildContext::problem(std::initializer_list<PathStep> field, std::string message)
{
    // As the decoder says it: "url must …".
    const std::string_view *key = nullptr;
    for (const PathStep &step : field) {
        if (const auto *name = std::get_if<std::string_view>(&step))
            key = name;
    }
    if (key != nullptr && message.starts_with("must "))
        message = std::string(*key) + " " + message;
    m_reporter.error(placeOf(m_policy.spec.config, field), std::move(message));
}

void BuildContext::warning(std::initializer_list<PathStep> field, std::string message)
{
    m_reporter.warning(placeOf(m_policy.spec.config, field), std::move(message));
}

bool BuildContext::decode(const Node *config, RecordRef record)
{
    Diagnostics found;
    Reporter reporter(m_policy.file, found);
    Node empty = Node::map();
    empty.place = m_policy.spec.config.place;
    decodeRecord(config != nullptr ? *config : empty, record, reporter);
    for (const Diagnostic &diagnostic : found)
        m_reporter.report(diagnostic);
    return !hasErrors(found);
}

Result<std::shared_ptr<const LockedSecret>> BuildContext::secret(const SecretText &reference)
{
    const auto parsed = parseSecretReference(reference.text);
    if (!parsed)
        return Unexpected(parsed.error()); // reported as it was decoded
    auto secret = m_secrets.read(*parsed, m_directory);
    const Place place = m_policy.spec.config.place;
    if (!secret) {
        m_reporter.warning(place,
                           secret.error().context + "; until then policy " + inQuotes(m_policy.name)
                               + " cannot decide");
        return Unexpected(std::move(secret).error());
    }
    if (!secret->warning.empty())
        m_reporter.warning(place, secret->warning);
    return std::move(secret->value);
}

Result<std::string> BuildContext::text(std::string_view inlineOrFile)
{
    constexpr std::string_view prefix = "file:";
    if (!inlineOrFile.starts_with(prefix))
        return std::string(inlineOrFile);
    const std::filesystem::path path
        = std::filesystem::path(m_directory) / inlineOrFile.substr(prefix.size());
    auto bytes = readFile(path, longestText);
    if (!bytes)
        return Unexpected(Error{ErrorCode::ConfigInvalid, bytes.error().context});
    return bytes;
}

Result<std::shared_ptr<const Endpoint>> BuildContext::endpoint(std::string_view url)
{
    const auto refuse = [](std::string problem) {
        return Unexpected(Error{ErrorCode::ConfigInvalid, std::move(problem)});
    };
    const std::size_t scheme = url.find("://");
    const std::size_t start = scheme == std::string_view::npos ? 0 : scheme + 3;
    const std::size_t end = std::min(url.find_first_of("/?", start), url.size());
    const auto base = parseBaseUrl(url.substr(0, end));
    if (!base)
        return Unexpected(base.error());
    if (!base->tls && !isLoopbackHost(base->host))
        return refuse("must begin with https://, since what is asked and answered decides who may "
                      "pass; http:// is for this machine only");
    std::string target(url.substr(end));
    if (!std::ranges::all_of(target, isTargetCharacter))
        return refuse("must have only characters that a URL may have, and no #");
    if (!target.starts_with('/'))
        target.insert(0, "/");
    m_usesEndpoints = true;
    return std::make_shared<const Endpoint>(
        Endpoint{{base->tls, base->host, base->port, authorityOf(*base)}, std::move(target)});
}

std::shared_ptr<quota::CounterFile> BuildContext::counterFile(std::string_view shape,
                                                              std::size_t cellBytes)
{
    if (m_states.directory().empty())
        return nullptr;
    // The name is the user's text, so it is kept out of the file's.
    const quota::Hash128 hash
        = quota::sipHash(std::string(m_policy.name) + '\n' + std::string(shape), {});
    constexpr std::string_view digits = "0123456789abcdef";
    std::string name;
    for (unsigned shift = 0; shift < 64; shift += 4)
        name += digits[hash[0] >> shift & 15U];
    const std::filesystem::path directory
        = std::filesystem::path(m_states.directory()) / "counters";
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
    auto file = quota::CounterFile::open((directory / (name + ".count")).string(),
                                         cellBytes,
                                         shape,
                                         std::chrono::steady_clock::now(),
                                         std::chrono::system_clock::now());
    if (file)
        return std::move(*file);
    warning({}, file.error());
    return nullptr;
}

} // namespace gatehouse
