// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/file.h"

#include "gateway/secrets/backends.h"
#include "gateway/secrets/secret.h"

#include <string_view>
#include <system_error>
#include <utility>

namespace gatehouse {

Result<ResolvedSecret, SecretProblem> readFileSecret(const std::filesystem::path &path,
                                                     SecretArena &arena)
{
    const std::string where = "the credential file " + path.string();
    auto read = readFile(path, longestSecret + 2);
    if (!read) {
        std::error_code ignored;
        const bool isThere = std::filesystem::exists(path, ignored);
        return Unexpected(SecretProblem{isThere ? SecretState::Unusable : SecretState::Missing,
                                        "the credential file " + read.error().context});
    }
    const Secret contents(std::move(*read));
    std::string_view bytes = contents.reveal();
    if (bytes.ends_with('\n'))
        bytes.remove_suffix(1);
    if (bytes.ends_with('\r'))
        bytes.remove_suffix(1);
    if (const std::string problem = secretProblem(bytes); !problem.empty())
        return Unexpected(SecretProblem{SecretState::Unusable, where + ' ' + problem});
    ResolvedSecret secret{arena.store({bytes})};
    if (isReadableByOthers(path))
        secret.warning = where + " can be read by other users; run: chmod 600 " + path.string();
    return secret;
}

} // namespace gatehouse
