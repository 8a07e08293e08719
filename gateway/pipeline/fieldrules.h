// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

// What policies ask of the header fields that their owners write down.

namespace gatehouse {

/// "must …" where \a name is no name of a field or of one that policies may not touch: what frames or
/// encodes the message, belongs to one connection, or is the gateway's own.
[[nodiscard]] std::string fieldNameProblem(std::string_view name);

/// True where a parser reads back what was written: no control but tab, no blank at either end, not
/// empty. RFC 9110 §5.5.
[[nodiscard]] bool isFieldValue(std::string_view value);

/// True for the fields in which SDKs put keys. One of a request goes nowhere, or to the provider in the
/// clear, so secrets have their own place: Provider.spec.credential.
[[nodiscard]] bool isCredentialField(std::string_view name);

} // namespace gatehouse
