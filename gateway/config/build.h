// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/draft.h"
#include "gateway/config/snapshot.h"
#include "gateway/pipeline/statestore.h"
#include "gateway/secrets/secretsource.h"

#include <memory>
#include <string>

namespace gatehouse {

struct BuildOutcome
{
    std::shared_ptr<const Snapshot> snapshot; ///< null where there is an error
    Diagnostics diagnostics;                  ///< the draft's and those found here, sorted by place
};

/// What buildSnapshot would say, without a data directory.
[[nodiscard]] Diagnostics checkDraft(const Draft &draft, SecretSource &secrets);

/// Checks the resources against each other, reads the PEM files that they name, gets their
/// credentials from \a secrets, and compiles them. A credential that cannot be read is no error here:
/// requests get it (503), and it is a warning. The installation's hash key is read from \a dataDir, or
/// made there. \a states carries what policies keep from one snapshot to the next.
[[nodiscard]] BuildOutcome buildSnapshot(const Draft &draft,
                                         const std::string &dataDir,
                                         SecretSource &secrets,
                                         StateStore &states);

/// The same with \a hashKey (32 bytes) in place of the installation's, so that nothing is written: for trials.
[[nodiscard]] BuildOutcome buildTrialSnapshot(const Draft &draft,
                                              std::string hashKey,
                                              SecretSource &secrets,
                                              StateStore &states);

} // namespace gatehouse
