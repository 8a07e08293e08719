// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/secrets/backends.h"

#include <cstdlib>

namespace gatehouse {

Result<ResolvedSecret, SecretProblem> readEnvironmentSecret(const std::string &name,
                                                            SecretArena &arena)
{
    const std::string where = "the environment variable " + name;
    const char *value = std::getenv(name.c_str());
    if (value == nullptr)
        return Unexpected(SecretProblem{SecretState::Missing,
                                        where + " is not set; set it and start the gateway again"});
    if (const std::string problem = secretProblem(value); !problem.empty())
        return Unexpected(SecretProblem{SecretState::Unusable, where + ' ' + problem});
    return ResolvedSecret{arena.store({value})};
}

} // namespace gatehouse
