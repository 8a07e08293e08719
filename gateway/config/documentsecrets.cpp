// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/documentsecrets.h"

namespace gatehouse {

Result<ResolvedSecret> DocumentSecrets::read(const SecretReference &reference,
                                             const std::filesystem::path &directory)
{
    const auto found = m_draft.secrets.find(toText(reference));
    if (found == m_draft.secrets.end())
        return m_others.read(reference, directory);
    if (!m_arena)
        m_arena = SecretArena::make();
    return ResolvedSecret{.value = m_arena->store({found->second->reveal()}),
                          .warning = "a secret stands in the document itself; $NAME takes it from "
                                     "the environment"};
}

} // namespace gatehouse
