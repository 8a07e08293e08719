// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/flexdocument.h"
#include "gateway/pipeline/flexconfig.h"
#include "gateway/pipeline/policytype.h"

#include <span>
#include <string>
#include <vector>

namespace gatehouse {

/// Native documents that mean the same as MuleSoft's.
struct FlexTranslation
{
    /// Of kind Listener (a listener of the Gateway by itself), Provider, Route or Policy; each node has
    /// the place in \a file that it comes from.
    struct Document
    {
        std::string file;
        Node node;
        /// Why a Policy cannot be loaded: what it is for is answered 503 then. Its type is the policyRef
        /// where no type is known.
        std::string unloaded = {};
    };

    std::vector<Document> documents = {};
    std::vector<std::string> hosts = {}; ///< Host names that rules and labels name
    std::vector<FlexSecret> secrets = {};
};

/// Translates all MuleSoft documents of a configuration together: they name each other. What cannot mean
/// the same is said at its place, and a policy that cannot be loaded does not load by half.
/// Environment variables are read here.
[[nodiscard]] FlexTranslation translateFlex(std::span<const FlexDocument> documents,
                                            std::span<const PolicyType> types,
                                            Diagnostics &diagnostics);

} // namespace gatehouse
