// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/prove/trial.h"

#include <string_view>

namespace gatehouse {

/// Tries everything that a policy of one type has to stop or change.
using Prover = void (*)(Trial &);

/// Null where there is none for the type.
[[nodiscard]] Prover findProver(std::string_view type);

// By what they look at; each file has the provers of some types.
[[nodiscard]] Prover accessProver(std::string_view type);
[[nodiscard]] Prover contentProver(std::string_view type);
[[nodiscard]] Prover quotaProver(std::string_view type);

/// A text that the glob matches: each `*` and `?` replaced.
[[nodiscard]] std::string exampleOf(std::string_view glob);

} // namespace gatehouse
