// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/draft.h"
#include "gateway/config/snapshot.h"
#include "gateway/pipeline/policycontext.h"
#include "gateway/secrets/secretsource.h"

#include <string>

namespace gatehouse {

/// What a policy of the configuration may ask for while it is made.
class BuildContext final : public PolicyContext
{
public:
    BuildContext(const Resource<PolicySpec> &policy,
                 const std::string &directory,
                 const Snapshot &snapshot,
                 SecretSource &secrets,
                 StateStore &states,
                 Diagnostics &diagnostics)
        : m_policy(policy)
        , m_directory(directory)
        , m_snapshot(snapshot)
        , m_secrets(secrets)
        , m_states(states)
        , m_reporter(policy.file, diagnostics)
    {}

    [[nodiscard]] std::string_view name() const override { return m_policy.name; }
    void problem(std::initializer_list<PathStep> field, std::string message) override;
    void warning(std::initializer_list<PathStep> field, std::string message) override;
    [[nodiscard]] bool decode(const Node *config, RecordRef record) override;
    [[nodiscard]] Result<std::shared_ptr<const LockedSecret>>
    secret(const SecretText &reference) override;
    [[nodiscard]] Result<std::string> text(std::string_view inlineOrFile) override;
    [[nodiscard]] Result<std::shared_ptr<const Endpoint>> endpoint(std::string_view url) override;

    [[nodiscard]] std::shared_ptr<const PriceTable> prices() override { return m_snapshot.prices; }
    [[nodiscard]] std::string_view timezone() override { return m_snapshot.timezone; }

    [[nodiscard]] std::shared_ptr<quota::CounterFile> counterFile(std::string_view shape,
                                                                  std::size_t cellBytes) override;

    /// True where the policy asked for an endpoint.
    [[nodiscard]] bool usesEndpoints() const { return m_usesEndpoints; }

protected:
    [[nodiscard]] StateStore &states() override { return m_states; }

private:
    const Resource<PolicySpec> &m_policy;
    const std::string &m_directory;
    const Snapshot &m_snapshot; ///< complete but for its policies
    SecretSource &m_secrets;
    StateStore &m_states;
    Reporter m_reporter;
    bool m_usesEndpoints = false;
};

} // namespace gatehouse
