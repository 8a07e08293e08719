// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/error.h"
#include "gateway/base/modelplaces.h"
#include "gateway/base/statelessplaces.h"
#include "gateway/base/turnplaces.h"
#include "gateway/json/value.h"
#include "gateway/usage/outputcap.h"
#include "gateway/usage/usageplaces.h"
#include "gateway/usage/usagereader.h"
#include "gateway/usage/usagerequest.h"

#include <cstdint>
#include <memory>
#include <optional>
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
    /// The same for what comes behind an answer with 101, whose Sec-WebSocket-Extensions are \a extensions:
    /// OpenAI's responses and Realtime. Tells the sum of all responses that were told to be complete, under
    /// the model of the last. Null where the extensions are not known.
    [[nodiscard]] std::unique_ptr<UsageReader>
    webSocketUsageReader(std::string_view extensions) const;
    /// Where requests say how much output they allow.
    [[nodiscard]] virtual OutputPlaces outputPlaces() const = 0;
    /// How much the request for \a path with this \a body (null: none that is JSON) lets its answer be.
    /// Looks at the places of all dialects, as usageReader() does.
    [[nodiscard]] OutputCap outputCap(std::string_view path, const json::Value &body) const;
    /// Where requests have the turns of a conversation.
    [[nodiscard]] virtual TurnPlaces turnPlaces() const = 0;
    /// The last turn of the request for \a path with this \a body, in a form that is the same for the same
    /// turn: the model's last one and all that follows it, without ids and the like. All of the body where
    /// no turns are found; none for requests that make no output. Looks at the places of all dialects.
    [[nodiscard]] std::optional<std::string>
    lastTurn(std::string_view path, const json::Value &body, TurnForm form) const;
    /// Which requests ask for nothing but an answer.
    [[nodiscard]] virtual StatelessPlaces statelessPlaces() const = 0;
    /// True where a request with POST for \a path with this \a body asks for nothing but an answer; null: where
    /// it may be one, by its path. Looks at the places of all dialects.
    [[nodiscard]] bool isStateless(std::string_view path, const json::Value *body) const;
    /// What is appended to a stream of \a contentType, behind the end of an event, to say that it ends by
    /// an error, so that the SDK in use raises its own class: by the \a path that was asked for, of this
    /// dialect or of another one that the provider speaks too. Empty where no bytes can say so: in a JSON
    /// text, Gemini's array without alt=sse for one, and in all else.
    [[nodiscard]] std::string streamErrorEvent(std::string_view path,
                                               std::string_view contentType,
                                               int status,
                                               std::string_view reason,
                                               std::string_view message) const;

protected:
    /// The event of the vendor's streams that says this; errorBody() as data, where it is not overridden.
    [[nodiscard]] virtual std::string errorEvent(std::string_view path,
                                                 int status,
                                                 std::string_view reason,
                                                 std::string_view message) const;

private:
    enum class StreamKind : std::uint8_t { Events, Lines, Text, Other };
    [[nodiscard]] static StreamKind streamKindOf(std::string_view contentType);
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
    /// Its streams of chat completions tell what they used without being asked.
    bool tellsUsageUnasked = false;
};
[[nodiscard]] std::span<const ProviderPreset> providerPresets();
[[nodiscard]] const ProviderPreset *findProviderPreset(std::string_view name);

/// Whether the streams of this request, by OpenAI's chat or text completions, whoever serves them, tell their
/// usage only where the body asks. \a target: the path, with its query if there is one.
[[nodiscard]] bool mayAskForUsage(std::string_view method, std::string_view target);
/// What is to be changed of the \a body of such a request so that it asks. None where it does not stream,
/// asks already, or can be read in more than one way. Where the client said that it does not want the usage
/// it is asked for all the same; who asks takes it out again by usageChunkFilter().
[[nodiscard]] std::optional<UsageSplice> askForUsage(std::string_view body);
[[nodiscard]] std::optional<UsageSplice> askForUsage(const json::Value &body);
/// For the answer, where it is a text/event-stream.
[[nodiscard]] std::unique_ptr<UsageChunkFilter> usageChunkFilter();

/// The member \a name of \a object as a number of tokens. None for null and for what no count can be:
/// negative, with a fraction, above 2^53.
[[nodiscard]] Usage::Tokens tokensOf(const json::Value &object, std::string_view name);
[[nodiscard]] Usage::Tokens tokensOf(const json::Value &number);
/// For UsagePlace: the name of a model, of at most 256 bytes.
bool readModel(const json::Value &name, AnswerUsage &answer);

} // namespace gatehouse
