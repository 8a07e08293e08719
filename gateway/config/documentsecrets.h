// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/draft.h"
#include "gateway/secrets/secretarena.h"
#include "gateway/secrets/secretsource.h"

namespace gatehouse {

/// The secrets that stand in MuleSoft documents themselves (`file:FILE#LINE:COLUMN`), before those of
/// another source.
class DocumentSecrets final : public SecretSource
{
public:
    DocumentSecrets(const Draft &draft, SecretSource &others)
        : m_draft(draft)
        , m_others(others)
    {}

    [[nodiscard]] Result<ResolvedSecret> read(const SecretReference &reference,
                                              const std::filesystem::path &directory) override;

private:
    const Draft &m_draft;
    SecretSource &m_others;
    std::shared_ptr<SecretArena> m_arena; ///< made at the first use
};

} // namespace gatehouse
