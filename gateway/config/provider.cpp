// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/provider.h"

#include "gateway/base/text.h"
#include "gateway/config/address.h"
#include "gateway/config/pem.h"
#include "gateway/config/url.h"
#include "gateway/secrets/secretref.h"

#include <filesystem>
#include <utility>

namespace gatehouse {

namespace {

CredentialHeader
credentialHeaderOf(const ProviderSpec &spec, const Dialect &dialect, std::string_view credential)
{
    if (spec.credentialHeader.empty())
        return dialect.credentialHeader(credential);
    if (spec.credentialHeader == "bearer")
        return {"Authorization", "Bearer "};
    return {spec.credentialHeader, {}};
}

void readCredential(ProviderEntry &entry,
                    const Resource<ProviderSpec> &provider,
                    const ProviderSpec &spec,
                    const std::string &directory,
                    SecretSource &secrets,
                    Reporter &reporter)
{
    entry.credentialReference = spec.credential.text;
    const auto reference = parseSecretReference(spec.credential.text);
    if (!reference || reference->kind == SecretReference::Kind::None)
        return;
    const auto secret = secrets.read(*reference, directory);
    const Place place = provider.place({"credential"});
    if (!secret) {
        entry.credentialError = secret.error();
        reporter.warning(place,
                         secret.error().context + "; until then requests to provider "
                             + inQuotes(provider.name) + " get 503");
        return;
    }
    if (!secret->warning.empty())
        reporter.warning(place, secret->warning);
    const auto header = credentialHeaderOf(spec, *entry.dialect, secret->value->reveal());
    entry.credentialLine = secret->value->framed(
        std::string(header.name) + ": " + std::string(header.prefix), "\r\n");
}

/// Another address is another provider, of whom nothing is known.
void addHealth(ProviderEntry &entry, const ProviderSpec &spec, StateStore &states)
{
    entry.health = states.obtain<ProviderHealth>("provider " + entry.name + " at "
                                                 + entry.origin.authority + entry.basePath);
    entry.ejection = {.failures = spec.outlierEjection.failures,
                      .time = spec.outlierEjection.time,
                      .longest = spec.outlierEjection.longest};
    if (spec.healthCheck.path.empty())
        return;
    entry.check = HealthCheck{
        .target = entry.basePath + spec.healthCheck.path,
        .interval = spec.healthCheck.interval,
        .timeout = spec.healthCheck.timeout,
        .limits = {.failures = spec.healthCheck.failures, .successes = spec.healthCheck.successes}};
}

/// False, and reported, where the credential would be readable on the way.
bool isTransportAllowed(const Resource<ProviderSpec> &provider,
                        const ProviderSpec &spec,
                        const BaseUrl &url,
                        Reporter &reporter)
{
    if (spec.insecure)
        reporter.warning(
            provider.place({"insecure"}),
            "provider " + inQuotes(provider.name)
                + " is insecure: whoever is on the way can read and change everything");
    const bool isExposed = !url.tls && !isLoopbackHost(url.host) && spec.credential.text != "none";
    if (!isExposed || spec.insecure)
        return true;
    reporter.error(
        provider.place({"baseUrl"}),
        "a credential would go over plain http:// to another machine; use https:// or set "
        "insecure: true");
    return false;
}

} // namespace

/// The one it names, or that of its name where it has no address of its own; may be null.
static const ProviderPreset *presetOf(const Resource<ProviderSpec> &provider)
{
    if (!provider.spec.preset.empty())
        return findProviderPreset(provider.spec.preset);
    return provider.spec.baseUrl.empty() ? findProviderPreset(provider.name) : nullptr;
}

ProviderSpec effectiveSpec(const Resource<ProviderSpec> &provider)
{
    ProviderSpec spec = provider.spec;
    const ProviderPreset *preset = presetOf(provider);
    if (preset == nullptr)
        return spec;
    if (spec.dialect.empty())
        spec.dialect = preset->dialect;
    if (spec.baseUrl.empty())
        spec.baseUrl = preset->baseUrl;
    if (spec.credentialHeader.empty() && spec.dialect == preset->dialect) {
        const bool isBearer = equalsIgnoreCase(preset->credentialHeader, "Authorization");
        spec.credentialHeader = isBearer ? std::string_view("bearer") : preset->credentialHeader;
    }
    return spec;
}

std::shared_ptr<const ProviderEntry> buildProvider(const Resource<ProviderSpec> &provider,
                                                   const std::string &directory,
                                                   SecretSource &secrets,
                                                   StateStore &states,
                                                   Reporter &reporter)
{
    const ProviderSpec spec = effectiveSpec(provider);
    // What is there and wrong was reported as it was read.
    if (spec.dialect.empty() && provider.document->find("spec") != nullptr)
        reporter.error(provider.place({}),
                       "dialect is missing; name one, or a preset that has one");
    if (spec.baseUrl.empty() && provider.place({"baseUrl"}) == provider.place({}))
        reporter.error(provider.place({}),
                       "baseUrl is missing; name one, or a preset that has one");
    const auto url = parseBaseUrl(spec.baseUrl);
    const Dialect *dialect = findDialect(spec.dialect);
    if (!url || dialect == nullptr || !isTransportAllowed(provider, spec, *url, reporter))
        return nullptr;

    auto entry = std::make_shared<ProviderEntry>();
    entry->name = provider.name;
    entry->dialect = dialect;
    entry->origin = {url->tls, url->host, url->port, authorityOf(*url)};
    entry->basePath = url->path;
    entry->insecure = spec.insecure;
    const ProviderPreset *preset = presetOf(provider);
    entry->tellsUsageUnasked = preset != nullptr && preset->tellsUsageUnasked;
    if (!spec.ca.empty()) {
        auto pem = readCertificates(spec.ca, directory);
        if (!pem) {
            reporter.error(provider.place({"ca"}), pem.error().context);
            return nullptr;
        }
        entry->caPem = std::move(*pem);
    }
    readCredential(*entry, provider, spec, directory, secrets, reporter);
    addHealth(*entry, spec, states);
    return entry;
}

} // namespace gatehouse
