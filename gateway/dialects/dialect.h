// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/error.h"
#include "gateway/base/modelplaces.h"
#include "gateway/json/value.h"
#include "gateway/usage/usageplaces.h"
#include "gateway/usage/usagereader.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace gatehouse {

/// How a credential is put into a request head.
struct CredentialHeader
{
    std::string_view name;   ///< as written on the wire, "Authorization"
    std::string_view prefix; ///< before the credential, "Bearer " or empty
};

/// A vendor's wire format. Immutable and shared by all threads; the table is list.def.
class Dialect
{
public:
    Dialect() = default;
    virtual ~Dialect() = default;
    Dialect(const Dialect &) = delete;
    Dialect(Dialect &&) = delete;
    Dialect &operator=(const Dialect &) = delete;
    Dialect &operator=(Dialect &&) = delete;

    /// As in configuration: openai, anthropic, gemini, ollama.
    [[nodiscard]] virtual std::string_view name() const = 0;
    /// Where the vendor's API expects \a credential.
    [[nodiscard]] virtual CredentialHeader credentialHeader(std::string_view credential) const = 0;
    /// True where the vendor takes its key from `?key=` too.
    [[nodiscard]] virtual bool takesKeyFromQuery() const { return false; }
    /// Where requests may name a model.
    [[nodiscard]] virtual ModelPlaces modelPlaces() const = 0;
    /// The JSON body with which the vendor would say this, so that its SDK raises its own class.
    /// \a message is plain text; it is escaped here.
    [[nodiscard]] virtual std::string
    errorBody(int status, std::string_view reason, std::string_view message) const = 0;
    /// Where answers tell what they used.
    [[nodiscard]] virtual UsagePlaces usagePlaces() const = 0;
    /// A reader for an answer of \a contentType; null for one that cannot tell: audio, images, text. It
    /// knows the answers of all dialects, since most providers speak more than their own: Ollama has
    /// /v1/messages, Gemini /v1beta/openai.
    [[nodiscard]] std::unique_ptr<UsageReader> usageReader(std::string_view contentType) const;
};

/// All dialects in the order of list.def.
[[nodiscard]] std::span<const Dialect *const> dialects();
/// Null where there is none of that name.
[[nodiscard]] const Dialect *findDialect(std::string_view name);

/// A provider whose address is known by its name (provider-apis, section 1).
struct ProviderPreset
{
    std::string_view name;
    std::string_view dialect;
    std::string_view baseUrl;          ///< empty where only the user knows it (azure-openai)
    std::string_view credentialHeader; ///< overrides the dialect's: "api-key"; else empty
};
[[nodiscard]] std::span<const ProviderPreset> providerPresets();
[[nodiscard]] const ProviderPreset *findProviderPreset(std::string_view name);

/// The member \a name of \a object as a number of tokens. None for null and for what no count can be:
/// negative, with a fraction, above 2^53.
[[nodiscard]] Usage::Tokens tokensOf(const json::Value &object, std::string_view name);
[[nodiscard]] Usage::Tokens tokensOf(const json::Value &number);
/// For UsagePlace: the name of a model, of at most 256 bytes.
bool readModel(const json::Value &name, AnswerUsage &answer);

} // namespace gatehouse
