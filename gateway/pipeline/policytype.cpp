// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/policytype.h"

namespace gatehouse {

std::string_view categoryName(PolicyCategory category)
{
    switch (category) {
    case PolicyCategory::Security:
        return "Security";
    case PolicyCategory::Compliance:
        return "Compliance";
    case PolicyCategory::Transformation:
        return "Transformation";
    case PolicyCategory::QualityOfService:
        return "Quality of Service";
    case PolicyCategory::Troubleshooting:
        return "Troubleshooting";
    }
    return {};
}

} // namespace gatehouse
