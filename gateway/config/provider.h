// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/draft.h"
#include "gateway/config/snapshot.h"
#include "gateway/pipeline/statestore.h"
#include "gateway/schema/decode.h"
#include "gateway/secrets/secretsource.h"

#include <memory>
#include <string>

namespace gatehouse {

/// The spec with what its preset gives filled in: the preset that it names or, without a base URL,
/// that of its own name.
[[nodiscard]] ProviderSpec effectiveSpec(const Resource<ProviderSpec> &provider);

/// Compiles a provider; its credential is asked of \a secrets, paths start at \a directory. Null, and
/// reported, where a dialect, an address or a PEM file is wrong or missing, or a credential would go
/// over plain HTTP. What is known of its health is taken over from \a states.
[[nodiscard]] std::shared_ptr<const ProviderEntry>
buildProvider(const Resource<ProviderSpec> &provider,
              const std::string &directory,
              SecretSource &secrets,
              StateStore &states,
              Reporter &reporter);

} // namespace gatehouse
